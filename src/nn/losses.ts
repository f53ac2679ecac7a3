import { crossEntropy } from "../kernels/cross-entropy/index.ts";
import { add, mul, neg, softplus, sub } from "../kernels/elementwise/index.ts";
import {
  type CharbonnierOptions,
  charbonnierLoss,
  charbonnierOptions,
  type HuberOptions,
  huberLoss,
  huberOptions,
  type LossOptions,
  l1Loss,
  lossOptions,
  mseLoss,
  type SmoothL1Options,
  smoothL1Loss,
  smoothL1Options,
} from "../kernels/loss/index.ts";
import { mean, sum } from "../kernels/reduce/index.ts";
import { checkArguments, checkOptions } from "../options/arguments.ts";
import { disposeUnderNoGrad } from "../tensor/no-grad.ts";
import { formatShape, ShapeError, sameShape } from "../tensor/shape.ts";
import { aTensor, type Tensor } from "../tensor/tensor.ts";
import { fftLoss, ssimLoss } from "./image-losses.ts";

/** Mean (or sum) of |x - target|: EDSR's loss, which blurs less than the square. See `l1Loss`. */
export class L1Loss {
  readonly options: LossOptions;

  constructor(options: LossOptions = {}) {
    checkOptions("L1Loss", options, lossOptions);
    this.options = options;
  }

  forward(x: Tensor, target: Tensor): Tensor {
    return l1Loss(x, target, this.options);
  }
}

/** Mean (or sum) of (x - target)². See `mseLoss`. */
export class MSELoss {
  readonly options: LossOptions;

  constructor(options: LossOptions = {}) {
    checkOptions("MSELoss", options, lossOptions);
    this.options = options;
  }

  forward(x: Tensor, target: Tensor): Tensor {
    return mseLoss(x, target, this.options);
  }
}

/** Mean (or sum) of sqrt((x - target)² + eps²). See `charbonnierLoss`. */
export class CharbonnierLoss {
  readonly options: CharbonnierOptions;

  constructor(options: CharbonnierOptions = {}) {
    checkOptions("CharbonnierLoss", options, charbonnierOptions);
    this.options = options;
  }

  forward(x: Tensor, target: Tensor): Tensor {
    return charbonnierLoss(x, target, this.options);
  }
}

/** 1 - SSIM of pictures in 0..1. See `ssimLoss`. */
export class SSIMLoss {
  forward(x: Tensor, target: Tensor): Tensor {
    return ssimLoss(x, target);
  }
}

/** The l1 loss between the spectra of pictures. See `fftLoss`. */
export class FFTLoss {
  forward(x: Tensor, target: Tensor): Tensor {
    return fftLoss(x, target);
  }
}

/** Mean (or sum) of -log(softmax(x)) at the right classes. See `crossEntropy`. */
export class CrossEntropyLoss {
  readonly options: LossOptions;

  constructor(options: LossOptions = {}) {
    checkOptions("CrossEntropyLoss", options, lossOptions);
    this.options = options;
  }

  forward(x: Tensor, target: Tensor | ArrayLike<number>): Tensor {
    return crossEntropy(x, target, this.options);
  }
}

/** The square near the target, a line far from it. See `huberLoss`. */
export class HuberLoss {
  readonly options: HuberOptions;

  constructor(options: HuberOptions = {}) {
    checkOptions("HuberLoss", options, huberOptions);
    this.options = options;
  }

  forward(x: Tensor, target: Tensor): Tensor {
    return huberLoss(x, target, this.options);
  }
}

/** As `HuberLoss`, scaled to the slope of `L1Loss`. See `smoothL1Loss`. */
export class SmoothL1Loss {
  readonly options: SmoothL1Options;

  constructor(options: SmoothL1Options = {}) {
    checkOptions("SmoothL1Loss", options, smoothL1Options);
    this.options = options;
  }

  forward(x: Tensor, target: Tensor): Tensor {
    return smoothL1Loss(x, target, this.options);
  }
}

/**
 * The mean (or sum) of -t log(p) - (1 - t) log(1 - p) with p = sigmoid(x), as a tensor of shape []: for answers of
 * yes or no, whose probabilities are the targets t in 0..1, of x's shape. Computed from x, no p is rounded to 0 or 1.
 */
export function binaryCrossEntropyWithLogits(x: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  const name = "binaryCrossEntropyWithLogits";
  checkArguments(name, { x: [x, aTensor], target: [target, aTensor] });
  checkOptions(name, options, lossOptions);
  if (!sameShape(x.shape, target.shape)) {
    throw new ShapeError(
      `${name}: x ${formatShape(x.shape)} and target ${formatShape(target.shape)} must have the same shape.`,
    );
  }
  // (1 - t) x + log(1 + e^-x)
  const opposite = neg(x);
  const [others, logs] = [sub(1, target), softplus(opposite)];
  const product = mul(others, x);
  const terms = add(product, logs);
  const result = options.reduction === "sum" ? sum(terms) : mean(terms);
  for (const intermediate of [opposite, others, logs, product, terms]) disposeUnderNoGrad(intermediate);
  return result;
}

/** For answers of yes or no. See `binaryCrossEntropyWithLogits`. */
export class BCEWithLogitsLoss {
  readonly options: LossOptions;

  constructor(options: LossOptions = {}) {
    checkOptions("BCEWithLogitsLoss", options, lossOptions);
    this.options = options;
  }

  forward(x: Tensor, target: Tensor): Tensor {
    return binaryCrossEntropyWithLogits(x, target, this.options);
  }
}
