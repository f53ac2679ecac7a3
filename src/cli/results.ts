/** A measurement as `evaluate` and `compare` print it: columns, a sentence and JSON. */

import { describeCropped } from "../data/pair-sizes.ts";
import { type PairFiles, pathsOf } from "../data/pairs.ts";
import type { EvaluateOptions, Evaluation, Failure, FindPicturesOptions } from "../evaluate/index.ts";
import type { Note } from "../files/picture-file.ts";
import { firstOf, quantity } from "../options/lists.ts";
import { DataError } from "../picture/errors.ts";
import type { OpenedMethod } from "../upscale/index.ts";
import { adapterOf } from "../upscale/method.ts";
import { printError } from "./print.ts";

export interface Result extends Evaluation {
  /** Whether it is the mean of eight answers. */
  ensemble: boolean;
  /** Whether weights and feature maps were stored as float16. */
  half: boolean;
  /** Numbers that were trained; 0 for interpolation. */
  parameters: number;
  /** File of the weights, or "pretrained"; null for interpolation. */
  weights: string | null;
  /** What the folders contain besides: the lines that say so. */
  leftOut: readonly string[];
  /** Where it ran: an adapter's name, or "JavaScript" for interpolation. */
  adapter: string;
}

export async function measure(
  opened: OpenedMethod,
  pictures: readonly PairFiles[],
  options: EvaluateOptions,
  { leftOut, unpaired, notes }: Pick<Findings, "leftOut" | "unpaired"> & { readonly notes: readonly Note[] },
): Promise<Result> {
  const { evaluate } = await import("../evaluate/index.ts");
  const evaluation = await evaluate(opened.upscaler, pictures, options);
  const failures = [...unpaired, ...evaluation.failures];
  const all = { failures, notes: [...notes, ...evaluation.notes], leftOut };
  return { ...evaluation, ...factsOf(opened), ...all };
}

/** What there is to say of a measurement without any figure: which method it was, and why nothing was measured. */
export function withoutFigures(
  opened: OpenedMethod,
  { leftOut, unpaired }: Pick<Findings, "leftOut" | "unpaired">,
  error: Error & { readonly failures?: readonly Failure[] },
): Partial<Result> {
  const { name: method, scale } = opened.upscaler;
  const failures = [...unpaired, ...(error.failures ?? [])];
  return { method, scale, images: [], ...factsOf(opened), failures, leftOut };
}

function factsOf({ upscaler, ensemble, half, parameters, weights }: OpenedMethod) {
  return { ensemble, half, parameters, weights: weights ?? null, adapter: adapterOf(upscaler) };
}

/** What the files have that is not measured, also those that cannot be: the same for all methods. */
export async function notesOnFiles(pictures: readonly PairFiles[]): Promise<Note[]> {
  const { headersOf, reductionsOf } = await import("../files/reductions.ts");
  return reductionsOf(await headersOf(pictures.flatMap(pathsOf)), ["depth", "frames", "color"]);
}

/** What findPictures says besides its list. */
export interface Findings {
  /** Lines that say what is left out of the folders. */
  readonly leftOut: readonly string[];
  /** Pictures without a small version of their own. */
  readonly unpaired: readonly Failure[];
  readonly callbacks: Required<Pick<FindPicturesOptions, "onLeftOut" | "onFailure">>;
}

/** A listener for findPictures, which prints what it says and keeps it for `measure`. */
export function collectFindings(): Findings {
  const leftOut: string[] = [];
  const unpaired: Failure[] = [];
  return {
    leftOut,
    unpaired,
    callbacks: {
      onLeftOut(line) {
        printError(line);
        leftOut.push(line);
      },
      onFailure(failure) {
        printError(failure.error);
        unpaired.push(failure);
      },
    },
  };
}

/** Decibels, SSIM and milliseconds. */
export function figures({ psnr, ssim, ms }: { psnr: number; ssim: number; ms: number }): string[] {
  return [psnr.toFixed(2), ssim.toFixed(4), milliseconds(ms)];
}

/** Three digits or more: 1.23, 12.3, 1234. */
export function milliseconds(ms: number): string {
  return ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0);
}

/** Everything that the figures depend on. */
export function describeResult(result: Result): string {
  const { conditions, half, adapter, exact, failures, images, notes, stopped } = result;
  const sentences = [conditions, `Times: ${adapter}, after a warm-up`];
  if (half) sentences.push("Weights and feature maps as float16");
  const cropped = images.flatMap(({ name, cropped }) => (cropped ? [describeCropped(name, cropped)] : []));
  if (cropped.length > 0) sentences.push(`Cropped to fit: ${firstOf(cropped)}`);
  if (exact.length > 0 && exact.length < images.length) {
    sentences.push(`Without any error, and so not in the mean PSNR: ${exact.join(", ")}`);
  }
  if (exact.length > 0 && exact.length === images.length) {
    sentences.push("All pictures are without any error, so there is no finite mean PSNR");
  }
  if (stopped) sentences.push(`Stopped after ${images.length} of ${quantity(stopped.of, "picture")}`);
  if (failures.length > 0) sentences.push(`Not measured: ${failures.map(({ name }) => name).join(", ")}`);
  sentences.push(...notes.map(({ text }) => text));
  return `${sentences.join(". ")}.`;
}

/**
 * Ends a command that has done what it could.
 *
 * @param methods those that could measure nothing.
 * @throws DataError if a picture was not measured
 */
export function refuseFailures(results: readonly Result[], methods: readonly string[] = []): void {
  const pictures = results.flatMap(({ failures }) => failures.map(({ name }) => name));
  const names = new Set([...methods, ...pictures]);
  if (names.size === 0) return;
  throw new DataError(`${[...names].join(", ")}: not measured, for the reasons above. All others were.`);
}
