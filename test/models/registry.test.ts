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
import { saveWeights, serializeSafetensors } from "../../src/nn/index.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { rand } from "../../src/tensor/tensor.ts";
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
    const x = rand([1, model.colors === "rgb" ? 3 : 1, 5, 4], new Random(1));
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
    /w\.safetensors calls its network "VDSR"; known are .*SRCNN.*EDSR/,
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
  const bytes = serializeSafetensors(new Map(), new ESPCN().metadata());
  const { live } = device.memory();
  expect(() => loadModel(bytes, "w.safetensors")).toThrow(
    /w\.safetensors does not fit this ESPCN: it lacks first_part/,
  );
  expect(device.memory().live).toBe(live);
});
