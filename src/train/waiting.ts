/** What to do if training waits for pictures. */
import type { TrainConfig } from "./config.ts";

/** Less than half of the time is no reason to write gigabytes. */
const MUCH_WAITING = 0.5;

/**
 * One paragraph if most of the time goes into pictures, and some are decoded again and again; undefined if
 * not.
 *
 * @param waiting share of the time spent waiting for pictures, 0..1.
 * @param memoryIsFull not all pictures fit into memory.
 */
export function adviceOnWaiting(
  waiting: number,
  memoryIsFull: boolean,
  { cache, degradation }: Pick<TrainConfig, "cache" | "degradation">,
): string | undefined {
  if (waiting < MUCH_WAITING || !memoryIsFull || cache !== undefined) return undefined;
  // With a degradation, nobody measures how much of the time goes into which of the two.
  const cause = degradation
    ? "they are degraded anew for every patch, and those that do not fit into memory are decoded again, too"
    : "they do not all fit into memory, and those that do not are decoded again for every patch";
  return (
    `${Math.round(100 * waiting)} % of the time went into waiting for pictures: ${cause}. With \`cache\` they ` +
    "are decoded once, into files of that folder (DIV2K takes 8 GB); stop this run, and add `cache` to `resume`."
  );
}
