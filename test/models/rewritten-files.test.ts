/** Files without what this library writes beside the weights: written again by another program, or without biases. */
import { describe, expect, test } from "vitest";
import { setDefaultDevice } from "../../src/device/open.ts";
import {
  Compact,
  EDSR,
  ESPCN,
  FSRCNN,
  loadModel,
  type NamedArray,
  Random,
  RRDBNet,
  readNetwork,
  SPAN,
  SRCNN,
  type SuperResolver,
  saveWeights,
  serializePytorch,
  serializeSafetensors,
  Wren,
} from "../../src/index.ts";
import { DataError } from "../../src/picture/errors.ts";
import { float32Device } from "../support/devices.ts";

setDefaultDevice(float32Device());
const random = new Random(3);
const filters = [4, 3] as const;

const without = (state: ReadonlyMap<string, NamedArray>, ...keys: string[]) =>
  new Map([...state].filter(([key]) => !keys.includes(key)));

describe("the state dict alone says how a network computes", () => {
  test.each<[string, SuperResolver, string[]]>([
    ["srcnn_x3.pth", new SRCNN({ filters, residual: true, random }), ["residual", "replicate"]],
    [
      "srcnn_x2.pth",
      new SRCNN({ scale: 2, filters, residual: true, padding: "zeros", random }),
      ["residual"],
    ],
    ["espcn.pth", new ESPCN({ filters, residual: true, activation: "relu", random }), ["residual", "relu"]],
    ["espcn.pth", new ESPCN({ filters, residual: true, random }), ["residual"]],
    ["espcn.pth", new ESPCN({ filters, activation: "relu", random }), ["relu"]],
    ["span.pth", new SPAN({ blocks: 1, channels: 4, random }), ["no_norm"]],
    ["span.pth", new SPAN({ blocks: 1, channels: 4, colors: "y", random }), ["no_norm"]],
  ])("%s", async (name, model, markers) => {
    const state = await model.stateDict();
    expect([...state.keys()].filter((key) => !model.namedTensors().has(key))).toEqual(markers);
    for (const file of [serializePytorch(state), serializeSafetensors(state)]) {
      const network = readNetwork(file, name);
      expect(network.metadata).toEqual(model.metadata());
      expect(network.assumptions).toEqual([]);
      expect([...network.state.keys()].sort()).toEqual([...model.namedTensors().keys()].sort());
      expect(await loadModel(file, name).stateDict()).toEqual(state);
    }
    expect(readNetwork(await saveWeights(model), name).state).toEqual(without(state, ...markers));
  });

  test.each<SuperResolver>([
    new SRCNN({ filters, random }),
    new ESPCN({ filters, random }),
    new SPAN({ blocks: 1, channels: 4, normalize: true, random }),
    new Compact({ layers: 1, channels: 4, random }),
  ])("as in other programs' networks, there is nothing but weights: %o", async (model) => {
    expect([...(await model.stateDict()).keys()]).toEqual([...model.namedTensors().keys()]);
  });

  test("what of it is missing is assumed, and said", async () => {
    const assumed = async (model: SuperResolver, ...markers: string[]) =>
      readNetwork(
        serializePytorch(without(await model.stateDict(), ...markers)),
        "net_x3.pth",
      ).assumptions.map(({ option }) => option);
    const markers = ["residual", "replicate"];
    expect(await assumed(new SRCNN({ filters, residual: true, random }), ...markers)).toEqual([
      "padding",
      "residual",
    ]);
    expect(await assumed(new ESPCN({ filters, residual: true, random }), "residual")).toEqual([
      "activation",
      "residual",
    ]);
    expect(await assumed(new SPAN({ blocks: 1, channels: 4, random }), "no_norm")).toEqual(["normalize"]);
  });

  test("files of earlier versions lack it, and that of another network is refused", async () => {
    const model = new SRCNN({ filters, residual: true, random });
    const state = await model.stateDict();
    const earlier = without(state, "residual", "replicate");
    expect(model.loadStateDict(earlier)).toEqual({ missing: [], unexpected: [], misshapen: [] });
    expect(await loadModel(serializeSafetensors(earlier, model.metadata())).stateDict()).toEqual(state);
    const plain = new SRCNN({ filters, random });
    expect(() => plain.loadStateDict(state, { source: "net" })).toThrow("it has residual, replicate, which");
    expect(() => loadModel(serializeSafetensors(state, plain.metadata()), "net")).toThrow(
      "it has residual, ",
    );
  });
});

