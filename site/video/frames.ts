/** Frames of video as pictures, and pictures as frames. */
import { VideoSample } from "mediabunny";
import type { Image } from "../../src/picture/index.ts";
import type { Size } from "../size.ts";
import { rgbOf, type YuvPlanes, yuvOf } from "./yuv.ts";

/**
 * A frame as it is to be seen: upright, with square pixels, RGB of 8 bits. Colours that a screen lacks (HDR) become
 * those of a screen, as the browser shows them.
 *
 * @param assumedMatrix how colours are coded in a video that does not say so; by default as the frame says.
 */
export async function imageOf(sample: VideoSample, assumedMatrix?: YuvPlanes["matrix"]): Promise<Image> {
  const planes = await planesOf(sample, assumedMatrix);
  return planes ? turn(rgbOf(planes), sample.rotation) : draw(sample);
}

/** The picture of a frame, which is closed. */
export async function takeImage(sample: VideoSample, assumedMatrix?: YuvPlanes["matrix"]): Promise<Image> {
  try {
    return await imageOf(sample, assumedMatrix);
  } finally {
    sample.close();
  }
}

/** Undefined for frames that only the browser converts, stretches or mirrors. */
async function planesOf(
  sample: VideoSample,
  assumedMatrix: YuvPlanes["matrix"] | undefined,
): Promise<YuvPlanes | undefined> {
  const { squarePixelWidth, squarePixelHeight, flip, visibleRect, format } = sample;
  const { width, height } = visibleRect;
  // TypeScript's lists of these names lack those of HDR.
  const { matrix, transfer, fullRange }: { [K in keyof VideoColorSpaceInit]?: unknown } = sample.colorSpace;
  const isPlain = !flip && squarePixelWidth === width && squarePixelHeight === height;
  const isUsual = format === "I420" || format === "NV12" || format === "I422" || format === "I444";
  const isHdr = transfer === "pq" || transfer === "hlg" || matrix === "bt2020-ncl" || matrix === "rgb";
  if (!isPlain || !isUsual || isHdr) return undefined;
  const ofFrame = matrix === "bt709" ? "bt709" : "bt601";
  const space = assumedMatrix ?? (matrix === null ? usualMatrix(height) : ofFrame);
  const data = new Uint8Array(sample.allocationSize());
  try {
    const layout = await sample.copyTo(data);
    return { width, height, data, format, layout, matrix: space, fullRange: fullRange === true };
  } catch {
    return undefined; // a part of a frame that begins within a sample of chroma, say
  }
}

/** How colours are coded in video that does not say so: players go by its height. */
export function usualMatrix(height: number): YuvPlanes["matrix"] {
  return height < 720 ? "bt601" : "bt709";
}

/** By so many degrees, clockwise. */
function turn(image: Image, degrees: number): Image {
  if (degrees === 0) return image;
  const { width, height, channels, data } = image;
  const isLying = degrees !== 180;
  const result = new Uint8Array(data.length);
  // Where the first pixel goes, and how far from there the next ones of its row and of its column are.
  const [first, right, down] = {
    90: [height - 1, height, -1],
    180: [width * height - 1, -1, -width],
    270: [(width - 1) * height, -height, 1],
  }[degrees as 90 | 180 | 270];
  for (let y = 0, from = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let to = (first + x * right + y * down) * channels;
      for (let c = 0; c < channels; c++) result[to++] = data[from++];
    }
  }
  const size = isLying ? { width: height, height: width } : { width, height };
  return { ...size, channels, data: result };
}

function draw(sample: VideoSample): Image {
  const { displayWidth: width, displayHeight: height } = sample;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  sample.draw(context, 0, 0);
  const rgba = context.getImageData(0, 0, width, height).data;
  const data = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < data.length; from += 4) {
    data[to++] = rgba[from];
    data[to++] = rgba[from + 1];
    data[to++] = rgba[from + 2];
  }
  return { width, height, channels: 3, data };
}

/** Codecs take even sizes: an odd one loses its last column or row. */
function evenSize({ width, height }: Size): Size {
  return { width: width - (width % 2), height: height - (height % 2) };
}

export interface Timing {
  /** In seconds. */
  readonly timestamp: number;
  readonly duration: number;
}

/** What players take for granted in video of today. */
const colorSpace = { primaries: "bt709", transfer: "bt709", matrix: "bt709", fullRange: false } as const;

/** A picture as a frame that encoders take. */
export function frameOf(image: Image, timing: Timing): VideoSample {
  const size = evenSize(image);
  const init = { format: "I420", codedWidth: size.width, codedHeight: size.height } as const;
  return new VideoSample(yuvOf(image, size), { ...init, ...timing, colorSpace });
}
