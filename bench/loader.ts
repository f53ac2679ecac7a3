/** Can the loader feed a fast GPU? `npm run bench:loader -- --help`. */
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { defineCommand } from "../src/cli/flags.ts";
import { print } from "../src/cli/print.ts";
import { run } from "../src/cli/run.ts";
import { openFolder, PatchLoader } from "../src/data/index.ts";
import { removeTemporary, temporaryFor } from "../src/files/temporary.ts";
import { whole } from "../src/options/kinds.ts";
import { makeTrainingPictures } from "./training-pictures.ts";

const PICTURES = 8;
const [BATCH, PATCH, SCALE] = [16, 48, 2];

const loading = defineCommand({
  about: `
Can the loader feed a fast GPU? Cuts batches of ${BATCH} patches of ${PATCH}x${PATCH}, the paper's (HR
${PATCH * SCALE}x${PATCH * SCALE}), out of pictures as large as DIV2K's, as fast as it can, and as fast as a GPU asks
for them. Cores of other machines differ less in crops per core and second than in anything else.`,
  flags: {
    batches: { kind: whole(1), help: "batches that are timed in each way [500]" },
    rate: { kind: whole(1), help: "steps a second of the GPU [100]" },
  },
  examples: [["--batches 100 --rate 20", "a slower GPU, for less time"]],
  async run({ batches = 500, rate = 100 }, { signal }) {
    // Also removed if the process is ended meanwhile.
    const folder = temporaryFor(join(tmpdir(), "pixelgrad-bench-loader"));
    try {
      mkdirSync(folder, { mode: 0o700 });
      const high = join(folder, "high");
      await makeTrainingPictures(high, { count: PICTURES, different: PICTURES, signal });
      const dataset = openFolder(high, { scale: SCALE });
      const load = { batches, rate };
      print(`Batches of ${BATCH} pairs, ${PATCH}x${PATCH} and ${PATCH * SCALE}x${PATCH * SCALE}`);
      await measure("in memory", new PatchLoader(dataset, { batch: BATCH, patch: PATCH, seed: 1 }), load);
      const cacheFolder = join(folder, "decoded");
      const cached = new PatchLoader(dataset, { batch: BATCH, patch: PATCH, seed: 1, cacheFolder });
      await measure("in files (--cache)", cached, load);
    } finally {
      await removeTemporary(folder);
    }
  },
});

/** How many batches are taken, and how many a second at most. */
interface Load {
  readonly batches: number;
  readonly rate: number;
}

/** A first epoch, which decodes; then batches as fast as they come, and at the rate of a training run. */
async function measure(where: string, loader: PatchLoader, { batches, rate }: Load): Promise<void> {
  const begin = performance.now();
  while (loader.state().epoch === 0) await loader.next();
  const decoding = performance.now() - begin;
  for (let i = 0; i < 20; i++) await loader.next();

  const [cpu, loop, start] = [process.cpuUsage(), performance.eventLoopUtilization(), performance.now()];
  for (let i = 0; i < batches; i++) await loader.next();
  const seconds = (performance.now() - start) / 1e3;
  const { user, system } = process.cpuUsage(cpu);
  const { active } = performance.eventLoopUtilization(loop);
  const waiting = await waitingAt(loader, { batches, rate });
  await loader.close();
  print(`${where}: ${PICTURES} pictures decoded in ${decoding.toFixed(0)} ms; then`);
  print(`  ${(batches / seconds).toFixed(0)} batches a second`);
  print(`  ${((1e6 * BATCH * batches) / (user + system)).toFixed(0)} crops per core and second`);
  print(`  main thread ${(active / batches).toFixed(2)} ms per batch`);
  print(`  at ${rate} steps a second ${(100 * waiting).toFixed(1)} % of the time goes into waiting`);
}

/** Share of the time that next() waits if a step takes 1 / rate seconds and costs the processor nothing. */
async function waitingAt(loader: PatchLoader, { batches, rate }: Load): Promise<number> {
  const begin = performance.now();
  let waited = 0;
  for (let i = 0; i < batches; i++) {
    waited += (await loader.next()).wait;
    await sleep(1000 / rate);
  }
  return waited / (performance.now() - begin);
}

process.exitCode = await run("npm run bench:loader --", loading, process.argv.slice(2));
