import sharp from "sharp";
import { describe, expect, it } from "vitest";
import type { Point } from "../../src/report/axes.ts";
import { type Dot, front, placeLabels, scatterPlot } from "../../src/report/scatter.ts";

const dot = (name: string, x: number, y: number): Dot => ({ name, x, y });
const plot = (...dots: Dot[]) =>
  scatterPlot({ title: "a & b", subtitle: "Set5", xLabel: "ms", yLabel: "PSNR, dB", dots });

/** Centres of the dots in pixels, in their order. */
const centres = (svg: string): Point[] =>
  [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);

describe("scatterPlot", () => {
  it("names axes, ticks and dots, and is an SVG document", async () => {
    const svg = plot(dot("bicubic", 10, 30), dot("SRCNN", 100, 32), dot("EDSR", 1000, 34));
    const texts = [...svg.matchAll(/aria-label="([^"]*)"/g)].map((match) => match[1]);
    for (const text of [
      "a &amp; b",
      "Set5",
      "ms",
      "PSNR, dB",
      "bicubic",
      "SRCNN",
      "EDSR",
      "10",
      "100",
      "1000",
      "32",
    ]) {
      expect(texts, text).toContain(text);
    }
    expect(svg).not.toMatch(/NaN|Infinity|undefined|<text/);
    expect((await sharp(Buffer.from(svg)).metadata()).format).toBe("svg");
  });

  it("is logarithmic in x and linear in y, upwards", () => {
    const [a, b, c] = centres(plot(dot("a", 1, 20), dot("b", 10, 30), dot("c", 100, 35)));
    expect(b[0] - a[0]).toBeCloseTo(c[0] - b[0], 1);
    expect(a[1] - b[1]).toBeCloseTo(2 * (b[1] - c[1]), 1);
    expect(c[1]).toBeLessThan(a[1]);
  });

  it("draws a single dot, and dots at the same place", () => {
    expect(centres(plot(dot("a", 5, 30)))).toHaveLength(1);
    const [a, b] = centres(plot(dot("a", 5, 30), dot("b", 5, 30)));
    expect(a).toEqual(b);
  });

  it("refuses what it cannot draw", () => {
    expect(() => plot()).toThrow(/there is no dot/);
    expect(() => plot(dot("a", 0, 30))).toThrow(/"a" is at \(0, 30\)/);
    expect(() => plot(dot("a", 1, Number.POSITIVE_INFINITY))).toThrow(/"a" is at \(1, Infinity\)/);
  });
});

describe("front", () => {
  it("is what no other dot beats in both", () => {
    const dots = [
      dot("slow", 9, 3),
      dot("fast", 1, 1),
      dot("beaten", 5, 1.5),
      dot("good", 4, 2),
      dot("same", 4, 1),
    ];
    expect(front(dots).map(({ name }) => name)).toEqual(["fast", "good", "slow"]);
  });
});

describe("placeLabels", () => {
  const box = { left: 0, top: 0, right: 400, bottom: 300 };
  const area = ([x, baseline]: Point, width: number) => [x, baseline - 13, x + width, baseline + 3];
  const overlap = (a: number[], b: number[]) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

  it("puts a name right of its dot, or left of it at the right edge", () => {
    const [free, edge] = placeLabels(
      [
        [100, 100],
        [380, 200],
      ],
      [60, 60],
      box,
    );
    expect(free[0]).toBeGreaterThan(105);
    expect(edge[0] + 60).toBeLessThan(375);
  });

  it("covers no other dot and no other name where there is room", () => {
    const dots: Point[] = [
      [200, 150],
      [215, 150],
      [208, 164],
      [196, 138],
    ];
    const widths = [50, 60, 70, 40];
    const areas = placeLabels(dots, widths, box).map((place, i) => area(place, widths[i]));
    areas.forEach((a, i) => {
      areas.slice(0, i).forEach((b) => void expect(overlap(a, b)).toBe(false));
      for (const [x, y] of dots) expect(overlap(a, [x - 4, y - 4, x + 4, y + 4])).toBe(false);
    });
  });

  it("stays inside the box, whatever it has to cover", () => {
    const dots: Point[] = [
      [390, 10],
      [392, 12],
      [388, 14],
      [394, 8],
    ];
    for (const [i, place] of placeLabels(dots, [80, 80, 80, 80], box).entries()) {
      const [left, top, right, bottom] = area(place, 80);
      expect([left >= 0, right <= 400, bottom <= 300, top >= 0], `${i}`).toEqual([true, true, true, true]);
    }
  });
});
