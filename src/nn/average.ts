import { checkOneDevice, type Storage } from "../device/device.ts";
import { emaStep } from "../kernels/optim/ema.ts";
import { checkArguments, type Wanted } from "../options/arguments.ts";
import { whole } from "../options/kinds.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { aModule, type Module } from "./module.ts";

const fromZeroToOne: Wanted<number> = {
  wants: "at least 0 and below 1",
  fits: (value): value is number => typeof value === "number" && value >= 0 && value < 1,
};

/**
 * The decay for update number `step` of an average, counted from 0: `decay`, or (1 + step) / (10 + step)
 * while that is smaller, so that the average soon forgets the random weights of the beginning. With a decay
 * of 0.999 alone, they would still make up 13.5 % of it after 2000 steps (0.999 ** 2000; the rule is that of
 * TensorFlow's ExponentialMovingAverage).
 */
export function emaDecay(decay: number, step: number): number {
  checkArguments("emaDecay", { decay: [decay, fromZeroToOne], step: [step, whole(0)] });
  return Math.min(decay, (1 + step) / (10 + step));
}

/**
 * Moves the weights of `average` a little towards those of `module`, a network of the same architecture:
 *
 *     average = decay * average + (1 - decay) * module
 *
 * Called after every step, this makes an exponential moving average over about the last 1 / (1 - decay)
 * steps. As a network it is better and steadier than the module, since the noise of the steps cancels. Both
 * should begin with the same weights. (Polyak and Juditsky 1992; get_ema_multi_avg_fn of
 * torch.optim.swa_utils.)
 *
 * Buffers, such as the running statistics of batch normalization, are copied. A tensor with several names moves once,
 * and one that both networks share stays.
 *
 * A decay that changes from step to step is given as a function, which a replay of the step asks again.
 */
export function emaUpdate(average: Module, module: Module, decay: number | (() => number)): void {
  const decayNow = typeof decay === "function" ? decay : () => decay;
  checkArguments("emaUpdate", {
    average: [average, aModule],
    module: [module, aModule],
    decay: [decayNow(), fromZeroToOne],
  });
  const values = module.namedTensors();
  const averages = average.namedTensors();
  // All checks come first: nothing changes if one fails.
  const sources = new Map<Storage, Tensor>();
  const pairs: { tensor: Tensor; source: Tensor }[] = [];
  for (const [name, tensor] of averages) {
    const source = values.get(name);
    checkPair(name, tensor, source);
    const known = sources.get(tensor.storage);
    if (known && known.storage !== source.storage) {
      throw new Error(
        `emaUpdate: ${name} shares its memory with another tensor of the average, and not so in the other network. ` +
          "Both must have the same architecture.",
      );
    }
    sources.set(tensor.storage, source);
    if (!known && source.storage !== tensor.storage) pairs.push({ tensor, source });
  }
  for (const { tensor, source } of pairs) {
    // A buffer, such as a running mean, is copied: it is an average already, or never changes.
    if (source.requiresGrad) {
      emaStep(tensor.device, { average: tensor.storage, values: source.storage }, decayNow);
    } else {
      tensor.assign(source);
    }
  }
}

/** @throws Error unless a tensor of the average and that of the network fit together */
function checkPair(name: string, tensor: Tensor, source: Tensor | undefined): asserts source is Tensor {
  if (!source || !sameShape(source.shape, tensor.shape)) {
    throw new Error(
      `emaUpdate: ${name} of shape ${formatShape(tensor.shape)} is ` +
        `${source ? formatShape(source.shape) : "missing"} in the other network. Both must have the same ` +
        `architecture.`,
    );
  }
  checkOneDevice(`emaUpdate: ${name}`, tensor.device, "that of the other network", source.device);
}
