/** Adapters: which planes of a picture the method gets, and what becomes of its answer. */
import { describe, expect, test } from "vitest";
import type { Planes } from "../../src/picture/planes.ts";
import { withAlpha, withColors } from "../../src/upscale/adapters.ts";
import type { Method } from "../../src/upscale/method.ts";
import { expectClose } from "../support/close.ts";

/** Returns the planes unchanged, and notes its inputs. */
function method(colors: Method["colors"], inputs: Planes[] = []): Method {
  return {
    ...{ name: "same", scale: 1, colors, device: undefined, margin: 0, pixelsWithin: () => 100 },
    async enlarge(planes) {
      inputs.push(planes);
      return { ...planes, data: Float32Array.from(planes.data) };
    },
    enlargeBytes: (image) => image,
  };
}

const planes = (...values: number[][]): Planes => ({
  ...{ width: values[0].length, height: 1, channels: values.length },
  data: Float32Array.from(values.flat()),
});
const grey = planes([0, 0.5, 1]);
const rgb = planes([0, 0.5, 1], [0.25, 0.5, 1], [1, 0.5, 1]);

describe("withColors", () => {
  test("a method for any planes stays as it is", () => {
    const any = method("any");
    expect(withColors(any)).toBe(any);
  });

  test.each(["rgb", "y"] as const)(
    "a method for %s takes grey and RGB, and loses enlargeBytes",
    async (colors) => {
      const inputs: Planes[] = [];
      const adapted = withColors(method(colors, inputs));
      expect(adapted).toMatchObject({ colors: "any", margin: 2 });
      expect(adapted.enlargeBytes).toBeUndefined();
      expectClose((await adapted.enlarge(grey)).data, grey.data, { absolute: 1e-6 });
      expectClose((await adapted.enlarge(rgb)).data, rgb.data, { absolute: 1e-6 });
      expect(inputs.map(({ channels }) => channels)).toEqual(colors === "rgb" ? [3, 3] : [1, 1]);
    },
  );

  test("a method for luma gets grey in studio range", async () => {
    const inputs: Planes[] = [];
    await withColors(method("y", inputs)).enlarge(grey);
    expectClose(inputs[0].data, [16 / 255, 125.5 / 255, 235 / 255], { absolute: 1e-6 });
  });
});

describe("withAlpha", () => {
  test("colours count by their alpha, and come back", async () => {
    const inputs: Planes[] = [];
    const adapted = withAlpha(method("any", inputs));
    expect(adapted.enlargeBytes).toBeUndefined();
    const result = await adapted.enlarge(planes([0.9, 0.5, 1], [0, 0.5, 1]));
    // Nothing is left of the colour of transparent pixels.
    expectClose(result.data, [0, 0.5, 1, 0, 0.5, 1], { absolute: 1e-6 });
    expectClose(inputs[0].data, [0, 0.25, 1], { absolute: 1e-6 });
    const rgba = planes([0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9], [1, 0.5, 0.25]);
    expectClose((await adapted.enlarge(rgba)).data, rgba.data, { absolute: 1e-6 });
  });

  test("the signal reaches the method", async () => {
    const { signal } = new AbortController();
    const signals: unknown[] = [];
    const noting: Method = {
      ...method("rgb"),
      enlarge: async (planes, signal) => {
        signals.push(signal);
        return planes;
      },
    };
    await withAlpha(withColors(noting)).enlarge(planes([0.1, 0.2], [1, 0.5]), signal);
    expect(signals).toEqual([signal, signal]);
  });
});
