/**
 * The roofline plot (Williams, Waterman and Patterson 2009): how fast a kernel could be, given its operations
 * per byte, and how fast it is. Under the slope memory is the limit, under the flat roof arithmetic. Kernels
 * without multiply-adds have no place in it; bars below show their bytes per second.
 */

import type { Ceilings } from "../src/measure/ceilings.ts";
import { axisOf, circle, fixed, label, type Point, toBaseline } from "../src/report/axes.ts";
import { CAP_HEIGHT, escapeXml, ink, quietInk, textPath } from "../src/report/text.ts";
import type { Result, Timing } from "./harness.ts";
import { short } from "./report.ts";

interface Mark {
  readonly kind: string;
  readonly label: string;
  readonly best: Timing;
  /** Those of the other variants. */
  readonly others: readonly Timing[];
  /** FLOPs per byte. */
  readonly intensity: number;
}

const WIDTH = 1160;
const plot = { left: 76, right: 640, top: 84, bottom: 480 };
const list = { left: 676, right: WIDTH - 20, top: plot.top };
const bars = { left: 20, right: plot.right, top: plot.bottom + 90 };
const LINE_HEIGHT = 19;
const gridColor = "#e6e8eb";
const colors = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b07d00", "#56b4e9"];

/** One SVG document, on white. It needs no fonts and no other files. */
export function roofline(results: readonly Result[], ceilings: Ceilings, adapter: string): string {
  const marks = results.filter(({ at }) => at === undefined).flatMap(toMark);
  const computing = marks.filter(({ intensity }) => intensity > 0);
  const moving = marks.filter(({ intensity }) => intensity === 0);
  const kinds = [...new Set(computing.map(({ kind }) => kind))];
  const color = ({ kind }: Mark) => colors[kinds.indexOf(kind) % colors.length];
  const height = Math.max(
    list.top + LINE_HEIGHT * (computing.length + 1),
    moving.length > 0 ? bars.top + LINE_HEIGHT * (moving.length + 2) : plot.bottom + 60,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ` +
      `width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escapeXml(`Roofline of ${adapter}`)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    textPath(`Roofline of ${adapter}`, 20, 34, { size: 18, weight: "bold", maxWidth: WIDTH - 40 }),
    drawRoof(computing, ceilings, color),
    drawList(computing, color),
    drawBars(moving, ceilings),
    "</svg>\n",
  ].join("\n");
}

/** Results of one kind share a colour. */
function kindOf(name: string): string {
  if (name.startsWith("conv2d")) return name;
  return name.startsWith("resize") ? "resize" : "network";
}

function toMark({ name, shape, work, rows }: Result): Mark[] {
  const timings = rows.flatMap(({ variant, timing }) => (timing ? [{ variant, timing }] : []));
  if (timings.length === 0) return [];
  const best = timings.reduce((a, b) => (b.timing.median < a.timing.median ? b : a));
  const variant = best.variant ? ` (${best.variant})` : "";
  return [
    {
      kind: kindOf(name),
      label: `${name} ${shape}${variant}`,
      best: best.timing,
      others: timings.filter((each) => each !== best).map(({ timing }) => timing),
      intensity: work.flops / work.bytes,
    },
  ];
}

