/**
 * ONNX files of every network. What ONNX Runtime makes of them is only tested where there is a Python with it: see
 * test/support/python.ts.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { setDefaultDevice } from "../../src/device/open.ts";
import {
  add,
  architectures,
  Compact,
  clamp,
  concat,
  cos,
  div,
  EDSR,
  ESPCN,
  elu,
  eq,
  exportOnnx,
  FSRCNN,
  interpolate,
  leakyRelu,
  max,
  maximum,
  mean,
  min,
  minimum,
  mul,
  neg,
  networkUpscaler,
  pad,
  pixelUnshuffle,
  Random,
  RRDBNet,
  rand,
  SPAN,
  SRCNN,
  SuperResolver,
  serializeSafetensors,
  sigmoid,
  sin,
  slice,
  softplus,
  square,
  sum,
  type Tensor,
  tensor,
  Wren,
} from "../../src/index.ts";
import type { Architecture } from "../../src/models/architecture.ts";
import { Conv2d } from "../../src/nn/layers.ts";
import type { NamedArray } from "../../src/nn/module.ts";
import { withColors } from "../../src/upscale/adapters.ts";
import { withDeviceOf } from "../../src/upscale/method.ts";
import { temporaryFolder } from "../data/support.ts";
import { cpuTime } from "../support/cpu-time.ts";
import { float32Device } from "../support/devices.ts";
import { parseMessage, readOnnxWeights } from "../support/protobuf.ts";
import { python, runPython } from "../support/python.ts";

setDefaultDevice(float32Device());
const random = new Random(3);

/** Every kind of layer and option. */
const networks: Readonly<Record<string, SuperResolver>> = {
  "EDSR x2": new EDSR({ scale: 2, blocks: 2, channels: 4, resScale: 0.5, random }),
  "EDSR x3": new EDSR({ scale: 3, blocks: 1, channels: 4, rgbRange: 1, random }),
  "EDSR x4": new EDSR({ scale: 4, blocks: 1, channels: 4, random }),
  "EDSR x8": new EDSR({ scale: 8, blocks: 1, channels: 4, random }),
  "ESPCN x2": new ESPCN({ scale: 2, filters: [4, 3], random }),
  "ESPCN x3": new ESPCN({ scale: 3, filters: [4, 3], activation: "relu", residual: true, random }),
  "FSRCNN x2": new FSRCNN({ scale: 2, d: 4, s: 3, m: 2, random }),
  "FSRCNN x3": new FSRCNN({ scale: 3, d: 4, s: 3, m: 0, random }),
  "Compact x1": new Compact({ scale: 1, layers: 1, channels: 4, random }),
  "Compact x3, luma": new Compact({
    scale: 3,
    layers: 2,
    channels: 4,
    activation: "leakyRelu",
    colors: "y",
    random,
  }),
  "SPAN x2": new SPAN({ scale: 2, blocks: 2, channels: 4, random }),
  "SPAN x4": new SPAN({ scale: 4, blocks: 1, channels: 4, normalize: true, random }),
  "RRDBNet x4": new RRDBNet({ scale: 4, blocks: 1, channels: 4, growth: 3, random }),
  "RRDBNet x1": new RRDBNet({ scale: 1, blocks: 1, channels: 4, growth: 3, random }),
  "RRDBNet x2, unshuffled": new RRDBNet({
    scale: 2,
    unshuffle: 2,
    blocks: 1,
    channels: 4,
    growth: 3,
    random,
  }),
  "RRDBNet x1, unshuffled": new RRDBNet({
    scale: 1,
    unshuffle: 4,
    blocks: 1,
    channels: 4,
    growth: 3,
    random,
  }),
  "RRDBNet x2, luma": new RRDBNet({
    scale: 2,
    unshuffle: 2,
    blocks: 1,
    channels: 4,
    growth: 3,
    colors: "y",
    random,
  }),
  "Wren x1": new Wren({ scale: 1, blocks: 1, channels: 4, random }),
  "Wren x2": new Wren({ scale: 2, blocks: 2, channels: 4, random }),
  "Wren x3, luma": new Wren({ scale: 3, blocks: 1, channels: 4, colors: "y", random }),
  "SRCNN x2": new SRCNN({ scale: 2, filters: [4, 3], residual: true, random }),
  "SRCNN x3": new SRCNN({ scale: 3, filters: [4, 3], padding: "zeros", random }),
  "SRCNN x4": new SRCNN({ scale: 4, filters: [4, 3], kernels: [5, 1, 3], random }),
};

