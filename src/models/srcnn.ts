/**
 * SRCNN: "Image Super-Resolution Using Deep Convolutional Networks" (Dong, Loy, He, Tang 2014, 2016), the
 * first network of the field, and the shortest.
 *
 *     conv1: k1 x k1, 1 -> 64, ReLU     takes patches apart into features
 *     conv2: k2 x k2, 64 -> 32, ReLU    maps features of the blurred picture to those of the sharp one
 *     conv3: k3 x k3, 32 -> 1           puts the picture together
 *
 * It works on luma that bicubic interpolation has already enlarged. So every layer runs at the large size,
 * which makes it slower than later networks with ten times the weights.
 */
import { pad } from "../kernels/pad/index.ts";
import type { FusedOptions } from "../nn/activations.ts";
import { kaimingNormalInit, normalInit } from "../nn/init.ts";
import { Conv2d } from "../nn/layers.ts";
import { numbers, odd, oneOf, whole, yesOrNo } from "../options/kinds.ts";
import { DataError } from "../picture/errors.ts";
import { disposeUnderNoGrad } from "../tensor/no-grad.ts";
import { defaultRandom, type Random } from "../tensor/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import {
  type Architecture,
  ConfiguredNetwork,
  checkConstructor,
  MAX_CHANNELS,
  metadataOf,
  type OptionValues,
  option,
  type RecognizedNetwork,
} from "./architecture.ts";
import { fitFilters } from "./fit-filters.ts";
import {
  assumedWhole,
  checkColors,
  type DetectOptions,
  lumaScale,
  markersIn,
  type State,
  scaleOf,
  shapeOf,
  withoutTensors,
} from "./state.ts";

/** SRCNN for luma planes in 0..1 that bicubic interpolation has enlarged. */
export class SRCNN extends ConfiguredNetwork<Options> {
  // The names below become those of the weights.
  readonly conv1: Conv2d;
  readonly conv2: Conv2d;
  readonly conv3: Conv2d;

  /** @throws RangeError for an option that does not fit. */
  constructor(init: SRCNNOptions = {}) {
    const { random = defaultRandom(), ...options } = checkConstructor("SRCNN", init);
    super(srcnn, options);
    const { kernels, filters, padding } = this.options;
    const conv = (from: number, to: number, side: number) =>
      new Conv2d(from, to, side, { padding: padding === "zeros" ? "same" : 0, random });
    this.conv1 = conv(1, filters[0], kernels[0]);
    this.conv2 = conv(filters[0], filters[1], kernels[1]);
    this.conv3 = conv(filters[1], 1, kernels[2]);

    // The paper draws all weights with a standard deviation of 0.001. Three such layers leave next to nothing
    // of the signal and of the gradient. So He's rule where a ReLU follows, and the paper's in the last layer
    // alone: the network starts by answering about 0, or with `residual` about its input.
    // docs/training-choices.md compares them. Given pictures, `build` does better in the first layer.
    kaimingNormalInit(this.conv1, { random });
    kaimingNormalInit(this.conv2, { random });
    normalInit(this.conv3, 0.001, { random });
  }

  /** x [n, 1, h, w] in 0..1, enlarged already, to [n, 1, h, w]. */
  forward(x: Tensor): Tensor {
    this.checkInput(x);
    const features = this.#layer(this.conv1, x, { activation: "relu" });
    const mapped = this.#layer(this.conv2, features, { activation: "relu" });
    disposeUnderNoGrad(features);
    const y = this.#layer(this.conv3, mapped, this.options.residual ? { skip: x } : {});
    disposeUnderNoGrad(mapped);
    return y;
  }

  /** Adds the margin that the convolution takes away. Zeros need none: the convolution assumes them. */
  #layer(conv: Conv2d, x: Tensor, fused: FusedOptions): Tensor {
    const margin = (conv.weight.shape[2] - 1) / 2;
    if (this.options.padding === "zeros" || margin === 0) return conv.forward(x, fused);
    const wide = pad(x, [margin, margin, margin, margin], "replicate");
    const y = conv.forward(wide, fused);
    disposeUnderNoGrad(wide);
    return y;
  }

  /** Half of each window, added up: 6, 7 or 8 pixels for the paper's three networks. */
  get halo(): number {
    return this.options.kernels.reduce((sum, side) => sum + (side - 1) / 2, 0);
  }

  get valuesPerPixel(): number {
    return Math.max(...this.options.filters);
  }
}

// ---- Options and presets

