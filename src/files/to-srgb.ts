/** Colours that libvips converts to sRGB, and what it wants and gives in doing so. */

import { tiffHeader } from "../formats/tiff.ts";
import type { Image, Samples } from "../picture/image.ts";
import { loadSharp } from "./sharp.ts";

/** The picture with the colours that a profile means. */
export async function toSrgb(image: Image<Samples>, icc: Uint8Array): Promise<Image<Samples>> {
  const { width, height, channels, data } = image;
  const depth = data instanceof Uint8Array ? 8 : 16;
  const header = tiffHeader({ width, height, channels, depth, icc });
  const file = Buffer.concat([header, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]);
  const sharp = await loadSharp();
  const { data: raw, info } = await sharp(file, { limitInputPixels: false, ignoreIcc: true })
    .toColourspace(spaceFor(channels, depth))
    .withIccProfile("srgb")
    .raw({ depth: depth === 8 ? "uchar" : "ushort" })
    .toBuffer({ resolveWithObject: true });
  const length = width * height * info.channels;
  const samples = new (depth === 8 ? Uint8Array : Uint16Array)(raw.buffer, raw.byteOffset, length);
  const converted = { width, height, channels: info.channels as Image["channels"], data: samples };
  return info.channels > channels ? withoutColor(converted) : converted;
}

/** The name that sharp has for grey or RGB. */
export function spaceFor(channels: number, depth: 8 | 16): string {
  return channels <= 2 ? (depth === 16 ? "grey16" : "b-w") : depth === 16 ? "rgb16" : "srgb";
}

/** RGB(A) whose three colours are equal -> grey (+ alpha). */
export function withoutColor({ width, height, channels, data }: Image<Samples>): Image<Samples> {
  const grey = new (data instanceof Uint8Array ? Uint8Array : Uint16Array)(
    (data.length / channels) * (channels - 2),
  );
  for (let from = 0, to = 0; from < data.length; from += channels) {
    grey[to++] = data[from];
    if (channels === 4) grey[to++] = data[from + 3];
  }
  return { width, height, channels: (channels - 2) as 1 | 2, data: grey };
}
