import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatTicks, logTicks, niceTicks, type Point, palette } from "../../src/report/axes.ts";
import { linePlots, type PanelSpec, smoothPoints, thin, writeDrawing } from "../../src/report/plot.ts";

const numbers = (count: number, f: (i: number) => number): Point[] =>
  Array.from({ length: count }, (_, i) => [i, f(i)] as const);

function plot(panel: Partial<PanelSpec>): string {
  return linePlots({
    title: "run",
    panels: [{ title: "panel", xLabel: "step", yLabel: "loss", series: [], ...panel }],
  });
}

/** The texts of a plot. They are outlines; their labels say what they are. */
const texts = (svg: string) => [...svg.matchAll(/aria-label="([^"]*)"/g)].map((match) => match[1]);

/** The points of each line that belongs to a series, by the series' colour. */
function lines(svg: string, series = 0): Point[][] {
  const paths = [...svg.matchAll(/<path d="M([^"]*)" fill="none" stroke="([^"]*)"/g)];
  return paths
    .filter((match) => match[2] === palette[series])
    .map((match) => match[1].split("L").map((pair) => pair.split(" ").map(Number) as [number, number]));
}

/** sharp parses with libxml2, which refuses a document that is not well-formed. */
async function expectWellFormed(svg: string) {
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  const { format, width, height } = await sharp(Buffer.from(svg)).metadata();
  expect(format).toBe("svg");
  expect(svg).toContain(`viewBox="0 0 ${width} ${height}"`);
}

