/** Pictures enlarged in tiles are the same as those enlarged at once. */
import { beforeEach, describe, expect, test } from "vitest";
import type { Image } from "../../src/data/index.ts";
import { slice } from "../../src/kernels/layout/index.ts";
import { EDSR } from "../../src/models/edsr.ts";
import { type Device, setDefaultDevice } from "../../src/tensor/device.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { rand } from "../../src/tensor/tensor.ts";
import { upscale } from "../../src/train/upscale.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";

const devices: Device[] = [float32Device(), ...(await gpuDevices())];

function noise(width: number, height: number): Image {
  const random = new Random(width);
  return {
    width,
    height,
    channels: 3,
    data: Uint8Array.from({ length: 3 * width * height }, () => random.int(256)),
  };
}

describe.each(devices.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  beforeEach(() => setDefaultDevice(device));
  // In the range of 0..1 the weights of a new network change too little to tell pictures apart.
  const network = (scale: 2 | 3) =>
    new EDSR({ scale, blocks: 1, channels: 3, rgbRange: 255, random: new Random(3) });

  // Tiles have 32 pixels: one, several, some of a single row or column.
  test.each([
    [2, 5, 7],
    [2, 32, 32],
    [2, 33, 65],
    [2, 70, 45],
    [3, 40, 1],
  ] as const)("x%i of a picture of %i x %i pixels", async (scale, width, height) => {
    const model = network(scale);
    const picture = noise(width, height);
    const { live } = device.memory();
    const whole = await upscale(model, picture, { bytes: Number.POSITIVE_INFINITY });
    expect(whole).toMatchObject({ width: scale * width, height: scale * height, channels: 3 });
    expect(await upscale(model, picture, { bytes: 1 })).toEqual(whole);
    expect(await upscale(model, picture)).toEqual(whole);
    expect(device.memory().live).toBe(live);
    expect(new Set(whole.data).size).toBeGreaterThan(20); // not all one colour
    model.dispose();
  });

  test("tiles have a border as wide as the network sees: their values are the same to the last bit", async () => {
    using _ = scope();
    const model = network(2);
    const { halo, scale } = model;
    const x = rand([1, 3, 40, 44], new Random(1));
    const inner = async (top: number, left: number, bottom: number, right: number) => {
      const part = slice(x, [0, 0, top, left], [1, 3, bottom, right]);
      const [from, to] = [scale * (18 - top), scale * (22 - top)];
      const columns = [scale * (20 - left), scale * (24 - left)];
      return slice(model.forward(part), [0, 0, from, columns[0]], [1, 3, to, columns[1]]).data();
    };
    const whole = await inner(0, 0, 40, 44);
    expect(await inner(18 - halo, 20 - halo, 22 + halo, 24 + halo)).toEqual(whole);
    expect(await inner(18 - halo, 0, 40, 24 + halo)).toEqual(whole);
    expect(await inner(18, 20, 22, 24)).not.toEqual(whole); // a tile without it
  });
});
