/** Names, counts, states and disposal of networks; layers by themselves and in sequence. */
import { beforeEach, describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { fromHalf, toHalf } from "../../src/device/half.ts";
import { setDefaultDevice } from "../../src/device/open.ts";
import * as ops from "../../src/index.ts";
import { convTranspose2d } from "../../src/kernels/conv-transpose2d/index.ts";
import { conv2d } from "../../src/kernels/conv2d/index.ts";
import { interpolate } from "../../src/kernels/resize/index.ts";
import {
  Adam,
  AdaptiveAvgPool2d,
  AvgPool2d,
  BatchNorm2d,
  CharbonnierLoss,
  Conv2d,
  ConvTranspose2d,
  type ConvTranspose2dModuleOptions,
  CrossEntropyLoss,
  Dropout,
  ELU,
  Flatten,
  GELU,
  Identity,
  L1Loss,
  type Layer,
  Linear,
  MaxPool2d,
  Module,
  MSELoss,
  PixelShuffle,
  PReLU,
  ReLU,
  Sequential,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Tanh,
  Upsample,
} from "../../src/nn/index.ts";
import { compileAhead } from "../../src/tensor/compile-ahead.ts";
import { ones, rand, tensor, zeros } from "../../src/tensor/create.ts";
import { noGrad } from "../../src/tensor/no-grad.ts";
import { manualSeed, Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { ShapeError } from "../../src/tensor/shape.ts";
import { backward } from "../../src/tensor/tape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { loadCheckpoint, loadWeights, saveCheckpoint, saveWeights } from "../../src/weights/index.ts";
import { expectTensorsClose } from "../support/close.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";

const cpu = float32Device();
const devices: Device[] = [cpu, ...(await gpuDevices())];
const perDevice = devices.map((device) => [device.name, device] as const);
beforeEach(() => setDefaultDevice(cpu));

function tensorOnCpu(): Tensor {
  return tensor([1], [1], { device: cpu });
}

class Block extends Module {
  readonly conv = new Conv2d(2, 2, 1);
  readonly slopes = new PReLU(2);
  forward(x: Tensor): Tensor {
    return this.slopes.forward(this.conv.forward(x));
  }
}

class Network extends Module {
  readonly scale = 2;
  readonly mean = tensor([0.5, 0.5]); // not trained
  readonly blocks = [new Block(), new Block()];
  readonly tail = new Sequential(new Conv2d(2, 8, 3, { padding: 1, bias: false }), new PixelShuffle(2));
  readonly again = this.tail.modules[0]; // the same weights under another name
  forward(x: Tensor): Tensor {
    return this.tail.forward(this.blocks.reduce((y, block) => block.forward(y), x));
  }
}

describe("Module", () => {
  test("names tensors by the properties that hold them", () => {
    const network = new Network();
    expect([...network.namedTensors().keys()]).toEqual([
      "mean",
      "blocks.0.conv.weight",
      "blocks.0.conv.bias",
      "blocks.0.slopes.weight",
      "blocks.1.conv.weight",
      "blocks.1.conv.bias",
      "blocks.1.slopes.weight",
      "tail.0.weight",
      "again.weight",
    ]);
  });

  test("parameters are those with requiresGrad, each once", () => {
    const network = new Network();
    const block = 2 * 2 + 2 + 2;
    expect(network.parameters().length).toBe(7);
    expect(network.parameterCount()).toBe(2 * block + 8 * 2 * 9);
    network.blocks[0].conv.weight.requiresGrad = false;
    expect(network.parameters().length).toBe(6);
  });

  test.each(perDevice)("a state goes there and back on %s", async (_, device) => {
    setDefaultDevice(device);
    const [network, other] = [new Network(), new Network()];
    const state = await network.stateDict();
    expect(state.get("blocks.1.conv.weight")!.shape).toEqual([2, 2, 1, 1]);
    expect(await other.stateDict()).not.toEqual(state); // other random weights
    other.loadStateDict(state);
    expect(await other.stateDict()).toEqual(state);
    network.dispose();
    other.dispose();
  });

  test("a state that does not fit is refused, and nothing changes", async () => {
    const network = new Network();
    const before = await network.stateDict();
    const state = await new Network().stateDict();
    const bias = state.get("blocks.0.conv.bias")!;
    const missing = new Map(state);
    missing.delete("blocks.0.conv.bias");
    missing.delete("tail.0.weight");
    const cases: [Parameters<Module["loadStateDict"]>[0], string | undefined, string][] = [
      [
        missing,
        "x.safetensors",
        "x.safetensors does not fit this Network: it lacks blocks.0.conv.bias, tail.0.weight.",
      ],
      [
        new Map([...state, ["head.weight", bias]]),
        undefined,
        "the given state does not fit this Network: it has head.weight, which this network lacks.",
      ],
      [
        new Map([...state, ["blocks.0.conv.bias", { shape: [3], data: new Float32Array(3) }]]),
        undefined,
        "blocks.0.conv.bias is [3] and should be [2].",
      ],
      [
        new Map([
          ["a", bias],
          ["b", bias],
          ["c", bias],
          ["d", bias],
          ["e", bias],
        ]),
        undefined,
        "it lacks mean, blocks.0.conv.weight, blocks.0.conv.bias, blocks.0.slopes.weight and 5 more; " +
          "it has a, b, c, d and 1 more, which this network lacks.",
      ],
    ];
    for (const [wrong, source, message] of cases) {
      expect(() => network.loadStateDict(wrong, { source })).toThrow(message);
      expect(() => network.loadStateDict(wrong, { source })).toThrow("create the network with the options");
      expect(await network.stateDict()).toEqual(before);
    }
  });

  test("strict: false takes what fits, and lists what does not", async () => {
    const network = new Network();
    const state = new Map(await new Network().stateDict());
    state.delete("mean");
    state.set("head.weight", { shape: [1], data: new Float32Array(1) });
    state.set("blocks.0.conv.bias", { shape: [3], data: new Float32Array(3) });
    const before = await network.stateDict();
    expect(network.loadStateDict(state, { strict: false })).toEqual({
      missing: ["mean"],
      unexpected: ["head.weight"],
      misshapen: ["blocks.0.conv.bias"],
    });
    const after = await network.stateDict();
    for (const [name, { data }] of after) {
      const unchanged = name === "mean" || name === "blocks.0.conv.bias";
      expect(data, name).toEqual((unchanged ? before : state).get(name)!.data);
    }
    expect(network.loadStateDict(after)).toEqual({ missing: [], unexpected: [], misshapen: [] });
  });

  test("half() stores all tensors as float16, those of several names once, and keeps what they are", async () => {
    const device = float32Device();
    setDefaultDevice(device);
    const layer = new Conv2d(2, 3, 3);
    const model = new Sequential(layer, layer, new PReLU());
    const before = await model.stateDict();
    const { live, liveBytes } = device.memory();
    expect(model.half()).toBe(model);
    expect(device.memory().live).toBe(live);
    expect(device.memory().liveBytes).toBe(liveBytes - 2 * (2 * 3 * 9 + 3 + 1));
    for (const [name, { shape, data }] of await model.stateDict()) {
      expect(shape).toEqual(before.get(name)!.shape);
      expect(data).toEqual(fromHalf(toHalf(before.get(name)!.data)));
    }
    expect((await model.stateDict()).get("0.weight")).not.toEqual(before.get("0.weight"));
    expect(model.parameters()).toHaveLength(3);
    expect(model.half().parameters()).toHaveLength(3); // once more changes nothing
    expect(() => new Adam(model.parameters())).toThrow("Adam: a parameter is stored as float16");
    model.loadStateDict(before);
    expect(layer.weight.dtype).toBe("float16");
  });

  test("arrays of tensors and modules count, nested ones as well", () => {
    class Lists extends Module {
      readonly gains = [tensor([1], [1], { requiresGrad: true }), tensor([2])];
      readonly grid = [[new PReLU()], [new PReLU(), new ReLU()]];
      readonly sizes = [1, 2, 3];
      readonly options = { padding: "same", list: [1, { deep: true }] };
      forward = (x: Tensor): Tensor => x;
    }
    const lists = new Lists();
    expect([...lists.namedTensors().keys()]).toEqual([
      "gains.0",
      "gains.1",
      "grid.0.0.weight",
      "grid.1.0.weight",
    ]);
    expect(lists.parameterCount()).toBe(3);
  });

  test.each([
    ["Map", new Map([["a", new ReLU()]])],
    ["Map", new Map([[new ReLU(), 1]])],
    ["Set", new Set([tensorOnCpu()])],
    ["Object", { a: 1, b: { c: [new ReLU()] } }],
    ["Object", Object.assign(Object.create(null), { a: tensorOnCpu() })],
  ])("a %s of tensors or modules is refused: they would silently not be trained", (_, container) => {
    class Holder extends Module {
      readonly parts = container;
      forward = (x: Tensor): Tensor => x;
    }
    const message =
      /^Holder: the \w+ in "parts" holds tensors or modules, .* properties of the module or in arrays/;
    expect(() => new Holder().parameters()).toThrow(message);
  });

  test("so is an object of a class that is no module; what refers back to a module is in a private field", () => {
    class Head {
      readonly conv = new Conv2d(1, 1, 1);
    }
    class Lists {
      readonly layers = new Map([["first", new ReLU()]]);
    }
    class Holder extends Module {
      parts: unknown;
      constructor(parts: unknown) {
        super();
        this.parts = parts;
      }
      forward = (x: Tensor): Tensor => x;
    }
    for (const parts of [new Head(), new Lists(), { head: new Head() }]) {
      expect(() => new Holder(parts).parameters()).toThrow(
        /^Holder: the (Head|Lists|Object) in "parts" holds tensors or modules, .* private field \(#name\)\.$/,
      );
    }
    // What has no tensors of its own, such as a page, may hang together with everything.
    class Page {
      readonly state = new Head();
      owner: unknown;
    }
    const page = new Page();
    const holder = new Holder(page);
    page.owner = holder;
    expect(holder.parameters()).toEqual([]);
    expect(new Holder([cpu, new Float32Array(3), new Random(1), new Date()]).parameters()).toEqual([]);
  });

  test("an object of a class may hold what is no lost layer: the module's own parts, constants and results", () => {
    class Context {
      held: unknown;
      constructor(held: unknown) {
        this.held = held;
      }
    }
    class Part extends Module {
      readonly context: Context;
      constructor(context: Context) {
        super();
        this.context = context;
      }
      forward = (x: Tensor): Tensor => x;
    }
    class Whole extends Module {
      readonly body = new Sequential(new Conv2d(1, 1, 1));
      readonly part = new Part(new Context(this));
      readonly trainer = new Context([
        this.body.modules[0],
        this.body,
        (this.body.modules[0] as Conv2d).weight,
      ]);
      readonly constant = new Context(tensorOnCpu());
      readonly cache = new Context(undefined);
      forward(x: Tensor): Tensor {
        const y = this.body.forward(x);
        this.cache.held = y;
        return y;
      }
    }
    const whole = new Whole();
    whole.forward(zeros([1, 1, 1, 1]));
    expect([...whole.namedTensors().keys()]).toEqual(["body.0.weight", "body.0.bias"]);
    whole.train().evaluating(() => expect(whole.part.training).toBe(false));
    whole.cache.held = new Set([new ReLU()]);
    expect(() => whole.parameters()).toThrow('Whole: the Context in "cache" holds tensors or modules');
  });

  test("of objects of classes, no getter is called, and of large containers only the first items are read", () => {
    let reads = 0;
    const watched = function* () {
      for (; reads < 5000; reads++) yield [`word ${reads}`, reads] as const;
    };
    class Words extends Map<string, number> {
      override [Symbol.iterator] = watched as unknown as Map<string, number>[typeof Symbol.iterator];
    }
    class Tokenizer {
      readonly words = new Words();
      constructor() {
        // As decorators and accessors of other libraries leave it: a property that can be listed.
        const get = () => expect.fail("a getter is called");
        Object.defineProperty(this, "loaded", { enumerable: true, get });
      }
    }
    class Reader extends Module {
      readonly tokenizer = new Tokenizer();
      forward = (x: Tensor): Tensor => x;
    }
    expect(new Reader().parameters()).toEqual([]);
    expect(reads).toBeGreaterThan(0);
    expect(reads).toBeLessThanOrEqual(100);
  });

  test("a module that is a part of itself is refused: names and text would have no end", () => {
    class Child extends Module {
      parent: Module | undefined;
      readonly weight = tensor([1], [1], { requiresGrad: true });
      forward = (x: Tensor): Tensor => x;
    }
    class Parent extends Module {
      readonly child = new Child();
      forward = (x: Tensor): Tensor => x;
    }
    const parent = new Parent();
    expect(parent.parameterCount()).toBe(1);
    parent.child.parent = parent;
    const message = /: this module is a part of itself, .* in private fields \(#parent\)/;
    for (const use of [
      () => parent.parameters(),
      () => parent.child.namedTensors(),
      () => new Sequential(parent as Layer).parameters(),
      () => `${parent}`,
      () => parent.train(),
      () => parent.eval(),
      () => parent.evaluating(() => 1),
      () => parent.half(),
      () => parent.dispose(),
    ]) {
      expect(use).toThrow(Error);
      expect(use).toThrow(message);
    }
    parent.child.parent = undefined;
    expect(`${parent}`).toContain("child: Child");
    expect(parent.parameters()).toEqual([parent.child.weight]);
  });

  test("subclasses of the library's modules have layers of their own, as PyTorch names them", async () => {
    class Residual extends Sequential {
      readonly skip = new Conv2d(1, 1, 1, { bias: false });
      override forward(x: Tensor): Tensor {
        return ops.add(super.forward(x), this.skip.forward(x));
      }
    }
    class Shifted extends BatchNorm2d {
      readonly shift = tensor([0], [1], { requiresGrad: true });
    }
    const residual = new Residual(new Conv2d(1, 1, 1, { bias: false }));
    expect([...residual.namedTensors().keys()]).toEqual(["0.weight", "skip.weight"]);
    expect(residual.parameterCount()).toBe(2);
    expect(`${residual}`).toContain("0, skip: 2 x Conv2d");
    expect(residual.eval().skip.training).toBe(false);
    expect([...(await residual.stateDict()).keys()]).toEqual(["0.weight", "skip.weight"]);
    expect([...new Shifted(2).namedTensors().keys()]).toContain("shift");
    class Skipping extends ops.RRDBNet {
      readonly skip = new PReLU();
    }
    const small = new Skipping({ scale: 4, blocks: 1, channels: 1, growth: 1 });
    expect([...small.namedTensors().keys()].slice(-5)).toEqual([
      "conv_hr.weight",
      "conv_hr.bias",
      "conv_last.weight",
      "conv_last.bias",
      "skip.weight",
    ]);
    expect([...small.namedTensors().keys()]).toContain("conv_up2.weight");
  });

  test("two tensors under one name are refused: one would be neither trained nor saved", () => {
    class Up extends ops.RRDBNet {
      readonly conv_up1 = new PReLU(1);
    }
    const up = new Up({ scale: 4, blocks: 1, channels: 1, growth: 1 });
    const message =
      'Up: two tensors are called "conv_up1.weight", so one would be neither trained nor saved. Rename';
    expect(() => up.parameters()).toThrow(message);
    class Norm extends BatchNorm2d {
      readonly running_mean = this.runningMean; // the same under a second property is no second one
    }
    expect(new Norm(1).namedTensors().size).toBe(5);
  });

  test("a checkpoint with an infinite buffer, such as a mask, loads; NaN and infinite parameters do not", async () => {
    class Masked extends Module {
      readonly weight = tensor([1, 2], [2], { requiresGrad: true });
      readonly mask = tensor([0, -Infinity], [2]);
      forward = (x: Tensor): Tensor => x;
    }
    const saved = new Masked();
    const [model, adam] = [new Masked(), new Adam(new Masked().parameters())];
    loadCheckpoint({ model }, await saveCheckpoint({ model: saved, adam }));
    expect([...(await model.mask.data())]).toEqual([0, -Infinity]);
    expect(loadWeights(model, await saveWeights(saved))).toEqual({});
    for (const [name, value] of [
      ["mask", NaN],
      ["weight", NaN],
      ["weight", Infinity],
    ] as const) {
      const broken = new Masked();
      broken[name].assign([1, value]);
      const state = await broken.stateDict();
      expect(() => model.loadStateDict(state)).toThrow(`holds ${value} in the tensor ${name}. The training`);
    }
    expect([...(await model.mask.data())]).toEqual([0, -Infinity]);
  });

  test("infinite running statistics do not load: training diverged", async () => {
    const network = new Sequential(new Conv2d(1, 1, 1), new BatchNorm2d(1));
    for (const name of ["1.running_mean", "1.running_var"]) {
      const state = new Map(await network.stateDict()).set(name, {
        shape: [1],
        data: Float32Array.of(Infinity),
      });
      expect(() => network.loadStateDict(state)).toThrow(
        `holds Infinity in the tensor ${name}. The training`,
      );
    }
  });

  test.each(perDevice)("dispose frees everything on %s", (_, device) => {
    setDefaultDevice(device);
    const { live } = device.memory();
    const network = new Network();
    expect(device.memory().live).toBe(live + 8);
    network.dispose();
    network.dispose(); // harmless
    expect(device.memory().live).toBe(live);
  });
});

describe("train and eval", () => {
  test("reach all parts", () => {
    const network = new Network();
    const parts = [network, ...network.blocks, network.blocks[0].conv, network.tail, network.tail.modules[1]];
    expect(parts.map(({ training }) => training)).toEqual(parts.map(() => true));
    expect(network.eval()).toBe(network);
    expect(parts.map(({ training }) => training)).toEqual(parts.map(() => false));
    network.train();
    expect(parts.map(({ training }) => training)).toEqual(parts.map(() => true));
    expect(() => network.train("yes" as never)).toThrow(
      /Network.train: mode must be true or false, got "yes"/,
    );
  });

  test("evaluating leaves every part as it was, also after an error", () => {
    const network = new Network();
    network.tail.eval();
    const parts = [network, ...network.blocks, network.blocks[0].conv, network.tail, network.tail.modules[1]];
    const before = parts.map(({ training }) => training);
    expect(network.evaluating(() => parts.map(({ training }) => training))).toEqual(parts.map(() => false));
    expect(parts.map(({ training }) => training)).toEqual(before);
    const fails = () => {
      throw new Error("no");
    };
    expect(() => network.evaluating(fails)).toThrow("no");
    expect(parts.map(({ training }) => training)).toEqual(before);
    expect(() => network.evaluating(async () => network.training)).toThrow(
      "Network.evaluating: the function returned a promise: if it is async, eval mode ended at its first await. Return",
    );
    expect(parts.map(({ training }) => training)).toEqual(before);
    expect(before).toContain(true);
  });

  test("Dropout zeroes in training alone", async () => {
    const layer = new Dropout(0.5, { random: new Random(1) });
    const x = ones([1000]);
    const zeros = async () => (await layer.forward(x).data()).filter((value) => value === 0).length;
    expect(Math.abs((await zeros()) - 500)).toBeLessThan(70);
    layer.eval();
    expect(layer.forward(x)).toBe(x);
  });
});

test.each(perDevice)(
  "what is only compiled moves no statistics and draws no numbers, on %s",
  async (_, device) => {
    setDefaultDevice(device);
    const random = new Random(1);
    const network = new Sequential(new BatchNorm2d(2), new Dropout(0.5, { random }));
    const x = ones([2, 2, 3, 3]);
    const before = await network.stateDict();
    await compileAhead(() => backward(ops.mean(network.forward(x))));
    expect(await network.stateDict()).toEqual(before);
    expect(random.state()).toEqual(new Random(1).state());
    network.dispose();
  },
);

describe("BatchNorm2d", () => {
  test("has parameters and buffers with PyTorch's names", () => {
    const layer = new BatchNorm2d(3);
    expect([...layer.namedTensors()].map(([name, { shape }]) => [name, shape])).toEqual([
      ["weight", [3]],
      ["bias", [3]],
      ["running_mean", [3]],
      ["running_var", [3]],
      ["num_batches_tracked", []],
    ]);
    expect(layer.parameterCount()).toBe(6);
    expect(() => layer.forward(ones([2, 3]))).toThrow(/BatchNorm2d: x must have the four axes .*\[2, 3\]/);
  });

  test.each(perDevice)(
    "statistics go into the state and back, and count in eval, on %s",
    async (_, device) => {
      setDefaultDevice(device);
      const [layer, other] = [new BatchNorm2d(2, { momentum: 0.3 }), new BatchNorm2d(2)];
      const x = rand([4, 2, 3, 3], { random: new Random(1) });
      for (let i = 0; i < 3; i++) layer.forward(x);
      const state = await layer.stateDict();
      expect(state.get("num_batches_tracked")!.data).toEqual(Float32Array.of(3));
      expect(state.get("running_mean")!.data[0]).not.toBe(0);
      other.loadStateDict(state);
      await expectTensorsClose(other.eval().forward(x), layer.eval().forward(x));
      expect(await layer.stateDict()).toEqual(state); // eval changes nothing
      const saved = loadWeights(new BatchNorm2d(2), await saveWeights(layer));
      expect(saved).toEqual({});
    },
  );

  test("reads PyTorch's files, where the count is a whole number of 64 bits", () => {
    const layer = new BatchNorm2d(1);
    const header = JSON.stringify({
      weight: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
      bias: { dtype: "F32", shape: [1], data_offsets: [4, 8] },
      running_mean: { dtype: "F32", shape: [1], data_offsets: [8, 12] },
      running_var: { dtype: "F32", shape: [1], data_offsets: [12, 16] },
      num_batches_tracked: { dtype: "I64", shape: [], data_offsets: [16, 24] },
    });
    const file = new Uint8Array(8 + header.length + 24);
    const view = new DataView(file.buffer);
    view.setBigUint64(0, BigInt(header.length), true);
    file.set(new TextEncoder().encode(header), 8);
    for (let i = 0; i < 4; i++) view.setFloat32(8 + header.length + 4 * i, i + 1, true);
    view.setBigInt64(8 + header.length + 16, 1234n, true);
    loadWeights(layer, file);
    expect(Array.from(layer.numBatchesTracked.cpuStorage.array)).toEqual([1234]);
    expect(Array.from(layer.runningVar.cpuStorage.array)).toEqual([4]);
  });
});

describe("Linear", () => {
  test("weights uniform in PyTorch's bounds", async () => {
    const layer = new Linear(25, 40, { random: new Random(1) });
    expect([layer.weight.shape, layer.bias!.shape]).toEqual([[40, 25], [40]]);
    for (const parameter of [layer.weight, layer.bias!]) {
      const values = await parameter.data();
      expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(0.2);
      expect(Math.max(...values)).toBeGreaterThan(0.15);
      expect(Math.min(...values)).toBeLessThan(-0.15);
    }
    expect(new Linear(2, 3, { bias: false }).bias).toBeUndefined();
    expect(() => new Linear(0, 3)).toThrow(/Linear: inFeatures must be a whole number from 1/);
  });
});

describe("ConvTranspose2d", () => {
  test("weights uniform in PyTorch's bounds, and the options passed on", async () => {
    const options = { stride: 2, padding: [1, 0], outputPadding: 1, dilation: [1, 2] } as const;
    const layer = new ConvTranspose2d(3, 5, [3, 4], { ...options, random: new Random(4) });
    expect([...layer.namedTensors()].map(([name, { shape }]) => `${name} ${shape}`)).toEqual([
      "weight 3,5,3,4",
      "bias 5",
    ]);
    const bound = 1 / Math.sqrt(5 * 3 * 4);
    const largest = Math.max(...(await layer.weight.data()).map(Math.abs));
    expect(largest).toBeLessThanOrEqual(Math.fround(bound));
    expect(largest).toBeGreaterThan(0.9 * bound);
    const x = rand([2, 3, 4, 5], new Random(1));
    await expectTensorsClose(layer.forward(x), convTranspose2d(x, layer.weight, layer.bias, options));
    expect(new ConvTranspose2d(1, 1, 3, { bias: false }).parameters().length).toBe(1);
    expect(() => new ConvTranspose2d(1, 1, 0)).toThrow("ConvTranspose2d: kernelSize must be a whole number");
  });
});

describe("Conv2d", () => {
  test.each([
    [3, 8, 3, {}, 27],
    [16, 4, [1, 5], {}, 80],
    [1, 64, 1, { bias: false }, 1],
  ] as const)("(%i, %i, %o, %o) starts uniform within ±1/sqrt(%i)", (from, to, window, options, fan) => {
    const conv = new Conv2d(from, to, window, { ...options, random: new Random(4) });
    const bound = 1 / Math.sqrt(fan);
    const values = [...conv.weight.cpuStorage.array, ...(conv.bias?.cpuStorage.array ?? [])];
    const largest = Math.max(...values.map(Math.abs));
    expect(largest).toBeLessThanOrEqual(Math.fround(bound));
    expect(largest).toBeGreaterThan(0.9 * bound); // the bounds are reached, nearly
    const mean = values.reduce((sum, v) => sum + v) / values.length;
    expect(Math.abs(mean)).toBeLessThan((4 * bound) / Math.sqrt(3 * values.length)); // 4 standard errors
    expect(conv.bias === undefined).toBe("bias" in options);
  });

  test("the same seed gives the same weights, another one others", () => {
    const weights = (random?: Random) => [...new Conv2d(3, 4, 3, { random }).weight.cpuStorage.array];
    expect(weights(new Random(1))).toEqual(weights(new Random(1)));
    expect(weights(new Random(1))).not.toEqual(weights(new Random(2)));
    manualSeed(7);
    const first = [weights(), weights()];
    expect(first[0]).not.toEqual(first[1]);
    manualSeed(7);
    expect([weights(), weights()]).toEqual(first);
    expect(first[0]).toEqual(weights(new Random(7)));
  });

  test.each([
    [3, 1, [1, 1]],
    [
      [1, 5],
      [1, 1],
      [0, 2],
    ],
    [3, 2, [2, 2]],
    [
      [2, 3],
      [2, 1],
      [1, 1],
    ],
  ] as const)('padding "same" of window %o, dilation %o', (window, dilation, padding) => {
    const conv = new Conv2d(1, 1, window, { padding: "same", dilation });
    expect(conv.padding).toEqual(padding);
    expect(conv.forward(tensor(new Float32Array(63), [1, 1, 7, 9])).shape).toEqual([1, 1, 7, 9]);
  });

  test("refuses impossible windows and strides, and names them", () => {
    expect(() => new Conv2d(1, 1, 2, { padding: "same" })).toThrow(
      'padding "same" wants stride 1 and an even dilation * (kernelSize - 1), got stride 1, dilation 1 and window 2x2',
    );
    expect(() => new Conv2d(1, 1, 3, { padding: "same", stride: 2 })).toThrow(
      "got stride 2, dilation 1 and window 3x3",
    );
    expect(() => new Conv2d(1, 1, 0)).toThrow("kernelSize must be a whole number of at least 1");
    expect(() => new Conv2d(2, 1, 3).forward(tensor(new Float32Array(9), [1, 1, 3, 3]))).toThrow(ShapeError);
  });
});

describe("networks with other forwards than layers have", () => {
  class Conditioned extends Module {
    readonly conv = new Conv2d(1, 1, 1);
    readonly scale = new Linear(2, 1);
    forward(x: Tensor, condition: Tensor, { bias = 0 } = {}): Tensor {
      return ops.add(ops.mul(this.conv.forward(x), this.scale.forward(condition)), bias);
    }
  }
  class Pyramid extends Module {
    readonly conv = new Conv2d(1, 1, 1);
    forward(x: Tensor): { coarse: Tensor; fine: Tensor } {
      const fine = this.conv.forward(x);
      return { fine, coarse: ops.mean(fine) };
    }
  }

  test("take several inputs, return several results, and are modules as any", () => {
    const [conditioned, pyramid] = [new Conditioned(), new Pyramid()];
    const x = ones([1, 1, 2, 2]);
    expect(conditioned.forward(x, ones([1, 2]), { bias: 1 }).shape).toEqual([1, 1, 2, 2]);
    expect(pyramid.forward(x).coarse.shape).toEqual([]);
    const both: Module[] = [conditioned, pyramid];
    expect(both.map((module) => module.parameters().length)).toEqual([4, 2]);
    const layers: Module[] = [new ReLU(), new ReLU()];
    let y = x;
    for (const layer of layers) y = layer.forward(y); // compiles
    expect(y.shape).toEqual(x.shape);
  });

  test("are no layers of a Sequential, as TypeScript says", () => {
    // @ts-expect-error
    new Sequential(new Conditioned());
    // @ts-expect-error
    new Sequential(new Pyramid());
    expect(new Sequential(new Sequential(new ReLU())).forward(ones([1])).shape).toEqual([1]);
  });
});

describe.each(perDevice)("layers on %s", (_, device) => {
  beforeEach(() => setDefaultDevice(device));

  test("Identity, Softplus and ELU do what they say, alone and in a Sequential", async () => {
    const x = tensor([[-2, 0, 3]]);
    const close = (y: Tensor, want: number[]) => expectTensorsClose(y, tensor([want]), { absolute: 1e-6 });
    const identity = new Identity();
    expect(identity.forward(x)).toBe(x);
    await close(new Softplus(2).forward(x), [
      Math.log1p(Math.exp(-4)) / 2,
      Math.log(2) / 2,
      3 + Math.log1p(Math.exp(-6)) / 2,
    ]);
    await close(new ELU(0.5).forward(x), [0.5 * Math.expm1(-2), 0, 3]);
    await close(
      ops.noGrad(() => new Sequential(identity, new ReLU(), new Identity()).forward(x)),
      [0, 0, 3],
    );
    expect(x.disposed).toBe(false);
  });

  test("Conv2d pads with what paddingMode says, and in a Sequential, too", async () => {
    const x = rand([2, 3, 5, 6], new Random(1));
    for (const paddingMode of ["reflect", "replicate"] as const) {
      const conv = new Conv2d(3, 4, [3, 5], { padding: "same", paddingMode });
      const want = conv2d(ops.pad(x, [2, 2, 1, 1], paddingMode), conv.weight, conv.bias);
      expect(want.shape).toEqual([2, 4, 5, 6]);
      await expectTensorsClose(conv.forward(x), want, { absolute: 0 });
      const sequence = new Sequential(conv, new ReLU());
      await expectTensorsClose(
        ops.noGrad(() => sequence.forward(x)),
        ops.relu(want),
        { absolute: 1e-6 },
      );
    }
    expect(() => new Conv2d(1, 1, 3, { paddingMode: "circular" as never })).toThrow(
      'Conv2d: paddingMode must be zeros, reflect or replicate, got "circular".',
    );
  });

  test("Sequential refuses arguments that are not modules", () => {
    const asJavaScript = (...modules: unknown[]) => new Sequential(...(modules as Layer[]));
    expect(() => asJavaScript(new ReLU(), (x: Tensor) => x)).toThrow(
      "Sequential: argument 1 is a function and not a module. Give modules one by one",
    );
    expect(() => asJavaScript([new ReLU()])).toThrow("argument 0 is [a ReLU] and not a module");
  });

  test("Sequential fuses a convolution and what follows it, and computes the same", async () => {
    using _ = scope();
    const random = new Random(3);
    const conv = (from: number, to: number) => new Conv2d(from, to, 3, { padding: 1, random });
    const parts = [
      conv(3, 4),
      new ReLU(),
      conv(4, 4),
      new Tanh(),
      new Tanh(), // follows no convolution
      conv(4, 4),
      new Sigmoid(),
      conv(4, 4),
      new PReLU(4, 0.1),
      conv(4, 8),
      new PixelShuffle(2),
      conv(2, 3),
    ];
    const x = rand([2, 3, 5, 6], { random, low: -1, high: 1 });
    const separate = parts.reduce((y, part) => part.forward(y), x);
    const fused = new Sequential(...parts).forward(x);
    await expectTensorsClose(fused, separate, { absolute: 1e-6, relative: 1e-6 });
    // A fused activation leaves one note on the tape, not two.
    const notes = (y: Tensor): string[] => (y.node ? [...notes(y.node.inputs[0].tensor), y.node.name] : []);
    expect(notes(new Sequential(parts[0], parts[1]).forward(x))).toEqual(["conv2d"]);
    // And the gradients are the same.
    const parameters = parts.flatMap((part) => part.parameters());
    const target = tensor(new Float32Array(fused.size), fused.shape);
    const gradients = [fused, separate].map((y) => backward(new MSELoss().forward(y, target)));
    for (const parameter of parameters) {
      await expectTensorsClose(gradients[0].get(parameter)!, gradients[1].get(parameter)!, {
        absolute: 1e-6,
      });
    }
  });

  test("activations, PReLU, Upsample and PixelShuffle", async () => {
    using _ = scope();
    const x = tensor([
      [
        [
          [-2, 0],
          [1, 3],
        ],
      ],
    ]);
    expect([...(await new ReLU().forward(x).data())]).toEqual([0, 0, 1, 3]);
    await expectTensorsClose(new Tanh().forward(x), tensor([-2, 0, 1, 3].map(Math.tanh), x.shape));
    await expectTensorsClose(
      new Sigmoid().forward(x),
      tensor(
        [-2, 0, 1, 3].map((v) => 1 / (1 + Math.exp(-v))),
        x.shape,
      ),
    );
    const ofChannels = new PReLU(2);
    noGrad(() => ofChannels.forward(zeros([1, 2, 3, 3]))).dispose();
    expect(ofChannels.weight.storage.refs).toBe(1); // no view stays, which would keep the memory
    const prelu = new PReLU();
    expect([...(await prelu.forward(x).data())]).toEqual([-0.5, 0, 1, 3]);
    const gradients = backward(
      new L1Loss({ reduction: "sum" }).forward(prelu.forward(x), tensor([9, 9, 9, 9], x.shape)),
    );
    expect([...(await gradients.get(prelu.weight)!.data())]).toEqual([2]); // -(-2): below the target, falling
    const options = { scaleFactor: 2, mode: "bicubic" } as const;
    await expectTensorsClose(new Upsample(options).forward(x), interpolate(x, options), {
      absolute: 0,
      relative: 0,
    });
    expect(new PixelShuffle(2).forward(rand([1, 8, 3, 2], new Random(1))).shape).toEqual([1, 2, 6, 4]);
  });

  test("pools, Flatten, Linear, GELU and SiLU do what their functions do", async () => {
    using _ = scope();
    const x = rand([2, 3, 6, 6], { random: new Random(1), low: -1 });
    const linear = new Linear(12, 4);
    const pairs: [Tensor, Tensor][] = [
      [new MaxPool2d(2).forward(x), ops.maxPool2d(x, 2)],
      [
        new MaxPool2d(3, { stride: 2, padding: 1 }).forward(x),
        ops.maxPool2d(x, 3, { stride: 2, padding: 1 }),
      ],
      [new AvgPool2d([2, 3]).forward(x), ops.avgPool2d(x, [2, 3])],
      [new AdaptiveAvgPool2d(1).forward(x), ops.mean(x, [2, 3], { keepdim: true })],
      [new Flatten().forward(x), ops.reshape(x, [2, 108])],
      [new Flatten(0, 1).forward(x), ops.reshape(x, [6, 6, 6])],
      [new GELU().forward(x), ops.gelu(x)],
      [new GELU({ approximate: "tanh" }).forward(x), ops.gelu(x, { approximate: "tanh" })],
      [new Softmax(1).forward(x), ops.softmax(x, 1)],
      [new SiLU().forward(x), ops.mul(x, ops.sigmoid(x))],
      [
        new Sequential(new AvgPool2d(3), new Flatten(), linear).forward(x),
        ops.linear(ops.reshape(ops.avgPool2d(x, 3), [2, 12]), linear.weight, linear.bias),
      ],
    ];
    for (const [got, want] of pairs) await expectTensorsClose(got, want);
    linear.dispose();
  });

  test("losses", async () => {
    using _ = scope();
    const [x, target] = [tensor([1, 2, 5]), tensor([2, 2, 2])];
    expect(await new L1Loss().forward(x, target).item()).toBeCloseTo(4 / 3, 6);
    expect(await new L1Loss({ reduction: "sum" }).forward(x, target).item()).toBe(4);
    expect(await new MSELoss().forward(x, target).item()).toBeCloseTo(10 / 3, 6);
    expect(await new MSELoss({ reduction: "sum" }).forward(x, target).item()).toBe(10);
    const soft = await new CharbonnierLoss({ reduction: "sum", eps: 1 }).forward(x, target).item();
    expect(soft).toBeCloseTo(1 + Math.SQRT2 + Math.sqrt(10), 5);
    const logits = tensor([0, 0, 0, Math.log(2)], [2, 2]);
    const entropy = [new CrossEntropyLoss(), new CrossEntropyLoss({ reduction: "sum" })];
    const want = Math.log(2) + Math.log(1.5);
    expect(await entropy[0].forward(logits, [0, 1]).item()).toBeCloseTo(want / 2, 5);
    expect(await entropy[1].forward(logits, tensor([0, 1])).item()).toBeCloseTo(want, 5);
  });

  test("stride, dilation and padding reach the convolution", async () => {
    using _ = scope();
    const random = new Random(2);
    const x = rand([1, 2, 9, 10], random);
    const options = { stride: [2, 1], dilation: [1, 2], padding: [0, 3] } as const;
    const conv = new Conv2d(2, 3, [3, 2], { ...options, random });
    await expectTensorsClose(conv.forward(x), conv2d(x, conv.weight, conv.bias, options), {
      absolute: 0,
      relative: 0,
    });
  });
});

test("TypeScript refuses the options that a constructor refuses", () => {
  // @ts-expect-error
  const { paddingMode }: ConvTranspose2dModuleOptions = { paddingMode: "reflect" };
  const options = { paddingMode } as object;
  expect(() => new ConvTranspose2d(1, 1, 3, options)).toThrow('there is no option "paddingMode"');
});
