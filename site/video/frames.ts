/** Frames of video as pictures, and pictures as frames. */
import { VideoSample } from "mediabunny";
import type { Image } from "../../src/picture/index.ts";
import type { Size } from "../overview.ts";
import { rgbOf, type YuvPlanes, yuvOf } from "./yuv.ts";

/**
 * A frame as it is to be seen: upright, with square pixels, RGB of 8 bits. Colours that a screen lacks (HDR) become
 * those of a screen, as the browser shows them.
 */
export async function imageOf(sample: VideoSample): Promise<Image> {
  const planes = await planesOf(sample);
  return planes ? rgbOf(planes) : drawn(sample);
}

/** The picture of a frame, which is closed. */
export async function taken(sample: VideoSample): Promise<Image> {
  try {
    return await imageOf(sample);
  } finally {
    sample.close();
  }
}

/** Undefined for frames that only the browser converts, turns or stretches. */
async function planesOf(sample: VideoSample): Promise<YuvPlanes | undefined> {
  const { displayWidth: width, displayHeight: height, rotation, flip, visibleRect, format } = sample;
  // TypeScript's lists of these names lack those of HDR.
  const { matrix, transfer, fullRange }: { [K in keyof VideoColorSpaceInit]?: unknown } = sample.colorSpace;
  const isUpright = rotation === 0 && !flip && visibleRect.width === width && visibleRect.height === height;
  const isUsual = format === "I420" || format === "NV12" || format === "I422" || format === "I444";
  const isHdr = transfer === "pq" || transfer === "hlg" || matrix === "bt2020-ncl" || matrix === "rgb";
  if (!isUpright || !isUsual || isHdr) return undefined;
  // What says nothing of its colours is taken for what was usual for its size.
  const isOld = matrix === null ? height < 720 : matrix !== "bt709";
  const data = new Uint8Array(sample.allocationSize());
  try {
    const layout = await sample.copyTo(data);
    const space = { matrix: isOld ? "bt601" : "bt709", fullRange: fullRange === true } as const;
    return { width, height, data, format, layout, ...space };
  } catch {
    return undefined; // a part of a frame that begins within a sample of chroma, say
  }
}

function drawn(sample: VideoSample): Image {
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
export function evenSize({ width, height }: Size): Size {
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