const options = {
  /** Enlargement of the bicubic interpolation before the network: 2, 3 or 4. Default 3, the paper's. */
  scale: option(lumaScale, 3, "enlargement"),
  /**
   * Sides of the three windows (the papers call them kernels), odd. Default [9, 1, 5] (8,129 parameters); the
   * papers also have [9, 3, 5] (24,513) and [9, 5, 5] (57,281), each a little better than the one before.
   */
  kernels: option(
    numbers([9, 1, 5], odd(99)),
    [9, 1, 5],
    "sides of the three windows (the papers: 9-1-5, 9-3-5, 9-5-5)",
  ),
  /** Channels of the two feature maps. Default [64, 32]. */
  filters: option(
    numbers([64, 32], whole(1, MAX_CHANNELS)),
    [64, 32],
    "channels of the two feature maps (the paper: 64-32)",
  ),
  /**
   * What every layer's windows meet beyond the picture: its outermost pixels again, as in the authors' test
   * code, or zeros, which are a little faster and darken a rim of a few pixels. Default "replicate".
   */
  padding: option(oneOf("replicate", "zeros"), "replicate", "what the windows meet beyond the picture"),
  /**
   * Let the network predict what has to be added to its input instead of the whole picture. Not in the paper;
   * training starts at bicubic quality and learns faster. Default false.
   */
  residual: option(yesOrNo, false, "predict what has to be added to the bicubic enlargement (the paper: no)"),
};

type Options = OptionValues<typeof options>;

export interface SRCNNOptions extends Partial<Options> {
  /** Where the initial weights come from; default: the generator of `manualSeed`. */
  random?: Random;
}

export const srcnn: Architecture<"SRCNN", Options, "quick"> = {
  name: "SRCNN",
  summary: "Dong et al. 2014: three convolutions of a picture that bicubic interpolation has enlarged; luma",
  colors: "y",
  inputSize: "high",
  options,
  presets: {
    /** Minutes. Early on, the difference to the bicubic enlargement is most of what can be learned. */
    quick: {
      network: { scale: 3, kernels: [9, 1, 5], filters: [64, 32], padding: "replicate", residual: true },
      patch: 16,
      batch: 8,
      loss: "l2",
      lr: 1e-3,
      schedule: { kind: "cosine" },
      warmup: 0,
      steps: 1000,
      evalEvery: 250,
      logEvery: 10,
    },
  },
  describe: ({ scale, kernels, filters }) =>
    `SRCNN x${scale}, windows ${kernels.join("-")}, channels ${filters.join("-")}`,
  shortName: ({ scale, kernels }) => `srcnn-x${scale}-${kernels.join("-")}`,
  looksAtExamples: ({ residual }) => residual,
  // The weights of such a network make nothing sensible of other programs' SRCNN.
  markers: { residual: { residual: "true" }, replicate: { residual: "true", padding: "replicate" } },
  build(options, random, examples = []) {
    const model = new SRCNN({ ...options, random });
    if (options.residual) fitFilters(model.conv1, examples, random);
    return model;
  },
  recognize: recognizeSRCNN,
};

// ---- Files of other programs

/** SRCNN-pytorch, whose names are this library's; and files of this library without their metadata. */
function recognizeSRCNN(given: State, options: DetectOptions): RecognizedNetwork | undefined {
  const marks = markersIn(given, Object.keys(srcnn.markers!));
  const state = withoutTensors(given, marks);
  const shapes = [1, 2, 3].map((i) => shapeOf(state, `conv${i}.weight`));
  const [first, second, third] = shapes;
  if (first === undefined || second === undefined || first[1] !== third?.[0] || state.size !== 6)
    return undefined;
  checkColors(options.name, "SRCNN", first[1], 1);
  const other = shapes.find((shape) => shape![2] !== shape![3]);
  if (other !== undefined) {
    throw new DataError(
      `${options.name}: this is an SRCNN with windows of ${other[2]} x ${other[3]}, and pixelgrad runs SRCNN with ` +
        "square windows alone. Look for such a one.",
    );
  }
  const kernels = shapes.map((shape) => shape![2]);
  const filters = [first[0], second[0]];
  const residual = marks.includes("residual");
  const padding = marks.includes("replicate") ? "replicate" : "zeros";
  const described = { scale: scaleOf(options), kernels, filters, padding, residual };
  const assumptions = residual
    ? []
    : [{ option: "padding", text: "what lies beyond the edges: zeros" }, assumedWhole];
  return { metadata: metadataOf("SRCNN", described), state, assumptions };
}
