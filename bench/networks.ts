/** Whole networks: inference, and the training step of EDSR. */

import { slice } from "../src/kernels/layout/index.ts";
import { l1Loss } from "../src/kernels/loss/index.ts";
import type { Work } from "../src/measure/limits.ts";
import { EDSR } from "../src/models/edsr.ts";
import { ReLU, Tanh } from "../src/nn/activations.ts";
import { Adam } from "../src/nn/index.ts";
import { Conv2d, PixelShuffle, Sequential } from "../src/nn/layers.ts";
import type { Layer } from "../src/nn/module.ts";
import { capture } from "../src/tensor/capture.ts";
import { rand } from "../src/tensor/create.ts";
import { noGrad } from "../src/tensor/no-grad.ts";
import { Random } from "../src/tensor/random.ts";
import { scope } from "../src/tensor/scope.ts";
import { backward } from "../src/tensor/tape.ts";
import type { Tensor } from "../src/tensor/tensor.ts";
import { type ConvSize, convBench, convSize, convWork } from "./conv2d.ts";
import type { Bench, Program, Sample, SampledCheck } from "./harness.ts";

/** A network whose input is a picture of any size. */
export interface Network {
  readonly what: string;
  readonly channels: number;
  readonly scale: number;
  /** Radius, in pixels of the input, within which a pixel influences the result. */
  readonly halo: number;
  build(): Layer;
  /** Its convolutions, in order, for n pictures of side x side. */
  layers(side: number, n: number): ConvSize[];
  /** One of the same layers, but fewer, if the references would take minutes for this one's halo. */
  readonly shallow?: Network;
}

/** Dong et al. 2014: enlarges first, then repairs, so all layers work at the result's size. */
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

/** Shi et al. 2016: all layers work at the small picture's size; a pixel shuffle follows. */
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
  layers: (side, n) => [
    convSize(1, 64, 5, side, n),
    convSize(64, 32, 3, side, n),
    convSize(32, 9, 3, side, n),
  ],
};

/** x2. The two convolutions with fixed weights, which shift the mean colour, do not count as work. */
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
  return works.reduce((a, b) => ({ flops: a.flops + b.flops, bytes: a.bytes + b.bytes }), {
    flops: 0,
    bytes: 0,
  });
}

export function forwardWork({ layers }: Network, side: number, n: number): Work {
  return sum(layers(side, n).map(convWork));
}

/** Forward pass, all weight gradients, and all input gradients but that of the pictures. */
export function trainingWork({ layers }: Network, side: number, n: number): Work {
  const works = layers(side, n).map(convWork);
  return sum([...works, ...works, ...works.slice(1)]);
}

// ---- Programs

function randomPictures({ channels }: Network, side: number, n = 1, seed = 2): Tensor {
  return rand([n, channels, side, side], new Random(seed));
}

export function inference(network: Network, side: number): Program {
  const model = network.build();
  const x = randomPictures(network, side);
  return {
    run() {
      using _ = noGrad();
      return [model.forward(x)];
    },
  };
}

/** A step, on the same batch every time. Results: the loss, and the gradient of each parameter. */
export function trainingStep(network: Network, side: number, n: number, seed = 2): Program {
  const model = network.build();
  const parameters = model.parameters();
  const adam = new Adam(parameters, { lr: 1e-4 });
  const low = randomPictures(network, side, n, seed);
  const high = randomPictures(network, side * network.scale, n, seed + 1);
  return {
    run() {
      const loss = l1Loss(model.forward(low), high);
      const gradients = backward(loss);
      adam.step(gradients);
      return [loss, ...parameters.map((parameter) => gradients.get(parameter)!)];
    },
    dispose: () => adam.dispose(),
  };
}

/** A program that is captured at its first run and replayed from then on. Its result is the first one alone. */
export function replayed(program: Program): Program {
  const step = capture(() => program.run()[0]);
  let runs = 0;
  return {
    run() {
      const result = step();
      // Now and then memory is in use elsewhere; but not always.
      if (++runs === 8 && step.whyBuilt) throw new Error(`The program is not replayed: ${step.whyBuilt}.`);
      return [result];
    },
    dispose() {
      step.dispose();
      program.dispose?.();
    },
  };
}

// ---- Checks

/** The side of the largest picture, up to `side`, that takes the references half a second at most, or so. */
function checkedSide(workOf: (side: number) => Work, side: number): number {
  const multiplyAdds = workOf(1).flops / 2;
  return Math.min(side, Math.max(3, Math.floor(Math.sqrt(40e6 / multiplyAdds))));
}

