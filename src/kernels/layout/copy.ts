import type { GpuDevice } from "../../device/gpu-device.ts";
import { linearGrid } from "../../device/kernel.ts";
import type { NdArray } from "../../tensor/op.ts";
import { numel, padRank, type Shape, stridedIndex } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { copyKernel, fillKernel } from "./copy.wgsl.ts";

/**
 * Which elements move where: for every index c below `sizes`, y[yOffset + c · yStrides] = x[xOffset + c ·
 * xStrides]. Permuting, slicing, joining and repeating are all this one thing with other strides. A stride of
 * 0 in x reads the same element again.
 */
export interface CopyPlan {
  readonly sizes: Shape;
  readonly xStrides: readonly number[];
  readonly yStrides: readonly number[];
  readonly xOffset?: number;
  readonly yOffset?: number;
}

/** The reference. */
export function copyOnCpu(x: NdArray, y: NdArray, plan: CopyPlan): void {
  const { sizes, xStrides, yStrides, xOffset = 0, yOffset = 0 } = plan;
  const from = stridedIndex(sizes, xStrides);
  const to = stridedIndex(sizes, yStrides);
  const count = numel(sizes);
  for (let i = 0; i < count; i++) y.data[yOffset + to(i)] = x.data[xOffset + from(i)];
}

export function copyOnGpu(device: GpuDevice, x: Tensor, y: Tensor, plan: CopyPlan): void {
  const { sizes, xStrides, yStrides, xOffset = 0, yOffset = 0 } = mergeAxes(plan);
  const size = numel(sizes);
  const params: Record<string, number> = { size, x_offset: xOffset, y_offset: yOffset };
  // The kernel counts axes from the innermost; its last one stands for the outermost, however many there are.
  const outermost = { n: 1, x: xStrides[0], y: yStrides[0] };
  const inner = sizes.map((n, axis) => ({ n, x: xStrides[axis], y: yStrides[axis] })).slice(1);
  const axes = [...inner.reverse(), ...new Array(6 - sizes.length).fill({ n: 1, x: 0, y: 0 }), outermost];
  for (const [k, axis] of axes.entries()) {
    if (k < 5) params[`n${k}`] = axis.n;
    params[`x${k}`] = axis.x;
    params[`y${k}`] = axis.y;
  }
  device.run(copyKernel, {
    constants: { AXES: sizes.length },
    buffers: { x: x.gpuStorage, y: y.gpuStorage },
    params,
    grid: linearGrid(size, 64),
  });
}

export function fillOnGpu(device: GpuDevice, y: Tensor, value: number): void {
  device.run(fillKernel, {
    buffers: { y: y.gpuStorage },
    params: { size: y.size, value },
    grid: linearGrid(y.size, 64),
  });
}

/**
 * The same copy with fewer axes: those of size 1 are dropped, and two neighbours become one where, on both
 * sides, walking on from the end of the inner one leads to the next step of the outer one.
 */
function mergeAxes(plan: CopyPlan): CopyPlan {
  const sizes: number[] = [];
  const xStrides: number[] = [];
  const yStrides: number[] = [];
  for (const [axis, n] of plan.sizes.entries()) {
    if (n === 1) continue;
    const x = plan.xStrides[axis];
    const y = plan.yStrides[axis];
    const last = sizes.length - 1;
    if (last >= 0 && xStrides[last] === n * x && yStrides[last] === n * y) {
      sizes[last] *= n;
      xStrides[last] = x;
      yStrides[last] = y;
    } else {
      sizes.push(n);
      xStrides.push(x);
      yStrides.push(y);
    }
  }
  // A single element still needs one axis.
  const rank = Math.max(1, sizes.length);
  return {
    ...plan,
    sizes: padRank(sizes, rank, 1),
    xStrides: padRank(xStrides, rank, 0),
    yStrides: padRank(yStrides, rank, 0),
  };
}
