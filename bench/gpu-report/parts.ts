/** The parts of a report: what each measures, and how long that takes. */
import { CpuDevice } from "../../src/device/cpu-device.ts";
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import { type Ceilings, measureCeilings } from "../../src/measure/ceilings.ts";
import { timeInTurns } from "../../src/measure/in-turns.ts";
import { scope } from "../../src/tensor/scope.ts";
import { pretrainedNames, scalesOf } from "../../src/upscale/method-names.ts";
import type { Program } from "../harness.ts";
import { timeKernels } from "../kernels/stream.ts";
import { kernelWorkloads } from "../kernels/workloads.ts";
import { ladderFlops, ladderSteps, ladderText } from "../ladder-steps.ts";
import { forwardWork, inference, replayed, trainingStep, trainingWork } from "../networks.ts";
import { measureStart } from "../own-process.ts";
import { measurePicture, PICTURE_SCALE, pictureToEnlarge } from "../picture-times.ts";
import { measureWaiting, waitingFacts, withPictures } from "../waiting.ts";
import { runChecks } from "./checks.ts";
import type { Report, Section } from "./report.ts";
import type { Sizes } from "./sizes.ts";

/** What a part works with. */
export interface Context {
  readonly device: GpuDevice;
  /** As the adapter was asked for. */
  readonly adapter: string | undefined;
  readonly signal: AbortSignal;
  /** Says what is being done now. */
  say(what: string): void;
  /** What has been measured so far. */
  report(): Report;
  /** Puts figures into the report, and saves it. */
  update(changes: Partial<Report>): Promise<void>;
  /**
   * Does something that others do not depend on: an error becomes an entry of the report, and the next may go on.
   * After a stop, or the loss of the device, it does nothing.
   */
  attempt(what: string, body: () => Promise<void>): Promise<void>;
}

interface Measured extends Context {
  readonly ceilings: Ceilings;
  readonly sizes: Sizes;
}

type Part = {
  /** After "measures", in progress and in reports that lack it. */
  readonly what: string;
  /** On a card, for the help text: time, and disk if it is much. */
  readonly takes: string;
} & (
  | { readonly needsCeilings: false; measure(context: Context): Promise<Partial<Report>> }
  | { readonly needsCeilings: true; measure(context: Measured): Promise<Partial<Report>> }
);

/** Milliseconds for the checks of kernels, and for the runs of each section. */
const [CHECK_MS, SECTION_MS] = [80_000, 12_000];

