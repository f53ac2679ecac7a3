/** How pictures and frames are enlarged: by runs of a method, one after the other. */
import type { TargetSize } from "../src/picture/index.ts";

export interface Run {
  /** Its id; `automatic` leaves it to the picture, or to the first frame. */
  readonly method: string;
  readonly scale: number;
}

export interface Enlargement {
  /** One after the other. */
  readonly runs: readonly Run[];
  /** The most pixels of the result, if it is to be reduced to that. */
  readonly size?: TargetSize;
}

/** A method's scales, one after the other, that make `scale`, in as few runs as possible; the largest first. */
export function scalesOfRuns(scales: readonly number[], scale: number): number[] | undefined {
  if (scales.includes(scale)) return [scale];
  for (const first of [...scales].sort((a, b) => b - a)) {
    if (first <= 1 || scale % first !== 0) continue;
    const others = scalesOfRuns(scales, scale / first);
    if (others && scale / first > 1) return [first, ...others];
  }
  return undefined;
}
