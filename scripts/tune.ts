/**
 * Measures, for the convolutions of an EDSR, which kernel and block sizes are fastest on this adapter, and saves the
 * findings, which are used from then on:
 *
 *     npm run tune -- --blocks 16 --channels 64 --scale 2 --batch 4 --patch 24 [--adapter lavapipe]
 *
 * Delete the file it names to go back to the built-in rules.
 */
import { parseArgs } from "node:util";
import { writeWhole } from "../src/data/index.ts";
import { tuningPath } from "../src/device/adapter-node.ts";
import { GpuDevice } from "../src/device/gpu-device.ts";
import type { Choice, Tunable, TuningFile } from "../src/device/tuning.ts";
import { backward, EDSR, init, l1Loss, manualSeed, noGrad, rand, scope } from "../src/node.ts";

const { values } = parseArgs({
  options: {
    adapter: { type: "string" },
    blocks: { type: "string", default: "16" },
    channels: { type: "string", default: "64" },
    scale: { type: "string", default: "2" },
    batch: { type: "string", default: "4" },
    patch: { type: "string", default: "24" },
  },
});
const [blocks, channels, scale, batch, patch] = [
  values.blocks,
  values.channels,
  values.scale,
  values.batch,
  values.patch,
].map(Number);

const device = await init({ adapter: values.adapter });
if (!(device instanceof GpuDevice))
  throw new Error(`${device.name} has no kernels to tune; choose another adapter.`);
console.log(`Adapter: ${device.name}`);

using _ = scope(); // keeps the operands of the recorded launches
const tunables = recordLaunches();
console.log(
  `${tunables.length} different convolutions in EDSR x${scale} ${blocks}x${channels}, batch ${batch}, patch ${patch}`,
);
for (const [i, tunable] of tunables.entries()) {
  const { best, milliseconds, preset } = await tune(tunable);
  device.tuning.choices.set(tunable.key, best);
  const name = `${best.variant} ${best.PIXELS}x${best.CHANNELS}, workgroups of ${best.workgroup}`;
  console.log(
    `${i + 1}/${tunables.length} ${tunable.key}: ${name}, ${milliseconds.toFixed(2)} ms; by rule ${preset.toFixed(2)} ms (${(preset / milliseconds).toFixed(2)}x)`,
  );
}
const path = tuningPath(device.name);
const file: TuningFile = { adapter: device.name, choices: Object.fromEntries(device.tuning.choices) };
await writeWhole(path, JSON.stringify(file, undefined, 1));
console.log(`Saved in ${path}`);

/** The launches of a training step and of an evaluation, each kind once. */
function recordLaunches(): Tunable<Choice>[] {
  const found = new Map<string, Tunable<Choice>>();
  const random = manualSeed(0);
  const model = new EDSR({ scale: scale as 2, blocks, channels, random });
  (device as GpuDevice).tuning.observer = (tunable) => {
    if (!found.has(tunable.key)) found.set(tunable.key, tunable);
  };
  const x = rand([batch, 3, patch, patch], random);
  backward(l1Loss(model.forward(x), rand([batch, 3, patch * scale, patch * scale], random)));
  {
    using _ = noGrad();
    model.forward(rand([1, 3, 96, 96], random));
  }
  (device as GpuDevice).tuning.observer = undefined;
  return [...found.values()];
}

async function tune(
  tunable: Tunable<Choice>,
): Promise<{ best: Choice; milliseconds: number; preset: number }> {
  const { preset, launch, result } = tunable;
  launch(preset);
  const want = await device.read(result);
  const candidates: { choice: Choice; runs: number[] }[] = [];
  for (const choice of [preset, ...tunable.candidates()]) {
    launch(choice); // compiles, too
    const got = await device.read(result);
    if (!close(got, want))
      throw new Error(
        `${tunable.key}: ${JSON.stringify(choice)} gives another result than the rule's choice.`,
      );
    candidates.push({ choice, runs: [] });
  }
  // Rounds, so that a change in the machine's speed hits all alike; the slow half is dropped after each.
  let racing = candidates;
  for (const repetitions of [1, 2, 4, 8, 8]) {
    for (const each of racing) {
      for (let run = 0; run < 3; run++) each.runs.push(await time(() => launch(each.choice), repetitions));
    }
    racing = [...racing]
      .sort((a, b) => median(a.runs) - median(b.runs))
      .slice(0, Math.max(2, racing.length >> 1));
    if (!racing.includes(candidates[0])) racing.push(candidates[0]);
  }
  const [first] = racing.sort((a, b) => median(a.runs) - median(b.runs));
  const presetTime = median(candidates[0].runs);
  // A few percent are noise: then the rule's choice stands.
  const best = median(first.runs) < 0.95 * presetTime ? first : candidates[0];
  return { best: best.choice, milliseconds: median(best.runs), preset: presetTime };
}

async function time(work: () => void, repetitions: number): Promise<number> {
  await device.sync();
  const start = performance.now();
  for (let i = 0; i < repetitions; i++) work();
  await device.sync();
  return (performance.now() - start) / repetitions;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

function close(got: Float32Array, want: Float32Array): boolean {
  const most = want.reduce((max, v) => Math.max(max, Math.abs(v)), 0);
  return got.every((v, i) => Math.abs(v - want[i]) <= 1e-4 * most);
}
