/** Kernels that wait for memory: their arithmetic takes no time, so their ceiling is that of a copy. */

import { defaultDevice } from "../src/device/open.ts";
import { add, relu } from "../src/kernels/elementwise/index.ts";
import { l1Loss } from "../src/kernels/loss/index.ts";
import { adamStep } from "../src/kernels/optim/adam.ts";
import { pixelShuffle } from "../src/kernels/pixel-shuffle/index.ts";
import { rand, tensor } from "../src/tensor/create.ts";
import { noGrad } from "../src/tensor/no-grad.ts";
import { Random } from "../src/tensor/random.ts";
import { formatShape, numel, type Shape } from "../src/tensor/shape.ts";
import type { Tensor } from "../src/tensor/tensor.ts";
import { type Bench, gradientOf, type Make } from "./harness.ts";

/** Of EDSR with 16 blocks of 64 channels, enlarging by 2. */
const EDSR_PARAMETERS = 1_369_859;

export function memoryBoundBenches(quick: boolean): Bench[] {
  const side = (full: number) => (quick ? full / 4 : full);
  const features: Shape = [1, 64, side(128), side(128)];
  const pictures: Shape = [16, 3, side(96), side(96)];
  const parameters = quick ? 100_003 : EDSR_PARAMETERS;
  return [
    memoryBound("pixel-shuffle", [1, 256, side(96), side(96)], 2, (x) => [pixelShuffle(x, 2)]),
    memoryBound("relu", features, 2, (x) => [relu(x)]),
    memoryBound("add", features, 3, (x, y) => [add(x, y)]),
    memoryBound("l1", pictures, 2, (x, y) => [l1Loss(x, y)]),
    bench("l1-grad", pictures, 3, l1Gradient(pictures)),
    bench("adam", [parameters], 7, adam(parameters)),
  ];
}

/** `f` of one or two tensors with values in -1..1. `passes`: all bytes moved, in multiples of x's. */
function memoryBound(
  name: string,
  shape: Shape,
  passes: number,
  f: (x: Tensor, y: Tensor) => Tensor[],
): Bench {
  return bench(name, shape, passes, () => {
    const x = rand(shape, { random: new Random(1), low: -1, high: 1 });
    const y = rand(shape, { random: new Random(2), low: -1, high: 1 });
    return { run: () => f(x, y) };
  });
}

/** The references compute these in full, so the timed program is the checked one. */
function bench(name: string, shape: Shape, passes: number, make: Make): Bench {
  const work = { flops: 0, bytes: 4 * passes * numel(shape) };
  return {
    name,
    shape: formatShape(shape),
    variants: [""],
    make,
    work,
    whole: { what: "all of it", make, work },
  };
}

function l1Gradient(shape: Shape): Make {
  return () => {
    const x = rand(shape, { random: new Random(1), low: -1, high: 1, requiresGrad: true });
    const target = rand(shape, { random: new Random(2), low: -1, high: 1 });
    const rule = l1Loss(x, target).node!.backward!;
    const dy = tensor(1);
    return {
      run() {
        using _ = noGrad();
        return [gradientOf(rule(dy).x!)];
      },
    };
  };
}

/** One update of all parameters in the middle of training, where the running means are not zero. */
function adam(size: number): Make {
  return () => {
    const device = defaultDevice();
    const values = (seed: number, low: number, high: number) =>
      rand([size], { random: new Random(seed), low, high });
    const parameters = values(1, -1, 1);
    const gradients = values(2, -1, 1);
    const m = values(3, -1, 1);
    const v = values(4, 0, 1);
    const buffers = {
      parameters: parameters.storage,
      gradients: gradients.storage,
      m: m.storage,
      v: v.storage,
    };
    const options = { betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 } as const;
    return {
      run() {
        adamStep(device, buffers, options, { lr: 1e-3, steps: 10 });
        return [parameters, m, v];
      },
    };
  };
}
