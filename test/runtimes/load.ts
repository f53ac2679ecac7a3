import { createHash } from "node:crypto";
import type * as Data from "pixelgrad/data";

/**
 * What a runtime's threads make of the pictures in `folder`: a hash of three batches. Each picture is degraded, and
 * sent to this thread for every patch.
 */
export async function load({ openFolder, PatchLoader }: typeof Data, folder: string): Promise<string> {
  const dataset = openFolder(folder, { scale: 2, degradation: { seed: 1, noise: 5 } });
  const loader = new PatchLoader(dataset, { batch: 4, patch: 16, seed: 1, cacheBytes: 0, workers: 1 });
  const hash = createHash("sha256");
  for (let k = 0; k < 3; k++) {
    const { low, high } = await loader.next();
    for (const { buffer } of [low, high]) hash.update(new Uint8Array(buffer));
  }
  await loader.close();
  return hash.digest("hex");
}
