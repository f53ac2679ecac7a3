/** All that a new network takes: one such file, and an entry in the list of src/models/registry.ts. */
import {
  type Architecture,
  ConfiguredNetwork,
  type OptionValues,
  option,
} from "../../src/models/architecture.ts";
import { Conv2d, PixelShuffle, Sequential } from "../../src/nn/layers.ts";
import { oneOf, whole } from "../../src/options/kinds.ts";
import { defaultRandom, type Random } from "../../src/tensor/random.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";

const options = {
  scale: option(oneOf(2, 3), 2, "enlargement"),
  hiddenChannels: option(whole(1), 5, "channels of the only feature map"),
};

type Options = OptionValues<typeof options>;

export const toy: Architecture<"Toy", Options, "seconds"> = {
  name: "Toy",
  summary: "two convolutions and a pixel shuffle",
  colors: "rgb",
  inputSize: "low",
  options,
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

export class Toy extends ConfiguredNetwork<Options> {
  readonly halo = 2;
  readonly layers: Sequential;

  constructor(options: Partial<Options>, random: Random = defaultRandom()) {
    super(toy, options);
    const { scale, hiddenChannels } = this.options;
    const conv = (from: number, to: number) => new Conv2d(from, to, 3, { padding: 1, random });
    const last = conv(hiddenChannels, 3 * scale ** 2);
    this.layers = new Sequential(conv(3, hiddenChannels), last, new PixelShuffle(scale));
  }

  get valuesPerPixel(): number {
    return Math.max(this.options.hiddenChannels, 3 * this.scale ** 2);
  }

  forward(x: Tensor): Tensor {
    return this.layers.forward(x);
  }
}
