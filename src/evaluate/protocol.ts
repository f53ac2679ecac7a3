/**
 * What is measured, and on what. Two figures compare only if all of this is the same for both, so every
 * result carries it.
 *
 * Protocol "y" is that of the papers' Matlab code (SRCNN, VDSR, ESPCN and the tables that quote them). HR
 * loses the rows and columns that are no multiple of the scale; its luma plane Y (BT.601 in studio range) is
 * rounded to whole levels. LR is Matlab's bicubic of that plane as real numbers, not rounded. The method
 * enlarges this plane, its result is rounded to whole levels, and PSNR and SSIM leave out a border as wide as
 * the scale. Every other choice gives other figures: docs/measurements.md has those of bicubic on Set5.
 *
 * Networks that work on RGB (EDSR) have no use for a luma plane: they get LR in RGB, as bytes (Matlab's
 * bicubic of uint8, which is what the official LR files hold), and Y of their rounded RGB result is compared.
 *
 * The papers' networks see nothing beyond the picture's edges (padding "none"), and most of them take that for
 * zeros. `upscale` mirrors the picture there (padding "mirror"), which is better at the edges. Since protocols
 * leave out a border, the figures differ by a few hundredths of a decibel.
 */
import { checkArguments, isObject, type Wanted } from "../options/arguments.ts";
import { orList } from "../options/lists.ts";
import type { MetricOptions } from "../picture/metrics.ts";

export type Protocol = "y" | "rgb";

/** Matlab's bicubic makes the small picture from the large one, a degradation does, or it is in a file. */
export type LowSource = "made" | "degraded" | "files";

/** The sources of LR in words. */
export const sourceNames: Readonly<Record<LowSource, string>> = {
  files: "given files",
  degraded: "degraded pictures",
  made: "Matlab's bicubic",
};

export interface Conditions {
  readonly protocol: Protocol;
  readonly border: number;
  /** What networks see beyond the picture's edges. It makes no difference to interpolations. */
  readonly padding: "none" | "mirror";
  /** Where the small pictures are from; "mixed": not all from the same source. */
  readonly lowSource: LowSource | "mixed";
  /** What they were degraded by, as a text: see degradationKind. */
  readonly degradation?: string;
  /** What the method enlarges. */
  readonly colors: "y" | "rgb";
}

const someConditions: Wanted<Conditions> = {
  wants: "conditions, as conditionsOf() returns them",
  fits: (value): value is Conditions => isObject(value) && typeof value.lowSource === "string",
};

/** Everything that the figures depend on, in one line. */
export function describeConditions(conditions: Conditions): string {
  checkArguments("describeConditions", { "the first argument": [conditions, someConditions] });
  const { protocol, border, padding, lowSource, colors, degradation } = conditions;
  const compared =
    protocol === "rgb"
      ? "PSNR and SSIM over R, G and B"
      : `PSNR and SSIM on Y (BT.601 studio range, rounded)${colors === "rgb" ? " of the RGB result" : ""}`;
  const ofY = colors === "y" ? "Y (rounded) of " : "";
  const low = {
    made: ofY ? "Matlab's bicubic of rounded Y, itself not rounded" : "Matlab's bicubic of RGB bytes",
    degraded: `${ofY}the large pictures, degraded${degradation ? ` by ${degradation}` : ""}`,
    files: `${ofY}the given files`,
    mixed: `of several sources: ${orList(Object.values(sourceNames))}`,
  };
  return `${compared}, border ${border}, padding ${padding}; LR: ${low[lowSource]}`;
}

export function metricOptions(protocol: Protocol, border: number): MetricOptions {
  return protocol === "rgb" ? { channels: "rgb", border } : { channels: "y", border, roundY: true };
}
