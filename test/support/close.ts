import { expect } from "vitest";
import type { Tensor } from "../../src/tensor/tensor.ts";

/**
 * Fails unless every value is within `absolute + relative * |want|`, and names the worst element. Sums of n
 * terms in f32 may differ by their order: allow about 1e-7 * sqrt(n) relative to the largest partial sum.
 */
export function expectClose(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  { absolute = 1e-6, relative = 1e-5, label = "" } = {},
): void {
  expect(got.length, `${label} length`).toBe(want.length);
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
    expect.fail(`${label} element ${worst} of ${want.length}: got ${got[worst]}, want ${want[worst]}`);
  }
}

/** {@link expectClose} for tensors, shapes included. */
export async function expectTensorsClose(
  got: Tensor,
  want: Tensor,
  tolerance: Parameters<typeof expectClose>[2] = {},
): Promise<void> {
  expect(got.shape, tolerance.label).toEqual(want.shape);
  expectClose(await got.data(), await want.data(), tolerance);
}
