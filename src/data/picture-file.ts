/**
 * Picture files for people who look at the result: with all their bits and their colour profile. (`readImage` gives what benchmarks
 * compare.) Results are written from strips, so that they need not be in memory whole.
 */
import { type FileHandle, open, rm } from "node:fs/promises";
import { DataError } from "../picture/errors.ts";
import type { Image, Samples } from "../picture/image.ts";
import {
  checkSize,
  notDecoded,
  notRead,
  notWritten,
  replaceWhole,
  unfinishedName,
  withoutColour,
} from "./files.ts";
import { formatOfBytes, type PictureFormat, pictureFormats } from "./formats.ts";
import { type TiffPicture, tiffHeader } from "./tiff.ts";

export interface PictureFile {
  /** Samples as the file has them; 16 bits if it has. */
  readonly image: Image<Samples>;
  /** Colour profile that says which colours they mean; without one, sRGB. */
  readonly icc?: Uint8Array;
}

/**
 * Reads a PNG, JPEG or WebP file. The orientation noted by a camera is applied; of an animation the first frame is taken. Colours
 * are not converted, except CMYK to sRGB.
 *
 * @throws DataError if there is no such file, or it is no such picture, damaged, or enormous.
 */
export async function readPictureFile(path: string): Promise<PictureFile> {
  const format = formatOfBytes(await beginningOf(path), path);
  const { default: sharp } = await import("sharp");
  const limitInputPixels = false; // its message would be about damage; checkSize has its own
  try {
    const metadata = await sharp(path, { limitInputPixels }).metadata();
    checkSize(metadata, path);
    const cmyk = metadata.space === "cmyk";
    const deep = metadata.depth === "ushort";
    const grey = metadata.space === "b-w" || metadata.space === "grey16";
    const picture = sharp(path, { limitInputPixels, ignoreIcc: !cmyk }).autoOrient();
    const { data, info } = await picture
      .toColourspace(deep ? (grey ? "grey16" : "rgb16") : "srgb")
      .raw({ depth: deep ? "ushort" : "uchar" })
      .toBuffer({ resolveWithObject: true });
    const { width, height } = info;
    const channels = info.channels as Image["channels"];
    const samples = deep
      ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2)
      : new Uint8Array(data.buffer, data.byteOffset, data.length);
    const image: Image<Samples> = { width, height, channels, data: samples };
    const icc = cmyk ? undefined : metadata.icc;
    return { image: grey && !deep ? withoutColour(image as Image) : image, icc };
  } catch (cause) {
    throw notDecoded(path, `${pictureFormats[format].name} picture`, cause);
  }
}

/** Width and height of a picture file as it would be read, from its header alone. @throws DataError */
export async function sizeOfPictureFile(path: string): Promise<{ width: number; height: number }> {
  const format = formatOfBytes(await beginningOf(path), path);
  const { default: sharp } = await import("sharp");
  try {
    const { autoOrient } = await sharp(path, { limitInputPixels: false }).metadata();
    return autoOrient;
  } catch (cause) {
    throw notDecoded(path, `${pictureFormats[format].name} picture`, cause);
  }
}

/** The formats that are written. */
export const outputFormats = ["png", "jpeg", "webp"] as const satisfies PictureFormat[];
export type OutputFormat = (typeof outputFormats)[number];

export interface PictureFileOptions extends TiffPicture {
  readonly format: OutputFormat;
  /** Of JPEG and WebP, 1 to 100; WebP of 100 is lossless. Default 95. */
  readonly quality?: number;
}

/** Largest sides that the formats can say. */
const longestSide: Record<OutputFormat, number> = { png: 2 ** 31 - 1, jpeg: 65_500, webp: 16_383 };

/**
 * Writes a picture file from strips, from top to bottom. They go to a file beside it, uncompressed; `finish` compresses that and only
 * then puts the result in its place, whole.
 */
export class PictureWriter {
  readonly #path: string;
  readonly #options: PictureFileOptions;
  readonly #strips: string;
  readonly #file: FileHandle;

  /** @throws DataError if the format has no room for the picture, or nothing can be written there. */
  static async create(path: string, options: PictureFileOptions): Promise<PictureWriter> {
    const { width, height, channels, depth, format } = options;
    if (Math.max(width, height) > longestSide[format]) {
      throw new DataError(
        `${path}: ${format} pictures have at most ${longestSide[format]} pixels a side, and this one would have ` +
          `${width}x${height}. Choose png.`,
      );
    }
    if ((format === "jpeg" && channels % 2 === 0) || (format !== "png" && depth === 16)) {
      throw new DataError(
        `${path}: ${format} pictures hold no ${depth === 16 ? "16 bits" : "transparency"}. Choose png.`,
      );
    }
    const strips = unfinishedName(path);
    try {
      const file = await open(strips, "wx");
      await file.write(tiffHeader(options));
      return new PictureWriter(path, options, strips, file);
    } catch (cause) {
      await rm(strips, { force: true });
      throw notWritten(path, cause);
    }
  }

  private constructor(path: string, options: PictureFileOptions, strips: string, file: FileHandle) {
    this.#path = path;
    this.#options = options;
    this.#strips = strips;
    this.#file = file;
  }

  /** The next rows. */
  async write({ buffer, byteOffset, byteLength }: Samples): Promise<void> {
    try {
      for (let done = 0; done < byteLength; ) {
        const rest = new Uint8Array(buffer, byteOffset + done, Math.min(byteLength - done, 2 ** 24));
        done += (await this.#file.write(rest)).bytesWritten;
      }
    } catch (cause) {
      throw notWritten(this.#path, cause);
    }
  }

  async finish(): Promise<void> {
    await this.#file.close();
    const { default: sharp } = await import("sharp");
    const { channels, depth, format, quality = 95 } = this.#options;
    const grey = channels <= 2;
    const space = depth === 16 ? (grey ? "grey16" : "rgb16") : grey ? "b-w" : "srgb";
    const picture = sharp(this.#strips, { limitInputPixels: false }).toColourspace(space).keepIccProfile();
    const encoded = {
      png: () => picture.png(),
      // Colour as sharp as the rest. Coding tables that suit this picture would need all of it in memory.
      jpeg: () => picture.jpeg({ quality, chromaSubsampling: "4:4:4", optimiseCoding: false }),
      webp: () => picture.webp({ quality, lossless: quality === 100 }),
    }[format]();
    await replaceWhole(this.#path, (unfinished) => encoded.toFile(unfinished));
    await rm(this.#strips, { force: true });
  }

  /** Gives up; nothing is left. */
  async discard(): Promise<void> {
    await this.#file.close().catch(() => {});
    await rm(this.#strips, { force: true });
  }
}

async function beginningOf(path: string): Promise<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const { buffer, bytesRead } = await file.read(new Uint8Array(12), 0, 12);
    return buffer.subarray(0, bytesRead);
  } catch (cause) {
    throw notRead(path, cause);
  } finally {
    await file?.close();
  }
}
