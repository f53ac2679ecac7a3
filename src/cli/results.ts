/** What `evaluate` and `compare` say of a measurement: as columns, as a sentence and as JSON. */
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { fileId } from "../data/same-file.ts";
import type { Evaluation } from "../evaluate/index.ts";
import { DataError } from "../picture/errors.ts";
import type { OpenedMethod } from "../upscale/index.ts";
import { adapterOf } from "../upscale/method.ts";
import { UsageError } from "./flags.ts";

export interface Result extends Evaluation {
  /** Was it the mean of eight answers? */
  ensemble: boolean;
  /** Numbers that were trained; 0 for interpolation. */
  parameters: number;
  /** File of the weights, or "pretrained"; null for interpolation. */
  weights: string | null;
  /** Where it ran: an adapter's name, or "JavaScript" for interpolation. */
  adapter: string;
}

export function resultOf(opened: OpenedMethod, evaluation: Evaluation): Result {
  const { upscaler, ensemble, parameters, weights = null } = opened;
  return { ...evaluation, ensemble, parameters, weights, adapter: adapterOf(upscaler) };
}

/** Decibels, SSIM and milliseconds as texts. */
export function figures({ psnr, ssim, ms }: { psnr: number; ssim: number; ms: number }): string[] {
  return [psnr.toFixed(2), ssim.toFixed(4), milliseconds(ms)];
}

/** Three digits and more: 1.23, 12.3, 1234. */
export function milliseconds(ms: number): string {
  return ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0);
}

/** All that the figures depend on. */
export function conditionsOf({ conditions, adapter }: Result): string {
  return `${conditions}. Times: ${adapter}, after a warm-up.`;
}

/** Is there a folder for the file? Better asked before an hour of measuring than after it. */
export function checkFolderOf(path: string): void {
  if (!statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory()) {
    throw new DataError(
      `${path}: there is no folder ${dirname(path)} to write it to. Make it, or name another file.`,
    );
  }
}

/** The files that a command reads, for checkNotRead. */
export function idsOf(paths: readonly (string | undefined)[]): ReadonlySet<string> {
  return new Set(paths.filter((path) => path !== undefined).map(fileId));
}

/** Nothing is written over what is read, even through links. @throws UsageError that names the flag */
export function checkNotRead(path: string, flag: string, read: ReadonlySet<string>): void {
  if (read.has(fileId(path))) throw new UsageError(`${path} is an input; ${flag} must name another place`);
}
