/** Exchanges channels for resolution: the upsampling layer of ESPCN, EDSR and most networks after them. */

import type { GpuDevice } from "../../device/gpu-device.ts";
import { MAX_GRID } from "../../device/kernel.ts";
import { ArgumentError } from "../../options/arguments.ts";
import { quote } from "../../options/kinds.ts";
import { defineOp } from "../../tensor/op.ts";
import { formatShape, type Shape, ShapeError } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { pixelShuffleKernel } from "./pixel-shuffle.wgsl.ts";

const shuffleOp = defineOp<{ x: Tensor }, { r: number }>({
  name: "pixelShuffle",
  float16: true,
  shape: ({ x }, { r }) => shuffledShape("pixelShuffle", x.shape, r),
  cpu({ x }, { r }, y) {
    forEachPixel(x.shape, r, (coarse, fine) => {
      y.data[fine] = x.data[coarse];
    });
  },
  gpu(device, { x }, { r }, y) {
    launch(device, x, y, x.shape, r, "y[fine] = x[coarse];");
  },
  // Every element goes to one place, and its gradient comes back from there.
  backward: (dy, _, { r }) => ({ x: () => pixelUnshuffle(dy, r) }),
});

const unshuffleOp = defineOp<{ x: Tensor }, { r: number }>({
  name: "pixelUnshuffle",
  float16: true,
  shape({ x }, { r }) {
    const [n, channels, h, w] = checkPicture("pixelUnshuffle", x.shape, r);
    if (h % r !== 0 || w % r !== 0) {
      throw new ShapeError(
        `pixelUnshuffle: height and width of x ${formatShape(x.shape)} must be multiples of ${r}; ` +
          `crop or pad first.`,
      );
    }
    return [n, channels * r * r, h / r, w / r];
  },
  cpu({ x }, { r }, y) {
    forEachPixel(y.shape, r, (coarse, fine) => {
      y.data[coarse] = x.data[fine];
    });
  },
  gpu(device, { x }, { r }, y) {
    launch(device, x, y, y.shape, r, "y[coarse] = x[fine];");
  },
  backward: (dy, _, { r }) => ({ x: () => pixelShuffle(dy, r) }),
});

/**
 * [n, c * r * r, h, w] -> [n, c, h * r, w * r] (Shi et al. 2016): r * r channels of a pixel become a block of
 * r x r pixels. The order is PyTorch's: channel c * r * r + i * r + j holds row i, column j of the blocks of
 * channel c. TensorFlow's depth_to_space takes channel (i * r + j) * channels + c instead.
 */
export function pixelShuffle(x: Tensor, r: number): Tensor {
  return shuffleOp({ x }, { r });
}

/** [n, c, h * r, w * r] -> [n, c * r * r, h, w]: undoes {@link pixelShuffle}. */
export function pixelUnshuffle(x: Tensor, r: number): Tensor {
  return unshuffleOp({ x }, { r });
}

/** The shape rule of {@link pixelShuffle}, for `op`'s error messages. */
export function shuffledShape(op: string, shape: Shape, r: number): Shape {
  const [n, channels, h, w] = checkPicture(op, shape, r);
  if (channels % (r * r) !== 0) {
    throw new ShapeError(
      `${op}: ${formatShape(shape)} has ${channels} channels, which ${r} * ${r} does not divide. ` +
        `Give it r * r channels for every channel of the result.`,
    );
  }
  return [n, channels / (r * r), h * r, w * r];
}

function checkPicture(op: string, shape: Shape, r: number): Shape {
  if (shape.length !== 4) {
    throw new ShapeError(`${op}: x must have the four axes [n, c, h, w], got ${formatShape(shape)}.`);
  }
  if (!Number.isInteger(r) || r < 1)
    throw new ArgumentError(op, `r must be a whole number above 0, got ${quote(r)}.`);
  return shape;
}

/** The definition: visits every element's place in the coarse tensor, of this shape, and in the fine one. */
export function forEachPixel(shape: Shape, r: number, visit: (coarse: number, fine: number) => void): void {
  const [n, channels, h, w] = shape;
  let coarse = 0;
  for (let plane = 0; plane < (n * channels) / (r * r); plane++) {
    for (let i = 0; i < r; i++) {
      for (let j = 0; j < r; j++) {
        for (let row = 0; row < h; row++) {
          for (let column = 0; column < w; column++) {
            visit(coarse++, ((plane * h + row) * r + i) * w * r + column * r + j);
          }
        }
      }
    }
  }
}

/** Rows per thread. */
const ROWS = 8;

function launch(device: GpuDevice, x: Tensor, y: Tensor, coarseShape: Shape, r: number, carry: string): void {
  const [n, channels, h, w] = coarseShape;
  const planes = (n * channels) / (r * r);
  const rowGroups = Math.ceil((h * r) / ROWS);
  device.run(pixelShuffleKernel, {
    constants: { R: r },
    functions: `fn carry(coarse: u32, fine: u32) { ${carry} }`,
    buffers: { x: x.gpuStorage, y: y.gpuStorage },
    params: { planes, h, w },
    grid: [Math.ceil((w * r) / 64), Math.min(rowGroups, MAX_GRID), Math.min(planes, MAX_GRID)],
  });
}
