/** Runs the plans of plan.ts, and asks a tuner where there is one. */
import type { GpuDevice } from "../../device/gpu-device.ts";
import { linearGrid } from "../../device/kernel.ts";
import { versionOf } from "../../device/tuning.ts";
import { numel, type Shape } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { blocked, xAt } from "./3-blocked.wgsl.ts";
import { broadcast } from "./4-broadcast.wgsl.ts";
import { type Epilogue, isPlain, noEpilogue, storeWgsl } from "./epilogue.ts";
import { epilogueKernel } from "./epilogue.wgsl.ts";
import type { Geometry } from "./geometry.ts";
import { inputGrad, turnWeights } from "./input-grad.wgsl.ts";
import {
  type Block,
  candidateBlocks,
  chooseBlock,
  chooseVariant,
  planBlocks,
  planPlain,
  planWeightGrad,
  type Variant,
  windowConstants,
} from "./plan.ts";
import { sumPartials } from "./weight-grad.wgsl.ts";

export interface ForwardParams {
  readonly geometry: Geometry;
  readonly epilogue: Epilogue;
  readonly variant?: Variant;
}

/**
 * Fills y with the convolution of x and w and what its epilogue makes of it; yShape is that before a pixel
 * shuffle.
 */
export function launchForward(
  device: GpuDevice,
  { geometry, epilogue, variant }: ForwardParams,
  { x, w, b, skip }: { x: Tensor; w: Tensor; b?: Tensor; skip?: Tensor },
  y: Tensor,
  yShape = y.shape,
): void {
  const { profile } = device;
  const convolution = { geometry, wShape: w.shape, yShape, hasBias: b !== undefined };
  const params = paramsOf(x.shape, yShape, geometry.padding);
  // Every binding needs a buffer; where there is no bias or skip any will do.
  const inputs = { x: x.gpuStorage, weight: w.gpuStorage, bias: (b ?? w).gpuStorage };
  const chosen = variant ?? chooseVariant(profile, convolution);

  if (chosen === "1-naive" || chosen === "2-tiled") {
    const plan = planPlain(chosen, convolution);
    const z = isPlain(epilogue) ? y : Tensor.empty(yShape, device);
    device.run(plan.kernel, { ...plan, buffers: { ...inputs, y: z.gpuStorage }, params });
    if (z === y) return;
    const [n, o, oh, ow] = yShape;
    device.run(epilogueKernel, {
      functions: storeWgsl(epilogue),
      buffers: { z: z.gpuStorage, skip: (skip ?? z).gpuStorage, y: y.gpuStorage },
      params: { o, oh, ow },
      grid: [Math.ceil(ow / 8), Math.ceil(oh / 8), n * o],
    });
    z.dispose();
    return;
  }

  const preset = chooseBlock(profile, chosen, w.shape);
  const buffers = { ...inputs, skip: (skip ?? w).gpuStorage, y: y.gpuStorage };
  const launch = (block: Block) => {
    const plan = planBlocks(profile, convolution, block);
    device.run(plan.kernel, { ...plan, functions: xAt + storeWgsl(epilogue), buffers, params });
  };
  if (variant) {
    launch(preset);
    return;
  }
  // Pictures of about the same size share their findings: pixels count by powers of two.
  const pixels = Math.round(Math.log2(numel(yShape) / yShape[1]));
  device.tuning.launch({
    key: `conv2d ${version} 2^${pixels} [${w.shape}] ${geometry.stride} ${geometry.dilation}`,
    preset,
    candidates: () => candidateBlocks(profile, convolution),
    launch,
    result: y.storage,
  });
}

/** Findings of the tuner are for these texts. */
const version = versionOf([blocked, broadcast, { body: xAt }]);

/** Fills dx; see input-grad.wgsl.ts. */
export function launchInputGrad(
  device: GpuDevice,
  dy: Tensor,
  w: Tensor,
  dx: Tensor,
  geometry: Geometry,
): void {
  const [o, c, kh, kw] = w.shape;
  const { stride, padding, dilation } = geometry;
  if (stride[0] !== 1 || stride[1] !== 1) {
    const [n, , h, wide] = dx.shape;
    device.run(inputGrad, {
      constants: windowConstants(w.shape, geometry),
      buffers: { dy: dy.gpuStorage, weight: w.gpuStorage, dx: dx.gpuStorage },
      params: paramsOf(dx.shape, dy.shape, padding),
      grid: [Math.ceil(wide / 8), Math.ceil(h / 8), n * c],
    });
    return;
  }
  const turned = Tensor.empty([c, o, kh, kw], device);
  device.run(turnWeights, {
    constants: { KH: kh, KW: kw },
    buffers: { weight: w.gpuStorage, turned: turned.gpuStorage },
    params: { o, c },
    grid: linearGrid(w.size, 64),
  });
  // The pixel in `row` meets output i through weight ky where row = i + ky * dilation - padding (stride 1).
  // Counted from the window's other end, k = kh - 1 - ky, that is i = row + k * dilation - (dilation * (kh -
  // 1) - padding): a convolution with the padding in brackets. If that is negative, it starts inside dy.
  const turnedPadding = [dilation[0] * (kh - 1) - padding[0], dilation[1] * (kw - 1) - padding[1]] as const;
  const turnedGeometry = { stride, padding: turnedPadding, dilation };
  launchForward(device, { geometry: turnedGeometry, epilogue: noEpilogue }, { x: dy, w: turned }, dx);
  turned.dispose();
}

/** Fills dw; see weight-grad.wgsl.ts. */
export function launchWeightGrad(
  device: GpuDevice,
  x: Tensor,
  dy: Tensor,
  dw: Tensor,
  geometry: Geometry,
): void {
  const plan = planWeightGrad(device.profile, { wShape: dw.shape, yShape: dy.shape, geometry });
  const { rowsPerSplit: rows, splits } = plan;
  const partial = splits === 1 ? dw.gpuStorage : device.allocate(splits * dw.size);
  device.run(plan.kernel, {
    ...plan,
    functions: xAt,
    buffers: { x: x.gpuStorage, dy: dy.gpuStorage, partial },
    params: { n: dy.shape[0], ...paramsOf(x.shape, dy.shape, geometry.padding), rows },
  });
  if (splits === 1) return;
  device.run(sumPartials, {
    buffers: { partial, dw: dw.gpuStorage },
    params: { size: dw.size, splits },
    grid: linearGrid(dw.size, 64),
  });
  device.release(partial);
}

/** The sizes all conv2d kernels take. */
function paramsOf(x: Shape, y: Shape, padding: readonly [number, number]): Record<string, number> {
  return { c: x[1], h: x[2], w: x[3], o: y[1], oh: y[2], ow: y[3], pad_y: padding[0], pad_x: padding[1] };
}
