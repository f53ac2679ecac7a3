/** What all networks promise: sizes, names of weights, halo, and that they learn. */
import { beforeEach, describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { setDefaultDevice } from "../../src/device/open.ts";
import { slice } from "../../src/kernels/layout/index.ts";
import { mseLoss } from "../../src/kernels/loss/index.ts";
import { interpolate } from "../../src/kernels/resize/index.ts";
import { type Architecture, completeOptions } from "../../src/models/architecture.ts";
import {
  Compact,
  EDSR,
  ESPCN,
  FSRCNN,
  SPAN,
  SRCNN,
  type SuperResolver,
  Wren,
} from "../../src/models/index.ts";
import { architectures } from "../../src/models/registry.ts";
import { Adam } from "../../src/nn/index.ts";
import { rand, tensor } from "../../src/tensor/create.ts";
import { noGrad } from "../../src/tensor/no-grad.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { backward } from "../../src/tensor/tape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { expectTensorsClose } from "../support/close.ts";
import { float32Device, gpuDevices, logicDevices } from "../support/devices.ts";

const cpu = float32Device();
beforeEach(() => setDefaultDevice(cpu));

const random = () => new Random(4);

/** Small networks of every kind. */
const networks: readonly (readonly [string, () => SuperResolver, halo: number])[] = [
  ["SRCNN 9-1-5", () => new SRCNN({ filters: [4, 3], random: random() }), 6],
  [
    "SRCNN 9-3-5, zeros",
    () => new SRCNN({ kernels: [9, 3, 5], filters: [3, 2], padding: "zeros", random: random() }),
    7,
  ],
  [
    "SRCNN 5-3-3, residual",
    () => new SRCNN({ scale: 2, kernels: [5, 3, 3], filters: [2, 2], residual: true, random: random() }),
    4,
  ],
  ["ESPCN x2", () => new ESPCN({ scale: 2, filters: [4, 3], random: random() }), 4],
  ["ESPCN x3, relu", () => new ESPCN({ scale: 3, filters: [3, 4], activation: "relu", random: random() }), 4],
  ["ESPCN x4, residual", () => new ESPCN({ scale: 4, filters: [3, 2], residual: true, random: random() }), 4],
  ["FSRCNN x2", () => new FSRCNN({ scale: 2, d: 4, s: 2, m: 1, random: random() }), 5],
  ["FSRCNN x3", () => new FSRCNN({ scale: 3, d: 4, s: 2, m: 2, random: random() }), 6],
  ["Compact x1", () => new Compact({ scale: 1, layers: 1, channels: 3, colors: "y", random: random() }), 3],
  [
    "Compact x3, leaky ReLU",
    () =>
      new Compact({
        ...{ scale: 3, layers: 2, channels: 4, activation: "leakyRelu", colors: "y", random: random() },
      }),
    4,
  ],
  ["SPAN x1", () => new SPAN({ scale: 1, blocks: 1, channels: 3, colors: "y", random: random() }), 6],
  ["SPAN x2", () => new SPAN({ scale: 2, blocks: 2, channels: 2, colors: "y", random: random() }), 9],
  ["Wren x1", () => new Wren({ scale: 1, blocks: 1, channels: 2, colors: "y", random: random() }), 4],
  ["Wren x2", () => new Wren({ scale: 2, blocks: 2, channels: 2, colors: "y", random: random() }), 6],
  ["FSRCNN x4", () => new FSRCNN({ scale: 4, d: 4, s: 3, m: 0, random: random() }), 3],
];

/** All architectures, with every scale, and with every option that changes which layers there are. */
const variants = architectures.flatMap((architecture: Architecture) => {
  const { name, options } = architecture;
  const exists = ([option]: [string, unknown]) => Object.hasOwn(options, option);
  const ofIts = (values: object) => Object.fromEntries(Object.entries(values).filter(exists));
  const sizes = { blocks: 2, layers: 2, channels: 4, growth: 2, filters: [3, 2], d: 3, s: 2, m: 1 };
  const changes = { residual: true, normalize: true, unshuffle: 2, padding: "zeros" };
  const choices = [
    {},
    ...Object.entries(changes)
      .filter(exists)
      .map((entry) => Object.fromEntries([entry])),
  ];
  return [1, 2, 3, 4].filter(options.scale.kind.fits).flatMap((scale) =>
    choices.map((choice) => {
      const all = completeOptions(architecture, { ...ofIts(sizes), scale, ...choice });
      return [
        `${name} ${JSON.stringify({ scale, ...choice })}`,
        () => architecture.build(all, random()),
      ] as const;
    }),
  );
});

/** Draws weights anew, so that every tap counts; the last layers begin near 0. */
function liven(model: SuperResolver): SuperResolver {
  const numbers = random();
  for (const parameter of model.parameters()) {
    parameter.assign(Float32Array.from({ length: parameter.size }, () => 0.5 * numbers.normal()));
  }
  return model;
}

describe("parameters, as the comments have them", () => {
  test("SRCNN: the papers count weights alone", () => {
    for (const [kernels, weights, all] of [
      [[9, 1, 5], 8032, 8129],
      [[9, 3, 5], 24_416, 24_513],
      [[9, 5, 5], 57_184, 57_281],
    ] as const) {
      const model = new SRCNN({ kernels });
      expect(model.parameterCount()).toBe(all);
      const biases = model.parameters().filter(({ shape }) => shape.length === 1);
      expect(all - biases.reduce((sum, { size }) => sum + size, 0)).toBe(weights);
    }
  });

  test("ESPCN", () => {
    expect(new ESPCN({ scale: 2 }).parameterCount()).toBe(21_284);
    expect(new ESPCN().parameterCount()).toBe(22_729);
    expect(new ESPCN({ scale: 4 }).parameterCount()).toBe(24_752);
  });

  test("FSRCNN: the paper counts weights of convolutions alone", () => {
    for (const [model, weights, all] of [
      [new FSRCNN(), 12_464, 12_809],
      [FSRCNN.small(3), 3937, 4086],
    ] as const) {
      expect(model.parameterCount()).toBe(all);
      const windows = model.parameters().filter(({ shape }) => shape.length === 4);
      expect(windows.reduce((sum, { size }) => sum + size, 0)).toBe(weights);
    }
  });

  test("EDSR's presets", () => {
    expect(EDSR.baseline(2).parameterCount()).toBe(1_369_859);
    const large = EDSR.paper(4, { blocks: 1, channels: 8 });
    expect(large.options).toMatchObject({ scale: 4, blocks: 1, channels: 8, resScale: 0.1 });
    expect(EDSR.baseline(3, { rgbRange: 1 }).options).toMatchObject({
      scale: 3,
      blocks: 16,
      channels: 64,
      rgbRange: 1,
    });
  });
});

test("Wren, as its documentation has it", () => {
  expect(new Wren({ scale: 2 }).parameterCount()).toBe(189_324);
  expect(new Wren({ scale: 4 }).parameterCount()).toBe(199_728);
});

test("names of weights are those of common PyTorch implementations", () => {
  const names = (model: SuperResolver) => [...model.namedTensors().keys()];
  const both = (...layers: string[]) => layers.flatMap((layer) => [`${layer}.weight`, `${layer}.bias`]);
  expect(names(new SRCNN())).toEqual(both("conv1", "conv2", "conv3"));
  expect(names(new ESPCN())).toEqual(both("first_part.0", "first_part.2", "last_part.0"));
  const middle = Array.from({ length: 12 }, (_, i) =>
    i % 2 === 0 ? both(`mid_part.${i}`) : [`mid_part.${i}.weight`],
  );
  const fsrcnn = [...both("first_part.0"), "first_part.1.weight", ...middle.flat(), ...both("last_part")];
  expect(names(new FSRCNN())).toEqual(fsrcnn);
  expect(new FSRCNN().namedTensors().get("last_part.weight")!.shape).toEqual([56, 1, 9, 9]);
});

test("refuse options that do not fit", () => {
  expect(() => new SRCNN({ scale: 8 as 2 })).toThrow("SRCNN: scale must be 2, 3 or 4, got 8.");
  expect(() => new SRCNN({ kernels: [9, 2, 5] })).toThrow(
    "3 numbers as in 9-1-5, each an odd number from 1 to 99, got [9,2,5].",
  );
  expect(() => new SRCNN({ kernels: [9, 5] as never })).toThrow("SRCNN: kernels must be 3 numbers");
  expect(() => new SRCNN({ filters: [0, 5] })).toThrow(
    "2 numbers as in 64-32, each a whole number from 1 to 4096, got [0,5].",
  );
  expect(() => new SRCNN({ padding: "same" as "zeros" })).toThrow(
    'SRCNN: padding must be replicate or zeros, got "same".',
  );
  expect(() => new ESPCN({ scale: 1 as 2 })).toThrow("ESPCN: scale must be 2, 3 or 4, got 1.");
  expect(() => new ESPCN({ filters: [1.5, 5] })).toThrow("each a whole number from 1 to 4096, got [1.5,5].");
  expect(() => new ESPCN({ activation: "sigmoid" as "relu" })).toThrow(
    'ESPCN: activation must be tanh or relu, got "sigmoid".',
  );
  expect(() => new FSRCNN({ scale: 8 as 2 })).toThrow("FSRCNN: scale must be 2, 3 or 4, got 8.");
  expect(() => new FSRCNN({ s: 0 })).toThrow("FSRCNN: s must be a whole number from 1 to 4096, got 0.");
});

// Networks made of kernels: test/golden/networks.test.ts has them on all devices.
const devices: Device[] = [cpu, ...logicDevices(await gpuDevices())];
describe.each(devices.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  beforeEach(() => setDefaultDevice(device));

  test.each(networks)("%s: size of the result, and a gradient for every parameter", (_, make) => {
    using _scope = scope();
    const model = make();
    const factor = model.inputSize === "low" ? model.scale : 1;
    const y = model.forward(rand([2, 1, 4, 5], random()));
    expect(y.shape).toEqual([2, 1, 4 * factor, 5 * factor]);
    const gradients = backward(mseLoss(y, rand(y.shape, random())));
    expect(new Set(gradients.keys())).toEqual(new Set(model.parameters()));
  });

  test.each(variants)(
    "%s: without gradients, a forward pass leaves its result alone in memory",
    (_, make) => {
      using _noGrad = noGrad();
      const model = make();
      const x = rand([1, model.planes, 5, 7], random());
      const before = device.memory().live;
      const y = model.forward(x);
      expect(device.memory().live - before).toBe(1);
      for (const thing of [model, x, y]) thing.dispose();
    },
  );

  test.each(networks)("%s: the halo is exactly how far an output looks", async (_, make, halo) => {
    using _scope = scope();
    const model = liven(make());
    expect(model.halo).toBe(halo);
    const factor = model.inputSize === "low" ? model.scale : 1;
    const side = 2 * halo + 5;
    const middle = halo + 2;
    const x = await rand([1, 1, side, side], random()).data();
    const run = (values: Float32Array) => model.forward(tensor(values, [1, 1, side, side])).data();
    const before = await run(x);
    /** Does a change of the input pixel (row, column) reach the outputs of the pixel in the middle? */
    const reaches = async (row: number, column: number) => {
      const other = x.slice();
      other[row * side + column] += 10;
      const after = await run(other);
      const rows = Array.from({ length: factor }, (_, i) => middle * factor + i);
      return rows.some((i) =>
        rows.some((j) => after[i * side * factor + j] !== before[i * side * factor + j]),
      );
    };
    expect(await reaches(middle, middle)).toBe(true);
    for (const far of [middle - halo - 1, middle + halo + 1]) {
      expect(await reaches(far, middle)).toBe(false);
      expect(await reaches(middle, far)).toBe(false);
    }
    // FSRCNN x3 looks further to the right and down than to the left and up.
    expect(await reaches(middle + halo, middle)).toBe(true);
    expect(await reaches(middle, middle + halo)).toBe(true);
    expect(await reaches(middle - halo, middle)).toBe(
      model.metadata().architecture !== "FSRCNN" || model.scale !== 3,
    );
  });

  test("SRCNN with edges replicated leaves an even picture even, with zeros it does not", async () => {
    using _ = scope();
    const even = tensor(new Float32Array(12 * 14).fill(0.5), [1, 1, 12, 14]);
    const levels = async (padding: "replicate" | "zeros") => {
      const model = liven(new SRCNN({ filters: [4, 3], padding }));
      return new Set(await model.forward(even).data()).size;
    };
    expect(await levels("replicate")).toBe(1);
    expect(await levels("zeros")).toBeGreaterThan(1);
  });

  test("residual networks begin with the enlarged picture itself", async () => {
    using _ = scope();
    const x = await rand([1, 1, 9, 8], random()).data();
    const picture = () => tensor(x, [1, 1, 9, 8]);
    const srcnn = await new SRCNN({ residual: true, random: random() }).forward(picture()).data();
    for (const [i, value] of srcnn.entries()) expect(Math.abs(value - x[i])).toBeLessThan(0.1);
    for (const scale of [2, 3, 4] as const) {
      const model = new ESPCN({ scale, residual: true });
      for (const [name, weight] of model.namedTensors())
        if (name.startsWith("last_part")) weight.assign(new Float32Array(weight.size));
      // Matlab's enlargement, away from the edges, beyond which it sees the picture mirrored.
      const cut = (y: Tensor) => slice(y, [0, 0, 2 * scale, 2 * scale], [1, 1, -2 * scale, -2 * scale]);
      const bicubic = interpolate(picture(), { mode: "bicubic", convention: "matlab", scaleFactor: scale });
      await expectTensorsClose(cut(model.forward(picture())), cut(bicubic), { absolute: 1e-6 });
    }
  });

  test.each(networks)("%s learns", async (_, make) => {
    const model = make();
    const adam = new Adam(model.parameters(), { lr: 3e-3 });
    const numbers = random();
    const losses: number[] = [];
    for (let step = 0; step < 30; step++) {
      using _ = scope();
      const large = model.inputSize === "low" ? model.scale : 1;
      const x = rand([2, 1, 6, 6], { random: numbers, low: 0.2, high: 0.3 });
      const target = tensor(new Float32Array(2 * 36 * large ** 2).fill(0.7), [2, 1, 6 * large, 6 * large]);
      const loss = mseLoss(model.forward(x), target);
      adam.step(backward(loss));
      losses.push(await loss.item());
    }
    expect(losses.at(-1)).toBeLessThan(0.5 * losses[0]);
    adam.dispose();
    model.dispose();
  });
});
