/** Networks that people write themselves: what is wrong with one is said, where the picture would show it as garbage. */
import { beforeEach, describe, expect, test } from "vitest";
import { setDefaultDevice } from "../../src/device/open.ts";
import { mul } from "../../src/kernels/elementwise/index.ts";
import { mean } from "../../src/kernels/reduce/index.ts";
import { interpolate } from "../../src/kernels/resize/index.ts";
import { EDSR, ESPCN, SuperResolver } from "../../src/models/index.ts";
import { multiplyAddsPerPixel } from "../../src/models/work.ts";
import { Conv2d, type Layer, PixelShuffle, Sequential } from "../../src/nn/index.ts";
import { type Planes, toPlanar } from "../../src/picture/planes.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import {
  exportOnnx,
  interpolator,
  type Method,
  networkUpscaler,
  openMethod,
  selfEnsemble,
  upscale,
  upscaleBands,
} from "../../src/upscale/index.ts";
import { noise } from "../data/support.ts";
import { float32Device } from "../support/devices.ts";

const device = float32Device();
beforeEach(() => setDefaultDevice(device));

const picture = noise(12, 10, 3);
const enlarged = async (method: SuperResolver) => (await upscale(picture, { method })).image;

class Net extends SuperResolver {
  scale = 2;
  colors = "rgb" as const;
  inputSize = "low" as const;
  halo = 2;
  valuesPerPixel = 12;

  readonly layers: Layer;

  constructor(layers: Layer = new Sequential(conv(3, 12), new PixelShuffle(2))) {
    super();
    this.layers = layers;
  }

  forward(x: Tensor): Tensor {
    return this.layers.forward(x);
  }

  metadata() {
    return {};
  }
}

const conv = (from: number, to: number, padding = 1) => new Conv2d(from, to, 3, { padding });

/** A forward that is none. */
class Odd extends Net {
  readonly result: (y: Tensor) => unknown;

  constructor(result: (y: Tensor) => unknown) {
    super();
    this.result = result;
  }

  override forward(x: Tensor): Tensor {
    return this.result(super.forward(x)) as Tensor;
  }
}

const should = (shape: string) =>
  `forward of Net: made ${shape} of [1, 3, 8, 8] and should make [1, 3, 16, 16]: look at scale, ` +
  "PixelShuffle and the padding of the convolutions.";

describe("a forward whose result is no picture of the right size", () => {
  test.each<[string, () => SuperResolver, string]>([
    [
      "enlarges by more than scale",
      () => new Net(new Sequential(conv(3, 48), new PixelShuffle(4))),
      should("[1, 3, 32, 32]"),
    ],
    ["lacks its PixelShuffle", () => new Net(conv(3, 12)), should("[1, 12, 8, 8]")],
    [
      "has convolutions without padding",
      () => new Net(new Sequential(conv(3, 12, 0), new PixelShuffle(2))),
      should("[1, 3, 12, 12]"),
    ],
    ["returns a list", () => new Odd((y) => [y]), "forward of Odd: must return a tensor, got [a Tensor]."],
    ["is async", () => new Odd(async (y) => y), "forward of Odd: must return a tensor, got a Promise."],
  ])("%s", async (_, make, message) => {
    const model = make();
    const { live } = device.memory();
    await expect(upscale(picture, { method: model })).rejects.toThrow(message);
    await expect(networkUpscaler(model).upscale(picture)).rejects.toThrow(message);
    expect(() => multiplyAddsPerPixel(model)).toThrow(/^forward of/);
    expect(device.memory().live).toBe(live);
  });

  test("in the second of two stages, too", async () => {
    class TwoFaced extends EDSR {
      readonly step: "features" | "reconstruct";
      constructor(step: "features" | "reconstruct") {
        super({ scale: 2, blocks: 1, channels: 3 });
        this.step = step;
      }
      override get twoStages() {
        const half = (y: Tensor) => interpolate(y, { mode: "nearest", scaleFactor: 0.5 });
        const stages = super.twoStages;
        return { ...stages, [this.step]: (x: Tensor) => half(stages[this.step](x)) };
      }
    }
    await expect(upscale(picture, { method: new TwoFaced("features") })).rejects.toThrow(
      "features of TwoFaced: made [1, 3, 4, 4] of [1, 3, 8, 8] and should make [1, 3, 8, 8]: look at",
    );
    await expect(upscale(picture, { method: new TwoFaced("reconstruct") })).rejects.toThrow(
      "reconstruct of TwoFaced: made [1, 3, 8, 8] of [1, 3, 8, 8] and should make [1, 3, 16, 16]: look at",
    );
  });

  test("depends on inputSize", async () => {
    class Keeps extends Net {
      override inputSize = "high" as never;
    }
    expect(await enlarged(new Keeps(conv(3, 3)))).toMatchObject({ width: 24, height: 20 });
    await expect(upscale(picture, { method: new Keeps() })).rejects.toThrow("and should make [1, 3, 8, 8]: ");
  });
});