/** Operations, attributes and constants of a file. */
function readGraph(bytes: Uint8Array) {
  const model = parseMessage(Buffer.from(bytes));
  const [graph] = (model.get(7) as Buffer[]).map(parseMessage);
  const [opset] = (model.get(8) as Buffer[]).map(parseMessage);
  const nodes = (graph.get(1) as Buffer[]).map(parseMessage).map((node) => ({
    type: String(node.get(4)![0]),
    attributes: Object.fromEntries(
      ((node.get(5) ?? []) as Buffer[])
        .map(parseMessage)
        .map((a) => [String(a.get(1)![0]), String(a.get(4)?.[0])]),
    ),
  }));
  return { opset: opset.get(2)![0], nodes };
}

test("every architecture of this library can be exported, as it is by default", async () => {
  for (const { name, options, build } of architectures as readonly Architecture[]) {
    const values = Object.fromEntries(Object.entries(options).map(([key, option]) => [key, option.default]));
    const model = build(values as { scale: number }, random);
    for (const colors of ["rgb", "own"] as const) {
      const { opset, nodes } = readGraph(await exportOnnx(model, { colors }));
      expect(opset, name).toBe(17);
      expect(nodes.length, name).toBeGreaterThan(4);
    }
    model.dispose();
  }
});

test("the weights are there under their names, bit for bit", async () => {
  const model = networks["FSRCNN x2"];
  const weights = readOnnxWeights(Buffer.from(await exportOnnx(model, { colors: "own" })));
  for (const [name, { data }] of await model.stateDict()) expect(weights.get(name)!.data, name).toEqual(data);
});

test("pixels are shuffled in PyTorch's order", async () => {
  const { nodes } = readGraph(await exportOnnx(networks["EDSR x4"]));
  const shuffles = nodes.filter(({ type }) => type === "DepthToSpace");
  expect(shuffles.map(({ attributes }) => attributes.mode)).toEqual(["CRD", "CRD"]);
});

test("a file of a network that works on blocks of pixels continues and crops pictures of all sizes", async () => {
  const typesOf = async (name: string) =>
    readGraph(await exportOnnx(networks[name], { colors: "own" })).nodes.map(({ type }) => type);
  const inBlocks = await typesOf("RRDBNet x2, unshuffled");
  expect(inBlocks.filter((type) => type === "Gather")).toHaveLength(2);
  expect(inBlocks.at(-1)).toBe("Slice");
  expect(await typesOf("RRDBNet x4")).not.toContain("Gather");
});

test("nothing is computed", async () => {
  const large = new EDSR({ scale: 2, blocks: 8, channels: 96, random });
  // On the CPU device the forward pass alone would take a minute.
  expect(await cpuTime(() => exportOnnx(large))).toBeLessThan(15_000);
  large.dispose();
});

/** A convolution and something else. */
class Custom extends SuperResolver {
  readonly colors = "rgb";
  readonly inputSize = "low";
  readonly scale = 1;
  readonly halo = 1;
  readonly valuesPerPixel = 12;
  readonly conv = new Conv2d(3, 3, 3, { padding: 1, random });
  readonly #rest: (x: Tensor) => Tensor;

  constructor(rest: (x: Tensor) => Tensor) {
    super();
    this.#rest = rest;
  }

  forward(x: Tensor): Tensor {
    return this.#rest(this.conv.forward(x));
  }

  override metadata() {
    return {};
  }
}

describe("what cannot be written down is refused by its name", () => {
  test.each<[string, (x: Tensor) => Tensor, string]>([
    ["an operation without a form", (x) => eq(x, 0), "has no form in ONNX here"],
    [
      "sizes",
      (x) => slice(x, [0, 0, Math.floor(x.shape[2] / 3)], [1, 3, x.shape[2]]),
      "pictures of different sizes",
    ],
    [
      "blocks, if the network does not say so",
      (x) => pixelUnshuffle(pad(x, [0, -x.shape[3] & 1, 0, -x.shape[2] & 1], "reflect"), 2),
      "works on blocks of pixels says so by `multiple`",
    ],
    ["even sizes alone", (x) => pixelUnshuffle(x, 2), "does not take every size. pixelUnshuffle: "],
    ["shrinking", (x) => interpolate(x, { mode: "bicubic", scaleFactor: 0.5 }), "enlarge by a whole number"],
  ])("%s", async (_, body, message) => {
    await expect(exportOnnx(new Custom(body))).rejects.toThrow(RangeError);
    await expect(exportOnnx(new Custom(body))).rejects.toThrow(message);
  });
});

