/** Which kernel runs with which block sizes: everything between the operation (index.ts) and the WGSL. */
import type { GpuDevice, GpuStorage } from "../../device/gpu-device.ts";
import { linearGrid, MAX_GRID } from "../../device/kernel.ts";
import { versionOf } from "../../device/tuning.ts";
import type { Shape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { naive } from "./1-naive.wgsl.ts";
import { tiled } from "./2-tiled.wgsl.ts";
import { blocked } from "./3-blocked.wgsl.ts";
import { broadcast } from "./4-broadcast.wgsl.ts";
import { type Epilogue, epilogueWgsl, noEpilogue } from "./epilogue.ts";
import type { Geometry } from "./geometry.ts";
import { inputGrad, turnWeights } from "./input-grad.wgsl.ts";
import { sumPartials, weightGrad, weightGradBroadcast } from "./weight-grad.wgsl.ts";

/** The forward kernels, in the order in which they are meant to be read. */
export const variants = ["1-naive", "2-tiled", "3-blocked", "4-broadcast"] as const;
export type Variant = (typeof variants)[number];

export interface ForwardParams {
  readonly geometry: Geometry;
  readonly epilogue: Epilogue;
  readonly variant?: Variant;
}

interface ForwardBuffers {
  readonly x: GpuStorage;
  readonly xShape: Shape;
  readonly w: GpuStorage;
  readonly wShape: Shape;
  readonly b: GpuStorage | undefined;
  readonly skip: GpuStorage | undefined;
  readonly y: GpuStorage;
  /** [n, o, oh, ow], before a pixel shuffle. */
  readonly yShape: Shape;
}

export function launchForward(
  device: GpuDevice,
  { geometry, epilogue, variant }: ForwardParams,
  buffers: ForwardBuffers,
): void {
  const { x, xShape, w, wShape, b, skip, y, yShape } = buffers;
  const [n, o, oh, ow] = yShape;
  const chosen = variant ?? choose(device, wShape, geometry);
  const launch = {
    functions: epilogueWgsl(epilogue, b !== undefined),
    // Every binding needs a buffer; where there is no bias or skip any will do.
    buffers: { x, weight: w, bias: b ?? w, skip: skip ?? w, y },
    params: paramsOf(xShape, yShape, geometry.padding),
  };
  const constants = constantsOf(wShape, geometry);

  if (chosen === "1-naive") {
    device.run(naive, { ...launch, constants, grid: [Math.ceil(ow / 8), Math.ceil(oh / 8), n * o] });
    return;
  }
  if (chosen === "2-tiled") {
    const tile = {
      TILE: 16,
      PATCH_H: patchSize(0, wShape, geometry),
      PATCH_W: patchSize(1, wShape, geometry),
    };
    if (tile.PATCH_H * tile.PATCH_W > 4096) {
      throw new RangeError(
        `conv2d: variant 2-tiled needs a patch of ${tile.PATCH_H} x ${tile.PATCH_W} pixels in workgroup memory, which ` +
          `holds 4096. Use another variant for weight [${wShape}] with stride [${geometry.stride}].`,
      );
    }
    device.run(tiled, {
      ...launch,
      constants: { ...constants, ...tile },
      grid: [Math.ceil(ow / 16), Math.ceil(oh / 16), n * o],
    });
    return;
  }
  const preset = blockOf(device, chosen, wShape);
  const kernelLaunch = (block: Block) => {
    const { PIXELS, CHANNELS, workgroup } = block;
    const strips = Math.ceil(ow / PIXELS) * oh;
    const broadcasts = block.variant === "4-broadcast";
    const lanes = device.profile.subgroupSize;
    if (broadcasts && lanes === 0) {
      throw new RangeError(
        `conv2d: variant 4-broadcast needs subgroups of one known size, which ${device.name} has not. Use 3-blocked.`,
      );
    }
    // Very large pictures need larger workgroups to fit the grid.
    const size = [workgroup, 64, 256].find((size) => strips / size <= MAX_GRID) ?? 256;
    device.run(broadcasts ? broadcast : blocked, {
      ...launch,
      enable: broadcasts ? ["subgroups"] : [],
      constants: {
        ...constants,
        PIXELS,
        CHANNELS,
        WINDOW: windowOf(PIXELS, wShape, geometry),
        WORKGROUP: size,
        ...(broadcasts ? { LANES: lanes, SHARES: Math.ceil((wShape[3] * CHANNELS) / lanes) } : {}),
      },
      grid: [Math.ceil(strips / size), Math.ceil(o / CHANNELS), n],
    });
  };
  if (variant) {
    kernelLaunch(preset);
    return;
  }
  device.tuning.launch({
    // Pictures of about the same size share their findings: pixels count by powers of two.
    key: `conv2d ${version} 2^${Math.round(Math.log2(n * oh * ow))} [${wShape}] ${geometry.stride} ${geometry.dilation}`,
    preset,
    candidates: () => candidateBlocks(device, wShape, geometry),
    launch: kernelLaunch,
    result: y,
  });
}

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
      constants: constantsOf(w.shape, geometry),
      buffers: { dy: dy.gpuStorage, weight: w.gpuStorage, dx: dx.gpuStorage },
      params: paramsOf(dx.shape, dy.shape, padding),
      grid: [Math.ceil(wide / 8), Math.ceil(h / 8), n * c],
    });
    return;
  }
  const turned = device.allocate(w.size);
  device.run(turnWeights, {
    constants: { KH: kh, KW: kw },
    buffers: { weight: w.gpuStorage, turned },
    params: { o, c },
    grid: linearGrid(w.size, 64),
  });
  // The pixel in `row` meets output i through weight ky where row = i + ky * dilation - padding (stride 1). Counted from
  // the window's other end, k = kh - 1 - ky, that is i = row + k * dilation - (dilation * (kh - 1) - padding): a
  // convolution with the padding in brackets. If that is negative, it starts inside dy.
  const turnedPadding = [dilation[0] * (kh - 1) - padding[0], dilation[1] * (kw - 1) - padding[1]] as const;
  launchForward(
    device,
    { geometry: { stride, padding: turnedPadding, dilation }, epilogue: noEpilogue },
    {
      x: dy.gpuStorage,
      xShape: dy.shape,
      w: turned,
      wShape: [c, o, kh, kw],
      b: undefined,
      skip: undefined,
      y: dx.gpuStorage,
      yShape: dx.shape,
    },
  );
  device.release(turned);
}

