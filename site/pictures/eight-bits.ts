import type { Image, Samples } from "../../src/picture/index.ts";

/** A picture with 8 bits for a sample: 16 become the nearest 8. */
export function withEightBits({ width, height, channels, data }: Image<Samples>): Image {
  const bytes = data instanceof Uint8Array ? data : Uint8Array.from(data, (value) => (value + 128) / 257);
  return { width, height, channels, data: bytes };
}
