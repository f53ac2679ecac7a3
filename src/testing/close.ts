import { checkArguments, checkOptions, numberList } from "../options/arguments.ts";
import { atLeastZero, text } from "../options/kinds.ts";

export interface Tolerance {
  /** Added to what `relative` allows. Default 1e-6. */
  readonly absolute?: number;
  /** As a share of the value wanted. Default 1e-5. */
  readonly relative?: number;
  /** Begins the message of the error. */
  readonly label?: string;
}

/**
 * Throws unless every value is within `absolute + relative * |want|`, and names the worst element. NaN is
 * close to NaN, and an infinity to itself. Sums of n terms in f32 may differ by their order: allow about
 * 1e-7 * sqrt(n) relative to the largest partial sum.
 */
export function assertClose(got: ArrayLike<number>, want: ArrayLike<number>, options: Tolerance = {}): void {
  checkArguments("assertClose", {
    "the first argument": [got, numberList],
    "the second argument": [want, numberList],
  });
  checkOptions("assertClose", options, { absolute: atLeastZero, relative: atLeastZero, label: text });
  const { absolute = 1e-6, relative = 1e-5, label = "assertClose:" } = options;
  if (got.length !== want.length) throw new Error(`${label} got ${got.length} values, want ${want.length}`);
  let worst = -1;
  let excess = 0;
  for (let i = 0; i < want.length; i++) {
    if (got[i] === want[i]) continue; // infinities, whose difference is NaN
    const error = Math.abs(got[i] - want[i]) - (absolute + relative * Math.abs(want[i]));
    // `!(error <= …)` also catches NaN.
    if (!(error <= excess) && !(Number.isNaN(got[i]) && Number.isNaN(want[i]))) {
      worst = i;
      excess = error;
      if (Number.isNaN(error)) break;
    }
  }
  if (worst >= 0) {
    throw new Error(`${label} element ${worst} of ${want.length}: got ${got[worst]}, want ${want[worst]}`);
  }
}
