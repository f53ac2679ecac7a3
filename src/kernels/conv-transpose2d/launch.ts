/** Which kernels run: everything between the operation (index.ts) and the WGSL. */
import type { GpuDevice } from "../../device/gpu-device.ts";
import { linearGrid } from "../../device/kernel.ts";
import type { Shape } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { noEpilogue } from "../conv2d/epilogue.ts";
import type { Geometry } from "../conv2d/geometry.ts";
import {
  type ForwardInputs,
  launchForward as launchConv2d,
  launchInputGradGather,
} from "../conv2d/launch.ts";
import { copyOnGpu } from "../layout/copy.ts";
import { cutPlan } from "../layout/slice.ts";
import { phaseWeights } from "./phases.wgsl.ts";

/** Fills y. */
export function launchForward(device: GpuDevice, inputs: ForwardInputs, y: Tensor, geometry: Geometry): void {
  const [strideY, strideX] = geometry.stride;
  // Every phase of a dilated window has a dilation of its own, and a pixel shuffle has one factor.
  const dilated = geometry.dilation.some((d) => d !== 1);
  const launch = strideY === strideX && (strideY === 1 || !dilated) ? launchPhases : launchInputGradGather;
  launch(device, inputs, y, geometry);
}

function launchPhases(
  device: GpuDevice,
  { x, w, b }: ForwardInputs,
  y: Tensor,
  { stride: [s], padding, dilation }: Geometry,
): void {
  const [c, o, kh, kw] = w.shape;
  const [n, , oh, ow] = y.shape;
  const taps = [Math.ceil(kh / s), Math.ceil(kw / s)] as const;
  const empty = (shape: Shape) => Tensor.empty(shape, device, "convTranspose2d", y.dtype);
  const phases = empty([o * s * s, c, ...taps]);
  device.run(phaseWeights, {
    constants: { KH: kh, KW: kw, S: s, TAPS_Y: taps[0], TAPS_X: taps[1] },
    buffers: { weight: w.gpuStorage, phases: phases.gpuStorage },
    params: { c, o },
    grid: linearGrid(phases.size, 64),
  });
  // All phases of an output channel have its bias.
  const bias = b && empty([o * s * s]);
  if (b && bias) copyOnGpu(device, b, bias, { sizes: [o, s * s], xStrides: [1, 0], yStrides: [s * s, 1] });

  // Row 0 of the output is phase (padding mod s) of q = floor(padding / s). Unless that is phase 0, the
  // convolution computes the phases before it as well, and the copy cuts them off.
  const [top, left] = padding.map((p) => p % s);
  const rows = Math.ceil((top + oh) / s);
  const columns = Math.ceil((left + ow) / s);
  const exact = top === 0 && left === 0 && rows * s === oh && columns * s === ow;
  const whole = exact ? y : empty([n, o, rows * s, columns * s]);
  const conv2dPadding = (axis: 0 | 1) => dilation[axis] * (taps[axis] - 1) - Math.floor(padding[axis] / s);
  launchConv2d(
    device,
    {
      geometry: { stride: [1, 1], padding: [conv2dPadding(0), conv2dPadding(1)], dilation },
      epilogue: { ...noEpilogue, shuffle: s },
    },
    { x, w: phases, b: bias },
    whole,
    [n, o * s * s, rows, columns],
  );
  phases.dispose();
  bias?.dispose();
  if (exact) return;
  copyOnGpu(device, whole, y, cutPlan(whole.shape, [0, 0, top, left], y.shape));
  whole.dispose();
}
