/** The options of measuring, and what they may be. */
import { aFunction, aSignal, trueOrFalse, type Wanted } from "../options/arguments.ts";
import { oneOf, whole } from "../options/kinds.ts";
import { paddings } from "../upscale/upscale-options.ts";
import type { PictureScore } from "./evaluation.ts";
import type { Conditions, Protocol } from "./protocol.ts";

export interface EvaluateOptions {
  /** See protocol.ts. Default "y". */
  protocol?: Protocol;
  /** Pixels left out along each side. Default: the scale. (EDSR's figures on DIV2K: "rgb", scale + 6.) */
  border?: number;
  /** What networks see beyond the picture's edges: see protocol.ts. Default "none", as in the papers. */
  padding?: Conditions["padding"];
  /** Allows LR pictures of several sources, whose figures do not compare, in one mean. Default false. */
  mixed?: boolean;
  /** Enlarges the first picture twice, so that its time does not include compiling kernels. Default true. */
  warmUp?: boolean;
  /** Stops between two tiles or pictures; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /** When the signal stops it and a picture is measured, gives what there is, marked as `stopped`. Default false. */
  partial?: boolean;
  /** SSIM takes longer than PSNR, and pictures of at least 11x11 pixels inside the border. Default true. */
  withSsim?: boolean;
  /** Called after each picture that was measured, for progress. */
  onPicture?: (score: PictureScore, index: number) => void;
  /** Called with the message for a picture that cannot be read or compared. Without it, the first ends all. */
  onFailure?: (message: string) => void;
}

export const optionsWanted: Readonly<Record<keyof EvaluateOptions, Wanted>> = {
  protocol: oneOf("y", "rgb"),
  border: whole(0, 2 ** 24),
  padding: paddings,
  mixed: trueOrFalse,
  warmUp: trueOrFalse,
  signal: aSignal,
  partial: trueOrFalse,
  withSsim: trueOrFalse,
  onPicture: aFunction,
  onFailure: aFunction,
};