test("a frozen network, and one without weights, enlarge", async () => {
  const free = new ESPCN({ scale: 2, filters: [3, 2] });
  const want = await enlarged(free);
  for (const parameter of free.parameters()) parameter.requiresGrad = false;
  expect(await enlarged(free)).toEqual(want);
  expect(multiplyAddsPerPixel(free)).toBeGreaterThan(0);
  expect((await exportOnnx(free)).length).toBeGreaterThan(100);

  class Bicubic extends Net {
    constructor() {
      super(undefined);
      (this as { layers?: Layer }).layers = undefined;
    }
    override forward(x: Tensor): Tensor {
      return interpolate(x, { mode: "nearest", scaleFactor: 2 });
    }
  }
  const model = new Bicubic();
  expect(model.namedTensors().size).toBe(0);
  expect(await enlarged(model)).toEqual((await upscale(picture, { method: "nearest", scale: 2 })).image);
  const { upscaler, parameters } = await openMethod({ method: model });
  expect([upscaler.name, parameters]).toEqual(["Bicubic", 0]);
  expect(multiplyAddsPerPixel(model)).toBe(0);
});

describe("a network or a method that looks at the whole picture", () => {
  /** Attention to channels, by their means over the picture. */
  class Global extends Net {
    override halo = Infinity;
    override forward(x: Tensor): Tensor {
      return super.forward(mul(x, mean(x, [2, 3], { keepdim: true })));
    }
  }

  test("enlarges it at once, whatever `tile` and `tileTime`", async () => {
    const method = new Global();
    const whole = await upscale(picture, { method });
    expect(whole.tiles).toBe(1);
    for (const options of [{ tile: 8 }, { tileTime: 1 }, { padding: "none" as const, tile: 8 }]) {
      const { image, tiles } = await upscale(picture, { method, ...options });
      expect(tiles).toBe(1);
      if (!("padding" in options)) expect(image).toEqual(whole.image);
    }
    const ensemble = await selfEnsemble(networkUpscaler(method)).upscale(picture, { tile: 8 });
    expect(ensemble).toMatchObject({ width: 24, height: 20 });
    expect(multiplyAddsPerPixel(method)).toBe(3 * 12 * 9);
  });

  test("is exported", async () => {
    const convolutions = new Net(); // ONNX files have no operators for means yet
    convolutions.halo = Infinity;
    expect((await exportOnnx(convolutions)).length).toBeGreaterThan(100);
  });

  test("says so if memory does not suffice", async () => {
    await expect(upscale(picture, { method: new Global(), maxMemory: 1000 })).rejects.toThrow(
      /Global looks at the whole picture, so it works on at least \d+ pixels at once here/,
    );
  });

  test("may be a method", async () => {
    const bicubic = interpolator("bicubic", 2);
    const method: Method = { ...bicubic, margin: Infinity };
    const { image, tiles } = await upscale(picture, { method, tile: 8 });
    expect(tiles).toBe(1);
    expect(image).toEqual((await upscale(picture, { method: bicubic })).image);
  });
});

test.each<[property: string, value: unknown, wants: string]>([
  ["scale", 1.5, "a whole number of at least 1, got 1.5."],
  ["colors", "RGB", 'rgb or y, got "RGB".'],
  ["inputSize", "small", 'low or high, got "small".'],
  ["halo", undefined, "a whole number of at least 0, or Infinity, got undefined."],
  ["valuesPerPixel", undefined, "a number above 0, got undefined."],
  ["multiple", 0, "a whole number of at least 1, got 0."],
])("%s of a network is %s", async (property, value, wants) => {
  const model = new Net();
  Object.defineProperty(model, property, { value });
  const message = `${property} of Net must be ${wants}`;
  expect(() => networkUpscaler(model)).toThrow(`networkUpscaler: ${message}`);
  expect(() => multiplyAddsPerPixel(model)).toThrow(`multiplyAddsPerPixel: ${message}`);
  await expect(exportOnnx(model)).rejects.toThrow(`exportOnnx: ${message}`);
  await expect(upscale(picture, { method: model })).rejects.toThrow(message);
});

