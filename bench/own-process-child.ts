/** The child process of own-process.ts: does one task, sends its measurements, and ends. */

import { summarize } from "../src/measure/statistics.ts";
import { timeOnce } from "../src/measure/timing.ts";
import { init } from "../src/node.ts";
import { compileAhead } from "../src/tensor/compile-ahead.ts";
import { scope } from "../src/tensor/scope.ts";
import { edsr, inference, trainingStep } from "./networks.ts";
import { coresOfOthers } from "./timing.ts";

export type Task = {
  readonly adapter: string | undefined;
  readonly untuned: boolean;
  readonly blocks: number;
  readonly channels: number;
  readonly side: number;
} & (
  | { readonly what: "first output" }
  | { readonly what: "training"; readonly batch: number; readonly steps: number }
);

export interface FirstOutput {
  /** To open the device. */
  readonly deviceMs: number;
  /** To open the device, compute the first result and read it. */
  readonly firstMs: number;
  /** The same, from the start of the process on. */
  readonly processMs: number;
  /** For a later forward pass, without reading: the median of five. */
  readonly steadyMs: number;
  readonly pipelines: number;
  /** How many cores other programs kept busy meanwhile. */
  readonly foreignCores: number;
}

export interface Training {
  /** State after each step. */
  readonly steps: readonly {
    readonly ms: number;
    /** Resident memory of the process in bytes. With software adapters it includes the "GPU's" buffers. */
    readonly rss: number;
    readonly buffersCreated: number;
    readonly pipelines: number;
  }[];
  /** Resident memory with the device open and nothing else. */
  readonly deviceRss: number;
  /** The maximum over the life of the process. */
  readonly peakRss: number;
  /** The last step that created a buffer or a pipeline, from 1 on: the first one always does. */
  readonly constantAfter: number;
}

const task = JSON.parse(process.argv[2]) as Task;
const start = performance.now();
const foreignCores = coresOfOthers();
const device = await init({ adapter: task.adapter, tuning: task.untuned ? false : undefined });
const deviceMs = performance.now() - start;
const network = edsr(task.blocks, task.channels);
process.send!(task.what === "training" ? await train(task) : await firstOutput());

async function firstOutput(): Promise<FirstOutput> {
  const program = inference(network, task.side);
  await compileAhead(() => program.run());
  {
    using _ = scope();
    await program.run()[0].data();
  }
  const processMs = performance.now();
  const firstMs = processMs - start;
  const later: number[] = [];
  for (let i = 0; i < 5; i++) later.push(await timeOnce(program, device, 1));
  const { pipelines } = device.memory();
  const steadyMs = summarize(later).median;
  return { deviceMs, firstMs, processMs, steadyMs, pipelines, foreignCores: foreignCores() };
}

async function train({ batch, steps: count }: Task & { what: "training" }): Promise<Training> {
  const deviceRss = process.memoryUsage.rss();
  const program = trainingStep(network, task.side, batch);
  const steps: Training["steps"][number][] = [];
  for (let step = 0; step < count; step++) {
    const ms = await timeOnce(program, device, 1);
    const { buffersCreated, pipelines } = device.memory();
    steps.push({ ms, rss: process.memoryUsage.rss(), buffersCreated, pipelines });
  }
  const last = steps[steps.length - 1];
  const constantAfter =
    1 +
    steps.findIndex(
      (each) => each.buffersCreated === last.buffersCreated && each.pipelines === last.pipelines,
    );
  return { steps, deviceRss, peakRss: process.resourceUsage().maxRSS * 1024, constantAfter };
}
