/** Pictures as large as DIV2K's, made up, to measure how fast training gets its patches. */
import { mkdirSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { writePng } from "../src/data/index.ts";
import type { Image } from "../src/node.ts";
import { Random } from "../src/tensor/random.ts";

export const [width, height] = [2040, 1356];
/** Of a picture's file, about. */
export const PNG_BYTES = 5e6;

/**
 * A picture with broad bands and noise in the lowest two bits: a PNG of 5 MB, as those of DIV2K mostly have. Others
 * with the same noise at another place are made quickly: `shift` says where it begins.
 */
function picture(noise: Uint8Array, shift: number): Image<Uint8Array> {
  const data = new Uint8Array(noise.length);
  data.set(noise.subarray(shift));
  data.set(noise.subarray(0, shift), noise.length - shift);
  return { width, height, channels: 3, data };
}

/**
 * Fills a new folder with `count` PNGs, of which `different` differ and the rest are copies. (A second link to the same
 * file would be left out by the loader.)
 */
export async function makeTrainingPictures(
  folder: string,
  {
    count,
    different,
    signal,
  }: { readonly count: number; readonly different: number; readonly signal?: AbortSignal },
): Promise<void> {
  mkdirSync(folder);
  const random = new Random(1);
  const noise = Uint8Array.from({ length: width * height * 3 }, (_, k) => (k >> 6) + random.int(4));
  const file = (i: number) => join(folder, `${String(i).padStart(4, "0")}.png`);
  const made = Math.min(count, different);
  const shifts = Array.from({ length: made }, () => random.int(noise.length));
  // A few at a time: sharp packs them in threads.
  for (let first = 0; first < made; first += 8) {
    signal?.throwIfAborted();
    const some = shifts.slice(first, first + 8);
    await Promise.all(some.map((shift, i) => writePng(file(first + i), picture(noise, shift))));
  }
  for (let i = made; i < count; i++) {
    signal?.throwIfAborted();
    await copyFile(file(i % made), file(i));
  }
}
