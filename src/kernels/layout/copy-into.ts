import { isGpu } from "../../device/gpu-device.ts";
import { checkHasValues } from "../../device/meta-device.ts";
import type { Shape } from "../../tensor/shape.ts";
import { stridesOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { copyOnCpu, copyOnGpu } from "./copy.ts";

/** A box of elements in two tensors: its sizes, and where it begins in each. */
export interface Move {
  readonly sizes: Shape;
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/**
 * Copies a box of elements of `part` into `whole`, in place, as `whole[to:to + sizes] = part[from:from +
 * sizes]` does in Python. Not differentiable: for results that are put together under noGrad().
 */
export function copyInto(whole: Tensor, part: Tensor, { sizes, from, to }: Move): void {
  const [xStrides, yStrides] = [stridesOf(part.shape), stridesOf(whole.shape)];
  const start = (strides: readonly number[], at: readonly number[]) =>
    at.reduce((sum, index, axis) => sum + index * strides[axis], 0);
  const plan = {
    sizes,
    xStrides,
    yStrides,
    xOffset: start(xStrides, from),
    yOffset: start(yStrides, to),
  };
  const { device } = whole;
  if (isGpu(device)) copyOnGpu(device, part, whole, plan);
  else {
    checkHasValues(device, "copyInto");
    copyOnCpu(arrayOf(part), arrayOf(whole), plan);
  }
  whole.storage.version++;
}

function arrayOf({ shape, cpuStorage }: Tensor) {
  return { shape, data: cpuStorage.array };
}
