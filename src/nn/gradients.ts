/** What may be done to gradients between `backward` and the optimizer's step, all on the device. */

import { checkAllOnOneDevice, checkOneDevice } from "../device/device.ts";
import { add, clamp, div, mul, sqrt } from "../kernels/elementwise/index.ts";
import { gather } from "../kernels/optim/gather.ts";
import { sum } from "../kernels/reduce/index.ts";
import { checkArguments, type Wanted } from "../options/arguments.ts";
import { accumulate } from "../tensor/accumulate.ts";
import { noGrad } from "../tensor/no-grad.ts";
import { keep, scope } from "../tensor/scope.ts";
import { formatShape, ShapeError, sameShape } from "../tensor/shape.ts";
import type { Gradients } from "../tensor/tape.ts";
import { aTensor, Tensor } from "../tensor/tensor.ts";

/** What `backward` returns. */
const someGradients: Wanted<Gradients> = {
  wants: "what backward(loss) returns, a Map from tensors to gradients",
  fits: (value): value is Gradients =>
    value instanceof Map && value.size > 0 && [...value].flat().every(aTensor.fits),
};

/** Throws, as `label`, unless a gradient has its tensor's shape and device. */
export function checkGradient(label: string, { shape, device }: Tensor, gradient: Tensor): void {
  if (!sameShape(gradient.shape, shape)) {
    throw new ShapeError(`${label} has a gradient of another shape, ${formatShape(gradient.shape)}.`);
  }
  checkOneDevice(label, device, "its gradient", gradient.device);
}

function checkGradients(caller: string, argument: string, gradients: Gradients): void {
  checkArguments(caller, { [argument]: [gradients, someGradients] });
  for (const [tensor, gradient] of gradients) {
    checkGradient(`${caller}: the tensor of shape ${formatShape(tensor.shape)}`, tensor, gradient);
  }
}

const aboveZero: Wanted<number> = {
  wants: "above 0",
  fits: (value): value is number => typeof value === "number" && value > 0,
};

/**
 * Adds `more` to `gradients`, in place; both must be for the same tensors. Use it to compute a batch in parts
 * if it is too large for the memory: the gradient of a sum of losses is the sum of their gradients.
 * Returns `gradients`.
 */
export function addGradients(gradients: Gradients, more: Gradients): Gradients {
  checkGradients("addGradients", "gradients", gradients);
  checkGradients("addGradients", "more", more);
  if (gradients.size !== more.size || [...more.keys()].some((tensor) => !gradients.has(tensor))) {
    throw new Error(
      `addGradients: the gradients are of ${gradients.size} tensors and of ${more.size}, not all the same. ` +
        `Add gradients of one network's parameters.`,
    );
  }
  for (const [tensor, gradient] of more) accumulate(gradients.get(tensor)!, gradient);
  return gradients;
}

/**
 * Scales the gradients down, if as one long vector their norm (root of the sum of squares) exceeds `maxNorm`,
 * so that a single bad batch cannot throw the weights far off. PyTorch's clip_grad_norm_, with its formula:
 * factor = min(1, maxNorm / (norm + 1e-6)).
 *
 * Replaces the tensors in the map. Returns the norm before scaling, a tensor of shape []; so nothing waits
 * for the GPU.
 */
export function clipGradNorm(gradients: Gradients, maxNorm: number): Tensor {
  checkGradients("clipGradNorm", "gradients", gradients);
  checkArguments("clipGradNorm", { maxNorm: [maxNorm, aboveZero] });
  checkAllOnOneDevice("clipGradNorm", "gradient", [...gradients.keys()]);
  using _quiet = noGrad();
  using _temporaries = scope();
  const norm = sqrt(sumOfSquares([...gradients.values()]));
  const factor = clamp(div(maxNorm, add(norm, 1e-6)), 0, 1);
  for (const [tensor, gradient] of gradients) {
    gradients.set(tensor, keep(mul(gradient, factor)));
    gradient.dispose();
  }
  return keep(norm);
}

/**
 * Sum of the squares of all elements. They are gathered first, for few launches, as far as the device can bind them at
 * once.
 */
function sumOfSquares(tensors: readonly Tensor[]): Tensor {
  const most = tensors[0].device.profile.maxTensorBytes / 4;
  const sums: Tensor[] = [];
  let [first, length] = [0, 0];
  for (const [i, { size }] of tensors.entries()) {
    length += size;
    const next = tensors[i + 1]?.size;
    if (next !== undefined && length + next <= most) continue;
    const part = concatFlat(tensors.slice(first, i + 1));
    sums.push(sum(mul(part, part)));
    [first, length] = [i + 1, 0];
  }
  return sums.reduce((total, each) => add(total, each));
}

/** All elements, in one tensor. */
function concatFlat(tensors: readonly Tensor[]): Tensor {
  let length = 0;
  const parts = tensors.map(({ storage, size }) => {
    const start = length;
    length += size;
    return { from: storage, start };
  });
  const whole = Tensor.empty([length], tensors[0].device, "clipGradNorm");
  gather(whole.device, whole.storage, parts);
  return whole;
}