describe("linePlots", () => {
  it("draws title, labels, ticks and legend of every panel", async () => {
    const series = [{ name: "EDSR", points: numbers(11, (i) => 20 + i) }];
    const panel = { title: "first", xLabel: "step", yLabel: "PSNR (dB)", series };
    const svg = linePlots({ title: "a run", panels: [panel, { ...panel, title: "second" }] });
    await expectWellFormed(svg);
    for (const text of ["a run", "first", "second", "step", "PSNR (dB)", "EDSR", "0", "10", "30"]) {
      expect(texts(svg), text).toContain(text);
    }
    expect(svg).not.toContain("<text"); // which would need fonts
  });

  it("maps data to pixels: linear in x and y, upwards", () => {
    const [line] = lines(
      plot({
        series: [
          {
            name: "s",
            points: [
              [0, 0],
              [5, 10],
              [10, 5],
            ],
          },
        ],
      }),
    ).slice(1);
    const [[x0, y0], [x1, y1], [x2, y2]] = line;
    expect(x1 - x0).toBeCloseTo(x2 - x1, 1);
    expect(y0 - y1).toBeCloseTo(2 * (y2 - y1), 1);
    expect(y1).toBeLessThan(y0);
  });

  it("maps decades to equal heights on a logarithmic axis", () => {
    const points: Point[] = [
      [0, 0.001],
      [1, 0.01],
      [2, 0.1],
    ];
    const [line] = lines(plot({ logY: true, series: [{ name: "s", points }] })).slice(1);
    expect(line[0][1] - line[1][1]).toBeCloseTo(line[1][1] - line[2][1], 1);
  });

  it("draws a dashed single point as a level across the panel", () => {
    const svg = plot({
      series: [
        { name: "EDSR", points: numbers(50, (i) => i) },
        { name: "bicubic", points: [[0, 25]], dashed: true },
      ],
    });
    const curve = lines(svg)[1];
    const level = lines(svg, 1)[1];
    expect(level).toEqual([
      [curve[0][0], level[0][1]],
      [curve[49][0], level[0][1]],
    ]);
    expect(svg.match(/stroke-dasharray/g)).toHaveLength(2); // in the legend and in the plot
  });

  it("draws the average of a noisy series over its faint points", () => {
    const points = numbers(400, (i) => (i % 2 ? 1 : -1));
    const svg = plot({ series: [{ name: "s", points, smooth: true }] });
    const [, , faint, average] = lines(svg);
    const heights = (line: Point[]) => line.map((point) => point[1]);
    const range = (line: Point[]) => Math.max(...heights(line)) - Math.min(...heights(line));
    expect(range(average)).toBeLessThan(range(faint) / 8);
  });

  it("leaves out points that are not finite, and those a logarithm does not have", async () => {
    const good: Point[] = [
      [1, 1],
      [4, 2],
    ];
    const bad: Point[] = [
      [2, Number.NaN],
      [Number.NaN, 1],
      [3, Number.POSITIVE_INFINITY],
    ];
    const clean = plot({ series: [{ name: "s", points: good }] });
    expect(plot({ series: [{ name: "s", points: [good[0], ...bad, good[1]] }] })).toBe(clean);
    await expectWellFormed(clean);
    const logClean = plot({ logY: true, series: [{ name: "s", points: good }] });
    expect(plot({ logY: true, series: [{ name: "s", points: [good[0], [2, 0], [3, -1], good[1]] }] })).toBe(
      logClean,
    );
  });

  it.each([
    ["one point", [[0, 24.1]]],
    [
      "a constant",
      [
        [0, 5],
        [1, 5],
        [2, 5],
      ],
    ],
    [
      "zeros",
      [
        [0, 0],
        [1, 0],
      ],
    ],
    [
      "several values at one x",
      [
        [3, 1],
        [3, 2],
      ],
    ],
    ["no points", []],
    ["only NaN", [[0, Number.NaN]]],
    [
      "tiny numbers",
      [
        [0, 1e-12],
        [1, 3e-12],
      ],
    ],
    [
      "large numbers",
      [
        [0, 1e15],
        [1, -3e15],
      ],
    ],
    [
      "numbers that hardly differ",
      [
        [0, 30],
        [1, 30 + 1e-13],
      ],
    ],
  ] as [string, Point[]][])("draws %s", async (_, points) => {
    for (const logY of [false, true]) {
      for (const smooth of [false, true]) {
        await expectWellFormed(plot({ logY, series: [{ name: "s", points, smooth }] }));
      }
    }
    const svg = plot({ series: [{ name: "s", points }] });
    expect(texts(svg).includes("no data")).toBe(points.every((point) => Number.isNaN(point[1])));
    expect(svg.includes("<circle")).toBe(!texts(svg).includes("no data"));
  });

  it("thins 100,000 points, and keeps a single spike among them", () => {
    const points = numbers(100_000, (i) => (i === 77_777 ? 100 : Math.sin(i)));
    const svg = plot({ series: [{ name: "s", points }] });
    expect(svg.length).toBeLessThan(100_000);
    const [, line] = lines(svg);
    const spike = Math.min(...line.map((point) => point[1]));
    expect(line.filter((point) => point[1] < spike + 50)).toHaveLength(1);
  });

  it("escapes what XML would misread", async () => {
    const svg = plot({ title: 'a < b & "c"\u0007', series: [{ name: "</svg>", points: [[0, 1]] }] });
    await expectWellFormed(svg);
    expect(texts(svg)).toContain("a &lt; b &amp; &quot;c&quot; ");
  });

  it("refuses a plot without panels", () => {
    expect(() => linePlots({ title: "t", panels: [] })).toThrow(/no panel/);
  });
});

