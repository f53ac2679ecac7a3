/** The parts of a report, in order, each within its share of the time. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { nodeHost } from "../../src/device/adapter-node.ts";
import { CpuDevice } from "../../src/device/cpu-device.ts";
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import { type Ceilings, measureCeilings } from "../../src/measure/ceilings.ts";
import { timeInTurns } from "../../src/measure/in-turns.ts";
import { andList } from "../../src/options/lists.ts";
import { scope } from "../../src/tensor/scope.ts";
import { cardOf } from "../cards.ts";
import type { Program } from "../harness.ts";
import { ladderFlops, ladderSteps, ladderText } from "../ladder-steps.ts";
import {
  edsrBaseline,
  edsrSmall,
  forwardWork,
  inference,
  type Network,
  trainingStep,
  trainingWork,
} from "../networks.ts";
import { dawnSwitches } from "../open.ts";
import { measureStart } from "../own-process.ts";
import { coresOfOthers } from "../timing.ts";
import { runChecks } from "./checks.ts";
import type { AdapterFacts, Machine, Report } from "./report.ts";

/** What becomes of the report while it is measured. */
export interface Progress {
  /** What is being done now. */
  part(title: string): void;
  /** The report so far: it is saved. */
  save(report: Report): Promise<void>;
  /** Ends the measuring after the current program. */
  readonly signal: AbortSignal;
}

/** So that all of it takes less than four minutes, with compiling and the rest. */
const seconds = {
  checks: 80,
  /** For the runs of each section. */
  section: 12,
  /** After these, no part begins. */
  all: 190,
};

export async function measureReport(
  device: GpuDevice,
  adapter: string | undefined,
  { part, save, signal }: Progress,
): Promise<Report> {
  const began = performance.now();
  const foreignCores = coresOfOthers();
  const left: string[] = [];
  let report: Report = {
    format: 1,
    pixelgrad: versionOf("../../package.json"),
    date: new Date().toISOString(),
    seconds: 0,
    foreignCores: 0,
    partial: "it was ended before it was done",
    machine: machineFacts(),
    adapter: await adapterFacts(device, adapter),
    sections: [],
    failures: [],
  };
  const update = async (changes: Partial<Report>) => {
    report = { ...report, ...changes, seconds: (performance.now() - began) / 1e3 };
    await save(report);
  };
  /** Measures one part. An error in it is a finding; only a device that is gone ends the report. */
  const measure = async (title: string, body: () => Promise<Partial<Report>>) => {
    if (signal.aborted) return;
    if (performance.now() - began > 1e3 * seconds.all) {
      left.push(title);
      return;
    }
    part(title);
    try {
      await update(await body());
    } catch (error) {
      await update({ failures: [...report.failures, { part: title, message: (error as Error).message }] });
      if (device.failure) throw error;
    }
  };

  await measure("the kernels against the references", async () => {
    const start = performance.now();
    const checks = await runChecks(device, new CpuDevice("float64"), (done, total) => {
      part(`the kernels against the references, ${done} of ${total}`);
      return !signal.aborted && performance.now() - start < 1e3 * seconds.checks;
    });
    return { checks };
  });
  await measure("ceilings", async () => {
    return { ceilings: await measureCeilings(device, { runs: 3, minRunMs: 20 }) };
  });
  const { ceilings } = report;
  if (ceilings) {
    const sizes = chooseSizes(ceilings);
    if (sizes.scaled) await update({ scaled: sizes.scaled });
    for (const { title, first, recording, programs } of sectionsOf(device, sizes)) {
      await measure(title, async () => {
        using _ = scope();
        const made = await programs();
        const options = { runs: 7, minRunMs: 40, budgetMs: 1e3 * seconds.section };
        try {
          const times = await timeInTurns(device, made, ceilings, options);
          return { sections: [...report.sections, { title, first, recording, ...times }] };
        } finally {
          for (const { dispose } of made) dispose?.();
        }
      });
    }
    // Before those processes, which would count as others.
    await update({ foreignCores: foreignCores() });
    await measure("the start of a process", async () => {
      const subject = { adapter, untuned: false, ...sizes.start };
      return { start: await measureStart(subject, sizes.startSide) };
    });
  }
  const tooSlow = left.length > 0 ? `time did not allow for ${andList(left)}` : undefined;
  await update({ partial: signal.aborted ? "it was stopped" : tooSlow });
  return report;
}

// ---- Sizes

interface Sizes {
  readonly ladder: { readonly batch: number; readonly channels: number; readonly side: number };
  readonly networks: readonly { readonly network: Network; readonly side: number }[];
  readonly training: readonly { readonly network: Network; readonly side: number; readonly batch: number }[];
  readonly start: { readonly blocks: number; readonly channels: number };
  readonly startSide: number;
  readonly scaled?: string;
}

