/**
 * The definition of a convolution and of its gradients, in plain loops. Every kernel is checked against
 * these.
 *
 * What deep learning calls a convolution slides a small window of weights over the picture. The output at a
 * position is the sum, over the window and all input channels, of each weight times the pixel under it:
 *
 *     y[n, o, i, j] = b[o] + Σ_c Σ_ky Σ_kx  x[n, c, i*stride + ky*dilation - padding,
 *                                                  j*stride + kx*dilation - padding] * w[o, c, ky, kx]
 *
 * with x = 0 outside the picture. It is linear in x and in w, so its gradients are sums of the same terms
 * read the other way round: where forward says `y += x * w`, backward says `dx += dy * w` and `dw += dy * x`.
 */
import type { NdArray } from "../../tensor/op.ts";
import type { Geometry } from "./geometry.ts";

/** Adds the convolution to y, which must be zeros, and which the bias, if there is one, replaces first. */
export function forward(
  x: NdArray,
  w: NdArray,
  b: NdArray | undefined,
  y: NdArray,
  geometry: Geometry,
): void {
  const [, outputs, oh, ow] = y.shape;
  if (b) {
    for (let at = 0; at < y.data.length; at++) y.data[at] = b.data[Math.floor(at / (oh * ow)) % outputs];
  }
  visit(x, w, y, geometry, (atX, atW, atY) => {
    y.data[atY] += x.data[atX] * w.data[atW];
  });
}

/** Adds to dx, which is zero at first, the gradient of the loss with respect to the input. */
export function inputGrad(dy: NdArray, w: NdArray, dx: NdArray, geometry: Geometry): void {
  visit(dx, w, dy, geometry, (atX, atW, atY) => {
    dx.data[atX] += dy.data[atY] * w.data[atW];
  });
}

/** Adds to dw, which is zero at first, the gradient of the loss with respect to the weights. */
export function weightGrad(x: NdArray, dy: NdArray, dw: NdArray, geometry: Geometry): void {
  visit(x, dw, dy, geometry, (atX, atW, atY) => {
    dw.data[atW] += dy.data[atY] * x.data[atX];
  });
}

/** Adds to db [o], which is zero at first, the gradient of the loss with respect to the bias. */
export function biasGrad({ shape: [batch, outputs, oh, ow], data }: NdArray, db: NdArray): void {
  for (let plane = 0; plane < batch * outputs; plane++) {
    for (let i = 0; i < oh * ow; i++) db.data[plane % outputs] += data[plane * oh * ow + i];
  }
}

/**
 * Calls `each` for every product that the convolution sums, with its places in x, w and y. If x has more channels than
 * the weights take, the first of them are meant.
 */
function visit(
  { shape: [batch, xChannels, h, wide] }: NdArray,
  { shape: [, channels, kh, kw] }: NdArray,
  { shape: [, outputs, oh, ow] }: NdArray,
  { stride, padding, dilation }: Geometry,
  each: (atX: number, atW: number, atY: number) => void,
): void {
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < outputs; o++) {
      for (let c = 0; c < channels; c++) {
        for (let ky = 0; ky < kh; ky++) {
          for (let kx = 0; kx < kw; kx++) {
            const atW = ((o * channels + c) * kh + ky) * kw + kx;
            for (let i = 0; i < oh; i++) {
              const row = i * stride[0] + ky * dilation[0] - padding[0];
              if (row < 0 || row >= h) continue;
              for (let j = 0; j < ow; j++) {
                const column = j * stride[1] + kx * dilation[1] - padding[1];
                if (column < 0 || column >= wide) continue;
                const atX = ((n * xChannels + c) * h + row) * wide + column;
                each(atX, atW, ((n * outputs + o) * oh + i) * ow + j);
              }
            }
          }
        }
      }
    }
  }
}