/** Fills dw; see weight-grad.wgsl.ts. */
export function launchWeightGrad(
  device: GpuDevice,
  x: Tensor,
  dy: Tensor,
  dw: Tensor,
  geometry: Geometry,
): void {
  const [o, c, kh] = dw.shape;
  const rows = dy.shape[0] * dy.shape[2];
  const block = weightBlockOf(device, dw.shape, geometry);
  const workgroup = Math.min(32, device.profile.workgroup);
  const threads = (c * kh) / block.KY;
  const groups = Math.ceil(threads / workgroup) * Math.ceil(o / block.CHANNELS);
  // Enough workgroups to keep the machine busy, but no more: every split writes a whole gradient.
  const wanted = device.profile.groupsToFill;
  const rowsPerSplit = Math.ceil(rows / Math.min(rows, 64, Math.ceil(wanted / groups)));
  const splits = Math.ceil(rows / rowsPerSplit);

  const { subgroupSize: lanes, sharesLoads } = device.profile;
  const broadcasts = !sharesLoads && lanes > 0;
  const partial = splits === 1 ? dw.gpuStorage : device.allocate(splits * dw.size);
  device.run(broadcasts ? weightGradBroadcast : weightGrad, {
    enable: broadcasts ? ["subgroups"] : [],
    constants: {
      ...constantsOf(dw.shape, geometry),
      ...block,
      WORKGROUP: workgroup,
      ...(broadcasts ? { LANES: lanes, SHARES: Math.ceil((block.CHANNELS * block.PIXELS) / lanes) } : {}),
    },
    buffers: { x: x.gpuStorage, dy: dy.gpuStorage, partial },
    params: { n: dy.shape[0], ...paramsOf(x.shape, dy.shape, geometry.padding), rows: rowsPerSplit },
    grid: [Math.ceil(threads / workgroup), Math.ceil(o / block.CHANNELS), splits],
  });
  if (splits === 1) return;
  device.run(sumPartials, {
    buffers: { partial, dw: dw.gpuStorage },
    params: { size: dw.size, splits },
    grid: linearGrid(dw.size, 64),
  });
  device.release(partial);
}

/** Which forward kernel to use. Measured on lavapipe and SwiftShader; a real GPU shares loads by itself. */
function choose(device: GpuDevice, wShape: Shape, geometry: Geometry): Variant {
  // Windows so wide that the registers of a block would not hold them.
  if (windowOf(8, wShape, geometry) > 48) return "1-naive";
  return !device.profile.sharesLoads && device.profile.subgroupSize > 0 ? "4-broadcast" : "3-blocked";
}

