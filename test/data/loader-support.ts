/** Pictures on the disk, and what tests of loaders do with them. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll } from "vitest";
import { openFolder } from "../../src/data/folder.ts";
import type { PatchBatch, PatchLoader } from "../../src/data/loader.ts";
import type { LoaderOptions } from "../../src/data/loader-options.ts";
import { encodePng } from "../../src/files/image-files.ts";
import { noise, temporaryFolder } from "./support.ts";

export const folder = temporaryFolder();
export const scale = 2;
export const count = 7;
export const paths = Array.from({ length: count }, (_, i) => join(folder, `p${i}.png`));

beforeAll(async () => {
  // Different sizes, so that the pictures do not all take equally long.
  for (const [i, path] of paths.entries()) {
    writeFileSync(path, await encodePng(noise(40 + 30 * i, 36 + 10 * i, 3, i)));
  }
});

export const options: LoaderOptions = { batch: 4, patch: 8, seed: 3, workers: 1 };
export const onDisk = () => openFolder(paths, { scale });

export async function take(loader: PatchLoader, n: number): Promise<PatchBatch[]> {
  const batches = [];
  for (let k = 0; k < n; k++) batches.push(await loader.next());
  return batches;
}