describe.skipIf(python === undefined)("ONNX Runtime computes the same", () => {
  const folder = temporaryFolder();
  const sizes = [
    [9, 7],
    [16, 24],
    [17, 15],
    [18, 22],
    [1, 1],
    [1, 9],
    [5, 1],
    [2, 3],
    [3, 2],
    [4, 11],
  ];

  /** Writes the file, and pictures with what must come out. */
  async function write(
    name: string,
    model: SuperResolver,
    colors: "rgb" | "own",
    enlarge: (x: Tensor) => Promise<NamedArray>,
    smallest = 1,
  ) {
    writeFileSync(join(folder, `${name}.onnx`), await exportOnnx(model, { colors }));
    const channels = colors === "rgb" ? 3 : model.planes;
    const cases = new Map<string, NamedArray>();
    const taken = sizes.filter((sides) => Math.min(...sides) >= smallest);
    for (const [i, [h, w]] of taken.entries()) {
      const x = rand([2, channels, h, w], { random });
      cases.set(`input ${i}`, { shape: x.shape, data: await x.data() });
      cases.set(`output ${i}`, await enlarge(x));
    }
    writeFileSync(join(folder, `${name}.safetensors`), serializeSafetensors(cases));
  }

  const arrayOf = async (y: Tensor) => ({ shape: y.shape, data: await y.data() });

  test("networks, colours, and other operations", async () => {
    for (const [name, model] of Object.entries(networks)) {
      await write(`${name} own`, model, "own", (x) => arrayOf(model.forward(x)));
      if (model.colors === "rgb") continue;
      const upscaler = networkUpscaler(model);
      await write(`${name} rgb`, model, "rgb", async (x) => {
        const [n, channels, height, width] = x.shape;
        const data = await x.data();
        const size = channels * height * width;
        const large: { height: number; width: number; data: Float32Array }[] = [];
        for (let i = 0; i < n; i++) {
          await withDeviceOf(upscaler)(async (method) => {
            const values = data.slice(i * size, (i + 1) * size);
            const part = tensor(values, [1, channels, height, width], { device: method.device });
            const y = await withColors(method, upscaler).enlarge(part);
            large.push({ height: y.shape[2], width: y.shape[3], data: await y.data() });
            y.dispose();
          });
        }
        const joined = Float32Array.from(large.flatMap((planes) => [...planes.data]));
        return { shape: [n, 3, large[0].height, large[0].width], data: joined };
      });
    }
    const modes = ["nearest", "bilinear", "bicubic"] as const;
    const others = [
      ...modes.map((mode) => [mode, (x: Tensor) => interpolate(x, { mode, scaleFactor: 3 })] as const),
      ["unshuffle", (x: Tensor) => pixelUnshuffle(interpolate(x, { mode: "nearest", scaleFactor: 4 }), 2)],
      [
        "crop",
        (x: Tensor) =>
          slice(pad(x, [3, 2, 1, 0], "reflect"), [0, 1, 2, 0], [Infinity, 3, Infinity, Infinity]),
      ],
      [
        "activations",
        (x: Tensor) => concat([sigmoid(x), leakyRelu(x, 0.2), clamp(x, -0.1, 0.1), mul(x, neg(x))], 1),
      ],
      ["smooth activations", (x: Tensor) => concat([softplus(x, 3), elu(x, 0.7), sin(x), cos(x)], 1)],
      [
        "arithmetic",
        (x: Tensor) =>
          concat([square(x), div(x, add(cos(x), 3)), maximum(x, sin(x)), minimum(x, square(x))], 1),
      ],
      ["channel attention", (x: Tensor) => mul(x, sigmoid(mean(x, [2, 3], { keepdim: true })))],
      [
        "reductions",
        (x: Tensor) => {
          const options = { keepdim: true };
          const kept = [
            sum(x, 1, options),
            max(x, [1, 3], options),
            min(x, -1, options),
            mean(x, [], options),
          ];
          return concat([...kept.map((one) => add(x, one)), add(x, min(sum(x, [0, 1])))], 1);
        },
      ],
    ] as const;
    for (const [name, rest] of others) {
      const model = new Custom(rest);
      await write(name, model, "own", (x) => arrayOf(model.forward(x)), 4);
    }
    const report = runPython("run-onnx.py", [folder]);
    const differences = JSON.parse(report) as Record<string, number>;
    expect(Object.keys(differences).length).toBe(23 + 10 + 10);
    for (const [name, difference] of Object.entries(differences)) expect(difference, name).toBeLessThan(1e-5);
  });
});
