/**
 * In the worker: a network of three convolutions learns to sharpen one small picture, and shows on the way what is
 * otherwise only on the card. Everything that is drawn comes from the library's own forward() and backward().
 */
import {
  Adam,
  add,
  backward,
  Conv2d,
  mseLoss,
  Random,
  relu,
  Sequential,
  scope,
  sub,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { type Image, imresize } from "../../src/picture/index.ts";
import type { Card } from "./card.ts";
import type { Maps, TrainInput, TrainStep } from "./messages.ts";

/** Feature maps of each layer, and the sides of the layers' windows. */
const CHANNELS = 12;
const WINDOWS = [5, 3, 3] as const;

type Weights = Awaited<ReturnType<Sequential["stateDict"]>>;

class Sharpener {
  readonly first = new Conv2d(3, CHANNELS, WINDOWS[0], { padding: "same", random: new Random(1) });
  readonly second = new Conv2d(CHANNELS, CHANNELS, WINDOWS[1], { padding: "same", random: new Random(2) });
  readonly last = new Conv2d(CHANNELS, 3, WINDOWS[2], { padding: "same", random: new Random(3) });
  readonly all = new Sequential(this.first, this.second, this.last);
  readonly adam = new Adam(this.all.parameters());
  readonly x: Tensor;
  readonly target: Tensor;

  constructor(input: Maps, target: Maps) {
    this.x = asTensor(input);
    this.target = asTensor(target);
  }

  /** One step. Its tensors belong to the scope around it. */
  step(lr: number) {
    const a = relu(this.first.forward(sub(this.x, 0.5)));
    const b = relu(this.second.forward(a));
    const y = add(this.x, this.last.forward(b)); // what it learns is the difference
    const loss = mseLoss(y, this.target);
    const parameters = this.all.parameters();
    const gradients = backward(loss, [...parameters, a, b, y]);
    this.adam.lr = lr;
    // Those of the feature maps are for people.
    this.adam.step(new Map(parameters.map((parameter) => [parameter, gradients.get(parameter)!])));
    return { a, b, y, loss, gradientOf: (of: Tensor) => gradients.get(of)! };
  }

  dispose(): void {
    this.adam.dispose();
    this.all.dispose();
    this.x.dispose();
    this.target.dispose();
  }
}

export class Training {
  readonly #card: Card;
  #input: Maps | undefined;
  #target: Maps | undefined;
  #network: Sharpener | undefined;
  #steps = 0;
  /** The weights after the last step that was drawn, in case the device is lost. */
  #saved: Weights | undefined;

  constructor(card: Card) {
    this.#card = card;
  }

  async step(input: TrainInput): Promise<TrainStep> {
    if (input.picture) {
      this.#forget();
      [this.#target, this.#input] = [mapsOf(input.picture), mapsOf(blur(input.picture))];
      [this.#saved, this.#steps] = [undefined, 0];
    }
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#attempt(input, attempt > 0);
      } catch (error) {
        if (attempt > 0 || !(await this.#card.lost(error))) throw error;
        this.#network = undefined; // its tensors went with the device
      }
    }
  }

  async #attempt({ lr, steps }: TrainInput, again: boolean): Promise<TrainStep> {
    const device = await this.#card.device();
    if (!this.#input || !this.#target) throw new Error("There is no picture to train on yet.");
    const recovered = again || (this.#network !== undefined && this.#network.x.device !== device);
    if (recovered) this.#network = undefined;
    if (!this.#network) {
      this.#network = new Sharpener(this.#input, this.#target);
      if (this.#saved) this.#network.all.loadStateDict(this.#saved);
    }
    const network = this.#network;
    const began = performance.now();
    for (let i = 1; i < steps; i++) {
      using _ = scope();
      network.step(lr);
    }
    using _ = scope();
    const { a, b, y, loss, gradientOf } = network.step(lr);
    const value = await loss.item();
    const ms = (performance.now() - began) / steps;
    const { weight } = network.first;
    const [baseline, saved, ...maps] = await Promise.all([
      mseLoss(network.x, network.target).item(),
      network.all.stateDict(),
      ...[y, gradientOf(y), a, b, gradientOf(a), gradientOf(b), weight, gradientOf(weight)].map(read),
    ]);
    const [output, outputGradient, first, second, dFirst, dSecond, weights, weightGradients] = maps;
    this.#steps += steps;
    this.#saved = saved;
    return {
      ...{ step: this.#steps, loss: value, baseline, ms, adapter: device.name, recovered },
      ...{ input: this.#input, target: this.#target, output, outputGradient },
      ...{ features: [first, second], featureGradients: [dFirst, dSecond] },
      ...{ weights, weightGradients },
    };
  }

  #forget(): void {
    if (this.#network && !this.#network.x.device.failure) this.#network.dispose();
    this.#network = undefined;
  }
}

/** At half its size and back: what a small picture looks like when it is enlarged by interpolation. */
function blur(picture: Image): Image {
  const { width, height } = picture;
  return imresize(imresize(picture, { width: width / 2, height: height / 2 }), { width, height });
}

/** Samples from 0 to 1, one channel after the other. */
function mapsOf({ width, height, channels, data }: Image): Maps {
  const area = width * height;
  const values = Float32Array.from(
    { length: channels * area },
    (_, i) => data[(i % area) * channels + Math.floor(i / area)] / 255,
  );
  return { channels, height, width, data: values };
}

function asTensor({ channels, height, width, data }: Maps): Tensor {
  return tensor(data, [1, channels, height, width]);
}

/** All but the last two axes of a tensor become one. */
async function read(of: Tensor): Promise<Maps> {
  const { shape } = of;
  const [height, width] = shape.slice(-2);
  return { channels: of.size / (height * width), height, width, data: await of.data() };
}