/** In the order in which they are measured by default. */
export const parts = {
  checks: {
    what: "the kernels against the references",
    takes: "up to 80 s",
    needsCeilings: false,
    async measure({ device, signal, say }) {
      const start = performance.now();
      const checks = await runChecks(device, new CpuDevice("float64"), (done, total) => {
        say(`the kernels against the references, ${done} of ${total}`);
        return !signal.aborted && performance.now() - start < CHECK_MS;
      });
      return { checks };
    },
  },
  ceilings: {
    what: "the fastest multiply-adds and copies",
    takes: "5 s; always, since sizes depend on it",
    needsCeilings: false,
    measure: async ({ device, signal }) => ({
      ceilings: await measureCeilings(device, { runs: 3, minRunMs: 20, signal }),
    }),
  },
  convolution: {
    what: "every step of the convolution",
    takes: "15 s",
    needsCeilings: true,
    measure(context) {
      const { device, sizes } = context;
      const flops = `${(ladderFlops(sizes.ladder) / 1e9).toPrecision(3)} GFLOP`;
      return timeSection(context, {
        title: `Convolution: ${ladderText(sizes.ladder)}, ${flops}`,
        first: "step",
        programs: () => ladderSteps(device, sizes.ladder),
      });
    },
  },
  networks: {
    what: "networks enlarging a picture",
    takes: "10 s",
    needsCeilings: true,
    measure: (context) =>
      timeSection(context, {
        title: "Networks enlarging a picture",
        first: "network",
        recording: true,
        programs: async () =>
          context.sizes.networks.map(({ network, side }) =>
            named(
              `${network.what}, a picture of ${side} x ${side}`,
              forwardWork(network, side, 1).flops,
              inference(network, side),
            ),
          ),
      }),
  },
  training: {
    what: "training steps, built anew and replayed",
    takes: "15 s",
    needsCeilings: true,
    measure: (context) =>
      timeSection(context, {
        title: "Training steps",
        first: "network",
        recording: true,
        programs: async () =>
          context.sizes.training.flatMap(({ network, side, batch }) => {
            const name = `${network.what}, ${batch} patches of ${side} x ${side}`;
            const { flops } = trainingWork(network, side, batch);
            return [
              named(`${name}, built anew`, flops, trainingStep(network, side, batch)),
              named(`${name}, replayed`, flops, replayed(trainingStep(network, side, batch))),
            ];
          }),
      }),
  },
  start: {
    what: "the start of a process",
    takes: "10 s",
    needsCeilings: true,
    async measure({ adapter, sizes, signal }) {
      const subject = { adapter, untuned: false, ...sizes.start };
      return { start: await measureStart(subject, sizes.startSide, signal) };
    },
  },
  kernels: {
    what: "single kernels, by every tile",
    takes: "2 min",
    needsCeilings: true,
    async measure({ device, ceilings, sizes, signal, say, report, update, attempt }) {
      const { small, most } = sizes.kernels;
      for (const workload of kernelWorkloads(small)) {
        await attempt(`the kernels of ${workload.name}`, async () => {
          say(`single kernels: ${workload.name}`);
          const times = await timeKernels(device, workload, ceilings, { most, signal });
          await update({ kernels: [...(report().kernels ?? []), times] });
        });
      }
      return {};
    },
  },
  pictures: {
    what: "whole pictures, by every network that comes with the library and by bicubic",
    takes: "1 min",
    needsCeilings: true,
    async measure({ device, sizes, signal, say, report, update, attempt }) {
      const methods = [...pretrainedNames.filter((name) => scalesOf(name).includes(2)), "bicubic" as const];
      const picture = pictureToEnlarge(...sizes.picture);
      for (const method of methods) {
        await attempt(`a picture by ${method}`, async () => {
          say(`a picture by ${method}`);
          const row = await measurePicture(device, method, picture, signal);
          const rows = [...(report().pictures?.rows ?? []), row];
          await update({ pictures: { size: sizes.picture, scale: PICTURE_SCALE, rows } });
        });
      }
      return {};
    },
  },
  waiting: {
    what: "how long training waits for pictures",
    takes: "up to 3 min, and 3.1 GB in the folder for temporary files",
    needsCeilings: true,
    async measure({ device, sizes: { waiting: sizes }, signal, say, report, update, attempt }) {
      say(`waiting for pictures: making ${sizes.pictures} of them`);
      await withPictures(sizes, signal, async (folder) => {
        for (const where of ["memory", "cache"] as const) {
          const what = where === "memory" ? "in memory" : "with --cache";
          await attempt(`training with decoded pictures ${what}`, async () => {
            say(`waiting for pictures: ${what}`);
            const run = await measureWaiting(device, sizes, { folder, where, signal });
            await update({
              waiting: { ...waitingFacts(sizes), runs: [...(report().waiting?.runs ?? []), run] },
            });
          });
        }
      });
      return {};
    },
  },
} as const satisfies Record<string, Part>;

export type PartName = keyof typeof parts;
export const partNames = Object.keys(parts) as PartName[];
/** Those of a report that takes less than four minutes. */
export const usualParts = partNames.slice(0, partNames.indexOf("kernels"));

// ---- Programs in turns

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

function named(name: string, flops: number, program: Program): NamedProgram {
  return { name, flops, run: () => program.run(), dispose: () => program.dispose?.() };
}

async function timeSection(
  { device, ceilings, signal, report }: Measured,
  { programs, ...headings }: SectionPlan,
): Promise<{ sections: readonly Section[] }> {
  using _ = scope();
  const made = await programs();
  const options = { runs: 7, minRunMs: 40, budgetMs: SECTION_MS, signal };
  try {
    const times = await timeInTurns(device, made, ceilings, options);
    return { sections: [...report().sections, { ...headings, ...times }] };
  } finally {
    for (const { dispose } of made) dispose?.();
  }
}
