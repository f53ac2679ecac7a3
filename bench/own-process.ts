/**
 * What shows only in a process of its own: the time to the first picture, when nothing has been compiled yet,
 * and the peak memory of training.
 */
import { fork } from "node:child_process";
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { removeTemporary, temporaryFor } from "../src/files/temporary.ts";
import type { FirstOutput, Task, Training } from "./own-process-child.ts";
import { short } from "./report.ts";

interface Subject {
  readonly adapter: string | undefined;
  readonly untuned: boolean;
  readonly blocks: number;
  readonly channels: number;
}

export interface Start {
  readonly name: "edsr-start";
  readonly network: string;
  /** With the driver's cache of compiled shaders empty, and in a second process that finds it full. */
  readonly cold: FirstOutput;
  readonly warm: FirstOutput;
}

export async function measureStart(subject: Subject, side: number, signal: AbortSignal): Promise<Start> {
  // Also removed if the process is ended meanwhile.
  const folder = temporaryFor(join(tmpdir(), "pixelgrad-bench-shaders"));
  try {
    mkdirSync(folder, { mode: 0o700 });
    // Mesa's and NVIDIA's variables for the cache's folder. Drivers without a cache ignore them.
    const env = { MESA_SHADER_CACHE_DIR: folder, __GL_SHADER_DISK_CACHE_PATH: folder };
    const task: Task = { what: "first output", ...subject, side };
    const cold = await inOwnProcess<FirstOutput>(task, signal, env);
    const warm = await inOwnProcess<FirstOutput>(task, signal, env);
    return {
      name: "edsr-start",
      network: `EDSR ${subject.blocks}x${subject.channels} x2, ${side}x${side}`,
      cold,
      warm,
    };
  } finally {
    await removeTemporary(folder);
  }
}

export function startLines({ network, cold, warm }: Start): string[] {
  const line = (what: string, cells: readonly string[]) =>
    `  ${what.padEnd(32)}${cells.map((cell) => cell.padStart(15)).join("")}`;
  const figures = ({ deviceMs, firstMs, steadyMs, pipelines, foreignCores }: FirstOutput) => [
    ...[firstMs, deviceMs, steadyMs, firstMs - deviceMs - steadyMs].map(seconds),
    `${pipelines}`,
    foreignCores.toFixed(1),
  ];
  return [
    `\nedsr-start  ${network}, each in a process of its own`,
    line("", ["first output", "device", "steady forward", "beyond", "pipelines", "others' cores"]),
    line("driver's shader cache empty", figures(cold)),
    line("filled by the process before", figures(warm)),
    "  beyond: what the first output takes beyond opening the device and a steady forward",
  ];
}

export interface Memory {
  readonly name: "edsr-memory";
  readonly network: string;
  readonly training: Training;
}

export async function measureMemory(
  subject: Subject,
  side: number,
  batch: number,
  steps: number,
  signal: AbortSignal,
): Promise<Memory> {
  const task: Task = { what: "training", ...subject, side, batch, steps };
  const training = await inOwnProcess<Training>(task, signal);
  const network = `EDSR ${subject.blocks}x${subject.channels} x2, ${batch} of ${side}x${side}`;
  return { name: "edsr-memory", network, training };
}

export function memoryLines({ network, training }: Memory): string[] {
  const { steps, deviceRss, peakRss, constantAfter } = training;
  const last = steps[steps.length - 1];
  const rss = steps.map((step, i) => ({ step: i + 1, rss: step.rss }));
  const milestones = rss.filter(
    ({ step }) => [1, 3, 10, 30, 100, 300, 1000].includes(step) || step === steps.length,
  );
  return [
    `\nedsr-memory  training ${network}, in a process of its own`,
    `  peak resident memory ${mebibytes(peakRss)}; ${mebibytes(deviceRss)} before the network was built`,
    `  resident after step ${milestones.map(({ step, rss }) => `${step}: ${mebibytes(rss)}`).join(", ")}`,
    `  buffers and pipelines created: ${last.buffersCreated} and ${last.pipelines}` +
      (constantAfter < steps.length
        ? `, none after step ${constantAfter} of ${steps.length}`
        : `, still growing at step ${steps.length}, the last one`),
  ];
}

/** Ends with its process, also if the signal ends that. */
async function inOwnProcess<T>(
  task: Task,
  signal: AbortSignal,
  env: Record<string, string> = {},
): Promise<T> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const script = fileURLToPath(new URL("own-process-child.ts", import.meta.url));
    const child = fork(script, [JSON.stringify(task)], { env: { ...process.env, ...env } });
    const stop = () => child.kill();
    signal.addEventListener("abort", stop);
    let answer: T | undefined;
    child.on("message", (message) => {
      answer = message as T;
    });
    child.on("error", reject);
    child.on("exit", (code, killer) => {
      signal.removeEventListener("abort", stop);
      if (answer !== undefined && code === 0) return resolve(answer);
      if (signal.aborted) return reject(signal.reason);
      const end = killer ?? `exit code ${code}`;
      reject(new Error(`The process for "${task.what}" ended with ${end} and no answer.`));
    });
  });
}

function seconds(ms: number): string {
  return ms < 1000 ? `${short(ms)} ms` : `${short(ms / 1e3)} s`;
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
