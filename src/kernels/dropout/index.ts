/** Dropout (Srivastava et al. 2014): random elements are 0 in training, so that none is relied upon. */

import { linearGrid } from "../../device/kernel.ts";
import { checkArguments, checkOptions, trueOrFalse, type Wanted } from "../../options/arguments.ts";
import { defineOp } from "../../tensor/op.ts";
import { aRandom, defaultRandom, type Random } from "../../tensor/random.ts";
import { aTensor, type Tensor } from "../../tensor/tensor.ts";
import { dropoutKernel } from "./dropout.wgsl.ts";

export type Key = readonly [number, number];

interface Params {
  readonly p: number;
  /**
   * Decides which elements stay. A replay of the step draws anew, for the operation and its gradient alike.
   */
  readonly drawn: { readonly key: Key };
}

/** Uniform numbers of 24 bits at or above this stay. */
function thresholdOf(p: number): number {
  return Math.round(p * 2 ** 24);
}

/** What stays is enlarged, so that the mean is as before. */
function scaleOf(p: number): number {
  return p === 1 ? 0 : 1 / (1 - p);
}

// Linear in x, and so its own gradient.
const dropoutOp: (inputs: { x: Tensor }, params: Params) => Tensor = defineOp({
  name: "dropout",
  shape: ({ x }) => x.shape,
  cpu({ x }, { p, drawn }, y) {
    for (let i = 0; i < x.data.length; i += 2) {
      for (const [k, random] of threefry(drawn.key, i / 2).entries()) {
        if (i + k < x.data.length) {
          y.data[i + k] = x.data[i + k] * (random >>> 8 >= thresholdOf(p) ? scaleOf(p) : 0);
        }
      }
    }
  },
  gpu(device, { x }, { p, drawn }, y) {
    device.run(dropoutKernel, {
      buffers: { x: x.gpuStorage, y: y.gpuStorage },
      params: () => {
        const [key0, key1] = drawn.key;
        return { size: x.size, key0, key1, threshold: thresholdOf(p), scale: scaleOf(p) };
      },
      grid: linearGrid(Math.ceil(x.size / 4), 64),
    });
  },
  backward: (dy, _, params) => ({ x: () => dropoutOp({ x: dy }, params) }),
});

/** Two random numbers of 32 bits for a counter; the kernel says how. */
export function threefry([key0, key1]: Key, counter: number): [number, number] {
  const keys = [key0, key1, key0 ^ key1 ^ 0x1bd11bda];
  const rotations = [
    [13, 15, 26, 6],
    [17, 29, 16, 24],
  ];
  let a = (counter + keys[0]) | 0;
  let b = keys[1] | 0;
  for (let group = 0; group < 5; group++) {
    for (const by of rotations[group % 2]) {
      a = (a + b) | 0;
      b = ((b << by) | (b >>> (32 - by))) ^ a;
    }
    a = (a + keys[(group + 1) % 3]) | 0;
    b = (b + keys[(group + 2) % 3] + group + 1) | 0;
  }
  return [a >>> 0, b >>> 0];
}

export interface DropoutOptions {
  /** Without it, x is returned as it is. Default true. */
  readonly training?: boolean;
  /** The generator that the key comes from. Default: that of `manualSeed`. */
  readonly random?: Random;
}

export const probability: Wanted<number> = {
  wants: "a number from 0 to 1",
  fits: (value): value is number => typeof value === "number" && value >= 0 && value <= 1,
};

/**
 * x with each element 0 with probability p, and the others divided by 1 - p; as torch.nn.functional.dropout.
 * Which ones, two numbers from `random` decide, drawn at every call and every replay of it: the same seed
 * gives the same elements, on every device.
 */
export function dropout(x: Tensor, p = 0.5, options: DropoutOptions = {}): Tensor {
  checkArguments("dropout", { x: [x, aTensor], p: [p, probability] });
  checkOptions("dropout", options, { training: trueOrFalse, random: aRandom });
  const { training = true, random } = options;
  if (!training || p === 0) return x;
  const drawn: { key: Key } = { key: [0, 0] };
  x.device.eachTime(() => {
    const source = random ?? defaultRandom();
    drawn.key = [source.next(), source.next()];
  });
  return dropoutOp({ x }, { p, drawn });
}
