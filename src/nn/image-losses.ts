/** Losses that look at more than single pixels: structural similarity, and the spectrum. Made of operations. */
import type { Device } from "../device/device.ts";
import { LruCache } from "../device/lru.ts";
import { conv2d } from "../kernels/conv2d/index.ts";
import { add, div, mul, sub } from "../kernels/elementwise/index.ts";
import { concat, reshape, slice, transpose } from "../kernels/layout/index.ts";
import { l1Loss } from "../kernels/loss/index.ts";
import { matmul } from "../kernels/matmul/index.ts";
import { mean } from "../kernels/reduce/index.ts";
import { checkArguments } from "../options/arguments.ts";
import { tensor } from "../tensor/create.ts";
import { refuseFloat16 } from "../tensor/op.ts";
import { outsideScopes } from "../tensor/scope.ts";
import { formatShape, type Shape, ShapeError, sameShape } from "../tensor/shape.ts";
import { aTensor, type Tensor } from "../tensor/tensor.ts";

/** The window of SSIM: 11 samples of a Gaussian with a standard deviation of 1.5 (Wang et al. 2004). */
const WINDOW_SIZE = 11;
const WINDOW_SIGMA = 1.5;

/**
 * 1 - SSIM of pictures [n, c, h, w] with values in 0..1, as a tensor of shape []: 0 where they are equal. SSIM
 * compares means, variances and the covariance under a Gaussian window of 11 x 11 pixels (Wang et al., "Image
 * Quality Assessment: From Error Visibility to Structural Similarity", 2004), in each channel by itself, where
 * the whole window lies in the picture, and takes the mean. Both sides need 11 pixels.
 */
export function ssimLoss(x: Tensor, target: Tensor): Tensor {
  checkPictures("ssimLoss", x, target, WINDOW_SIZE);
  const [n, c, h, w] = x.shape;
  const planes = n * c;
  const products = [x, target, mul(x, x), mul(target, target), mul(x, target)];
  const stacked = reshape(concat(products, 0), [products.length * planes, 1, h, w]);
  const gaussian = constantOn(x.device, "gaussian", [WINDOW_SIZE], gaussianWindow);
  const down = conv2d(stacked, reshape(gaussian, [1, 1, WINDOW_SIZE, 1]));
  const means = conv2d(down, reshape(gaussian, [1, 1, 1, WINDOW_SIZE]));
  const [mx, mt, xx, tt, xt] = products.map((_, i) => slice(means, [i * planes], [(i + 1) * planes]));
  const [mxx, mtt, mxt] = [mul(mx, mx), mul(mt, mt), mul(mx, mt)];
  // Constants that keep the quotients apart from 0 / 0 in even areas.
  const [c1, c2] = [0.01 ** 2, 0.03 ** 2];
  const likeness = mul(add(mul(mxt, 2), c1), add(mul(sub(xt, mxt), 2), c2));
  const scale = mul(add(add(mxx, mtt), c1), add(sub(add(xx, tt), add(mxx, mtt)), c2));
  return sub(1, mean(div(likeness, scale)));
}

function gaussianWindow(): Float64Array {
  const weights = Float64Array.from({ length: WINDOW_SIZE }, (_, i) =>
    Math.exp(-(((i - (WINDOW_SIZE - 1) / 2) / WINDOW_SIGMA) ** 2) / 2),
  );
  const total = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / total);
}

/**
 * The mean of |Re| and |Im| over the spectrum of x - target, pictures [n, c, h, w], as a tensor of shape []: the
 * l1 loss between the two-dimensional discrete Fourier transforms, which count fine patterns as much as large
 * areas. The transform is `torch.fft.fft2`, not normalized, so values are about sqrt(h w) times those of
 * `l1Loss`; recipes give it a weight of 0.01 to 0.1. The transforms are products with matrices [2 h, h] and
 * [w, 2 w]: right for patches, and slow for large pictures.
 */
export function fftLoss(x: Tensor, target: Tensor): Tensor {
  checkPictures("fftLoss", x, target, 1);
  const { device, shape } = x;
  const [h, w] = shape.slice(-2);
  // The transform is W d W with W = C - iS, which is symmetric: all four products of C and S at once.
  const [left, right] = [dftMatrices(device, h), transpose(dftMatrices(device, w), 0, 1)];
  const products = matmul(matmul(left, sub(x, target)), right);
  const part = (row: number, column: number) => {
    const starts = [0, 0, row * h, column * w];
    return slice(products, starts, [shape[0], shape[1], starts[2] + h, starts[3] + w]);
  };
  const real = l1Loss(part(0, 0), part(1, 1)); // CdC - SdS
  const imaginary = l1Loss(part(0, 1), mul(part(1, 0), -1)); // -(CdS + SdC)
  return mul(add(real, imaginary), 0.5);
}

/** [2 n, n]: the cosines of 2 pi k i / n, and below them the sines. */
function dftMatrices(device: Device, n: number): Tensor {
  return constantOn(device, "dft", [2 * n, n], () =>
    Float64Array.from({ length: 2 * n * n }, (_, at) => {
      const [k, i] = [Math.floor(at / n) % n, at % n];
      const angle = (2 * Math.PI * ((k * i) % n)) / n;
      return at < n * n ? Math.cos(angle) : Math.sin(angle);
    }),
  );
}

/**
 * Constants stay on a device: work that makes tensors of JavaScript's numbers could not be captured. They belong
 * to no scope. The bound is for programs with pictures of ever new sizes: what the cache drops, it disposes.
 */
const constants = new WeakMap<Device, LruCache<string, Tensor>>();
const MAX_CONSTANTS = 16;

/** A view, which belongs to the caller's scope: backward may need it when the cache has dropped the constant. */
function constantOn(device: Device, name: string, shape: Shape, make: () => Float64Array): Tensor {
  let cache = constants.get(device);
  if (!cache) {
    cache = new LruCache(MAX_CONSTANTS, (dropped) => dropped.dispose());
    constants.set(device, cache);
  }
  const constant = cache.get(`${name} ${shape}`, () =>
    outsideScopes(() => tensor(make(), shape, { device })),
  );
  return constant.alias(shape);
}

function checkPictures(name: string, x: Tensor, target: Tensor, smallest: number): void {
  checkArguments(name, { x: [x, aTensor], target: [target, aTensor] });
  refuseFloat16(name, { x, target });
  const [, , h = 0, w = 0] = x.shape;
  if (x.shape.length === 4 && sameShape(x.shape, target.shape) && Math.min(h, w) >= smallest) return;
  throw new ShapeError(
    `${name}: x ${formatShape(x.shape)} and target ${formatShape(target.shape)} must both be [n, c, h, w], with ` +
      `sides of at least ${smallest}.`,
  );
}
