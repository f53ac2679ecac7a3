/** Adapters: which channels of a picture the method gets, and what becomes of its answer. */
import { describe, expect, test } from "vitest";
import { interpolate } from "../../src/kernels/resize/index.ts";
import { tensor } from "../../src/tensor/create.ts";
import { ShapeError } from "../../src/tensor/shape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { withAlpha, withColors } from "../../src/upscale/adapters.ts";
import { compute, computeFrom } from "../../src/upscale/compute.ts";
import type { TensorMethod } from "../../src/upscale/method.ts";
import { expectClose } from "../support/close.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";

const devices = [float32Device(), ...(await gpuDevices())];

/** What a method got. */
interface Note {
  readonly channels: number;
  readonly values: Float32Array;
}

describe.each(devices.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  /** Repeats every pixel `scale` times in both directions, and notes its inputs. */
  function repeating(scale: number, notes: Note[] = []): TensorMethod {
    return {
      device,
      async enlarge(x) {
        notes.push({ channels: x.shape[1], values: await x.data() });
        return computeFrom([x], () => interpolate(x, { mode: "nearest", scaleFactor: scale }));
      },
    };
  }

  /** Channels of one row of pixels. */
  const row = (...values: number[][]): Tensor =>
    compute(() => tensor(values.flat(), [1, values.length, 1, values[0].length], { device }));
  const grey = [0, 0.5, 1];
  const rgb = [
    [0, 0.5, 1],
    [0.25, 0.5, 1],
    [1, 0.5, 1],
  ];

  async function read(x: Tensor): Promise<Float32Array> {
    const values = await x.data();
    x.dispose();
    return values;
  }

  describe("withColors", () => {
    test("a method for any channels stays as it is", () => {
      const any = repeating(1);
      expect(withColors(any, { colors: "any", scale: 1 }).enlarge).toBe(any.enlarge);
    });

    test.each(["rgb", "y"] as const)(
      "a method for %s takes grey and RGB, and leaves nothing behind",
      async (colors) => {
        const notes: Note[] = [];
        const { enlarge } = withColors(repeating(1, notes), { colors, scale: 1 });
        const { live } = device.memory();
        expectClose(await read(await enlarge(row(grey))), grey, { absolute: 1e-6 });
        expectClose(await read(await enlarge(row(...rgb))), rgb.flat(), { absolute: 1e-6 });
        expect(notes.map(({ channels }) => channels)).toEqual(colors === "rgb" ? [3, 3] : [1, 1]);
        expect(device.memory().live).toBe(live);
      },
    );

    test("a method for luma gets grey in studio range, and a grey picture in RGB stays grey to the bit", async () => {
      const notes: Note[] = [];
      const { enlarge } = withColors(repeating(3, notes), { colors: "y", scale: 3 });
      await read(await enlarge(row(grey)));
      expectClose(notes[0].values, [16 / 255, 125.5 / 255, 235 / 255], { absolute: 1e-6 });
      const values = Array.from({ length: 9 }, (_, i) => i / 9 + 1e-3 * i ** 2);
      const large = await read(await enlarge(row(values, values, values)));
      expect(large.length).toBe(3 * 27 * 3);
      expect(large.subarray(0, 81)).toEqual(large.subarray(81, 162));
      expect(large.subarray(0, 81)).toEqual(large.subarray(162));
    });
  });

  describe("withAlpha", () => {
    const flat = false;

    test("colours count by their alpha, and come back", async () => {
      const notes: Note[] = [];
      const { enlarge } = withAlpha(repeating(1, notes), { scale: 1, flat });
      const result = await read(await enlarge(row([0.9, 0.5, 1], [0, 0.5, 1])));
      // Nothing is left of the colour of transparent pixels.
      expectClose(result, [0, 0.5, 1, 0, 0.5, 1], { absolute: 1e-6 });
      expectClose(notes[0].values, [0, 0.25, 1], { absolute: 1e-6 });
      const rgba = [
        [0.1, 0.2, 0.3],
        [0.4, 0.5, 0.6],
        [0.7, 0.8, 0.9],
        [1, 0.5, 0.25],
      ];
      expectClose(await read(await enlarge(row(...rgba))), rgba.flat(), { absolute: 1e-6 });
    });

    test("alpha that is the same everywhere is not enlarged, and comes out as if it had been", async () => {
      const rgba = [...rgb, [0.6, 0.6, 0.6]];
      const [full, short] = [[], []] as Note[][];
      const slow = withAlpha(repeating(2, full), { scale: 2, flat });
      const fast = withAlpha(repeating(2, short), { scale: 2, flat: true });
      expect(await read(await fast.enlarge(row(...rgba)))).toEqual(
        await read(await slow.enlarge(row(...rgba))),
      );
      expect([full.length, short.length]).toEqual([2, 1]);
    });

    test("opaque pixels pass through to the bit", async () => {
      const { enlarge } = withAlpha(repeating(1), { scale: 1, flat });
      const values = Array.from({ length: 100 }, (_, i) => Math.sin(i));
      const opaque = values.map(() => 1);
      const result = await read(await enlarge(row(values, opaque)));
      expect(result).toEqual(Float32Array.from([...values, ...opaque]));
    });

    test("the signal reaches the method, and after an error nothing is left", async () => {
      const { signal } = new AbortController();
      const signals: unknown[] = [];
      const { live } = device.memory();
      const noting: TensorMethod = {
        device,
        enlarge: async (x, given) => {
          signals.push(given);
          return computeFrom([x], () => {
            if (signals.length === 4) throw new ShapeError("enough");
            return interpolate(x, { mode: "nearest", scaleFactor: 1 });
          });
        },
      };
      const { enlarge } = withAlpha(withColors(noting, { colors: "rgb", scale: 1 }), { scale: 1, flat });
      await read(await enlarge(row([0.1, 0.2], [1, 0.5]), signal));
      expect(signals).toEqual([signal, signal]);
      await expect(enlarge(row([0.1, 0.2], [1, 0.5]))).rejects.toThrow("enough");
      expect(device.memory().live).toBe(live);
    });
  });
});
