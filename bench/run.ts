/** Checks every kernel against the plain TypeScript references, then times it: `npm run bench -- --help`. */

import { mkdirSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { writeWhole } from "../src/data/index.ts";
import { CpuDevice } from "../src/device/cpu-device.ts";
import { GpuDevice } from "../src/device/gpu-device.ts";
import { measureCeilings } from "../src/measure/ceilings.ts";
import { linePlots, writeDrawing } from "../src/report/plot.ts";
import { cardOf } from "./cards.ts";
import { conv2dBenches } from "./conv2d.ts";
import { epilogueBenches } from "./epilogue.ts";
import { growthBenches, growthPlot } from "./growth.ts";
import { type Bench, type Result, runBench } from "./harness.ts";
import { memoryBoundBenches } from "./memory-bound.ts";
import { networkBenches } from "./networks.ts";
import { openToMeasure } from "./open.ts";
import {
  type Memory,
  measureMemory,
  measureStart,
  memoryLines,
  type Start,
  startLines,
} from "./own-process.ts";
import { ceilingLines, heading, legend, othersLine, resultLines, steadinessLine } from "./report.ts";
import { resizeBenches } from "./resize.ts";
import { roofline } from "./roofline.ts";

const options = readOptions();
const { quick, adapter } = options;

const benches = [
  ...conv2dBenches(quick),
  ...epilogueBenches(quick),
  ...memoryBoundBenches(quick),
  ...resizeBenches(quick),
  ...networkBenches(quick),
  ...growthBenches(quick),
];
/** These are measured in processes of their own; see own-process.ts. */
const alone = ["edsr-start", "edsr-memory"];
const selected = select(benches, options.name, options.variant);
const selectedAlone = options.variant ? [] : alone.filter((name) => matches(name, options.name));
if (selected.length + selectedAlone.length === 0) refuse();

const device = await openToMeasure({ adapter, tuning: options.untuned ? false : undefined }).catch(
  (error: Error) => {
    console.error(`bench: ${error.message}`);
    process.exit(2);
  },
);
if (device instanceof GpuDevice) {
  await main(device);
} else {
  console.error(`bench: kernels are compared with the adapter "cpu". Choose a WebGPU adapter.`);
  process.exitCode = 2;
}

async function main(device: GpuDevice): Promise<void> {
  const machine = {
    adapter: device.name,
    adapterClass: device.adapterClass,
    subgroupSize: device.profile.subgroupSize,
    processor: `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown"}`,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    loadBefore: loadavg()[0],
    /** How many of `npm run tune`'s choices are in use. */
    tuned: device.tuning.choices.size,
    started: new Date().toISOString(),
  };
  const timing = { runs: options.runs, minRunMs: 20 };
  console.log(`adapter    ${machine.adapter}`);
  console.log(
    `machine    ${machine.processor}, ${machine.platform}, Node ${machine.node}; ` +
      `load ${machine.loadBefore.toFixed(1)}`,
  );
  console.log(
    `timing     ${timing.runs} runs of at least ${timing.minRunMs} ms each` +
      (quick ? "; small shapes (--quick)" : ""),
  );
  console.log(`tuning     ${machine.tuned} choices by "npm run tune", all others by rule`);
  const ceilings = await measureCeilings(device, timing);
  for (const line of ceilingLines(ceilings, cardOf(device.name))) console.log(line);
  console.log(`\n${legend}`);

  const results: Result[] = [];
  const cpu = new CpuDevice("float64");
  for (const bench of selected) {
    if (results.at(-1)?.name !== bench.name) console.log(heading(bench.name));
    const result = await runBench(bench, device, cpu, ceilings, timing);
    results.push(result);
    for (const line of resultLines(result)) console.log(line);
  }
  if (results.length > 0) console.log(`\n${othersLine(results)}\n${steadinessLine(results)}`);

  const processes: (Start | Memory)[] = [];
  const subject = {
    adapter,
    untuned: options.untuned,
    ...(quick ? { blocks: 4, channels: 16 } : { blocks: 16, channels: 64 }),
  };
  if (selectedAlone.includes("edsr-start")) {
    const start = await measureStart(subject, quick ? 24 : 96);
    for (const line of startLines(start)) console.log(line);
    processes.push(start);
  }
  if (selectedAlone.includes("edsr-memory")) {
    const [patch, batch] = quick ? [12, 2] : [24, 4];
    const memory = await measureMemory(subject, patch, batch, options.steps);
    for (const line of memoryLines(memory)) console.log(line);
    processes.push(memory);
  }

  if (options.json) {
    const card = cardOf(device.name);
    mkdirSync(dirname(options.json), { recursive: true });
    await writeWhole(
      options.json,
      `${JSON.stringify({ machine, timing, quick, ceilings, card, results, processes }, null, 1)}\n`,
    );
  }
  if (options.plot) {
    if (results.some(({ at }) => at === undefined)) {
      await writeDrawing(`${options.plot}-roofline`, roofline(results, ceilings, device.name));
    }
    const growth = growthPlot(results, device.name);
    if (growth) await writeDrawing(`${options.plot}-growth`, linePlots(growth));
  }
  const wrong = results.flatMap(({ name, shape, rows }) =>
    rows.filter(({ status }) => status === "wrong").map(({ variant }) => [name, shape, variant].join(" ")),
  );
  if (wrong.length > 0) {
    console.error(`\nWrong results: ${wrong.join("; ")}`);
    process.exitCode = 1;
  }
}

/** Whether the first words of a bench's name are the wanted ones. */
function matches(name: string, wanted: string | undefined): boolean {
  return !wanted || name === wanted || name.startsWith(`${wanted}-`);
}

function select(benches: readonly Bench[], name?: string, variant?: string): Bench[] {
  return benches
    .filter((bench) => matches(bench.name, name))
    .map((bench) => ({
      ...bench,
      maxSeconds: bench.maxSeconds ?? (quick ? 1 : undefined),
      variants: variant ? bench.variants.filter((each) => each.includes(variant)) : bench.variants,
    }))
    .filter(({ variants }) => variants.length > 0);
}

function refuse(): never {
  const { name, variant } = options;
  const names = [...new Set([...benches.map((bench) => bench.name), ...alone])];
  const variants = benches.filter((bench) => matches(bench.name, name)).flatMap((bench) => bench.variants);
  const variantNames = [...new Set(variants)].filter(Boolean).join(", ") || "none";
  console.error(
    variants.length > 0 || alone.some((each) => matches(each, name))
      ? `bench: ${name} has no variant "${variant}". Its variants: ${variantNames}.`
      : `bench: there is no "${name}". Choose one of these, or their first words: ${names.join(", ")}.`,
  );
  process.exit(2);
}

function readOptions() {
  const flags = {
    adapter: { type: "string" },
    json: { type: "string" },
    plot: { type: "string" },
    runs: { type: "string", default: "5" },
    steps: { type: "string" },
    untuned: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  } as const;
  try {
    const { values, positionals } = parseArgs({ options: flags, allowPositionals: true });
    if (values.help) {
      console.log(
        `npm run bench -- [NAME [VARIANT]] [flags]

Checks kernels and networks against the plain TypeScript references, then times them.
The exit code is 1 if a result is wrong.

  NAME             only benches of this name, or with these first words: conv2d, resize-bicubic, growth, ...
  VARIANT          only variants whose name contains this: naive, tiled, ...
  --adapter NAME   gpu, lavapipe, swiftshader, or part of an adapter's name
  --json FILE      writes all figures there
  --plot BASE      draws BASE-roofline and, if growth was measured, BASE-growth, each as .svg and .png
  --runs N         timed runs of each variant, at least 5 [5]
  --steps N        training steps of edsr-memory [30; with --quick 8]
  --untuned        kernels by rule, even where "npm run tune" has measured better ones
  --quick          small shapes and no large networks, to see that everything works

Examples:
  npm run bench                                    everything
  npm run bench -- conv2d                          convolution: all variants, both gradients
  npm run bench -- conv2d broadcast                one variant
  npm run bench -- edsr-train --json edsr.json     the training step of EDSR
  npm run bench -- growth --plot out/lavapipe      how the time of a step grows, with a plot`,
      );
      process.exit(0);
    }
    if (positionals.length > 2) {
      throw new Error(`at most a name and a variant are wanted, got also "${positionals[2]}"`);
    }
    const whole = (flag: "runs" | "steps", text: string, min: number) => {
      const value = Number(text);
      if (!Number.isInteger(value) || value < min) {
        throw new Error(`--${flag} wants a whole number of at least ${min}, got "${text}"`);
      }
      return value;
    };
    const [name, variant] = positionals;
    return {
      ...values,
      name,
      variant,
      runs: whole("runs", values.runs, 5),
      steps: whole("steps", values.steps ?? (values.quick ? "8" : "30"), 2),
    };
  } catch (error) {
    console.error(`bench: ${(error as Error).message}. Run it with --help for all flags.`);
    process.exit(2);
  }
}
