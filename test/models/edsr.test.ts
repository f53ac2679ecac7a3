/** EDSR's names, sizes and options. Its values are compared with PyTorch's in test/golden. */
import { beforeEach, describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { setDefaultDevice } from "../../src/device/open.ts";
import { DIV2K_RGB_MEAN, EDSR } from "../../src/models/edsr.ts";
import { rand, tensor } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { expectClose } from "../support/close.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";

const cpu = float32Device();
beforeEach(() => setDefaultDevice(cpu));

/** What `state_dict()` of the authors' code lists (EDSR-PyTorch, model/edsr.py), for two blocks. */
const before = `
  sub_mean.weight sub_mean.bias add_mean.weight add_mean.bias
  head.0.weight head.0.bias
  body.0.body.0.weight body.0.body.0.bias body.0.body.2.weight body.0.body.2.bias
  body.1.body.0.weight body.1.body.0.bias body.1.body.2.weight body.1.body.2.bias
  body.2.weight body.2.bias`;
const tails = {
  2: "tail.0.0.weight tail.0.0.bias tail.1.weight tail.1.bias",
  3: "tail.0.0.weight tail.0.0.bias tail.1.weight tail.1.bias",
  4: "tail.0.0.weight tail.0.0.bias tail.0.2.weight tail.0.2.bias tail.1.weight tail.1.bias",
  8: `tail.0.0.weight tail.0.0.bias tail.0.2.weight tail.0.2.bias tail.0.4.weight tail.0.4.bias
      tail.1.weight tail.1.bias`,
};

const scales = [2, 3, 4, 8] as const;

/** How many weights and biases its 3x3 convolutions have, independent of the library. */
function countOf(scale: number, blocks: number, c: number): number {
  const conv = (from: number, to: number) => 9 * from * to + to;
  const upsampler = scale === 3 ? conv(c, 9 * c) : Math.log2(scale) * conv(c, 4 * c);
  return conv(3, c) + 2 * blocks * conv(c, c) + conv(c, c) + upsampler + conv(c, 3);
}

describe("EDSR", () => {
  test.each(scales)("x%i has the names of the authors' weights, in their order", (scale) => {
    const model = new EDSR({ scale, blocks: 2, channels: 4 });
    const names = `${before} ${tails[scale]}`.trim().split(/\s+/);
    expect([...model.namedTensors().keys()]).toEqual(names);
    // The mean shifts are fixed.
    expect(model.parameters().length).toBe(names.length - 4);
    const shapes = [...model.namedTensors().values()].map(({ shape }) => shape.join("x"));
    expect(shapes.slice(0, 6)).toEqual(["3x3x1x1", "3", "3x3x1x1", "3", "4x3x3x3", "4"]);
    expect(shapes.slice(-2)).toEqual(["3x4x3x3", "3"]);
  });

  test("sizes: the paper's baseline and large network", () => {
    expect(new EDSR().parameterCount()).toBe(1_369_859); // "1.37 M"
    for (const scale of scales) {
      for (const [blocks, channels] of [
        [1, 1],
        [3, 5],
        [16, 64],
      ]) {
        const model = new EDSR({ scale, blocks, channels });
        expect(model.parameterCount()).toBe(countOf(scale, blocks, channels));
        model.dispose();
      }
    }
    // Counted without building the 163 MB.
    expect(countOf(2, 32, 256)).toBe(40_729_603); // "40.7 M"
  });

  test("the mean colour is subtracted before and added after", async () => {
    const model = new EDSR({ blocks: 1, channels: 2 });
    const value = (name: string) => [...model.namedTensors().get(name)!.cpuStorage.array];
    const mean = DIV2K_RGB_MEAN.map((v) => Math.fround(v * 255));
    expect(value("add_mean.bias")).toEqual(mean);
    expect(value("sub_mean.bias")).toEqual(mean.map((v) => -v));
    expect(value("sub_mean.weight")).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
    const own = new EDSR({ blocks: 1, channels: 2, rgbMean: [0.1, 0.2, 0.3], rgbRange: 1 });
    expect([...own.namedTensors().get("add_mean.bias")!.cpuStorage.array]).toEqual(
      [0.1, 0.2, 0.3].map(Math.fround),
    );
  });

  test("the same seed gives the same network", async () => {
    const state = (seed: number) =>
      new EDSR({ blocks: 1, channels: 3, random: new Random(seed) }).stateDict();
    expect(await state(1)).toEqual(await state(1));
    expect(await state(1)).not.toEqual(await state(2));
  });

  test("refuses scales and sizes that do not exist", () => {
    expect(() => new EDSR({ scale: 5 as 4 })).toThrow("EDSR: scale must be 2, 3, 4 or 8, got 5.");
    expect(() => new EDSR({ blocks: 0 })).toThrow(
      "EDSR: blocks must be a whole number from 1 to 1024, got 0.",
    );
    expect(() => new EDSR({ channels: 1.5 })).toThrow(
      "EDSR: channels must be a whole number from 1 to 4096, got 1.5.",
    );
  });
});

const devices: Device[] = [cpu, ...(await gpuDevices())];
describe.each(devices.map((device) => [device.name, device] as const))("EDSR on %s", (_, device) => {
  beforeEach(() => setDefaultDevice(device));

  test.each(scales)("x%i enlarges a batch", async (scale) => {
    using _ = scope();
    const model = new EDSR({ scale, blocks: 1, channels: 3 });
    const y = model.forward(rand([2, 3, 4, 5], new Random(1)));
    expect(y.shape).toEqual([2, 3, 4 * scale, 5 * scale]);
    expect((await y.data()).every(Number.isFinite)).toBe(true);
  });

  test("halo: pixels further away have no influence", async () => {
    using _ = scope();
    const scale = 2;
    const model = new EDSR({ scale, blocks: 1, channels: 4, random: new Random(1) });
    const { halo } = model;
    expect(halo).toBe(6);
    const width = 2 * halo + 9;
    const middle = (width - 1) / 2;
    const values = rand([1, 3, 1, width], new Random(2));
    const x = await values.data();
    const y = await model.forward(values).data();
    const changedAt = async (column: number) => {
      const other = x.slice();
      other[column] += 10;
      const result = await model.forward(tensor(other, [1, 3, 1, width])).data();
      const own = [0, 1].map((i) => middle * scale + i);
      return own.some((at) => result[at] !== y[at]);
    };
    expect(await changedAt(middle)).toBe(true);
    expect(await changedAt(middle + halo + 1)).toBe(false);
    expect(await changedAt(middle - halo - 1)).toBe(false);
    // The exact reach is half a pixel less than the halo, the last convolution being at twice the size.
    expect((await changedAt(middle + halo - 1)) || (await changedAt(middle - halo + 1))).toBe(true);
  });

  test("resScale scales the residuals: with 0 the blocks do nothing", async () => {
    using _ = scope();
    const x = rand([1, 3, 4, 4], new Random(1));
    const network = (blocks: number, resScale: number) =>
      new EDSR({ blocks, channels: 4, resScale, random: new Random(2) });
    const one = network(1, 0);
    const three = network(3, 0);
    const state = await one.stateDict();
    // The same weights around blocks that do nothing.
    const renamed = new Map(await three.stateDict());
    for (const [name, array] of state)
      if (!name.startsWith("body.0.")) renamed.set(name.replace("body.1.", "body.3."), array);
    three.loadStateDict(renamed);
    expectClose(await three.forward(x).data(), await one.forward(x).data());
    expect(await network(1, 1).forward(x).data()).not.toEqual(await one.forward(x).data());
  });
});
