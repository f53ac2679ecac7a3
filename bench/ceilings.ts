/** How near to the adapter's ceilings a measured time is. */
import type { Ceilings } from "../src/measure/ceilings.ts";

/** Work by the definition of the operation, not by what a kernel happens to do. */
export interface Work {
  /** Two per multiply-add; pixels of the zero padding count. 0 where there are none (relu). */
  readonly flops: number;
  /** Every input and every result moved once. */
  readonly bytes: number;
}

/** Bytes per second of the measured copy whose size is nearest, by ratio. */
export function byteCeiling(bytes: number, { copies }: Ceilings): number {
  const distance = (size: number) => Math.abs(Math.log(size / bytes));
  return copies.reduce((best, each) => (distance(each.bytes) < distance(best.bytes) ? each : best)).rate;
}

/** Which ceiling keeps this work from being done faster, and what share of it `seconds` are. */
export function binding(
  work: Work,
  seconds: number,
  ceilings: Ceilings,
): { kind: "multiply-add" | "bytes"; share: number } {
  const computing = work.flops / ceilings.flops;
  const moving = work.bytes / byteCeiling(work.bytes, ceilings);
  return computing > moving
    ? { kind: "multiply-add", share: computing / seconds }
    : { kind: "bytes", share: moving / seconds };
}
