/** The order in which an epoch uses its pictures, and the randomness of each of its patches. */
import { Random } from "../tensor/random.ts";
import type { LoaderState } from "./loader-state.ts";

/** What one patch is cut from. */
export interface Draw {
  picture: number;
  /** Seeds the generator that draws this patch's place. */
  seed: number;
}

/** An epoch's pictures in their order, and a seed for each patch: a function of (seed, epoch) alone. */
export function drawsOf({ seed, epoch, pictures }: LoaderState): Draw[] {
  const base = new Random(seed).next(); // so that seeds 1 and 2 share no epoch
  const random = new Random(base * 2 ** 20 + epoch);
  const order = Array.from({ length: pictures }, (_, picture) => picture);
  random.shuffle(order);
  return order.map((picture) => ({ picture, seed: random.next() }));
}
