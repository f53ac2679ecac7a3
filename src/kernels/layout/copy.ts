import type { GpuDevice } from "../../device/gpu-device.ts";
import { linearGrid } from "../../device/kernel.ts";
import type { NdArray } from "../../tensor/op.ts";
import { MAX_RANK, numel, type Shape, stridedIndex } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { copyKernel, fillKernel } from "./copy.wgsl.ts";

/**
 * Which elements move where: for every index c below `sizes`, y[yOffset + c · yStrides] = x[xOffset + c ·
 * xStrides]. Permuting, slicing, joining and repeating are this one thing with different strides. A stride of
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
  // The kernel counts axes from the innermost; its last one is the outermost, however many there are.
  const axes = sizes.map((n, axis) => ({ n, x: xStrides[axis], y: yStrides[axis] })).reverse();
  const absent = new Array(MAX_RANK - sizes.length).fill({ n: 1, x: 0, y: 0 });
  axes.splice(-1, 0, ...absent);
  for (const [k, { n, x, y }] of axes.entries()) {
    if (k < MAX_RANK - 1) params[`n${k}`] = n;
    params[`x${k}`] = x;
    params[`y${k}`] = y;
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
 * The same copy with fewer axes: without those of size 1, and with two neighbours merged where, on both
 * sides, walking past the end of the inner one leads to the next step of the outer one.
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
  if (sizes.length === 0) return { ...plan, sizes: [1], xStrides: [0], yStrides: [0] };
  return { ...plan, sizes, xStrides, yStrides };
}
