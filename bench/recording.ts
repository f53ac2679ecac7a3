/** What JavaScript costs per training step: `npm run bench:recording -- --help`. */
import { defineCommand } from "../src/cli/flags.ts";
import { print } from "../src/cli/print.ts";
import { run as runCommand } from "../src/cli/run.ts";
import { writeWhole } from "../src/data/index.ts";
import type { GpuDevice } from "../src/device/gpu-device.ts";
import { openDevice, setDefaultDevice } from "../src/device/open.ts";
import { facts } from "../src/device/profile.ts";
import { summarize } from "../src/measure/statistics.ts";
import { file, whole } from "../src/options/kinds.ts";
import { capture } from "../src/tensor/capture.ts";
import { scope } from "../src/tensor/scope.ts";
import type { Tensor } from "../src/tensor/tensor.ts";
import { flameGraphs, flamesOf } from "./flame.ts";
import { edsr, trainingStep } from "./networks.ts";

const recording = defineCommand({
  about: `
What JavaScript costs per training step, built and replayed. The kernels do not run (Dawn's null backend),
so the time is that of the engine and of Dawn's side of the calls.`,
  flags: {
    steps: { kind: whole(1), help: "steps that are timed in each way [200]" },
    flame: { kind: file, help: "draws there, as SVG, which functions take the time" },
  },
  examples: [["--steps 50 --flame steps.svg", "fewer steps, and a drawing of them"]],
  async run({ steps = 200, flame }) {
    const device = await openNullDevice();
    const graphs: Graph[] = [];
    print("JavaScript per training step of 4 patches of 24x24, ms: median (fastest)");
    try {
      for (const [blocks, channels] of [
        [4, 16],
        [16, 64],
      ]) {
        graphs.push(...(await measure(device, blocks, channels, steps, flame !== undefined)));
      }
    } finally {
      device.destroy();
    }
    if (flame === undefined) return;
    await writeWhole(flame, flameGraphs(graphs));
    print(`Drawn: ${flame}`);
  },
});

type Graph = Parameters<typeof flameGraphs>[0][number];

/** Dawn's null device, with the kernels of a card. New tensors are on it. */
async function openNullDevice(): Promise<GpuDevice> {
  const { create } = await import("webgpu"); // the flags need none
  const device = (await openDevice({ gpu: create(["backend=null"]) })) as GpuDevice;
  device.profile = { ...device.profile, ...facts.gpu, subgroupSize: 32 };
  setDefaultDevice(device);
  return device;
}

/** Prints the times of an EDSR's training step; returns its flame graphs if `withFlames`. */
async function measure(
  device: GpuDevice,
  blocks: number,
  channels: number,
  steps: number,
  withFlames: boolean,
): Promise<Graph[]> {
  const { run, dispose } = trainingStep(edsr(blocks, channels), 24, 4);
  using replayed = capture(() => run()[0]);
  const times = { built: [] as number[], replayed: [] as number[] };
  for (let i = 0; i < steps + 10; i++) {
    // In turns, so that what disturbs one disturbs the other.
    const ms = {
      built: await millisecondsOf(device, () => run()[0]),
      replayed: await millisecondsOf(device, replayed),
    };
    if (i < 10) continue; // JavaScript's compiler is at work
    times.built.push(ms.built);
    times.replayed.push(ms.replayed);
  }
  if (replayed.whyBuilt) throw new Error(`The step was not replayed: ${replayed.whyBuilt}.`);
  const graphs: Graph[] = [];
  if (withFlames) {
    for (const [way, step] of [
      ["built", () => run()[0]],
      ["replayed", replayed],
    ] as const) {
      const flames = await flamesOf("onlyJavaScriptOf", async () => {
        for (let i = 0; i < steps; i++) await millisecondsOf(device, step);
      });
      graphs.push({ title: `EDSR ${blocks}x${channels}, a step ${way}`, flames, runs: steps });
    }
  }
  const launches = launchesOf(device, () => run()[0]);
  print(
    `EDSR ${blocks}x${channels}: built ${summary(times.built)}, replayed ${summary(times.replayed)}; ` +
      `${launches} launches`,
  );
  dispose?.();
  return graphs;
}

async function millisecondsOf(device: GpuDevice, step: () => Tensor): Promise<number> {
  using _ = scope();
  const start = performance.now();
  onlyJavaScriptOf(device, step);
  const ms = performance.now() - start;
  await device.sync();
  return ms;
}

/** The step as far as its last command is given: what follows is the kernels' time. */
function onlyJavaScriptOf(device: GpuDevice, step: () => Tensor): void {
  step();
  device.flush();
}

/** How many kernels the step launches. */
function launchesOf(device: GpuDevice, step: () => Tensor): number {
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
  const { median, min } = summarize(times);
  return `${median.toFixed(2)} (${min.toFixed(2)})`;
}

process.exitCode = await runCommand("npm run bench:recording --", recording, process.argv.slice(2));
