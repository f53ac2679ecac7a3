/**
 * Times every step of the convolution's ladder, and of its weight gradient's, in turns on one shape:
 * `npm run bench:ladder -- --help`. The tables of docs/gpus.md and src/kernels/conv2d/README.md come from it.
 */
import { defineCommand, UsageError } from "../src/cli/flags.ts";
import { adapterFlag } from "../src/cli/method-flags.ts";
import { print } from "../src/cli/print.ts";
import { run } from "../src/cli/run.ts";
import { writeWhole } from "../src/data/index.ts";
import { measureCeilings } from "../src/measure/ceilings.ts";
import { timeInTurns } from "../src/measure/in-turns.ts";
import { GpuDevice } from "../src/node.ts";
import { file, whole } from "../src/options/kinds.ts";
import { cardOf } from "./cards.ts";
import { ladderSteps, ladderText } from "./ladder-steps.ts";
import { openToMeasure } from "./open.ts";
import { ceilingLine, markdownOf } from "./times-table.ts";

const ladder = defineCommand({
  about: `
Times every step of the ladders (3x3, 64 to 64 channels) of the convolution and its weight gradient, in turns,
after a check against step 1: by wall, and by the GPU's own clock where it has one. Beside each stands its
share of the fastest multiply-adds in registers, which are measured before and after.`,
  flags: {
    adapter: adapterFlag,
    batch: { kind: whole(1), help: "pictures [16]" },
    side: { kind: whole(1), help: "their width and height [128]" },
    json: { kind: file, help: "writes the figures there" },
  },
  examples: [["--adapter gpu", "on a graphics card"]],
  async run({ adapter, batch = 16, side = 128, json }) {
    const device = await openToMeasure({ adapter });
    if (!(device instanceof GpuDevice)) throw new UsageError("--adapter wants one that runs kernels");
    const shape = { batch, side, channels: 64 };
    const steps = await ladderSteps(device, shape);
    const ceilings = await measureCeilings(device, { runs: 5, minRunMs: 50 });
    const measured = await timeInTurns(device, steps, ceilings, { runs: 9, minRunMs: 20 });
    const peak = cardOf(device.name);
    print(`${device.name}: ${ladderText(shape)}`, ceilingLine(measured, peak), "");
    print(...markdownOf(measured, { peak, first: "step" }));
    if (json !== undefined) {
      const figures = { adapter: device.name, date: new Date().toISOString(), shape, peak, ...measured };
      await writeWhole(json, JSON.stringify(figures, undefined, 1));
    }
    device.destroy();
  },
});

process.exitCode = await run("npm run bench:ladder --", ladder, process.argv.slice(2));
