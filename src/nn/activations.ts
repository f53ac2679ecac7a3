/**
 * Activations as layers. Most have `fuse`, by which a convolution before them computes them on the way to memory
 * (Sequential).
 */
import type { Conv2dOptions } from "../kernels/conv2d/index.ts";
import {
  elu,
  gelu,
  leakyRelu,
  prelu,
  relu,
  sigmoid,
  silu,
  softplus,
  tanh,
} from "../kernels/elementwise/index.ts";
import { type GeluOptions, geluOptions } from "../kernels/elementwise/unary.ts";
import { softmax } from "../kernels/softmax/index.ts";
import { checkArguments, checkOptions, finite } from "../options/arguments.ts";
import { positive, whole } from "../options/kinds.ts";
import { full } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { layerSize } from "./layer-size.ts";
import { Module } from "./module.ts";

/** Operations after a convolution that its kernel can do on the way to memory (its epilogue). */
export type FusedOptions = Pick<
  Conv2dOptions,
  "activation" | "slope" | "skip" | "gate" | "alpha" | "shuffle"
>;

/** A module that a convolution before it can do on the way to memory. */
export interface Fusable extends Module {
  /** Options for that convolution; undefined if it is of another size. */
  fuse(convolution: { readonly weight: Tensor }): FusedOptions | undefined;
}

export function isFusable(module: Module | undefined): module is Fusable {
  return module !== undefined && "fuse" in module;
}

/** max(x, 0). */
export class ReLU extends Module {
  fuse(): FusedOptions {
    return { activation: "relu" };
  }
  forward(x: Tensor): Tensor {
    return relu(x);
  }
}

/** x as it is: for a layer that is sometimes left out. */
export class Identity extends Module {
  forward(x: Tensor): Tensor {
    return x;
  }
}

/** A smooth ReLU; see `softplus`. */
export class Softplus extends Module {
  readonly beta: number;

  constructor(beta = 1) {
    super();
    checkArguments("Softplus", { beta: [beta, positive] });
    this.beta = beta;
  }

  forward(x: Tensor): Tensor {
    return softplus(x, this.beta);
  }
}

/** x where positive, alpha * (exp(x) - 1) elsewhere; see `elu`. */
export class ELU extends Module {
  readonly alpha: number;

  constructor(alpha = 1) {
    super();
    checkArguments("ELU", { alpha: [alpha, finite] });
    this.alpha = alpha;
  }

  forward(x: Tensor): Tensor {
    return elu(x, this.alpha);
  }
}

/** 1 / (1 + exp(-x)). */
export class Sigmoid extends Module {
  fuse(): FusedOptions {
    return { activation: "sigmoid" };
  }
  forward(x: Tensor): Tensor {
    return sigmoid(x);
  }
}

/** Probabilities along `axis`, which sum to 1; see `softmax`. For training, `CrossEntropyLoss` contains it. */
export class Softmax extends Module {
  readonly axis: number;

  constructor(axis: number) {
    super();
    checkArguments("Softmax", { axis: [axis, whole()] });
    this.axis = axis;
  }

  forward(x: Tensor): Tensor {
    return softmax(x, this.axis);
  }
}

/** The hyperbolic tangent of each number, between -1 and 1; see `tanh`. */
export class Tanh extends Module {
  fuse(): FusedOptions {
    return { activation: "tanh" };
  }
  forward(x: Tensor): Tensor {
    return tanh(x);
  }
}

/** x times the probability that a normally distributed number is below x; see `gelu`. */
export class GELU extends Module {
  readonly options: GeluOptions;

  constructor(options: GeluOptions = {}) {
    super();
    checkOptions("GELU", options, geluOptions);
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return gelu(x, this.options);
  }
}

/** x * sigmoid(x). */
export class SiLU extends Module {
  fuse(): FusedOptions {
    return { activation: "silu" };
  }

  forward(x: Tensor): Tensor {
    return silu(x);
  }
}

/** x where positive, `negativeSlope * x` elsewhere. */
export class LeakyReLU extends Module {
  readonly negativeSlope: number;

  constructor(negativeSlope = 0.01) {
    super();
    checkArguments("LeakyReLU", { negativeSlope: [negativeSlope, finite] });
    this.negativeSlope = negativeSlope;
  }

  fuse(): FusedOptions {
    return { activation: "leakyRelu", slope: this.negativeSlope };
  }

  forward(x: Tensor): Tensor {
    return leakyRelu(x, this.negativeSlope);
  }
}

/** x where positive, a learned multiple of x elsewhere: one slope for all channels, or one per channel. */
export class PReLU extends Module {
  readonly weight: Tensor;

  constructor(channels = 1, initial = 0.25) {
    super();
    checkArguments("PReLU", { channels: [channels, layerSize], initial: [initial, finite] });
    this.weight = full([channels], initial, { requiresGrad: true });
  }

  fuse({ weight: { shape } }: { readonly weight: Tensor }): FusedOptions | undefined {
    return shape[0] === this.weight.size ? { activation: "prelu", slope: this.weight } : undefined;
  }

  forward(x: Tensor): Tensor {
    return prelu(x, this.weight);
  }
}
