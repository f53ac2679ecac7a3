/** Which LR belongs to HR by its size, and which is off by some pixels. */
import { describe, expect, test } from "vitest";
import { fittingLow, fittingLows } from "../../src/data/pair-sizes.ts";
import { DataError } from "../../src/picture/errors.ts";
import type { Size } from "../../src/picture/image.ts";

const size = ([width, height]: readonly number[]): Size => ({ width, height });
const files = { high: "hr/a.png", low: "lr/a.png" };

describe("a pair alone", () => {
  test.each([
    [[72, 60], [35, 30], 2], // would be HR cut to a multiple of 10
    [[70, 42], [34, 21], 2], // would be a multiple of 4, but the height is not
    [[52, 40], [25, 20], 2],
    [[74, 60], [35, 30], 2],
    [[100, 100], [40, 40], 2], // of 20 or 40, which no set is cut to
    [[80, 60], [25, 20], 3],
    [[63, 60], [62, 60], 1],
    [[63, 60], [60, 60], 1],
  ] as const)("HR of %j, LR of %j at x%i: refused", (high, low, scale) => {
    expect(() => fittingLow(files, size(high), size(low), scale)).toThrow(DataError);
  });

  test.each([
    [[74, 60], [36, 30], 2], // cut to a multiple of 4 or 12
    [[70, 71], [30, 30], 2], // of 12
    [[70, 71], [24, 24], 2], // of 24
    [[71, 61], [36, 30], 2], // rounded up and down
    [[71, 61], [18, 15], 4],
  ] as const)("HR of %j, LR of %j at x%i: taken", (high, low, scale) => {
    const fitting = fittingLow(files, size(high), size(low), scale);
    expect(fitting.width).toBeLessThanOrEqual(low[0]);
    expect(fitting.width * scale).toBeLessThanOrEqual(high[0]);
  });
});

describe("a set", () => {
  const set = (folder: string, ...sizes: [high: readonly number[], low?: readonly number[]][]) =>
    sizes.map(([high, low], i) => ({
      files: { high: `hr/${i}.png`, low: low && `${folder}/${i}.png` },
      high: size(high),
      low: low && size(low),
    }));
  const errors = (pairs: ReturnType<typeof set>) =>
    fittingLows(pairs, 2).map((fitting) => fitting instanceof DataError && fitting.message);

  test("all HR are cut to one multiple: LR that only another one explains is off", () => {
    const whole = set(
      "lr",
      [
        [70, 50],
        [35, 25],
      ],
      [
        [66, 54],
        [33, 27],
      ],
    );
    const off = set("lr", [
      [74, 60],
      [36, 30],
    ]); // a column less than its 37
    const [, , error] = errors([...whole, ...off]);
    expect(errors([...whole, ...off]).slice(0, 2)).toEqual([false, false]);
    expect(error).toMatch(/lr\/0\.png is 36x30.* must be 37x30, if its HR was cut to a multiple of 2 as/);
    expect(errors(off)).toEqual([false]);
  });

  test("sets that were cut, whole HR among them, and other folders", () => {
    const cut = set(
      "lr",
      [
        [70, 50],
        [30, 24],
      ],
      [
        [65, 65],
        [30, 30],
      ],
      [
        [60, 48],
        [30, 24],
      ],
    );
    const other = set(
      "lr2",
      [
        [70, 50],
        [35, 25],
      ],
      [
        [70, 51],
        [35, 26],
      ],
      [[70, 52]],
    );
    expect(errors([...cut, ...other])).toEqual([false, false, false, false, false, false]);
    const [, , , error] = errors([
      ...cut,
      ...set("lr", [
        [70, 50],
        [35, 25],
      ]),
    ]);
    expect(error).toMatch(/must be 30x24, if its HR was cut to a multiple of 12 as the others were/);
  });

  /** Pairs at x2 whose HR was cut to a multiple. */
  const cutTo = (multiple: number) => {
    const cut = (side: number) => (Math.floor(side / multiple) * multiple) / 2;
    const sizes = Array.from({ length: 40 }, (_, i) => [101 + 7 * i, 350 - 5 * i]);
    return set("lr", ...sizes.map((high): [number[], number[]] => [high, high.map(cut)]));
  };

  test.each([4, 6, 8, 12, 16, 24, 48])("HR cut to multiples of %i", (multiple) => {
    expect(errors(cutTo(multiple))).toEqual(cutTo(multiple).map(() => false));
  });

  test("a set that was cut to other multiples is told what was tried", () => {
    const messages = errors(cutTo(32)).filter(Boolean);
    expect(messages.length).toBeGreaterThan(20);
    for (const message of messages) {
      expect(message).toContain(
        "; nor is it that of HR cut to a multiple of 4, 6, 8, 12, 16, 24 or 48. Do both",
      );
    }
  });

  test("what fits by no multiple says nothing about the others", () => {
    const wrong = set(
      "lr",
      [
        [70, 50],
        [34, 25],
      ],
      [
        [70, 50],
        [33, 25],
      ],
      [
        [60, 50],
        [30, 25],
      ],
    );
    expect(errors(wrong).map((error) => error !== false)).toEqual([true, true, false]);
  });
});
