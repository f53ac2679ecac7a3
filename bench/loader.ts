/**
 * Can the loader feed a fast GPU? `npm run bench:loader` cuts batches of 16 patches of 48x48 (HR 96x96), the
 * paper's, out of pictures as large as DIV2K's, as fast as it can (--batches N), and as fast as a GPU of
 * --rate N steps a second asks for them. Cores of other machines differ less in crops per core and second
 * than in anything else.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { openFolder, PatchLoader } from "../src/data/index.ts";
import { makeTrainingPictures } from "./training-pictures.ts";

const { values: options } = parseArgs({
  options: { batches: { type: "string", default: "500" }, rate: { type: "string", default: "100" } },
});
const [batches, rate] = [numberOf("batches"), numberOf("rate")];

const pictures = 8;
const [batch, patch, scale] = [16, 48, 2];
const folder = mkdtempSync(join(tmpdir(), "pixelgrad-bench-"));
try {
  const high = join(folder, "high");
  await makeTrainingPictures(high, { count: pictures, different: pictures });
  const dataset = openFolder(high, { scale });
  console.log(`Batches of ${batch} pairs, ${patch}x${patch} and ${patch * scale}x${patch * scale}`);
  await measure("in memory", new PatchLoader(dataset, { batch, patch, seed: 1 }));
  const cacheFolder = join(folder, "decoded");
  await measure("in files (--cache)", new PatchLoader(dataset, { batch, patch, seed: 1, cacheFolder }));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function numberOf(name: "batches" | "rate"): number {
  const value = Number(options[name]);
  if (Number.isInteger(value) && value >= 1) return value;
  console.error(`bench:loader: --${name} is a whole number of at least 1, got ${options[name]}.`);
  process.exit(2);
}

/** A first epoch, which decodes; then batches as fast as they come, and at the rate of a training run. */
async function measure(where: string, loader: PatchLoader): Promise<void> {
  const begin = performance.now();
  while (loader.state().epoch === 0) await loader.next();
  const decoding = performance.now() - begin;
  for (let i = 0; i < 20; i++) await loader.next();

  const [cpu, loop, start] = [process.cpuUsage(), performance.eventLoopUtilization(), performance.now()];
  for (let i = 0; i < batches; i++) await loader.next();
  const seconds = (performance.now() - start) / 1e3;
  const { user, system } = process.cpuUsage(cpu);
  const { active } = performance.eventLoopUtilization(loop);
  const waiting = await waitingAt(rate, loader);
  await loader.close();
  console.log(`${where}: ${pictures} pictures decoded in ${decoding.toFixed(0)} ms; then`);
  console.log(`  ${(batches / seconds).toFixed(0)} batches a second`);
  console.log(`  ${((1e6 * batch * batches) / (user + system)).toFixed(0)} crops per core and second`);
  console.log(`  main thread ${(active / batches).toFixed(2)} ms per batch`);
  console.log(`  at ${rate} steps a second ${(100 * waiting).toFixed(1)} % of the time goes into waiting`);
}

/** Share of the time that next() waits if a step takes 1 / rate seconds and costs the processor nothing. */
async function waitingAt(rate: number, loader: PatchLoader): Promise<number> {
  const begin = performance.now();
  let waited = 0;
  for (let i = 0; i < batches; i++) {
    waited += (await loader.next()).wait;
    await sleep(1000 / rate);
  }
  return waited / (performance.now() - begin);
}
