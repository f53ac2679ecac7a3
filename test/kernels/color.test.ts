/** Luma, chroma and back: against Matlab's rgb2ycbcr, and kernels against their references. */
import { describe, expect, test } from "vitest";
import { chromaOf, lumaOf, rgbOf } from "../../src/kernels/color/index.ts";
import { rgbToYcbcr } from "../../src/picture/color.ts";
import { toPlanar } from "../../src/picture/planes.ts";
import { randn, tensor } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { ShapeError } from "../../src/tensor/shape.ts";
import { expectClose } from "../support/close.ts";
import { compareWithCpu } from "../support/compare.ts";
import { float32Device, float64Device, gpuDevices } from "../support/devices.ts";

const devices = await gpuDevices();
const cpu = float32Device();

/** A picture of random bytes. */
function noise(width: number, height: number) {
  const random = new Random(1);
  const data = Uint8Array.from({ length: 3 * width * height }, () => random.int(256));
  return { width, height, channels: 3 as const, data };
}

test("the references are rgb2ycbcr, with chroma around 0, and undo each other", () => {
  const picture = noise(7, 5);
  const x = tensor(toPlanar(picture), [1, 3, 5, 7], { device: float64Device() });
  const ycbcr = rgbToYcbcr(picture);
  const [luma, chroma] = [lumaOf(x), chromaOf(x)];
  expectClose(
    luma.cpuStorage.array,
    ycbcr.subarray(0, 35).map((y) => y / 255),
    { absolute: 1e-7 },
  );
  expectClose(
    chroma.cpuStorage.array,
    ycbcr.subarray(35).map((c) => (c - 128) / 255),
    { absolute: 1e-7 },
  );
  expectClose(rgbOf(luma, chroma).cpuStorage.array, x.cpuStorage.array, { absolute: 1e-12 });
});

test.each([
  [1, 1, 1],
  [2, 5, 7],
  [1, 33, 130],
  [3, 64, 65],
])("kernels on %i pictures of %i x %i", async (n, h, w) => {
  const options = { gradients: false, absolute: 1e-6, relative: 1e-6 };
  await compareWithCpu(devices, "luma", ([x]) => lumaOf(x), [[n, 3, h, w]], options);
  await compareWithCpu(devices, "chroma", ([x]) => chromaOf(x), [[n, 3, h, w]], options);
  const inputs = [
    [n, 1, h, w],
    [n, 2, h, w],
  ];
  await compareWithCpu(devices, "rgb", ([y, c]) => rgbOf(y, c), inputs, options);
});

describe("a picture without colour", () => {
  test("has chroma 0, and stays without, to the bit, on every device", async () => {
    for (const device of [cpu, ...devices]) {
      const grey = randn([1, 1, 40, 50], { device });
      const values = await grey.data();
      const x = tensor(Float32Array.from([...values, ...values, ...values]), [1, 3, 40, 50], { device });
      const chroma = chromaOf(x);
      expect(Math.max(...(await chroma.data()).map(Math.abs))).toBe(0);
      const back = await rgbOf(grey, chroma).data();
      expect(back.subarray(0, 2000)).toEqual(back.subarray(2000, 4000));
      expect(back.subarray(0, 2000)).toEqual(back.subarray(4000));
    }
  });
});

test("errors", () => {
  const x = randn([1, 2, 3, 4], { device: cpu });
  expect(() => lumaOf(x)).toThrow("lumaOf: wants pictures [n, 3, h, w], got [1, 2, 3, 4]");
  expect(() => chromaOf(x)).toThrow(ShapeError);
  expect(() => rgbOf(randn([1, 1, 3, 5], { device: cpu }), x)).toThrow(ShapeError);
});
