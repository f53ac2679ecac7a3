import { expect } from "vitest";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { assertClose, type Tolerance } from "../../src/testing/close.ts";

export const expectClose = assertClose;

/** {@link expectClose} for tensors, shapes included. */
export async function expectTensorsClose(
  got: Tensor,
  want: Tensor,
  tolerance: Tolerance = {},
): Promise<void> {
  expect(got.shape, tolerance.label).toEqual(want.shape);
  expectClose(await got.data(), await want.data(), tolerance);
}
