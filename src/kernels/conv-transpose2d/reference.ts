/**
 * The definition of a transposed convolution, in plain loops. Every input value, times a window of weights,
 * is added to the output at `stride` times its place:
 *
 *     y[n, o, i*stride + ky*dilation - padding,
 *             j*stride + kx*dilation - padding] += x[n, c, i, j] * w[c, o, ky, kx]
 *
 * for all c, i, j, ky, kx, starting from y = b[o]; what falls outside y is dropped. Read the other way round,
 * from y to x, it is an ordinary convolution with that stride. Each is the other's input gradient, and
 * "transposed" means no more.
 */
import type { NdArray } from "../../tensor/op.ts";
import type { Geometry } from "../conv2d/geometry.ts";

export function forward(
  { shape: [batch, channels, h, wide], data: x }: NdArray,
  { shape: [, , kh, kw], data: w }: NdArray,
  b: NdArray | undefined,
  { shape: [, outputs, oh, ow], data: y }: NdArray,
  { stride, padding, dilation }: Geometry,
): void {
  if (b) for (let at = 0; at < y.length; at++) y[at] = b.data[Math.floor(at / (oh * ow)) % outputs];
  for (let n = 0; n < batch; n++) {
    for (let c = 0; c < channels; c++) {
      for (let o = 0; o < outputs; o++) {
        for (let ky = 0; ky < kh; ky++) {
          for (let kx = 0; kx < kw; kx++) {
            const weight = w[((c * outputs + o) * kh + ky) * kw + kx];
            for (let i = 0; i < h; i++) {
              const row = i * stride[0] + ky * dilation[0] - padding[0];
              if (row < 0 || row >= oh) continue;
              for (let j = 0; j < wide; j++) {
                const column = j * stride[1] + kx * dilation[1] - padding[1];
                if (column < 0 || column >= ow) continue;
                y[((n * outputs + o) * oh + row) * ow + column] +=
                  x[((n * channels + c) * h + i) * wide + j] * weight;
              }
            }
          }
        }
      }
    }
  }
}
