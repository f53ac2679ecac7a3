/** How close a measured time is to the adapter's ceilings. */
import { checkArguments, isObject, type Wanted } from "../options/arguments.ts";
import { atLeastZero, positive } from "../options/kinds.ts";
import type { Ceilings } from "./ceilings.ts";

/** Work by the definition of the operation, whatever a kernel does in fact. */
export interface Work {
  /** Two per multiply-add; those with the zero padding count. 0 without multiply-adds (relu). */
  readonly flops: number;
  /** Each input and each result moved once. */
  readonly bytes: number;
}

const someWork: Wanted<Work> = {
  wants: "{ flops, bytes }, two numbers of at least 0",
  fits: (value): value is Work =>
    isObject(value) && atLeastZero.fits(value.flops) && atLeastZero.fits(value.bytes),
};
const someCeilings: Wanted<Ceilings> = {
  wants: "what measureCeilings() returns",
  fits: (value): value is Ceilings =>
    isObject(value) && positive.fits(value.flops) && Array.isArray(value.copies) && value.copies.length > 0,
};

/** Bytes per second of the measured copy whose size is closest, by ratio. */
export function byteCeiling(bytes: number, { copies }: Ceilings): number {
  const distance = (size: number) => Math.abs(Math.log(size / bytes));
  return copies.reduce((best, each) => (distance(each.bytes) < distance(best.bytes) ? each : best)).rate;
}

/**
 * Which ceiling limits this work (the roofline of Williams, Waterman and Patterson), and what share of it a time in
 * seconds reaches.
 */
export function limitOf(
  work: Work,
  seconds: number,
  ceilings: Ceilings,
): { kind: "multiply-add" | "bytes"; share: number } {
  checkArguments("limitOf", {
    work: [work, someWork],
    seconds: [seconds, positive],
    ceilings: [ceilings, someCeilings],
  });
  const computing = work.flops / ceilings.flops;
  const moving = work.bytes / byteCeiling(work.bytes, ceilings);
  return computing > moving
    ? { kind: "multiply-add", share: computing / seconds }
    : { kind: "bytes", share: moving / seconds };
}
