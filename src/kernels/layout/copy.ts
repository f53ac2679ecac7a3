import type { GpuDevice } from "../../device/gpu-device.ts";
import { linearGrid } from "../../device/kernel.ts";
import type { NdArray } from "../../tensor/op.ts";
import { MAX_RANK, numel, type Shape, stridedIndex } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { copyKernel, fillKernel } from "./copy.wgsl.ts";

/**
 * Which elements move where: for every index c below `sizes`, y[yOffset + c · yStrides] = x[xOffset + c ·
 * xStrides]. Permuting, slicing, joining and repeating are this one thing with different strides. A stride of
 * 0 in x reads the same element again, and a negative one reads backwards.
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
  const size = numel(plan.sizes);
  const params: Record<string, number> = { size, x_offset: plan.xOffset ?? 0, y_offset: plan.yOffset ?? 0 };
  const axes = mergedAxes(plan);
  // The kernel counts axes from the innermost; its last one is the outermost, however many there are.
  const [outermost, ...inner] = axes;
  const absent = new Array<Axis>(MAX_RANK - axes.length).fill({ n: 1, x: 0, y: 0 });
  for (const [k, { n, x, y }] of [...inner.reverse(), ...absent, outermost].entries()) {
    if (k < MAX_RANK - 1) params[`n${k}`] = n;
    params[`x${k}`] = x >>> 0; // the kernel's u32 wraps around, so that a negative stride leads back
    params[`y${k}`] = y;
  }
  device.run(copyKernel, {
    constants: { AXES: axes.length },
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

/** An axis of a copy: its size, and the strides along it in x and y. */
type Axis = { n: number; x: number; y: number };

/**
 * The axes of the plan, outermost first, without those of size 1, and with two neighbours merged where, on
 * both sides, walking past the end of the inner one leads to the next step of the outer one.
 */
function mergedAxes({ sizes, xStrides, yStrides }: CopyPlan): Axis[] {
  const axes: Axis[] = [];
  for (const [k, n] of sizes.entries()) {
    if (n === 1) continue;
    const [x, y] = [xStrides[k], yStrides[k]];
    const outer = axes.at(-1);
    if (outer && outer.x === n * x && outer.y === n * y) Object.assign(outer, { n: outer.n * n, x, y });
    else axes.push({ n, x, y });
  }
  return axes.length > 0 ? axes : [{ n: 1, x: 0, y: 0 }]; // a single element still needs one axis
}
