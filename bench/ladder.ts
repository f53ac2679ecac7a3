/**
 * Times every step of the convolution's ladder, and both weight gradients, in turns on one shape:
 * `npm run bench:ladder -- --help`. The tables of docs/gpus.md and src/kernels/conv2d/README.md come from it.
 */
import { defineCommand, UsageError } from "../src/cli/flags.ts";
import { adapterFlag } from "../src/cli/methods.ts";
import { print } from "../src/cli/print.ts";
import { run } from "../src/cli/run.ts";
import { writeWhole } from "../src/data/index.ts";
import { conv2d, conv2dWeightGrad, variants } from "../src/kernels/conv2d/index.ts";
import { measureCeilings } from "../src/measure/ceilings.ts";
import { calibrate, timeOnce } from "../src/measure/timing.ts";
import { GpuDevice, init, manualSeed, randn } from "../src/node.ts";
import { file, whole } from "../src/options/kinds.ts";
import { largestError } from "./harness.ts";
import { summarize } from "./timing.ts";

const rounds = 9;
const minRunMs = 20;

const ladder = defineCommand({
  about: `
Times every step of the convolution's ladder (3x3, 64 to 64 channels) and both weight gradients, in turns,
after a check against step 1. Beside each stands its share of the fastest multiply-adds in registers.`,
  flags: {
    adapter: adapterFlag,
    batch: { kind: whole(1), help: "pictures [16]" },
    side: { kind: whole(1), help: "their width and height [128]" },
    json: { kind: file, help: "writes the figures there" },
  },
  examples: [["--adapter gpu", "on a graphics card"]],
  async run({ adapter, batch = 16, side = 128, json }) {
    const device = await init({ adapter });
    if (!(device instanceof GpuDevice)) throw new UsageError("--adapter wants one that runs kernels");
    const random = manualSeed(0);
    const x = randn([batch, 64, side, side], { random });
    const w = randn([64, 64, 3, 3], { random });
    const dy = randn([batch, 64, side, side], { random });
    const geometry = { stride: [1, 1], padding: [1, 1], dilation: [1, 1] } as const;
    const own = device.profile;
    const weightGrad = (cheapBarriers: boolean) => () => {
      device.profile = { ...own, cheapBarriers };
      const dw = conv2dWeightGrad({ x, dy }, { geometry, wShape: w.shape });
      device.profile = own;
      return dw;
    };
    const possible = variants.filter((variant) => variant !== "4-broadcast" || own.subgroupSize > 0);
    const steps = [
      ...possible.map((variant) => ({
        name: variant,
        like: 0,
        run: () => conv2d(x, w, undefined, { padding: 1, variant }),
      })),
      { name: "weight-grad", like: possible.length, run: weightGrad(false) },
      { name: "weight-grad-shared", like: possible.length, run: weightGrad(true) },
    ];

    const results: Float32Array[] = [];
    const times: number[][] = [];
    const repetitions: number[] = [];
    for (const { name, like, run } of steps) {
      const y = run();
      results.push(await y.data());
      y.dispose();
      const error = largestError([results.at(-1)!], [results[like]]);
      if (!(error <= 1e-4)) throw new Error(`${name} differs from ${steps[like].name} by ${error}`);
      repetitions.push(await calibrate({ run }, device, minRunMs));
      times.push([]);
    }
    for (let round = 0; round < rounds; round++) {
      for (const [i, { run }] of steps.entries()) {
        times[i].push((await timeOnce({ run }, device, repetitions[i])) / repetitions[i]);
      }
    }
    const { flops } = await measureCeilings(device, { runs: 5, minRunMs: 50 });
    const work = 2 * 9 * 64 * 64 * batch * side * side;
    const rows = steps.map(({ name }, i) => {
      const ms = summarize(times[i]).median;
      return { name, ms, gflops: work / ms / 1e6, share: ((work / ms) * 1e3) / flops };
    });
    print(`${device.name}: ${(flops / 1e9).toFixed(0)} GFLOP/s of multiply-adds in registers`, "");
    print("| step | ms | GFLOP/s | share |", "|---|---|---|---|");
    for (const { name, ms, gflops, share } of rows) {
      print(`| ${name} | ${ms.toPrecision(3)} | ${gflops.toFixed(0)} | ${(100 * share).toFixed(1)} % |`);
    }
    if (json !== undefined) {
      await writeWhole(
        json,
        JSON.stringify({ adapter: device.name, batch, side, flops, rows }, undefined, 1),
      );
    }
    device.destroy();
  },
});

process.exitCode = await run("npm run bench:ladder --", ladder, process.argv.slice(2));
