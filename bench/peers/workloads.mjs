/**
 * The work, defined once for all libraries: shapes, seeded data, networks, operation counts. Data is
 * [n, c, h, w], weights are [o, i, kh, kw]; libraries with another order convert with `permute`.
 */

// ---- Data

/** mulberry32, a small seeded generator, so that all libraries get the same bits. */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function uniform(seed, shape, low, high) {
  const random = generator(seed);
  return { shape, data: Float32Array.from({ length: numel(shape) }, () => low + (high - low) * random()) };
}

export const numel = (shape) => shape.reduce((a, b) => a * b, 1);

/** The array with its axes in another order, as by numpy.transpose: axis k of the result is axis order[k]. */
export function permute({ shape, data }, order) {
  const strides = shape.map((_, axis) => numel(shape.slice(axis + 1)));
  const to = order.map((axis) => shape[axis]);
  const result = new Float32Array(data.length);
  const index = to.map(() => 0);
  let from = 0;
  for (let i = 0; i < result.length; i++) {
    result[i] = data[from];
    // Count up like an odometer, the last axis fastest.
    for (let axis = to.length - 1; axis >= 0; axis--) {
      from += strides[order[axis]];
      if (++index[axis] < to[axis]) break;
      index[axis] = 0;
      from -= strides[order[axis]] * to[axis];
    }
  }
  return { shape: to, data: result };
}

// ---- Single convolutions: stride 1, zeros around the picture, no bias

/** `kind` is "conv", "conv-dx" (gradient with respect to the input) or "conv-dw" (to the weights). */
function convolution(kind, from, to, side, window, batch = 1) {
  const fan = from * window * window;
  return {
    kind,
    pad: (window - 1) / 2,
    flops: 2 * batch * side * side * to * fan,
    data: () => ({
      x: uniform(1, [batch, from, side, side], -1, 1),
      w: uniform(2, [to, from, window, window], -1 / Math.sqrt(fan), 1 / Math.sqrt(fan)),
      dy: uniform(3, [batch, to, side, side], -1, 1),
    }),
  };
}

// ---- EDSR x2 (3x3 convolutions with bias, residual scale 1, no mean shift)

/** The convolutions in order. */
function edsrLayers({ blocks, channels }) {
  const layer = (name, from, to) => ({ name, from, to });
  return [
    layer("head", 3, channels),
    ...Array.from({ length: blocks }, (_, b) => [
      layer(`block${b}.1`, channels, channels),
      layer(`block${b}.2`, channels, channels),
    ]).flat(),
    layer("body", channels, channels),
    layer("up", channels, 4 * channels), // channels in the order of PyTorch's PixelShuffle
    layer("tail", channels, 3),
  ];
}

/** `{ "head.w": { shape, data }, "head.b": … }`. */
function edsrParameters(net) {
  const parameters = {};
  for (const [i, { name, from, to }] of edsrLayers(net).entries()) {
    const bound = 1 / Math.sqrt(from * 9);
    parameters[`${name}.w`] = uniform(100 + 2 * i, [to, from, 3, 3], -bound, bound);
    parameters[`${name}.b`] = uniform(101 + 2 * i, [to], -bound, bound);
  }
  return parameters;
}

/** Two for each multiply-add of a convolution. Padding counts in full, other work not at all. */
function edsrFlops(net, pixels) {
  const flops = ({ name, from, to }) => 2 * 9 * from * to * pixels * (name === "tail" ? 4 : 1);
  return edsrLayers(net).reduce((sum, layer) => sum + flops(layer), 0);
}

function edsrForward(net, side) {
  return {
    kind: "edsr",
    net,
    flops: edsrFlops(net, side * side),
    data: () => ({ x: uniform(10, [1, 3, side, side], 0, 1), parameters: edsrParameters(net) }),
  };
}

/**
 * One step: forward, mean absolute error, all gradients but the input's, Adam. The learning rate is as high
 * as the network can bear, so that three steps change the loss by much more than the tolerance.
 */
function edsrTraining(net, lr, batch, side) {
  const pixels = batch * side * side;
  return {
    kind: "train",
    net,
    adam: { lr, beta1: 0.9, beta2: 0.999, eps: 1e-8 },
    flops: 3 * edsrFlops(net, pixels) - 2 * 9 * 3 * net.channels * pixels,
    data: () => ({
      x: uniform(10, [batch, 3, side, side], 0, 1),
      target: uniform(11, [batch, 3, 2 * side, 2 * side], 0, 1),
      parameters: edsrParameters(net),
    }),
  };
}

// ---- Enlarging a picture by 2, as PyTorch does with align_corners=False; bicubic has a = -0.75

function enlargement(mode) {
  return { kind: "resize", mode, flops: 0, data: () => ({ x: uniform(20, [1, 3, 256, 256], 0, 1) }) };
}

const small = { blocks: 4, channels: 16 };
const base = { blocks: 16, channels: 64 };

export const workloads = {
  conv64: { title: "conv 3x3 64->64, 128x128", ...convolution("conv", 64, 64, 128, 3) },
  conv16: { title: "conv 3x3 16->16, 128x128", ...convolution("conv", 16, 16, 128, 3) },
  conv256: { title: "conv 3x3 256->256, 48x48", ...convolution("conv", 256, 256, 48, 3) },
  conv9: { title: "conv 9x9 1->64, 128x128", ...convolution("conv", 1, 64, 128, 9) },
  "conv64-dx": { title: "conv64 input gradient", ...convolution("conv-dx", 64, 64, 128, 3) },
  "conv64-dw": { title: "conv64 weight gradient", ...convolution("conv-dw", 64, 64, 128, 3) },
  edsr: { title: "EDSR 16x64 x2 forward, 96x96", ...edsrForward(base, 96) },
  "edsr-small": { title: "EDSR 4x16 x2 forward, 96x96", ...edsrForward(small, 96) },
  "train-small": { title: "training step EDSR 4x16, batch 4, 24x24", ...edsrTraining(small, 1e-3, 4, 24) },
  "train-base": { title: "training step EDSR 16x64, batch 4, 24x24", ...edsrTraining(base, 1e-4, 4, 24) },
  bilinear: { title: "bilinear x2 of 3x256x256", ...enlargement("bilinear") },
  bicubic: { title: "bicubic x2 of 3x256x256", ...enlargement("bicubic") },
  "conv1-128": { title: "conv 3x3 1->128, 256x256", ...convolution("conv", 1, 128, 256, 3) },
  // What a card is bought for. On software adapters one repetition takes seconds to minutes, so there these
  // run only if they are named.
  "conv64-b16": {
    title: "conv 3x3 64->64, 16 of 128x128",
    large: true,
    ...convolution("conv", 64, 64, 128, 3, 16),
  },
  "edsr-512": { title: "EDSR 16x64 x2 forward, 512x512", large: true, ...edsrForward(base, 512) },
  "train-paper": {
    title: "training step EDSR 16x64, batch 16, 48x48",
    large: true,
    ...edsrTraining(base, 1e-4, 16, 48),
  },
};
