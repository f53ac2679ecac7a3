/** Samples to planes and back: on every device exactly what toPlanar and fromPlanar compute in double precision. */
import { describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { packedWidth, packSamples, readSamples, unpackSamples } from "../../src/kernels/samples/index.ts";
import type { Image, Samples } from "../../src/picture/image.ts";
import { fromPlanar, toPlanar } from "../../src/picture/planes.ts";
import { tensor } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { ShapeError } from "../../src/tensor/shape.ts";
import { float32Device, float64Device, gpuDevices } from "../support/devices.ts";

const devices: Device[] = [float32Device(), float64Device(), ...(await gpuDevices())];
const depths = [8, 16] as const;
const random = new Random(1);

const every = (depth: 8 | 16) =>
  depth === 8
    ? Uint8Array.from({ length: 2 ** 8 }, (_, i) => i)
    : Uint16Array.from({ length: 2 ** 16 }, (_, i) => i);

const bits = (values: Float32Array) => [...new Uint32Array(values.buffer, values.byteOffset, values.length)];

describe.each(devices.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  test.each(depths)(
    "every sample of %i bits becomes the float that is nearest to its share",
    async (depth) => {
      const data = every(depth);
      const x = unpackSamples(data, [1, 1, data.length], device);
      const image = { width: data.length, height: 1, channels: 1, data } as Image<Samples>;
      expect(bits(await x.data())).toEqual(bits(toPlanar(image)));
      const levels = unpackSamples(data, [1, 1, data.length], device, { unit: false });
      expect([...(await levels.data())]).toEqual([...data]);
      for (const tensor of [x, levels]) tensor.dispose();
    },
  );

  test.each(depths)(
    "every half between two levels of %i bits, and its neighbours, round upwards",
    async (depth) => {
      const white = 2 ** depth - 1;
      // The floats around every half: where f32 and double precision would disagree, if they did.
      const values = Float32Array.from({ length: 5 * (white + 1) }, (_, i) => {
        const half = new Float32Array([(Math.floor(i / 5) + 0.5) / white]);
        new Uint32Array(half.buffer)[0] += (i % 5) - 2;
        return half[0];
      });
      const more = [-1, -0, 0, 1e-30, 1, 1 + 1e-6, 7, 3e38, -3e38];
      const planes = Float32Array.from([
        ...values,
        ...more,
        ...Array.from({ length: 4096 }, () => random.uniform()),
      ]);
      const x = tensor(planes, [1, 1, 1, planes.length], { device });
      const packed = packSamples(x, { depth });
      const { data, finite } = await readSamples(packed, depth);
      expect(finite).toBe(true);
      expect([...data.subarray(0, planes.length)]).toEqual([
        ...fromPlanar(planes, planes.length, 1, 1, depth).data,
      ]);
      x.dispose();
    },
  );

  describe.each([1, 2, 3, 4] as const)("%i channels", (channels) => {
    test.each(depths)("of %i bits, of every width, there and back", async (depth) => {
      const { live } = device.memory();
      for (const [width, height] of [
        [1, 1],
        [2, 3],
        [3, 2],
        [5, 4],
        [67, 3],
        [130, 70],
      ]) {
        const length = width * height * channels;
        const level = () => random.int(2 ** depth);
        const data = depth === 8 ? Uint8Array.from({ length }, level) : Uint16Array.from({ length }, level);
        const x = unpackSamples(data, [channels, height, width], device);
        expect(x.shape).toEqual([1, channels, height, width]);
        const image = { width, height, channels, data } as Image<Samples>;
        expect(await x.data()).toEqual(toPlanar(image));
        const result = await readSamples(packSamples(x, { depth }), depth);
        const rowLength = packedWidth(width, depth) * channels;
        for (let row = 0; row < height; row++) {
          const got = result.data.subarray(row * rowLength).subarray(0, width * channels);
          expect(got).toEqual(data.subarray(row * width * channels, (row + 1) * width * channels));
        }
        x.dispose();
      }
      expect(device.memory().live).toBe(live);
    });

    test("a region, as levels", async () => {
      const [height, width] = [9, 11];
      const values = Float32Array.from({ length: channels * height * width }, () => random.int(300) - 20);
      const x = tensor(values, [1, channels, height, width], { device });
      const region = { top: 2, left: 3, bottom: 8, right: 8 };
      const { data } = await readSamples(packSamples(x, { unit: false, region }), 8);
      expect(data.length).toBe(6 * 8 * channels);
      for (let row = 0; row < 6; row++) {
        for (let column = 0; column < 5; column++) {
          for (let c = 0; c < channels; c++) {
            const value = values[(c * height + row + 2) * width + column + 3];
            expect(data[(row * 8 + column) * channels + c]).toBe(Math.min(255, Math.max(0, value)));
          }
        }
      }
      x.dispose();
    });
  });

  test("NaN and infinity are noticed wherever they are, and only in the region", async () => {
    const [height, width] = [70, 67];
    const broken = [Number.NaN, Infinity, -Infinity];
    for (const [i, at] of [0, 5, 66, 67, 3 * height * width - 1, random.int(3 * height * width)].entries()) {
      const values = new Float32Array(3 * height * width);
      values[at] = broken[i % 3];
      const x = tensor(values, [1, 3, height, width], { device });
      expect((await readSamples(packSamples(x), 8)).finite).toBe(false);
      const row = Math.floor(at / width) % height;
      const region = { top: row === 0 ? 1 : 0, left: 0, bottom: row === 0 ? height : row, right: width };
      expect((await readSamples(packSamples(x, { region }), 8)).finite).toBe(true);
      x.dispose();
    }
  });
});

test("errors", () => {
  expect(() => unpackSamples(new Uint8Array(5), [3, 1, 2], devices[0])).toThrow(ShapeError);
  expect(() => packSamples(tensor([1, 2], undefined, { device: devices[0] }))).toThrow(ShapeError);
});
