/** What decoders know of a picture before its samples. */
import type { Metadata } from "sharp";
import type { Area } from "../formats/gif.ts";
import type { Raster } from "../formats/raster.ts";
import type { YCbCr } from "../formats/tiff-samples.ts";
import type { PictureFormat } from "../picture/formats.ts";

/** What a file says about its picture before the samples. */
export interface Header {
  readonly format: PictureFormat;
  /** Size as stored: the orientation is not applied. */
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** A TIFF file has one more, which it does not call transparency, such as near infrared. It is left out. */
  readonly lacksChannel?: boolean;
  readonly depth: 8 | 16;
  /** 1 to 8, as in EXIF. */
  readonly orientation: number;
  /** Pictures in the file. */
  readonly frames: number;
  /** False if the file looks as if it were cut short, which only decoding can tell. */
  readonly looksWhole: boolean;
  /** The name that libvips has for its colours. */
  readonly space: string;
  /** Its codes for colours, of PNG and AVIF, say HDR. */
  readonly isHdr?: boolean;
  /** What sharp says of it, unless it is BMP or PPM. */
  readonly metadata?: Metadata;
  readonly raster?: Raster;
  /** A TIFF file of RGB that calls it grey. */
  readonly isCalledGrey?: boolean;
  /** A TIFF file of luma and chroma, which libvips gives as they are. */
  readonly yCbCr?: YCbCr;
  /** An AVIF file of grey from 16 to 235, which libvips gives as it is. */
  readonly isLimitedGrey?: boolean;
  /** An AVIF animation, which libvips reads as the still picture that it has, too. */
  readonly isSequence?: boolean;
  /** Where the first frame of a GIF file lies that does not fill its picture. */
  readonly part?: Area;
}

/** Colours that a result can have as they are. Others, such as CMYK, are converted to sRGB in decoding. */
export function isStored({ space }: Header): boolean {
  return ["srgb", "rgb", "rgb16", "b-w", "grey16"].includes(space);
}

/** Width and height when the picture is upright. */
export function uprightSize({ width, height, orientation }: Header): { width: number; height: number } {
  return orientation >= 5 ? { width: height, height: width } : { width, height };
}

/** Whether libvips gives 1 channel, or 2 with alpha. */
export function isGrey({ space }: Header): boolean {
  return space === "b-w" || space === "grey16";
}
