/** Adapters on which benches take smaller sizes. */
import type { Ceilings } from "../src/measure/ceilings.ts";

/** The slowest cards have a few hundred GFLOP/s, and software has 20 to 150 on a few cores. */
export function isSlow({ flops }: Pick<Ceilings, "flops">): boolean {
  return flops < 200e9;
}