function drawRoof(marks: readonly Mark[], ceilings: Ceilings, color: (mark: Mark) => string): string {
  const roof = ceilings.flops / 1e9;
  const fastest = Math.max(...ceilings.copies.map(({ rate }) => rate)) / 1e9;
  const slowest = ceilings.copies[ceilings.copies.length - 1].rate / 1e9;
  const speeds = marks.flatMap(({ best, others }) => [best, ...others].map(({ gflops }) => gflops));
  const intensities = marks.map(({ intensity }) => intensity);
  const xs = [
    Math.min(roof / fastest / 4, ...intensities) / 1.5,
    Math.max((roof / slowest) * 4, ...intensities) * 1.5,
  ];
  const ys = [Math.min(roof / 100, ...speeds) / 1.5, roof * 1.6];
  const x = axisOf(xs, [plot.left, plot.right], {
    ...{ log: true, spacing: (plot.right - plot.left) / 8, labelAt: plot.bottom + 44 },
    label: "FLOP per byte, every input and result moved once",
  });
  const y = axisOf(ys, [plot.bottom, plot.top], {
    ...{ log: true, spacing: (plot.bottom - plot.top) / 10, labelAt: 26, label: "GFLOP/s" },
  });
  const at = (intensity: number, speed: number): Point => [x.toPixel(intensity), y.toPixel(speed)];

  const slopes = `Slopes: copying at ${short(slowest)} GB/s; dashed ${short(fastest)}, in the caches`;
  const out = [textPath(slopes, 20, 58, label)];
  const grid = { color: gridColor, width: 1 };
  for (const [i, tick] of y.ticks.entries()) {
    const height = y.toPixel(tick);
    out.push(line([plot.left, height], [plot.right, height], grid));
    out.push(textPath(y.names[i], plot.left - 8, height + toBaseline, { ...label, anchor: "end" }));
  }
  for (const [i, tick] of x.ticks.entries()) {
    const column = x.toPixel(tick);
    out.push(line([column, plot.top], [column, plot.bottom], grid));
    out.push(textPath(x.names[i], column, plot.bottom + 20, { ...label, anchor: "middle" }));
  }
  const [middleX, middleY] = [(plot.left + plot.right) / 2, (plot.top + plot.bottom) / 2];
  out.push(
    textPath(x.label, middleX, x.labelAt, { ...label, anchor: "middle" }),
    textPath(y.label, y.labelAt, middleY, { ...label, anchor: "middle", rotate: -90 }),
  );

  // Two slopes: data that stays in the caches, and data that does not.
  for (const [rate, dashed] of [
    [fastest, true],
    [slowest, false],
  ] as const) {
    const start = Math.max(xs[0], ys[0] / rate);
    out.push(line(at(start, start * rate), at(roof / rate, roof), { color: quietInk, width: 2, dashed }));
  }
  const roofHeight = y.toPixel(roof);
  out.push(
    line(at(roof / fastest, roof), [plot.right, roofHeight], { color: quietInk, width: 2 }),
    textPath(`${short(roof)} GFLOP/s of multiply-adds`, plot.right, roofHeight - 8, {
      ...label,
      anchor: "end",
    }),
  );

  // Lines first, so that they do not cross out numbers.
  const places = apart(marks.map(({ best, intensity }) => at(intensity, best.gflops)));
  for (const [i, mark] of marks.entries()) {
    const column = x.toPixel(mark.intensity);
    const heights = [mark.best, ...mark.others].map(({ gflops }) => y.toPixel(gflops));
    const best: Point = [column, heights[0]];
    const stroke = { color: color(mark), width: 1 };
    out.push(
      line([column, Math.min(...heights)], [column, Math.max(...heights)], stroke),
      line(best, places[i], stroke),
      circle(best, 3, color(mark)),
    );
    for (const height of heights.slice(1)) {
      const ring = `fill="#fff" stroke="${color(mark)}" stroke-width="1.25"`;
      out.push(`<circle cx="${fixed(column)}" cy="${fixed(height)}" r="3" ${ring}/>`);
    }
  }
  return [...out, ...marks.map((mark, i) => numbered(i, places[i], color(mark)))].join("\n");
}

function drawList(marks: readonly Mark[], color: (mark: Mark) => string): string {
  if (marks.length === 0) return "";
  const out = [row(list, 0, ["fastest variant of each", "GFLOP/s", "of ceiling"], { bold: true })];
  for (const [i, mark] of marks.entries()) {
    const share = `${Math.round(100 * mark.best.ceiling.share)} %`;
    out.push(numbered(i, [list.left + 8, list.top + LINE_HEIGHT * (i + 1) - 4], color(mark)));
    out.push(row(list, i + 1, [mark.label, short(mark.best.gflops), share], { indent: 22 }));
  }
  return out.join("\n");
}

