import { crossEntropy } from "../kernels/cross-entropy/index.ts";
import {
  binaryCrossEntropyWithLogits,
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
import { checkOptions } from "../options/arguments.ts";
import type { Tensor } from "../tensor/tensor.ts";
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

/** `HuberLoss`, scaled to the slope of `L1Loss`. See `smoothL1Loss`. */
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

/** Cross entropy for answers of yes or no. See `binaryCrossEntropyWithLogits`. */
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