describe("ticks", () => {
  it("are round numbers inside the range", () => {
    expect(niceTicks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(niceTicks(23.7, 31.4, 5)).toEqual([24, 26, 28, 30]);
    expect(niceTicks(-0.3, 0.31, 6)).toEqual([-0.2, 0, 0.2]);
    expect(niceTicks(0, 300_000, 4)).toEqual([0, 100_000, 200_000, 300_000]);
  });

  it("of a logarithmic axis are powers of ten, or 1, 2, 5 when there are few of them", () => {
    expect(logTicks(0.0009, 12, 6)).toEqual([0.001, 0.01, 0.1, 1, 10]);
    expect(logTicks(0.01, 0.11, 6)).toEqual([0.01, 0.02, 0.05, 0.1]);
    expect(logTicks(0.021, 0.052, 6)).toEqual([0.03, 0.04, 0.05]);
    expect(logTicks(1e-9, 1e9, 6)).toEqual([1e-9, 1e-6, 0.001, 1, 1000, 1e6, 1e9]);
  });

  it("are written with one unit and one number of decimals", () => {
    expect(formatTicks([0, 0.5, 1])).toEqual(["0", "0.5", "1.0"]);
    expect(formatTicks([-2, 0, 2])).toEqual(["−2", "0", "2"]);
    expect(formatTicks([0, 5000, 10_000])).toEqual(["0", "5k", "10k"]);
    expect(formatTicks([0, 500_000, 1_000_000])).toEqual(["0", "0.5M", "1.0M"]);
    expect(formatTicks([0, 2.5e-5, 5e-5])).toEqual(["0", "2.5e−5", "5e−5"]);
  });
});

describe("thin", () => {
  it("keeps first, lowest, highest and last of each column, in order", () => {
    const points: Point[] = [
      [0, 5],
      [0.1, 9],
      [0.2, 6],
      [0.3, 1],
      [0.4, 4],
      [1, 2],
      [2.5, 3],
    ];
    expect(thin(points)).toEqual([
      [0, 5],
      [0.1, 9],
      [0.3, 1],
      [0.4, 4],
      [1, 2],
      [2.5, 3],
    ]);
    expect(thin([])).toEqual([]);
  });
});

describe("smoothPoints", () => {
  it("does not bend a straight line, even at its ends", () => {
    for (const [x, y] of smoothPoints(numbers(500, (i) => 3 * i + 7))) expect(y).toBeCloseTo(3 * x + 7, 8);
  });

  it("leaves a handful of points as they are", () => {
    const points = numbers(20, (i) => i * i);
    expect(smoothPoints(points)).toEqual(points);
  });
});

describe("writeDrawing", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "plot-"));
    // A machine without fonts: a configuration that names no folder. (Without one, the usual folders count.)
    await writeFile(join(folder, "fonts.conf"), '<?xml version="1.0"?><fontconfig></fontconfig>');
    process.env.FONTCONFIG_FILE = join(folder, "fonts.conf");
  });
  afterAll(async () => {
    delete process.env.FONTCONFIG_FILE;
    await rm(folder, { recursive: true });
  });

  it("writes an SVG file and a PNG of twice its size, and nothing else", async () => {
    const panels = [{ title: "p", xLabel: "x", yLabel: "y", series: [] }];
    const svg = linePlots({ title: "run", panels });
    await writeDrawing(join(folder, "new", "curves"), svg);
    expect((await readdir(join(folder, "new"))).sort()).toEqual(["curves.png", "curves.svg"]);
    expect(await readFile(join(folder, "new", "curves.svg"), "utf8")).toBe(svg);
    const { width, height } = await sharp(join(folder, "new", "curves.png")).metadata();
    expect([width, height]).toEqual([1120, 772]);
  });

  it("draws text without any installed font", async () => {
    const panels = [{ title: "p", xLabel: "x", yLabel: "y", series: [] }];
    const titleRows = async (title: string) => {
      await writeDrawing(join(folder, "text"), linePlots({ title, panels }));
      const top = sharp(join(folder, "text.png")).extract({ left: 0, top: 0, width: 1120, height: 90 });
      return top.greyscale().raw().toBuffer();
    };
    const dark = (bytes: Buffer) => bytes.filter((byte) => byte < 100).length;
    const [empty, one, two] = [await titleRows(""), await titleRows("EDSR"), await titleRows("EDSR EDSR")];
    expect(dark(empty)).toBe(0);
    expect(dark(one)).toBeGreaterThan(500);
    expect(dark(two) / dark(one)).toBeCloseTo(2, 1);
  });
});
