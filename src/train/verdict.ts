/** Whether a run has learned anything, and what to change if it has not. */
import type { TrainConfig } from "./config.ts";
import { networkOf, presetsOf } from "./config.ts";

/** What a run has come to. PSNR in dB. */
export interface Outcome {
  /** Steps done. */
  readonly step: number;
  /** PSNR of the best evaluation. */
  readonly psnr: number;
  readonly bicubic: number;
  /** PSNR of pictures without any detail, each of one brightness: the least that a network should reach. */
  readonly plain: number;
  /** The first loss that was read, and the last. */
  readonly firstLoss: number;
  readonly lastLoss: number;
}

/** A network that has learned for so long should not be far below bicubic interpolation any more. */
export const longRun = { steps: 1000, decibels: 3 };

/** Steps in which a network may well be worse than a plain picture, as long as its loss falls. */
export const FIRST_STEPS = 200;

/** One paragraph if a run ends, or stays, far below bicubic interpolation; undefined if it does not. */
export function adviceFor(outcome: Outcome, { network, lr, steps }: TrainConfig): string | undefined {
  const { step, psnr, bicubic, plain, firstLoss, lastLoss } = outcome;
  const worseThanPlain = psnr < plain && (step >= FIRST_STEPS || lastLoss > 2 * firstLoss);
  const stillFarBelow = step >= longRun.steps && psnr < bicubic - longRun.decibels;
  if (!worseThanPlain && !stillFarBelow) return undefined;
  const usual = Object.values(presetsOf(networkOf(network).architecture))[0].lr;
  const compared = worseThanPlain ? ", and worse than pictures without any detail" : "";
  const cause =
    lr > 3 * usual
      ? `The learning rate is probably too large: \`lr\` was ${lr}, and ${usual} is usual for this network.`
      : `Look at the learning rate (\`lr\` was ${lr}, and ${usual} is usual for this network), at the number of ` +
        `steps (${steps}), and at the pictures: LR ones must belong to their HR ones.`;
  return (
    `After ${step} steps the best weights reach ${psnr.toFixed(2)} dB, ${(bicubic - psnr).toFixed(2)} dB ` +
    `below bicubic interpolation${compared}: this network is of no use. ${cause}`
  );
}
