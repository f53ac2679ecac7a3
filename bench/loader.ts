/**
 * Can the loader feed a fast GPU? `npm run bench:loader` cuts batches of 16 patches of 48x48 (HR 96x96), the
 * paper's, out of pictures as large as DIV2K's, as fast as it can. Cores of other machines differ less in
 * crops per core and second than in anything else.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { encodePng } from "../src/data/files.ts";
import { openFolder, PatchLoader } from "../src/data/index.ts";
import { Random } from "../src/tensor/random.ts";

const { values: options } = parseArgs({ options: { batches: { type: "string", default: "500" } } });
const batches = Number(options.batches);
if (!Number.isInteger(batches) || batches < 1) {
  console.error(`bench:loader: --batches is a whole number of at least 1, got ${options.batches}.`);
  process.exit(2);
}

const [width, height, pictures] = [2040, 1356, 8];
const [batch, patch, scale] = [16, 48, 2];
const folder = mkdtempSync(join(tmpdir(), "pixelgrad-bench-"));
try {
  const high = join(folder, "high");
  mkdirSync(high);
  const random = new Random(1);
  for (let i = 0; i < pictures; i++) {
    const data = Uint8Array.from({ length: width * height * 3 }, (_, k) => (k >> 6) + random.int(8));
    writeFileSync(join(high, `${i}.png`), await encodePng({ width, height, channels: 3, data }));
  }
  const dataset = openFolder(high, { scale });
  const loader = new PatchLoader(dataset, { batch, patch, seed: 1, cacheFolder: join(folder, "decoded") });
  await loader.prepare();
  for (let i = 0; i < 20; i++) await loader.next();

  const [cpu, loop, start] = [process.cpuUsage(), performance.eventLoopUtilization(), performance.now()];
  for (let i = 0; i < batches; i++) await loader.next();
  const seconds = (performance.now() - start) / 1e3;
  const { user, system } = process.cpuUsage(cpu);
  const cpuSeconds = (user + system) / 1e6;
  const { active } = performance.eventLoopUtilization(loop);
  await loader.close();
  const crops = batch * batches;
  console.log(
    `${batches} batches of ${batch} pairs, ${patch}x${patch} and ${patch * scale}x${patch * scale}`,
  );
  console.log(`${(batches / seconds).toFixed(0)} batches a second`);
  console.log(`${(crops / cpuSeconds).toFixed(0)} crops per core and second`);
  console.log(`main thread ${(active / batches).toFixed(2)} ms per batch`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
