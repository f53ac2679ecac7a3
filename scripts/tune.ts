/** Measures which convolution kernels are fastest on an adapter: `npm run tune -- --help`. */
import { largestError, type Program } from "../bench/harness.ts";
import { choiceName } from "../bench/kernels/choice-name.ts";
import { defineCommand, UsageError } from "../src/cli/flags.ts";
import { adapterFlag } from "../src/cli/method-flags.ts";
import { run } from "../src/cli/run.ts";
import { writeWhole } from "../src/data/index.ts";
import { tuningPath } from "../src/device/adapter-node.ts";
import type { Choice, Tunable, TuningFile } from "../src/device/tuning.ts";
import { summarize } from "../src/measure/statistics.ts";
import { timeOnce } from "../src/measure/timing.ts";
import {
  backward,
  type Device,
  EDSR,
  GpuDevice,
  init,
  l1Loss,
  manualSeed,
  noGrad,
  rand,
  scope,
} from "../src/node.ts";
import { oneOf, whole } from "../src/options/kinds.ts";

interface Subject {
  readonly scale: 2 | 3 | 4;
  readonly blocks: number;
  readonly channels: number;
  readonly batch: number;
  readonly patch: number;
}

const tuneCommand = defineCommand({
  about: `
Measures which convolution kernels are fastest on an adapter.

Takes the convolutions of an EDSR, in a training step and in an evaluation. Times every kernel and block
size that can compute each of them, and saves the fastest. From then on, programs on this adapter use the
saved choices instead of the built-in rules. To go back, delete the file that is named at the end.`,
  flags: {
    adapter: adapterFlag,
    blocks: { kind: whole(1), help: "residual blocks of the EDSR [16]" },
    channels: { kind: whole(1), help: "its channels [64]" },
    scale: { kind: oneOf(2, 3, 4), help: "its enlargement [2]" },
    batch: { kind: whole(1), help: "patches in a training step [4]" },
    patch: { kind: whole(1), help: "side of a patch in LR pixels [24]" },
  },
  examples: [
    ["--adapter lavapipe", "the baseline network on lavapipe"],
    ["--blocks 8 --channels 32 --batch 16", "a smaller network, trained with larger batches"],
  ],
  async run({ adapter, blocks = 16, channels = 64, scale = 2, batch = 4, patch = 24 }, { signal }) {
    const device = await init({ adapter });
    if (!(device instanceof GpuDevice)) {
      throw new UsageError(`--adapter wants one that runs kernels, which ${device.name} does not`);
    }
    console.log(`Adapter: ${device.name}`);

    const tunables = recordLaunches(device, { blocks, channels, scale, batch, patch });
    console.log(
      `${tunables.length} different convolutions in EDSR x${scale} ${blocks}x${channels}, ` +
        `batch ${batch}, patch ${patch}`,
    );
    for (const [i, tunable] of tunables.entries()) {
      signal.throwIfAborted();
      const { best, ms, ruleMs } = await fastest(device, tunable);
      device.tuning.choices.set(tunable.key, best);
      console.log(
        `${i + 1}/${tunables.length} ${tunable.key}: ${choiceName(best)}, ${ms.toFixed(2)} ms; ` +
          `by rule ${ruleMs.toFixed(2)} ms (${(ruleMs / ms).toFixed(2)}x)`,
      );
    }
    const path = tuningPath(device.name);
    const file: TuningFile = { adapter: device.name, choices: Object.fromEntries(device.tuning.choices) };
    await writeWhole(path, JSON.stringify(file, undefined, 1));
    console.log(`Saved in ${path}`);
  },
});

/** The launches of a training step and of an evaluation, each kind once. */
function recordLaunches(
  device: GpuDevice,
  { blocks, channels, scale, batch, patch }: Subject,
): Tunable<Choice>[] {
  const tunables = new Map<string, Tunable<Choice>>();
  const { release } = device;
  device.release = () => {}; // the launches will be repeated, so their operands must stay in memory
  device.tuning.observer = (tunable) => {
    if (!tunables.has(tunable.key)) tunables.set(tunable.key, tunable);
  };
  {
    using _ = scope();
    const random = manualSeed(0);
    const model = new EDSR({ scale, blocks, channels, random });
    const x = rand([batch, 3, patch, patch], random);
    backward(l1Loss(model.forward(x), rand([batch, 3, patch * scale, patch * scale], random)));
    using __ = noGrad();
    model.forward(rand([1, 3, 96, 96], random));
  }
  device.tuning.observer = undefined;
  device.release = release;
  return [...tunables.values()];
}

/** Checks all choices, then times them. */
async function fastest(
  device: Device,
  { key, byRule, candidates, launch, result }: Tunable<Choice>,
): Promise<{ best: Choice; ms: number; ruleMs: number }> {
  launch(byRule);
  const want = await device.read(result);
  const entries: { choice: Choice; runs: number[] }[] = [];
  for (const choice of [byRule, ...candidates()]) {
    launch(choice); // also compiles it
    if (!(largestError([await device.read(result)], [want]) <= 1e-4)) {
      throw new Error(`${key}: ${JSON.stringify(choice)} gives another result than the rule's choice.`);
    }
    entries.push({ choice, runs: [] });
  }
  // In rounds, so that a change in the machine's speed hits all alike. Each round drops the slower half.
  const [rule] = entries;
  const median = ({ runs }: { runs: number[] }) => summarize(runs).median;
  let racing = entries;
  for (const repetitions of [1, 2, 4, 8, 8]) {
    for (const { choice, runs } of racing) {
      const program: Program = {
        run() {
          launch(choice);
          return [];
        },
      };
      for (let run = 0; run < 3; run++) {
        runs.push((await timeOnce(program, device, repetitions)) / repetitions);
      }
    }
    racing = [...racing].sort((a, b) => median(a) - median(b)).slice(0, Math.max(2, racing.length >> 1));
    if (!racing.includes(rule)) racing.push(rule);
  }
  const [first] = racing.sort((a, b) => median(a) - median(b));
  // A few percent are noise: then the rule's choice stands.
  const best = median(first) < 0.95 * median(rule) ? first : rule;
  return { best: best.choice, ms: median(best), ruleMs: median(rule) };
}

process.exitCode = await run("npm run tune --", tuneCommand, process.argv.slice(2));