describe("convolutions without biases", () => {
  const networks: Record<string, SuperResolver> = {
    "srcnn_x3.pth": new SRCNN({ filters, random }),
    "espcn.pth": new ESPCN({ filters, random }),
    "fsrcnn_x3.pth": new FSRCNN({ d: 5, s: 3, m: 2, random }),
    "edsr.pth": new EDSR({ blocks: 2, channels: 4, random }),
    "compact.pth": new Compact({ layers: 2, channels: 4, random }),
    "span.pth": new SPAN({ blocks: 2, channels: 4, random }),
    "rrdbnet.pth": new RRDBNet({ blocks: 1, channels: 4, growth: 2, random }),
    "wren.pth": new Wren({ blocks: 1, channels: 4, random }),
  };
  const isShift = (key: string) => /_mean\./.test(key);

  test.each(Object.entries(networks))("%s has biases of zeros", async (name, model) => {
    const state = await model.stateDict();
    const biases = [...state.keys()].filter((key) => key.endsWith(".bias") && !isShift(key));
    const zeros = ({ shape, data }: NamedArray) => ({ shape, data: new Float32Array(data.length) });
    const want = new Map(
      [...state].map(([key, array]) => [key, biases.includes(key) ? zeros(array) : array]),
    );
    const file = serializePytorch(without(state, ...biases));
    expect(await loadModel(file, name).stateDict()).toEqual(want);
    // One that is missing is a damage.
    expect(() => loadModel(serializePytorch(without(state, biases[1])), name)).toThrow(DataError);
  });

  test("SPAN with branches, whose other layers have biases", async () => {
    const [from, to] = [4, 4];
    const array = (...shape: number[]): NamedArray => ({
      shape,
      data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i)),
    });
    const state = new Map(await new SPAN({ blocks: 1, channels: 4, random }).stateDict());
    const convolution = "block_1.c2_r";
    for (const key of [...state.keys()]) if (key.endsWith(".eval_conv.bias")) state.delete(key);
    state
      .set(`${convolution}.sk.weight`, array(to, from, 1, 1))
      .set(`${convolution}.conv.0.weight`, array(2 * from, from, 1, 1))
      .set(`${convolution}.conv.1.weight`, array(2 * to, 2 * from, 3, 3))
      .set(`${convolution}.conv.2.weight`, array(to, 2 * to, 1, 1));
    const network = readNetwork(serializePytorch(state), "span.pth");
    expect(network.state.get(`${convolution}.eval_conv.bias`)).toEqual({
      shape: [4],
      data: new Float32Array(4),
    });
    expect(network.state.get("upsampler.0.bias")).toEqual(state.get("upsampler.0.bias"));
    loadModel(serializePytorch(state), "span.pth").dispose();
  });
});

describe("metadata that name one of these networks and are not all", () => {
  const model = new Compact({ scale: 2, layers: 1, channels: 4, random });
  const file = async (metadata: Record<string, string>) =>
    serializeSafetensors(await model.stateDict(), { architecture: "Compact", ...metadata });

  test("are taken where they fit the tensors", async () => {
    const network = readNetwork(await file({ scale: "2", channels: "4", note: "kept" }));
    expect(network.metadata).toEqual({ ...model.metadata(), note: "kept" });
    const { state, metadata } = readNetwork(
      serializePytorch(await new SRCNN({ filters }).stateDict()),
      "x3.pth",
    );
    const told = { architecture: "SRCNN", scale: "4", padding: "replicate" };
    const srcnn = readNetwork(serializeSafetensors(new Map(state), told), "net.safetensors");
    expect(srcnn.metadata).toEqual({ ...metadata, ...told });
    expect(srcnn.assumptions.map(({ option }) => option)).toEqual(["residual"]);
  });

  test.each([
    ["scale", "4", "2"],
    ["channels", "6", "4"],
    ["activation", "relu", "prelu"],
  ])("are refused where they contradict them: %s", async (option, told, own) => {
    const bytes = await file({ [option]: told });
    expect(() => readNetwork(bytes, "net")).toThrow(DataError);
    expect(() => readNetwork(bytes, "net")).toThrow(
      `net says that "${option}" of architecture Compact is "${told}", and by its tensors it is ${own}.`,
    );
  });

  test("or are no value of an option", async () => {
    const bytes = await file({ scale: "two" });
    expect(() => loadModel(bytes, "net")).toThrow(
      '"scale" of architecture Compact is "two", which should be',
    );
  });
});

