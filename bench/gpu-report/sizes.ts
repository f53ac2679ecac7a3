/** How large the programs of a report are. */
import type { Ceilings } from "../../src/measure/ceilings.ts";
import type { LadderShape } from "../ladder-steps.ts";
import { edsrBaseline, edsrSmall, type Network } from "../networks.ts";
import { isSlow } from "../slow.ts";
import type { WaitingSizes } from "../waiting.ts";

export interface Sizes {
  readonly ladder: LadderShape;
  readonly networks: readonly { readonly network: Network; readonly side: number }[];
  readonly training: readonly { readonly network: Network; readonly side: number; readonly batch: number }[];
  readonly start: { readonly blocks: number; readonly channels: number };
  readonly startSide: number;
  /** Of single kernels: small workloads, and so many variants of each beside the one by rule. */
  readonly kernels: { readonly small: boolean; readonly most?: number };
  readonly picture: readonly [width: number, height: number];
  readonly waiting: WaitingSizes;
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
    { network: edsrSmall, side: 48, batch: 16 },
    { network: edsrBaseline, side: 24, batch: 4 },
    { network: edsrBaseline, side: 48, batch: 16 },
  ],
  start: { blocks: 16, channels: 64 },
  startSide: 96,
  kernels: { small: false },
  picture: [4000, 3000],
  waiting: { pictures: 200, different: 40, steps: 5000, maxSeconds: 60 },
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
  kernels: { small: true, most: 3 },
  picture: [160, 120],
  waiting: { pictures: 8, different: 4, steps: 100, maxSeconds: 8 },
  scaled:
    "This adapter computes on a processor, or as slowly as one. The sizes are smaller than on a card, so that the " +
    "whole takes minutes: shares of the ceiling can be compared with those of cards, times cannot.",
};

export function chooseSizes(ceilings: Ceilings): Sizes {
  return isSlow(ceilings) ? onProcessors : onCards;
}