const onCards: Sizes = {
  ladder: { batch: 16, channels: 64, side: 128 },
  networks: [
    { network: edsrSmall, side: 96 },
    { network: edsrBaseline, side: 96 },
    { network: edsrBaseline, side: 512 },
  ],
  training: [
    { network: edsrSmall, side: 24, batch: 4 },
    { network: edsrBaseline, side: 24, batch: 4 },
    { network: edsrBaseline, side: 48, batch: 16 },
  ],
  start: { blocks: 16, channels: 64 },
  startSide: 96,
};

const onProcessors: Sizes = {
  ladder: { batch: 1, channels: 64, side: 32 },
  networks: [
    { network: edsrSmall, side: 96 },
    { network: edsrBaseline, side: 32 },
  ],
  training: [
    { network: edsrSmall, side: 24, batch: 4 },
    { network: edsrBaseline, side: 12, batch: 2 },
  ],
  start: { blocks: 4, channels: 16 },
  startSide: 96,
  scaled:
    "This adapter computes on a processor, or as slowly as one. The sizes are smaller than on a card, so that the " +
    "whole takes minutes: shares of the ceiling can be compared with those of cards, times cannot.",
};

/** The slowest cards have a few hundred GFLOP/s, and software has 20 to 150 on a few cores. */
function chooseSizes({ flops }: Ceilings): Sizes {
  return flops < 200e9 ? onProcessors : onCards;
}

// ---- Sections

interface SectionPlan {
  readonly title: string;
  readonly first: string;
  readonly recording?: boolean;
  /** Called in a scope. */
  programs(): Promise<readonly NamedProgram[]>;
}

interface NamedProgram {
  readonly name: string;
  readonly flops: number;
  run(): unknown;
  readonly dispose?: () => void;
}

function sectionsOf(device: GpuDevice, { ladder, networks, training }: Sizes): SectionPlan[] {
  const named = (name: string, flops: number, program: Program): NamedProgram => ({
    name,
    flops,
    run: () => program.run(),
    dispose: () => program.dispose?.(),
  });
  return [
    {
      title: `Convolution: ${ladderText(ladder)}, ${(ladderFlops(ladder) / 1e9).toPrecision(3)} GFLOP`,
      first: "step",
      programs: () => ladderSteps(device, ladder),
    },
    {
      title: "Networks enlarging a picture",
      first: "network",
      recording: true,
      programs: async () =>
        networks.map(({ network, side }) =>
          named(
            `${network.what}, a picture of ${side} x ${side}`,
            forwardWork(network, side, 1).flops,
            inference(network, side),
          ),
        ),
    },
    {
      title: "Training steps",
      first: "network",
      recording: true,
      programs: async () =>
        training.map(({ network, side, batch }) =>
          named(
            `${network.what}, ${batch} patches of ${side} x ${side}`,
            trainingWork(network, side, batch).flops,
            trainingStep(network, side, batch),
          ),
        ),
    },
  ];
}

// ---- Facts

function versionOf(file: string): string {
  const { version } = JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8")) as { version: string };
  return version;
}

function machineFacts(): Machine {
  const { version } = createRequire(import.meta.url)("webgpu/package.json") as { version: string };
  return {
    processor: `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown"}`,
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    webgpu: version,
  };
}

/** What the adapter offers, which may be more than the library has asked for. */
async function adapterFacts(
  { name, adapterClass, profile, gpu, tuning }: GpuDevice,
  choice: string | undefined,
): Promise<AdapterFacts> {
  const offered = (await nodeHost.requestAdapter(choice, dawnSwitches())) ?? gpu;
  const { vendor, architecture, device, description } = gpu.adapterInfo;
  const { subgroupMinSize, subgroupMaxSize, isFallbackAdapter } = gpu.adapterInfo;
  const limits: Record<string, number> = {};
  // The names are getters of the prototype, which no Object.entries lists.
  for (const limit in offered.limits) {
    const value = offered.limits[limit as keyof GPUSupportedLimits];
    if (typeof value === "number") limits[limit] = value;
  }
  return {
    name,
    class: adapterClass,
    info: {
      ...{ vendor, architecture, device, description },
      ...{ subgroupMinSize, subgroupMaxSize, isFallbackAdapter },
    },
    features: [...offered.features].sort(),
    limits,
    profile: { ...profile },
    dawn: dawnSwitches(),
    tuned: tuning.choices.size,
    peak: cardOf(name),
  };
}