describe("whole files of another layout are not called damaged", () => {
  const array = (...shape: number[]): NamedArray => ({
    shape,
    data: new Float32Array(shape.reduce((a, b) => a * b)),
  });
  const refused = async (model: SuperResolver, changes: Record<string, NamedArray | undefined>) => {
    const state = new Map(await model.stateDict());
    for (const [key, values] of Object.entries(changes)) {
      if (values === undefined) state.delete(key);
      else state.set(key, values);
    }
    return () => loadModel(serializePytorch(state), "net_x2.pth");
  };
  const compact = new Compact({ layers: 1, channels: 6, random });

  test("an EDSR that enlarges by 4 in one step", async () => {
    const model = new EDSR({ blocks: 1, channels: 4, random });
    const changes = { "tail.0.0.weight": array(64, 4, 3, 3), "tail.0.0.bias": array(64) };
    expect(await refused(model, changes)).toThrow(
      "this EDSR enlarges by 4 in one step, and pixelgrad's does in",
    );
  });

  test("an SRCNN with windows that are no squares", async () => {
    const changes = { "conv1.weight": array(4, 1, 9, 3) };
    expect(await refused(new SRCNN({ filters, random }), changes)).toThrow(
      "this is an SRCNN with windows of 9 x 3, and pixelgrad",
    );
  });

  test.each([
    [3, 4, "from 3 channels to 1,"],
    [1, 12, "from 1 channel to 3,"],
    [3, 16, "from 3 channels to 16 in front of its pixel shuffle,"],
  ])("Compact from %d channels to %d before the shuffle", async (inputs, outputs, text) => {
    const changes = {
      "body.0.weight": array(6, inputs, 3, 3),
      "body.4.weight": array(outputs, 6, 3, 3),
      "body.4.bias": array(outputs),
    };
    expect(await refused(compact, changes)).toThrow(`this is Compact ${text}`);
  });

  test("Compact without its end", async () => {
    const changes = { "body.4.weight": undefined, "body.4.bias": undefined };
    expect(await refused(compact, changes)).toThrow("this is Compact without its last convolution.");
  });

  test("SPAN-fast, and SPAN without its beginning", async () => {
    const model = new SPAN({ blocks: 1, channels: 4, random });
    const first = { "conv_1.eval_conv.weight": undefined, "conv_1.eval_conv.bias": undefined };
    expect(await refused(model, first)).toThrow("this is SPAN without its first convolution.");
    const fast = { "conv_9x9.eval_conv.weight": array(4, 3, 9, 9), "refine_conv.weight": array(4, 4, 3, 3) };
    expect(await refused(model, { ...first, ...fast })).toThrow("this is SPAN-fast, which");
  });

  test.each(["srcnn_x16.pth", "srcnn_x1.pth", "16x_srcnn.pth"])(
    "a scale that there is not: %s",
    async (name) => {
      const file = serializePytorch(await new SRCNN({ filters, random }).stateDict());
      expect(() => readNetwork(file, name)).toThrow(
        /by its name it would enlarge by 16?, which should be 2, 3 or 4, .*--scale 3/,
      );
      expect(readNetwork(file, name, { scale: 2 }).metadata.scale).toBe("2");
    },
  );
});

test("a mean colour beside BasicSR's EDSR is subtracted", async () => {
  const mean = [0.5, 0.25, 0.125];
  const model = new EDSR({ blocks: 1, channels: 4, rgbMean: [0.5, 0.25, 0.125], random });
  const state = await model.stateDict();
  const names = [
    [/^head\.0\./, "conv_first."],
    [/^body\.(\d+)\.body\.0\./, "body.$1.conv1."],
    [/^body\.(\d+)\.body\.2\./, "body.$1.conv2."],
    [/^body\.1\./, "conv_after_body."],
    [/^tail\.0\./, "upsample."],
    [/^tail\.1\./, "conv_last."],
  ] as const;
  const basicsr = [...state].flatMap(([key, array]): [string, NamedArray][] => {
    const [pattern, name] = names.find(([pattern]) => pattern.test(key)) ?? [];
    return pattern === undefined ? [] : [[key.replace(pattern, name!), array]];
  });
  const values = { shape: [1, 3, 1, 1], data: Float32Array.from(mean) };
  const file = serializePytorch(new Map(basicsr).set("mean", values));
  expect(readNetwork(file).assumptions[0].text).toContain("0 to 255, less the mean in the file");
  expect(await loadModel(file).stateDict()).toEqual(state);
});
