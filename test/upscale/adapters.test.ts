/** What adapters make of a method: what it gets of a picture, and what becomes of its answer. */
import { describe, expect, test } from "vitest";
import type { Planes } from "../../src/picture/planes.ts";
import { withAlpha, withColors } from "../../src/upscale/adapters.ts";
import type { Method } from "../../src/upscale/method.ts";
import { expectClose } from "../support/close.ts";

/** Answers each plane as it is, and notes what it was asked. */
function method(colors: Method["colors"], asked: Planes[] = []): Method {
  return {
    ...{ name: "same", scale: 1, colors, device: undefined, margin: 0, pixelsWithin: () => 100 },
    async enlarge(planes) {
      asked.push(planes);
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
  test("a method for any planes stays itself", () => {
    const any = method("any");
    expect(withColors(any)).toBe(any);
  });

  test.each(["rgb", "y"] as const)(
    "a method for %s takes grey and RGB; what is exact for bytes goes",
    async (colors) => {
      const asked: Planes[] = [];
      const adapted = withColors(method(colors, asked));
      expect(adapted).toMatchObject({ colors: "any", margin: 2 });
      expect(adapted.enlargeBytes).toBeUndefined();
      expectClose((await adapted.enlarge(grey)).data, grey.data, { absolute: 1e-6 });
      expectClose((await adapted.enlarge(rgb)).data, rgb.data, { absolute: 1e-6 });
      expect(asked.map(({ channels }) => channels)).toEqual(colors === "rgb" ? [3, 3] : [1, 1]);
    },
  );

  test("a method for luma gets grey in studio range", async () => {
    const asked: Planes[] = [];
    await withColors(method("y", asked)).enlarge(grey);
    expectClose(asked[0].data, [16 / 255, 125.5 / 255, 235 / 255], { absolute: 1e-6 });
  });
});

describe("withAlpha", () => {
  test("colours count as much as they are seen, and come back", async () => {
    const asked: Planes[] = [];
    const adapted = withAlpha(method("any", asked));
    expect(adapted.enlargeBytes).toBeUndefined();
    const result = await adapted.enlarge(planes([0.9, 0.5, 1], [0, 0.5, 1]));
    // Where nothing is seen, no colour is left.
    expectClose(result.data, [0, 0.5, 1, 0, 0.5, 1], { absolute: 1e-6 });
    expectClose(asked[0].data, [0, 0.25, 1], { absolute: 1e-6 });
    const rgba = planes([0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9], [1, 0.5, 0.25]);
    expectClose((await adapted.enlarge(rgba)).data, rgba.data, { absolute: 1e-6 });
  });

  test("the signal reaches the method", async () => {
    const { signal } = new AbortController();
    const seen: unknown[] = [];
    const asking: Method = {
      ...method("rgb"),
      enlarge: async (planes, signal) => {
        seen.push(signal);
        return planes;
      },
    };
    await withAlpha(withColors(asking)).enlarge(planes([0.1, 0.2], [1, 0.5]), signal);
    expect(seen).toEqual([signal, signal]);
  });
});
