/**
 * ESPCN: "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network"
 * (Shi, Caballero, Huszár, Totz, Aitken, Bishop, Rueckert, Wang 2016).
 *
 *     first_part: 5x5, 1 -> 64, tanh; 3x3, 64 -> 32, tanh
 *     last_part:  3x3, 32 -> scale², pixel shuffle
 *
 * All layers run at the small picture's size, which makes it scale² times as fast as a network that works on the
 * enlarged picture. The last one computes the scale² pixels that each small pixel becomes as so many channels, and the
 * shuffle only puts them side by side.
 */
import { conv2d } from "../kernels/conv2d/index.ts";
import { add } from "../kernels/elementwise/index.ts";
import { pad } from "../kernels/pad/index.ts";
import { axisTable } from "../kernels/resize/weights.ts";
import { kaimingNormalInit, normalInit } from "../nn/init.ts";
import { Conv2d, PixelShuffle, ReLU, Sequential, Tanh } from "../nn/layers.ts";
import { defaultRandom, type Random } from "../tensor/random.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { SuperResolver } from "./super-resolver.ts";

export interface ESPCNOptions {
  /** Enlargement: 2, 3 or 4. Default 3. */
  scale?: 2 | 3 | 4;
  /** Channels of the two feature maps. Default [64, 32]: 21,284, 22,729 and 24,752 parameters at x2, x3 and x4. */
  filters?: readonly [number, number];
  /** After the first two layers. Default "tanh", the paper's choice; with "relu" the network learns faster. */
  activation?: "tanh" | "relu";
  /**
   * Let the network predict what has to be added to a bicubic enlargement instead of the whole picture. Not in the paper;
   * it starts at bicubic quality and learns faster. Default false.
   */
  residual?: boolean;
  /** Where the initial weights come from; default: the generator of `manualSeed`. */
  random?: Random;
}

/** ESPCN for luma planes in 0..1. */
export class ESPCN extends SuperResolver {
  readonly colors = "y";
  readonly inputSize = "lr";
  readonly scale: number;
  readonly filters: readonly [number, number];
  readonly activation: "tanh" | "relu";
  readonly residual: boolean;
  // The names below become those of the weights.
  readonly first_part: Sequential;
  readonly last_part: Sequential;

  constructor(options: ESPCNOptions = {}) {
    super();
    const { scale = 3, filters = [64, 32], activation = "tanh" } = options;
    const { residual = false, random = defaultRandom() } = options;
    if (![2, 3, 4].includes(scale)) throw new RangeError(`ESPCN: scale must be 2, 3 or 4, got ${scale}.`);
    if (filters.length !== 2 || !filters.every((count) => Number.isInteger(count) && count > 0)) {
      throw new RangeError(`ESPCN: filters must be two whole numbers above 0, got ${filters}.`);
    }
    if (activation !== "tanh" && activation !== "relu") {
      throw new RangeError(`ESPCN: activation must be "tanh" or "relu", got ${JSON.stringify(activation)}.`);
    }
    this.scale = scale;
    this.filters = filters;
    this.activation = activation;
    this.residual = residual;
    const conv = (from: number, to: number, side: number) =>
      new Conv2d(from, to, side, { padding: "same", random });
    const features = conv(1, filters[0], 5);
    const mapping = conv(filters[0], filters[1], 3);
    const pixels = conv(filters[1], scale ** 2, 3);
    const bend = () => (activation === "tanh" ? new Tanh() : new ReLU());
    this.first_part = new Sequential(features, bend(), mapping, bend());
    this.last_part = new Sequential(pixels, new PixelShuffle(scale));

    kaimingNormalInit(features, random);
    kaimingNormalInit(mapping, random);
    // Small, so that all scale² pixels of a block start alike. (After 1000 steps of Adam on T91 at x3, Set5 had 29.4 dB with
    // tanh and 31.0 with ReLU; with the layers' own weights 29.6 and 29.7.)
    normalInit(pixels, 0.001, random);
  }

  /** Half of each window, added up. */
  get halo(): number {
    return 4;
  }

  get valuesPerPixel(): number {
    return Math.max(...this.filters, this.scale ** 2);
  }

  /** x [n, 1, h, w] in 0..1 to [n, 1, h * scale, w * scale]. */
  forward(x: Tensor): Tensor {
    const y = this.last_part.forward(this.first_part.forward(x));
    if (!this.residual) return y;
    return add(enlargeBicubic(x, this.scale), y);
  }

  metadata(): Record<string, string> {
    const { scale, filters, activation, residual } = this;
    return {
      architecture: "ESPCN",
      scale: `${scale}`,
      filters: filters.join("-"),
      activation,
      residual: `${residual}`,
    };
  }
}

const bicubic = { mode: "bicubic", convention: "matlab", antialias: false } as const;

/**
 * Bicubic interpolation as what it is, a sub-pixel convolution whose weights nobody learns: the scale² pixels
 * of a block lie at fixed places between their neighbours. One launch with the shuffle in it; and Matlab's
 * weights (Keys' kernel with a = -0.5), where `interpolate` has PyTorch's by default. Edges are repeated.
 */
function enlargeBicubic(x: Tensor, scale: number): Tensor {
  // Of five pixels in a row, what the middle one's `scale` pixels are made of.
  const { taps, first, weights } = axisTable(5, 5 * scale, scale, bicubic);
  const rows = Array.from({ length: scale }, (_, k) => {
    const i = 2 * scale + k;
    const row = [0, 0, 0, 0, 0];
    for (let t = 0; t < taps; t++) row[first[i] + t] = weights[i * taps + t];
    return row;
  });
  const windows = rows.flatMap((down) =>
    rows.flatMap((across) => down.flatMap((v) => across.map((h) => v * h))),
  );
  const weight = tensor(windows, [scale ** 2, 1, 5, 5], { device: x.device });
  return conv2d(pad(x, [2, 2, 2, 2], "replicate"), weight, undefined, { shuffle: scale });
}
