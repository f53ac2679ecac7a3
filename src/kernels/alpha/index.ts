/**
 * Colours multiplied by alpha, and divided by it again after enlarging. picture/alpha.ts says why. They stand
 * between a picture and a network, where nobody asks for gradients, so they have none.
 */
import { MAX_GRID } from "../../device/kernel.ts";
import { defineOp, type NdArray } from "../../tensor/op.ts";
import { formatShape, ShapeError } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { mul } from "../elementwise/index.ts";
import { slice } from "../layout/index.ts";
import { unpremultiplyKernel } from "./unpremultiply.wgsl.ts";

/** The other channels of x [1, channels + 1, h, w] times its last, alpha. */
export function premultiply(x: Tensor): Tensor {
  return mul(slice(x, [0, 0], [1, -1]), alphaOf(x));
}

/** The last channel of x [1, channels + 1, h, w]. */
export function alphaOf(x: Tensor): Tensor {
  return slice(x, [0, -1], [1, Infinity]);
}

const unpremultiplyOp = defineOp<{ colors: Tensor; large: Tensor; alpha: Tensor }, { scale: number }>({
  name: "unpremultiply",
  shape({ colors, large, alpha }, { scale }) {
    const [, channels, height, width] = colors.shape;
    const expected = [
      [1, 1, height, width],
      [1, 1, height / scale, width / scale],
    ].map(formatShape);
    if (formatShape(large.shape) !== expected[0] || formatShape(alpha.shape) !== expected[1]) {
      throw new ShapeError(
        `unpremultiply: for colors ${formatShape(colors.shape)} and scale ${scale}, alpha must be ` +
          `${expected.join(" and ")}, got ${formatShape(large.shape)} and ${formatShape(alpha.shape)}.`,
      );
    }
    return [1, channels + 1, height, width];
  },
  cpu({ colors, large, alpha }, { scale }, y) {
    const [, channels, height, width] = colors.shape;
    const area = height * width;
    const min = around(alpha, Math.min);
    const max = around(alpha, Math.max);
    // Bicubic interpolation sees 5x5.
    const widerMin = around(min, Math.min).data;
    const widerMax = around(max, Math.max).data;
    for (let row = 0, i = 0; row < height; row++) {
      const start = Math.floor(row / scale) * alpha.shape[3];
      for (let column = 0; column < width; column++, i++) {
        const at = start + Math.floor(column / scale);
        const value = large.data[i];
        // Both comparisons are false for NaN, which stays and is noticed later.
        const kept = value < min.data[at] ? min.data[at] : value > max.data[at] ? max.data[at] : value;
        const uniform = widerMin[at] === widerMax[at];
        const divisor = uniform || value <= 0 ? kept : value;
        const by = divisor > 0 ? divisor : 1; // where alpha is 0, nothing is seen
        for (let c = 0; c < channels; c++) y.data[c * area + i] = colors.data[c * area + i] / by;
        y.data[channels * area + i] = kept;
      }
    }
  },
  gpu(device, { colors, large, alpha }, { scale }, y) {
    const [, channels] = colors.shape;
    const [, , height, width] = alpha.shape;
    device.run(unpremultiplyKernel, {
      constants: { SCALE: scale },
      buffers: {
        colors: colors.gpuStorage,
        large: large.gpuStorage,
        alpha: alpha.gpuStorage,
        y: y.gpuStorage,
      },
      params: { channels, height, width },
      grid: [Math.ceil(width / 64), Math.min(height, MAX_GRID)],
    });
  },
});

/**
 * Enlarged colours, which were premultiplied, divided by enlarged alpha (`large`), and that alpha as one more
 * channel behind them: [1, channels, h * scale, w * scale] and [1, 1, h * scale, w * scale] to [1, channels +
 * 1, h * scale, w * scale].
 *
 * The alpha that stays is kept within the values of the 3x3 pixels around, of `alpha` [1, 1, h, w] before
 * enlarging: what is opaque stays so to the last bit, transparent areas do not begin to shimmer, and edges get
 * no rings. The colours have those rings too, at the same places, so they are divided by alpha as it was before
 * that. Where alpha is the same all around, they are divided by that value, whatever a network makes of it.
 */
export function unpremultiply(colors: Tensor, large: Tensor, alpha: Tensor, scale: number): Tensor {
  return unpremultiplyOp({ colors, large, alpha }, { scale });
}

/** The minimum or maximum of the 3x3 pixels around each pixel. */
function around({ shape, data }: NdArray, choose: (a: number, b: number) => number): NdArray {
  const [, , height, width] = shape;
  const chosen = data.map((value, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    let result = value;
    for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
      for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
        result = choose(result, data[v * width + u]);
      }
    }
    return result;
  });
  return { shape, data: chosen };
}