/** A bar for each kernel without multiply-adds, and a tick at the speed of a copy of as many bytes. */
function drawBars(marks: readonly Mark[], ceilings: Ceilings): string {
  if (marks.length === 0) return "";
  const largest = Math.max(...marks.map(({ best }) => best.gbytes / Math.min(1, best.ceiling.share)));
  const start = bars.left + 210;
  const length = (gbytes: number) => ((bars.right - 140 - start) * gbytes) / largest;
  const out = [
    row(bars, 0, ["what does no multiply-adds; tick: a copy", "GB/s", "of ceiling"], { bold: true }),
  ];
  for (const [i, { label, best }] of marks.entries()) {
    const at = bars.top + LINE_HEIGHT * (i + 1);
    const copy = start + length(best.gbytes / best.ceiling.share);
    out.push(
      row(bars, i + 1, [label, short(best.gbytes), `${Math.round(100 * best.ceiling.share)} %`]),
      `<path d="M${start} ${at - 11}h${fixed(length(best.gbytes))}v12H${start}z" fill="${colors[0]}"/>`,
      line([copy, at - 14], [copy, at + 4], { color: ink, width: 2 }),
    );
  }
  const rates = ceilings.copies.map(
    ({ bytes, rate }) => `${short(rate / 1e9)} (${Math.round(bytes / 2 ** 20)} MiB)`,
  );
  const note = `GB/s of a copy, by how much it moves: ${rates.join(", ")}`;
  const y = bars.top + LINE_HEIGHT * (marks.length + 1);
  out.push(textPath(note, bars.left, y, { ...label, maxWidth: bars.right - bars.left }));
  return out.join("\n");
}

/** A line of a list: text and two numbers. */
function row(
  { left, right, top }: { left: number; right: number; top: number },
  index: number,
  [text, first, second]: readonly string[],
  { bold = false, indent = 0 } = {},
): string {
  const y = top + LINE_HEIGHT * index;
  const style = { size: 12, weight: bold ? "bold" : "regular" } as const;
  return [
    textPath(text, left + indent, y, { ...style, maxWidth: right - left - indent - 140 }),
    textPath(first, right - 76, y, { ...style, anchor: "end" }),
    textPath(second, right, y, { ...style, anchor: "end" }),
  ].join("");
}

/** A disc with a number, which leads from the plot to the list. */
function numbered(i: number, [x, y]: Point, color: string): string {
  const number = textPath(`${i + 1}`, x, y + (10 * CAP_HEIGHT) / 2, {
    size: 10,
    weight: "bold",
    color: "#fff",
    anchor: "middle",
  });
  return circle([x, y], 8, color) + number;
}

/** The points, moved to the nearest free place where they would cover others. */
function apart(points: readonly Point[]): Point[] {
  const places: Point[] = [];
  const free = ([x, y]: Point) =>
    x < plot.right + 8 && places.every(([px, py]) => Math.hypot(px - x, py - y) >= 17);
  for (const [x, y] of points) {
    let place: Point = [x, y];
    // Along a spiral that is wider than high.
    for (let step = 1; !free(place); step++) {
      const [radius, angle] = [1.5 * step, 0.7 * step];
      place = [x + radius * Math.cos(angle), y + 0.4 * radius * Math.sin(angle)];
    }
    places.push(place);
  }
  return places;
}

function line(
  [x1, y1]: Point,
  [x2, y2]: Point,
  { color, width, dashed }: { color: string; width: number; dashed?: boolean },
): string {
  const path = `M${fixed(x1)} ${fixed(y1)}L${fixed(x2)} ${fixed(y2)}`;
  const dashes = dashed ? ' stroke-dasharray="6 4"' : "";
  return `<path d="${path}" fill="none" stroke="${color}" stroke-width="${width}"${dashes}/>`;
}
