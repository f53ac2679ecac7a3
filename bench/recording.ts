/**
 * What JavaScript costs per training step: `npm run bench:recording`. The kernels do not run (Dawn's null
 * backend), so the time is that of the engine and of Dawn's side of the calls. `--flame FILE.svg` draws which
 * functions take it.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { create } from "webgpu";
import type { GpuDevice } from "../src/device/gpu-device.ts";
import { openDevice, setDefaultDevice } from "../src/device/open.ts";
import { facts } from "../src/device/profile.ts";
import { capture } from "../src/tensor/capture.ts";
import { scope } from "../src/tensor/scope.ts";
import type { Tensor } from "../src/tensor/tensor.ts";
import { flameGraphs, flamesOf } from "./flame.ts";
import { edsr, trainingStep } from "./networks.ts";

const { values: options } = parseArgs({
  options: { steps: { type: "string", default: "200" }, flame: { type: "string" } },
});
const steps = Number(options.steps);
if (!Number.isInteger(steps) || steps < 1) {
  console.error(`bench:recording: --steps is a whole number of at least 1, got ${options.steps}.`);
  process.exit(2);
}

const device = (await openDevice({ gpu: create(["backend=null"]) })) as GpuDevice;
device.profile = { ...device.profile, ...facts.gpu, subgroupSize: 32 };
setDefaultDevice(device);

const graphs: Parameters<typeof flameGraphs>[0][number][] = [];
console.log("JavaScript per training step of 4 patches of 24x24, ms: median (fastest)");
for (const [blocks, channels] of [
  [4, 16],
  [16, 64],
]) {
  const { run, dispose } = trainingStep(edsr(blocks, channels), 24, 4);
  using replayed = capture(() => run()[0]);
  const times = { built: [] as number[], replayed: [] as number[] };
  for (let i = 0; i < steps + 10; i++) {
    // In turns, so that what disturbs one disturbs the other.
    const ms = { built: await millisecondsOf(() => run()[0]), replayed: await millisecondsOf(replayed) };
    if (i < 10) continue; // JavaScript's compiler is at work
    times.built.push(ms.built);
    times.replayed.push(ms.replayed);
  }
  if (replayed.whyBuilt) throw new Error(`The step was not replayed: ${replayed.whyBuilt}.`);
  if (options.flame !== undefined) {
    for (const [way, step] of [
      ["built", () => run()[0]],
      ["replayed", replayed],
    ] as const) {
      const flames = await flamesOf("onlyJavaScriptOf", async () => {
        for (let i = 0; i < steps; i++) await millisecondsOf(step);
      });
      graphs.push({ title: `EDSR ${blocks}x${channels}, a step ${way}`, flames, runs: steps });
    }
  }
  const launches = launchesOf(() => run()[0]);
  console.log(
    `EDSR ${blocks}x${channels}: built ${summary(times.built)}, replayed ${summary(times.replayed)}; ` +
      `${launches} launches`,
  );
  dispose?.();
}
device.destroy();
if (options.flame !== undefined) {
  writeFileSync(options.flame, flameGraphs(graphs));
  console.log(`Drawn: ${options.flame}`);
}

async function millisecondsOf(step: () => Tensor): Promise<number> {
  using _ = scope();
  const start = performance.now();
  onlyJavaScriptOf(step);
  const ms = performance.now() - start;
  await device.sync();
  return ms;
}

/** The step as far as its last command is given: what follows is the kernels' time. */
function onlyJavaScriptOf(step: () => Tensor): void {
  step();
  device.flush();
}

/** How many kernels the step launches. */
function launchesOf(step: () => Tensor): number {
  using _ = scope();
  let launches = 0;
  const run = device.run.bind(device);
  device.run = (...launch) => {
    launches++;
    run(...launch);
  };
  step();
  device.run = run;
  return launches;
}

function summary(times: number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  return `${sorted[sorted.length >> 1].toFixed(2)} (${sorted[0].toFixed(2)})`;
}