/**
 * The references' results for some pixels. They depend on the input within the halo only, and beyond the
 * picture's edges on zeros, so a part of the input is enough.
 */
function pixelSamples(network: Network, side: number): Sample[] {
  using _ = scope();
  using __ = noGrad();
  const { halo, scale } = network;
  const model = network.build();
  const picture = randomPictures(network, side);
  const middle = Math.floor(side / 2);
  const places = [
    [0, 0],
    [middle, side - 1],
    [middle, middle],
  ];
  return places.flatMap(([row, column]) => {
    const [top, left] = [Math.max(0, row - halo), Math.max(0, column - halo)];
    const part = slice(picture, [0, 0, top, left], [1, network.channels, row + halo + 1, column + halo + 1]);
    const y = model.forward(part);
    const [, channels, h, w] = y.shape;
    const samples: Sample[] = [];
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < scale; i++) {
        for (let j = 0; j < scale; j++) {
          const from = (c * h + (row - top) * scale + i) * w + (column - left) * scale + j;
          const index = (c * side * scale + row * scale + i) * side * scale + column * scale + j;
          samples.push({ index, value: y.cpuStorage.array[from] });
        }
      }
    }
    return samples;
  });
}

/** The convolutions of a training step in their true size, each different one once, with both gradients. */
function layerChecks({ layers }: Network, side: number, n: number): SampledCheck[] {
  const all = layers(side, n);
  const distinct = all.filter((layer, i) => all.findIndex((each) => sameLayer(each, layer)) === i);
  return distinct.flatMap((layer) =>
    (["forward", "input-grad", "weight-grad"] as const).flatMap(
      (part) => convBench(part, layer).sampled ?? [],
    ),
  );
}

function sameLayer(a: ConvSize, b: ConvSize): boolean {
  return a.c === b.c && a.o === b.o && a.k === b.k && a.h === b.h;
}

// ---- The benches

/** A long wait is worth while: there is no other variant. */
const MAX_SECONDS = 120;

function inferenceBench(name: string, network: Network, side: number): Bench {
  const work = (side: number) => forwardWork(network, side, 1);
  const small = checkedSide(work, side);
  const shallow = network.shallow ?? network;
  return {
    name,
    shape: `${network.what}, ${side}x${side}`,
    variants: [""],
    make: () => inference(network, side),
    work: work(side),
    whole: { what: `${small}x${small}`, make: () => inference(network, small), work: work(small) },
    sampled: [
      {
        what: `pixels of ${shallow.what}, ${side}x${side}`,
        make: () => inference(shallow, side),
        samples: () => pixelSamples(shallow, side),
      },
    ],
    maxSeconds: MAX_SECONDS,
  };
}

export function trainingBench(name: string, network: Network, side: number, n: number, at?: number): Bench {
  const checkedBatch = Math.min(2, n);
  const small = checkedSide((side) => trainingWork(network, side, checkedBatch), side);
  return {
    name,
    shape: `${network.what}, ${n} of ${side}x${side}`,
    variants: [""],
    make: () => trainingStep(network, side, n),
    work: trainingWork(network, side, n),
    whole: {
      what: `loss and gradients of 2 steps, ${checkedBatch} of ${small}x${small}`,
      make: () => trainingStep(network, small, checkedBatch),
      work: trainingWork(network, small, checkedBatch),
      rounds: 2,
      again: () => trainingStep(network, small, checkedBatch, 4),
    },
    sampled: layerChecks(network, side, n),
    // Errors grow on the way through the network and back, and Adam divides small gradients by small ones.
    tolerance: 1e-3,
    maxSeconds: MAX_SECONDS,
    at,
  };
}

export const edsrSmall = edsr(4, 16);
export const edsrBaseline = edsr(16, 64);

export function networkBenches(quick: boolean): Bench[] {
  const side = quick ? 24 : 96;
  const [patch, batch] = quick ? [12, 2] : [24, 4];
  // The baseline takes minutes on slow adapters.
  const edsrs = quick ? [edsrSmall] : [edsrSmall, edsrBaseline];
  return [
    inferenceBench("srcnn", srcnn, side),
    inferenceBench("espcn", espcn, side),
    ...edsrs.map((network) => inferenceBench("edsr-forward", network, side)),
    ...edsrs.map((network) => trainingBench("edsr-train", network, patch, batch)),
  ];
}