describe("an object that enlarges planes", () => {
  const bicubic = interpolator("bicubic", 2);
  const mine = { ...bicubic, name: "mine", enlargeBytes: undefined, onLevels: undefined };
  const [of, ofMine] = [
    (object: object) => object as Method,
    (part: object) => ({ ...mine, ...part }) as Method,
  ];

  test.each<[what: string, method: Method, sentence: string]>([
    [
      "without pixelsWithin",
      of({ name: "mine", scale: 2, colors: "rgb", margin: 0, enlarge: mine.enlarge }),
      "pixelsWithin of method must be a function, got undefined.",
    ],
    [
      "without a margin",
      ofMine({ margin: undefined }),
      "margin of method must be a whole number of at least 0, or Infinity, got undefined.",
    ],
    ["with other colours", ofMine({ colors: "RGB" }), 'colors of method must be rgb, y or any, got "RGB".'],
    [
      "that openMethod() returned",
      of({ upscaler: bicubic, close() {} }),
      "method is what openMethod() returns; pass its upscaler.",
    ],
  ])("%s", async (_, method, sentence) => {
    await expect(upscale(picture, { method })).rejects.toThrow(`upscale: ${sentence}`);
    await expect(openMethod({ method })).rejects.toThrow(`openMethod: ${sentence}`);
    expect(() => selfEnsemble(method)).toThrow(
      `selfEnsemble: ${sentence.replace("of method", "of the first argument").replace(/^method/, "the first argument")}`,
    );
  });

  test("an instance of a class, also one with private fields, and an object whose functions use `this`", async () => {
    class Base {
      readonly colors = "rgb";
      readonly device = undefined;
      readonly #name: string;
      constructor(name: string) {
        this.#name = name;
      }
      get name() {
        return this.#name;
      }
      pixelsWithin(bytes: number) {
        return Math.floor(bytes / this.#name.length);
      }
    }
    class Bicubic extends Base {
      readonly #scale = 2;
      readonly margin = 2;
      get scale() {
        return this.#scale;
      }
      enlarge(planes: Planes) {
        return interpolator("bicubic", this.#scale).enlarge(planes);
      }
    }
    const literal: Method & { readonly bytes: number } = {
      ...mine,
      bytes: 40,
      pixelsWithin(bytes) {
        return Math.floor(bytes / this.bytes);
      },
      enlarge(planes) {
        return interpolator("bicubic", this.scale).enlarge(planes);
      },
    };
    for (const method of [new Bicubic("mine"), literal]) {
      const { image: wanted } = await upscale(picture, { method: mine });
      expect(await upscale(picture, { method, tile: 8 })).toMatchObject({ image: wanted, method: "mine" });
      const { upscaler } = await openMethod({ method });
      expect(await upscaler.upscale(picture)).toEqual(wanted);
      expect(await (await upscaleBands(picture, { method })).image()).toEqual(wanted);
      const twice = await selfEnsemble(method).upscale(picture);
      expect(twice).toEqual(await selfEnsemble(mine).upscale(picture));
    }
  });

  test("what a class says by a getter counts for its windows, too", async () => {
    const windows = new Set<number>();
    class Eights {
      readonly name = "eights";
      readonly scale = 2;
      readonly colors = "rgb";
      readonly device = undefined;
      readonly margin = 8;
      get multiple() {
        return 8;
      }
      pixelsWithin(bytes: number) {
        return Math.floor(bytes / 40);
      }
      enlarge(planes: Planes) {
        windows.add(planes.width % 8).add(planes.height % 8);
        return interpolator("bicubic", 2).enlarge(planes);
      }
    }
    await upscale(picture, { method: new Eights(), tile: 8 });
    expect([...windows]).toEqual([0]);
  });

  test("to another size", async () => {
    const small = ofMine({ enlarge: async (planes: Planes) => planes });
    const message = /^enlarge of mine: made planes of 3 x (\d+) x (\d+) and should make 3 x (\d+) x (\d+)\.$/;
    await expect(upscale(picture, { method: small })).rejects.toThrow(message);
    const planes = { width: 12, height: 10, channels: 3, data: toPlanar(picture) };
    const { upscaler } = await openMethod({ method: small });
    await expect(upscaler.upscalePlanes(planes)).rejects.toThrow(message);
    const none = ofMine({ enlarge: async () => undefined });
    await expect(upscale(picture, { method: none })).rejects.toThrow("enlarge of mine: planes are { width");
  });

  test("to what is no number", async () => {
    const method = ofMine({
      enlarge: async (planes: Planes) => {
        const large = await mine.enlarge(planes);
        return { ...large, data: large.data.fill(Number.NaN) };
      },
    });
    await expect(upscale(picture, { method })).rejects.toThrow(
      /^upscale: mine made NaN or infinity of a pixel/,
    );
    await expect(upscaleBands(picture, { method }).then((bands) => bands.image())).rejects.toThrow(
      /^upscaleBands: mine made NaN/,
    );
    const { upscaler } = await openMethod({ method });
    await expect(upscaler.upscaleY(new Float32Array(12), 4, 3)).rejects.toThrow(/^upscaleY: mine made NaN/);
  });
});
