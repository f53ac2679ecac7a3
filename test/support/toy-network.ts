/** All that a new network takes: one file such as this one, and an entry in src/models/architectures.ts. */
import {
  type Architecture,
  completeOptions,
  metadataOf,
  type NetworkOptions,
} from "../../src/models/architecture.ts";
import { SuperResolver } from "../../src/models/super-resolver.ts";
import { Conv2d, PixelShuffle, Sequential } from "../../src/nn/layers.ts";
import { oneOf, whole } from "../../src/options/kinds.ts";
import { defaultRandom, type Random } from "../../src/tensor/random.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";

interface ToyOptions extends NetworkOptions {
  readonly hiddenChannels: number;
}

export const toy: Architecture<"Toy", ToyOptions, "seconds"> = {
  name: "Toy",
  summary: "two convolutions and a pixel shuffle",
  colors: "rgb",
  inputSize: "low",
  options: {
    scale: { kind: oneOf(2, 3), default: 2, help: "enlargement" },
    hiddenChannels: { kind: whole(1), default: 5, help: "channels of the only feature map" },
  },
  presets: {
    seconds: {
      network: { scale: 2, hiddenChannels: 6 },
      ...{ patch: 8, batch: 2, loss: "l1", lr: 1e-3, schedule: { kind: "constant" }, warmup: 0 },
      ...{ steps: 3, evalEvery: 3, logEvery: 1 },
    },
  },
  describe: ({ scale, hiddenChannels }) => `Toy x${scale} of ${hiddenChannels} channels`,
  shortName: ({ scale }) => `toy-x${scale}`,
  looksAtExamples: () => false,
  build: (options, random) => new Toy(options, random),
};

export class Toy extends SuperResolver {
  readonly colors = toy.colors;
  readonly inputSize = toy.inputSize;
  readonly halo = 2;
  readonly scale: number;
  readonly hiddenChannels: number;
  readonly layers: Sequential;

  constructor(options: Partial<ToyOptions>, random: Random = defaultRandom()) {
    super();
    const { scale, hiddenChannels } = completeOptions(toy, options);
    this.scale = scale;
    this.hiddenChannels = hiddenChannels;
    const conv = (from: number, to: number) => new Conv2d(from, to, 3, { padding: 1, random });
    const last = conv(hiddenChannels, 3 * scale ** 2);
    this.layers = new Sequential(conv(3, hiddenChannels), last, new PixelShuffle(scale));
  }

  get valuesPerPixel(): number {
    return Math.max(this.hiddenChannels, 3 * this.scale ** 2);
  }

  forward(x: Tensor): Tensor {
    return this.layers.forward(x);
  }

  metadata(): Record<string, string> {
    return metadataOf(toy, this);
  }
}
