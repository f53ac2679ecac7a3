/** Whole networks: inference, and the training step of EDSR. */
import { l1Loss } from "../src/kernels/loss/index.ts";
import { slice } from "../src/kernels/layout/index.ts";
import { EDSR } from "../src/models/edsr.ts";
import { Adam } from "../src/nn/index.ts";
import { Conv2d, PixelShuffle, ReLU, Sequential, Tanh } from "../src/nn/layers.ts";
import type { Module } from "../src/nn/module.ts";
import { Random } from "../src/tensor/random.ts";
import { numel, type Shape } from "../src/tensor/shape.ts";
import { backward, noGrad } from "../src/tensor/tape.ts";
import { rand, type Tensor } from "../src/tensor/tensor.ts";
import type { Work } from "./ceilings.ts";
import { type ConvSize, convBench, convSize, convWork } from "./conv2d.ts";
import type { Bench, Make, SampledCheck } from "./harness.ts";
import type { Program } from "./timing.ts";

/** A network whose input is a picture of any size. */
interface Network {
  readonly what: string;
  readonly channels: number;
  readonly scale: number;
  /** How many pixels away a pixel of the input can still influence the result. */
  readonly halo: number;
  build(): Module;
  /** Its convolutions, in order, for n pictures of side x side. */
  layers(side: number, n: number): ConvSize[];
  /** One with the same layers, but fewer, where the references would take minutes for the halo of this one. */
  readonly shallow?: Network;
}

/** Dong et al. 2014: enlarge first, then repair; all layers at the result's size. */
const srcnn: Network = {
  what: "SRCNN 9-1-5",
  channels: 1,
  scale: 1,
  halo: 4 + 2,
  build() {
    const random = new Random(1);
    return new Sequential(
      new Conv2d(1, 64, 9, { padding: "same", random }),
      new ReLU(),
      new Conv2d(64, 32, 1, { random }),
      new ReLU(),
      new Conv2d(32, 1, 5, { padding: "same", random }),
    );
  },
  layers: (side, n) => [
    convSize(1, 64, 9, side, n),
    convSize(64, 32, 1, side, n),
    convSize(32, 1, 5, side, n),
  ],
};

/** Shi et al. 2016: all layers at the small picture's size, then a pixel shuffle. */
const espcn: Network = {
  what: "ESPCN x3",
  channels: 1,
  scale: 3,
  halo: 2 + 1 + 1,
  build() {
    const random = new Random(1);
    return new Sequential(
      new Conv2d(1, 64, 5, { padding: "same", random }),
      new Tanh(),
      new Conv2d(64, 32, 3, { padding: "same", random }),
      new Tanh(),
      new Conv2d(32, 9, 3, { padding: "same", random }),
      new PixelShuffle(3),
    );
  },
  layers: (side, n) => [convSize(1, 64, 5, side, n), convSize(64, 32, 3, side, n), convSize(32, 9, 3, side, n)],
};

/** x2; the two convolutions with fixed weights that shift the mean colour are not counted as work. */
export function edsr(blocks: number, channels: number): Network {
  return {
    what: `EDSR ${blocks}x${channels} x2`,
    channels: 3,
    scale: 2,
    halo: 2 * blocks + 4,
    shallow: blocks > 1 ? edsr(1, channels) : undefined,
    build: () => new EDSR({ scale: 2, blocks, channels, random: new Random(1) }),
    layers: (side, n) => [
      convSize(3, channels, 3, side, n),
      ...Array.from({ length: 2 * blocks + 1 }, () => convSize(channels, channels, 3, side, n)),
      convSize(channels, 4 * channels, 3, side, n),
      convSize(channels, 3, 3, 2 * side, n),
    ],
  };
}

function sum(works: readonly Work[]): Work {
  return works.reduce((a, b) => ({ flops: a.flops + b.flops, bytes: a.bytes + b.bytes }), { flops: 0, bytes: 0 });
}

function forwardWork({ layers }: Network, side: number, n: number): Work {
  return sum(layers(side, n).map(convWork));
}

/** Forward pass, every weight gradient, and every input gradient but the pictures'. */
function trainingWork({ layers }: Network, side: number, n: number): Work {
  const works = layers(side, n).map(convWork);
  return sum([...works, ...works, ...works.slice(1)]);
}

// ---- Programs

export function inference({ build, channels }: Network, side: number): Make {
  return () => {
    const model = build();
    const x = rand([1, channels, side, side], new Random(2));
    return {
      run() {
        using _ = noGrad();
        return [model.forward(x)];
      },
    };
  };
}

/** One step on the same batch every time. Its results: the loss, and the gradient of every parameter. */
export function trainingStep({ build, channels, scale }: Network, side: number, n: number): Program {
  const model = build();
  const parameters = model.parameters();
  const adam = new Adam(parameters, { lr: 1e-4 });
  const lr = rand([n, channels, side, side], new Random(2));
  const hr = rand([n, channels, side * scale, side * scale], new Random(3));
  return {
    run() {
      const loss = l1Loss(model.forward(lr), hr);
      const gradients = backward(loss);
      adam.step(gradients);
      return [loss, ...parameters.map((parameter) => gradients.get(parameter)!)];
    },
    dispose: () => adam.dispose(),
  };
}

// ---- Checks

/** Side of the n pictures on which the references take about half a second. */
function checkedSide(work: (side: number) => Work, side: number): number {
  const multiplyAdds = work(1).flops / 2;
  return Math.min(side, Math.max(3, Math.floor(Math.sqrt(40e6 / multiplyAdds))));
}

function randomPicture({ channels }: Network, side: number): Tensor {
  return rand([1, channels, side, side], new Random(2));
}

/**
 * What the references make of some pixels. A pixel of the result depends on the input within the halo only, and at
 * the picture's edges on zeros, so a cut-out of the input is enough.
 */
function pixelSamples(network: Network, side: number): Sample[] {
  using _ = scope();
  using __ = noGrad();
  const { halo, scale } = network;
  const model = network.build();
  const picture = randomPicture(network, side);
  const middle = Math.floor(side / 2);
  return [[0, 0], [middle, side - 1], [middle, middle]].flatMap(([row, column]) => {
    const [top, left] = [Math.max(0, row - halo), Math.max(0, column - halo)];
    const cut = slice(picture, [null, null, [top, row + halo + 1], [left, column + halo + 1]]);
  });
}
