/** Weight files are enough to build a network again. */
import { beforeEach, describe, expect, test } from "vitest";
import { setDefaultDevice } from "../../src/device/open.ts";
import {
  createModel,
  EDSR,
  ESPCN,
  FSRCNN,
  loadModel,
  SRCNN,
  type SuperResolver,
} from "../../src/models/index.ts";
import { DataError } from "../../src/picture/errors.ts";
import { rand } from "../../src/tensor/create.ts";
import { manualSeed, Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { loadWeights, saveWeights, serializeSafetensors } from "../../src/weights/index.ts";
import { cpuTime } from "../support/cpu-time.ts";
import { float32Device } from "../support/devices.ts";

const device = float32Device();
beforeEach(() => setDefaultDevice(device));

const networks: readonly (readonly [string, () => SuperResolver])[] = [
  ["SRCNN", () => new SRCNN()],
  [
    "SRCNN with every option",
    () => new SRCNN({ scale: 2, kernels: [5, 3, 1], filters: [3, 2], padding: "zeros", residual: true }),
  ],
  ["ESPCN", () => new ESPCN()],
  [
    "ESPCN with every option",
    () => new ESPCN({ scale: 4, filters: [3, 2], activation: "relu", residual: true }),
  ],
  ["FSRCNN", () => new FSRCNN()],
  ["FSRCNN with every option", () => new FSRCNN({ scale: 2, d: 3, s: 2, m: 1 })],
  [
    "EDSR with every option",
    () =>
      new EDSR({ scale: 3, blocks: 1, channels: 2, resScale: 0.1, rgbRange: 1, rgbMean: [0.1, 0.2, 0.3] }),
  ],
];

describe.each(networks)("%s", (_, make) => {
  test("comes back from its weight file: options, weights and answers", async () => {
    const model = make();
    const again = loadModel(await saveWeights(model, { step: "7" }), "weights.safetensors");
    expect(again).toBeInstanceOf(model.constructor);
    expect(again.metadata()).toEqual(model.metadata());
    expect(await again.stateDict()).toEqual(await model.stateDict());
    using _ = scope();
    const x = rand([1, model.planes, 5, 4], new Random(1));
    expect(await again.forward(x).data()).toEqual(await model.forward(x).data());
  });

  test("every field is needed", () => {
    const metadata = make().metadata();
    for (const field of Object.keys(metadata)) {
      const { [field]: _, ...others } = metadata;
      expect(() => createModel(others, "w.safetensors")).toThrow(
        field === "architecture" ? "w.safetensors does not say which network" : `lacks its "${field}"`,
      );
    }
  });
});

test("errors say what is wrong and what to do", async () => {
  expect(() => createModel({ architecture: "VDSR" }, "w.safetensors")).toThrow(
    /w\.safetensors calls its network "VDSR"; known are .*SRCNN.*EDSR.* of your own: loadWeights\(new Net\(\), bytes\)\.$/,
  );
  expect(() => createModel({ architecture: "toString" })).toThrow('calls its network "toString"');
  const good = new ESPCN().metadata();
  expect(() => createModel({ ...good, scale: "three" })).toThrow(
    '"scale" of architecture ESPCN is "three", which should be 2, 3 or 4.',
  );
  expect(() => createModel({ ...good, scale: "7" })).toThrow('is "7", which should be 2, 3 or 4.');
  expect(() => createModel({ ...good, filters: "64,32" })).toThrow(
    "2 numbers as in 64-32, each a whole number",
  );
  expect(() => createModel({ ...good, filters: "64-32-1" })).toThrow("2 numbers as in 64-32");
  expect(() => createModel({ ...good, residual: "maybe" })).toThrow("which should be yes or no");
  expect(() => loadModel(new Uint8Array(3), "w.safetensors")).toThrow("w.safetensors is not a complete");
});

test("a file whose tensors do not fit its metadata is refused, and nothing stays on the device", async () => {
  const model = new ESPCN();
  const [state, metadata] = [await model.stateDict(), model.metadata()];
  const { live } = device.memory();
  const empty = serializeSafetensors(new Map(), metadata);
  expect(() => loadModel(empty, "w.safetensors")).toThrow(
    "w.safetensors describes ESPCN x3, channels 64-32, which has more weights than the file's 0 in 0 " +
      "tensors.",
  );
  state.set("other", state.get("last_part.0.bias")!);
  state.delete("last_part.0.bias");
  const renamed = serializeSafetensors(state, metadata);
  expect(() => loadModel(renamed, "w.safetensors")).toThrow(
    /w\.safetensors does not fit this ESPCN: it lacks last_part.0.bias; it has other, which this network lacks/,
  );
  expect(device.memory().live).toBe(live);
});

describe("metadata that ask for an enormous network are refused before it is built", () => {
  const edsr = { architecture: "EDSR", scale: "2", resScale: "1", rgbRange: "255" };
  const values = { shape: [100], data: new Float32Array(100) };
  const tensors = new Map(Array.from({ length: 50 }, (_, i) => [`t${i}`, values] as const));

  const larger = /^w.safetensors describes .* more weights than the file's/;
  test.each<[Record<string, string>, RegExp]>([
    [
      { ...edsr, blocks: "1000000", channels: "64" },
      /"blocks" of architecture EDSR is "1000000", which should be/,
    ],
    [{ ...edsr, blocks: "1024", channels: "1" }, larger],
    [{ ...edsr, blocks: "1", channels: "4096" }, larger],
    [{ ...edsr, blocks: "1", channels: "9007199254740991" }, /"channels" of architecture EDSR is "9007199/],
    [{ ...edsr, blocks: "200", channels: "256" }, larger],
    [{ architecture: "FSRCNN", scale: "3", d: "56", s: "12", m: "1000000" }, /"m" of architecture FSRCNN is/],
    [{ architecture: "FSRCNN", scale: "3", d: "4096", s: "4096", m: "1024" }, larger],
    [
      { architecture: "ESPCN", scale: "3", filters: "4096-4096", activation: "relu", residual: "false" },
      larger,
    ],
    [
      {
        architecture: "SRCNN",
        scale: "3",
        kernels: "99-99-99",
        filters: "4096-4096",
        padding: "replicate",
        residual: "true",
      },
      larger,
    ],
  ])("%o", async (metadata, message) => {
    const { live, bufferBytes } = device.memory();
    for (const held of [new Map(), tensors]) {
      const bytes = serializeSafetensors(held, metadata);
      const time = await cpuTime(() => {
        expect(() => loadModel(bytes, "w.safetensors")).toThrow(DataError);
        expect(() => loadModel(bytes, "w.safetensors")).toThrow(message);
      });
      expect(time).toBeLessThan(1500);
    }
    expect(device.memory()).toMatchObject({ live, bufferBytes });
  });
});

test.each([NaN, Infinity, -Infinity])(
  "weights that hold %d are refused by the tensor's name",
  async (value) => {
    for (const Network of [EDSR, ESPCN, FSRCNN, SRCNN]) {
      const model = new Network();
      const state = await model.stateDict();
      const [name, { data }] = [...state].at(-2)!;
      data[data.length - 1] = value;
      const bytes = serializeSafetensors(state, model.metadata());
      const complaint = `w.safetensors holds ${value} in the tensor ${name}.`;
      expect(() => loadModel(bytes, "w.safetensors")).toThrow(DataError);
      expect(() => loadModel(bytes, "w.safetensors")).toThrow(complaint);
      expect(() => loadWeights(model, bytes, "w.safetensors")).toThrow(complaint);
      expect(() => model.loadStateDict(state, { strict: false, source: "w.safetensors" })).toThrow(complaint);
      expect([...(await model.stateDict()).values()].every((t) => t.data.every(Number.isFinite))).toBe(true);
      model.dispose();
    }
  },
);

test("loading leaves the default generator where building the network alone would", async () => {
  const bytes = await saveWeights(new ESPCN({ random: new Random(1) }));
  const after = (make: () => void) => {
    const random = manualSeed(5);
    make();
    return random.state();
  };
  expect(after(() => loadModel(bytes))).toEqual(after(() => new ESPCN()));
});
