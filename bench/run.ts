/** Checks every kernel against the plain TypeScript references, then times it: `npm run bench -- --help`. */

import { mkdirSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { dirname } from "node:path";
import { defineCommand, UsageError } from "../src/cli/flags.ts";
import { adapterFlag } from "../src/cli/method-flags.ts";
import { print, printError } from "../src/cli/print.ts";
import { run } from "../src/cli/run.ts";
import { writeWhole } from "../src/data/index.ts";
import { CpuDevice } from "../src/device/cpu-device.ts";
import { GpuDevice } from "../src/device/gpu-device.ts";
import { measureCeilings } from "../src/measure/ceilings.ts";
import { file, text, whole } from "../src/options/kinds.ts";
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

/** These are measured in processes of their own; see own-process.ts. */
const alone = ["edsr-start", "edsr-memory"];

const benchCommand = defineCommand({
  about: `
Checks kernels and networks against the plain TypeScript references, then times them.
The exit code is 1 if a result is wrong.

NAME chooses the benches of this name, or with these first words: conv2d, resize-bicubic, growth, ...
VARIANT chooses the variants whose names contain it: naive, tiled, ...`,
  flags: {
    name: { kind: text, multiple: true, help: "the same as NAME; once more, as VARIANT" },
    adapter: adapterFlag,
    json: { kind: file, help: "writes all figures there" },
    plot: {
      kind: text,
      help: "BASE: draws BASE-roofline and, if growth was measured, BASE-growth, each as .svg and .png",
    },
    runs: { kind: whole(5), help: "timed runs of each variant [5]" },
    steps: { kind: whole(2), help: "training steps of edsr-memory [30; with --quick 8]" },
    untuned: { help: 'kernels by rule, even where "npm run tune" has measured better ones' },
    quick: { help: "small shapes and no large networks, to see that everything works" },
  },
  operands: "name",
  usage: "[NAME [VARIANT]]",
  examples: [
    ["", "everything"],
    ["conv2d", "convolution: all variants, both gradients"],
    ["conv2d broadcast", "one variant"],
    ["edsr-train --json edsr.json", "the training step of EDSR"],
    ["growth --plot out/lavapipe", "how the time of a step grows, with a plot"],
  ],
  async run({ name: names = [], ...options }, { signal }) {
    const choice = choose(names, options);
    const device = await openToMeasure({
      adapter: options.adapter,
      tuning: options.untuned ? false : undefined,
    });
    if (!(device instanceof GpuDevice)) {
      throw new UsageError(`kernels are compared with the adapter "cpu". Choose a WebGPU adapter`);
    }
    await measure(device, choice, options, signal);
  },
});

interface Options {
  readonly adapter?: string;
  readonly json?: string;
  readonly plot?: string;
  readonly runs?: number;
  readonly steps?: number;
  readonly untuned: boolean;
  readonly quick: boolean;
}

interface Choice {
  readonly selected: readonly Bench[];
  /** Of `alone`. */
  readonly selectedAlone: readonly string[];
}

/** What a name and a variant mean. Throws a UsageError if that is nothing, or if an option is for something else. */
function choose([name, variant, ...more]: readonly string[], { quick, plot, runs, steps }: Options): Choice {
  if (more.length > 0) throw new UsageError(`at most a name and a variant are wanted, got also "${more[0]}"`);
  const benches = [
    ...conv2dBenches(quick),
    ...epilogueBenches(quick),
    ...memoryBoundBenches(quick),
    ...resizeBenches(quick),
    ...networkBenches(quick),
    ...growthBenches(quick),
  ];
  const named = benches.filter((bench) => matches(bench.name, name));
  const namedAlone = alone.filter((each) => matches(each, name));
  if (named.length + namedAlone.length === 0) {
    const names = [...new Set([...benches.map((bench) => bench.name), ...alone])];
    throw new UsageError(
      `there is no "${name}". Choose one of these, or their first words: ${names.join(", ")}`,
    );
  }
  const selected = named
    .map((bench) => ({
      ...bench,
      maxSeconds: bench.maxSeconds ?? (quick ? 1 : undefined),
      variants: variant ? bench.variants.filter((each) => each.includes(variant)) : bench.variants,
    }))
    .filter(({ variants }) => variants.length > 0);
  const selectedAlone = variant ? [] : namedAlone;
  if (selected.length + selectedAlone.length === 0) {
    const variants = [...new Set(named.flatMap((bench) => bench.variants))].filter(Boolean).join(", ");
    throw new UsageError(`${name} has no variant "${variant}". Its variants: ${variants || "none"}`);
  }
  if (selected.length === 0 && (runs ?? plot) !== undefined) {
    const flag = runs === undefined ? "--plot" : "--runs";
    throw new UsageError(`${flag} is for kernels and networks that are timed in runs, and ${name} is none`);
  }
  if (steps !== undefined && !selectedAlone.includes("edsr-memory")) {
    throw new UsageError("--steps is for edsr-memory, which is not measured here");
  }
  return { selected, selectedAlone };
}

/** Whether the first words of a bench's name are the wanted ones. */
function matches(name: string, wanted: string | undefined): boolean {
  return !wanted || name === wanted || name.startsWith(`${wanted}-`);
}

async function measure(
  device: GpuDevice,
  { selected, selectedAlone }: Choice,
  options: Options,
  signal: AbortSignal,
): Promise<void> {
  const { adapter, quick } = options;
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
  const timing = { runs: options.runs ?? 5, minRunMs: 20 };
  say(`adapter    ${machine.adapter}`);
  say(
    `machine    ${machine.processor}, ${machine.platform}, Node ${machine.node}; ` +
      `load ${machine.loadBefore.toFixed(1)}`,
  );
  say(
    `timing     ${timing.runs} runs of at least ${timing.minRunMs} ms each` +
      (quick ? "; small shapes (--quick)" : ""),
  );
  say(`tuning     ${machine.tuned} choices by "npm run tune", all others by rule`);
  const ceilings = await measureCeilings(device, timing);
  for (const line of ceilingLines(ceilings, cardOf(device.name))) say(line);
  say(`\n${legend}`);

  const results: Result[] = [];
  const cpu = new CpuDevice("float64");
  for (const bench of selected) {
    signal.throwIfAborted();
    if (results.at(-1)?.name !== bench.name) say(heading(bench.name));
    const result = await runBench(bench, device, cpu, ceilings, timing);
    results.push(result);
    for (const line of resultLines(result)) say(line);
  }
  if (results.length > 0) say(`\n${othersLine(results)}\n${steadinessLine(results)}`);

  const processes: (Start | Memory)[] = [];
  const subject = {
    adapter,
    untuned: options.untuned,
    ...(quick ? { blocks: 4, channels: 16 } : { blocks: 16, channels: 64 }),
  };
  if (selectedAlone.includes("edsr-start")) {
    const start = await measureStart(subject, quick ? 24 : 96, signal);
    for (const line of startLines(start)) say(line);
    processes.push(start);
  }
  if (selectedAlone.includes("edsr-memory")) {
    const [patch, batch] = quick ? [12, 2] : [24, 4];
    const memory = await measureMemory(subject, patch, batch, options.steps ?? (quick ? 8 : 30), signal);
    for (const line of memoryLines(memory)) say(line);
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
    printError("", `Wrong results: ${wrong.join("; ")}`);
    process.exitCode = 1;
  }
}

/** Prints a text of one or several lines. */
function say(text: string): void {
  print(...text.split("\n"));
}

const code = await run("npm run bench --", benchCommand, process.argv.slice(2));
process.exitCode = code || process.exitCode;
