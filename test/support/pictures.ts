import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Image, writePng } from "../../src/data/index.ts";

/** A picture with some structure; `k` makes it another one. */
export function drawnPicture(k: number, width = 40, height = 36): Image {
  const data = new Uint8Array(3 * width * height);
  for (let i = 0; i < data.length; i++) {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    data[i] = 128 + 100 * Math.sin((x * (k + 1) + (i % 3)) / 5) * Math.cos(y / (3 + k));
  }
  return { width, height, channels: 3, data };
}

export async function picturesIn(folder: string, count: number): Promise<string> {
  mkdirSync(folder, { recursive: true });
  for (let k = 0; k < count; k++) await writePng(join(folder, `${k}.png`), drawnPicture(k));
  return folder;
}