/** A blocked kernel, how many outputs each of its threads computes, and how many threads make a workgroup. */
type Block = {
  readonly variant: "3-blocked" | "4-broadcast";
  readonly PIXELS: number;
  readonly CHANNELS: number;
  readonly workgroup: number;
};

/** The blocks that were best on lavapipe and SwiftShader for most shapes. */
function blockOf(device: GpuDevice, variant: Block["variant"], [o, , , kw]: Shape): Block {
  // Small workgroups are best on software adapters.
  const { workgroup } = device.profile;
  // Few output channels, as in a network's last layer: longer strips instead, a half faster.
  if (o <= 4 && kw <= 5) return { variant, PIXELS: 16, CHANNELS: 4, workgroup };
  // Some 400 multiply-adds per input row are written out (at 9 x 9 half as many again): beyond, compiling takes longer than it
  // saves.
  const most = kw <= 3 ? 16 : 8;
  return { variant, PIXELS: 8, CHANNELS: o <= 8 ? 8 : most, workgroup };
}

/** What a tuner tries: every reasonable block, with the kernels and workgroups that suit the class of adapter. */
function candidateBlocks(device: GpuDevice, wShape: Shape, geometry: Geometry): Block[] {
  const [o, , , kw] = wShape;
  const { sharesLoads, subgroupSize, workgroup: usual } = device.profile;
  const variants: Block["variant"][] = subgroupSize > 0 ? ["4-broadcast"] : ["3-blocked"];
  if (sharesLoads && subgroupSize > 0) variants.push("3-blocked");
  const sizes = [
    [4, 4],
    [4, 8],
    [8, 4],
    [8, 8],
    [4, 16],
    [8, 16],
    [16, 4],
    [16, 8],
    [4, 32],
  ];
  const blocks: Block[] = [];
  for (const variant of variants) {
    for (const [PIXELS, CHANNELS] of sizes) {
      const registers = PIXELS * CHANNELS + windowOf(PIXELS, wShape, geometry);
      const wasted = CHANNELS > 4 && CHANNELS >= 2 * o;
      if (registers > 160 || PIXELS * CHANNELS * kw > 600 || wasted) continue;
      for (const workgroup of [usual / 2, usual, 2 * usual]) {
        // A broadcast wants all lanes of its subgroup.
        const whole = workgroup % subgroupSize === 0;
        if (variant === "3-blocked" || whole) blocks.push({ variant, PIXELS, CHANNELS, workgroup });
      }
    }
  }
  return blocks;
}

/** Input pixels under a strip of outputs. */
function windowOf(pixels: number, [, , , kw]: Shape, { stride, dilation }: Geometry): number {
  return (pixels - 1) * stride[1] + (kw - 1) * dilation[1] + 1;
}

/** Findings of the tuner are for these kernels. */
const version = versionOf([blocked, broadcast]);

/** The block of the weight gradient that each thread sums; see weight-grad.wgsl.ts. */
function weightBlockOf(device: GpuDevice, wShape: Shape, geometry: Geometry) {
  const [o, , kh, kw] = wShape;
  // All rows of a small window at once: then every value of dy serves kh * kw sums.
  const ky = kh * kw <= 9 ? kh : 1;
  const channels = o <= 4 ? 4 : o <= 8 || kw > 5 ? 8 : 16;
  // Short strips: on lavapipe 2 x 16 values of dy were a quarter faster than 4 x 8, and 8 x 8 slower than either. On
  // SwiftShader, where a round of the loop costs more, 4 x 16 were a sixth faster than 2 x 16.
  const pixels = channels === 16 && !device.profile.costlyLoops ? 2 : 4;
  return {
    KY: ky,
    KY_KW: ky * kw,
    PIXELS: pixels,
    CHANNELS: channels,
    WINDOW: windowOf(pixels, wShape, geometry),
  };
}

function patchSize(axis: 0 | 1, wShape: Shape, { stride, dilation }: Geometry): number {
  return 15 * stride[axis] + (wShape[2 + axis] - 1) * dilation[axis] + 1;
}

/** What the compiler should know about the weights and how they move. */
function constantsOf([, , kh, kw]: Shape, { stride, dilation }: Geometry): Record<string, number> {
  return {
    KH: kh,
    KW: kw,
    STRIDE_Y: stride[0],
    STRIDE_X: stride[1],
    DILATION_Y: dilation[0],
    DILATION_X: dilation[1],
  };
}

/** The sizes all conv2d kernels take. */
function paramsOf(x: Shape, y: Shape, padding: readonly [number, number]): Record<string, number> {
  return { c: x[1], h: x[2], w: x[3], o: y[1], oh: y[2], ow: y[3], pad_y: padding[0], pad_x: padding[1] };
}
