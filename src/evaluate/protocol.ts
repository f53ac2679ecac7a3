/**
 * What is measured, and on what. Two figures compare only if all of this is the same for both, so every
 * result carries it.
 *
 * Protocol "y" is that of the papers' Matlab code (SRCNN, VDSR, ESPCN and the tables that quote them). HR
 * loses the rows and columns that are no multiple of the scale; its luma plane Y (BT.601 in studio range) is
 * rounded to whole levels. LR is Matlab's bicubic of that plane as real numbers, not rounded. The method
 * enlarges this plane, its result is rounded to whole levels, and PSNR and SSIM leave out a border as wide as
 * the scale.
 *
 * How much the details matter: bicubic on Set5, dB and SSIM, border = scale.
 *
 *                                                          x2               x3               x4
 *     published                                            33.66  0.9299    30.39  0.8682    28.42  0.8104
 *     "y": Y rounded, LR real, result rounded              33.66  0.9299    30.39  0.8682    28.42  0.8104
 *     the same, LR rounded to bytes after each pass        33.65  0.9294    30.39  0.8680    28.42  0.8102
 *     the same, and enlarged in bytes as well              33.64  0.9291    30.38  0.8678    28.41  0.8100
 *     "y" with LR files: Y of the official RGB files       33.64  0.9293    30.38  0.8678    28.41  0.8101
 *     RGB enlarged in bytes, then Y rounded                33.64  0.9292    30.39  0.8678    28.42  0.8101
 *     RGB enlarged in bytes, Y not rounded                 33.67  0.9303    30.40  0.8689    28.43  0.8111
 *     "rgb"                                                31.79  0.9086    28.62  0.8383    26.69  0.7731
 *
 * Networks that work on RGB (EDSR) have no use for a luma plane: they get LR in RGB, as bytes (Matlab's
 * bicubic of uint8, which is what the official LR files hold), and Y of their rounded RGB result is compared.
 */
import type { MetricOptions } from "../picture/metrics.ts";

export type Protocol = "y" | "rgb";

/** A small picture is made from the large one by Matlab's bicubic, degraded otherwise or read from a file. */
export type LowSource = "made" | "degraded" | "files";

export interface Conditions {
  readonly protocol: Protocol;
  readonly border: number;
  /** Where the small pictures are from; "mixed": not all from the same source. */
  readonly low: LowSource | "mixed";
  /** What the method enlarges. */
  readonly colors: "y" | "rgb";
}

/** All that decides over the figures, in one line. */
export function describeConditions({ protocol, border, low, colors }: Conditions): string {
  const compared =
    protocol === "rgb"
      ? "PSNR and SSIM over R, G and B"
      : `PSNR and SSIM on Y (BT.601 studio range, rounded)${colors === "rgb" ? " of the RGB result" : ""}`;
  const ofY = protocol === "y" && colors === "y";
  const small = {
    made: ofY ? "Matlab's bicubic of rounded Y, itself not rounded" : "Matlab's bicubic of RGB bytes",
    degraded: `${ofY ? "Y (rounded) of " : ""}the large pictures, degraded`,
    files: `${ofY ? "Y (rounded) of " : ""}the given files`,
    mixed: "the given files, and of pictures without one Matlab's bicubic",
  };
  return `${compared}, border ${border}; LR: ${small[low]}`;
}

export function metricOptions(protocol: Protocol, border: number): MetricOptions {
  return protocol === "rgb" ? { channels: "rgb", border } : { channels: "y", border, roundY: true };
}
