// Line plots as one self-contained SVG file, and the same as PNG.
//
// linePlots() lays panels out two to a row and drawPanel() draws one of them. Below are the ideas a plot
// stands on: which numbers to write on an axis (niceTicks, logTicks), how to show 100,000 points on 400
// pixels without losing a spike (thin), and how to show the trend under the noise (smoothed).

import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import sharp from "sharp";
import { writeWhole } from "../data/index.ts";
import { CAP_HEIGHT, escapeXml, quietInk, textPath, textWidth } from "./text.ts";

export type Point = readonly [x: number, y: number];

export interface Series {
  name: string;
  /** In order of x. Points that are not finite are left out, and on a logarithmic axis so is y <= 0. */
  points: readonly Point[];
  /** Any SVG colour; by default the next one of a palette that colour-blind readers can tell apart. */
  color?: string;
  /** Dashed line. A dashed series of a single point is a level, drawn across the whole panel. */
  dashed?: boolean;
  /** Draw the points faintly and their moving average over them. */
  smooth?: boolean;
}

export interface PanelSpec {
  title: string;
  xLabel: string;
  yLabel: string;
  series: readonly Series[];
  /** Logarithmic y axis. */
  logY?: boolean;
}

export interface PlotSpec {
  title: string;
  panels: readonly PanelSpec[];
  /** Pixels; by default 560 for one panel and 1000 for more. */
  width?: number;
  /** Pixels; by default 340 for every row of panels and 46 for the title. */
  height?: number;
}

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** What the drawing functions get: a colour for every series, and only points that can be drawn. */
type DrawnSeries = Series & { color: string };
type ToPixels = (point: Point) => Point;

/** Okabe and Ito's colours (2008), dark ones first; without yellow, which vanishes on white. */
export const palette = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
export const label = { size: 12, color: quietInk };
export const gridColor = "#e6e8eb";
export const axisColor = "#9aa2ab";

export const titleHeight = 46;
export const margin = 20;
/** From the middle of a line of labels down to its baseline. */
export const toBaseline = (label.size * CAP_HEIGHT) / 2;

/**
 * One SVG document with a panel for each entry of `spec.panels`, on white. It needs no fonts and no other
 * files. Throws RangeError when there is no panel, or too little room for one.
 */
export function linePlots(spec: PlotSpec): string {
  const columns = Math.min(2, spec.panels.length);
  const rows = Math.ceil(spec.panels.length / 2);
  const { width = columns === 2 ? 1000 : 560, height = titleHeight + 340 * rows } = spec;
  const panelWidth = width / columns;
  const panelHeight = (height - titleHeight) / rows;
  if (!(panelWidth >= 240 && panelHeight >= 200)) {
    throw new RangeError(
      `linePlots: ${spec.panels.length} panels on ${width} x ${height} pixels. A plot needs one panel or ` +
        `more, 240 x 200 pixels for each and ${titleHeight} pixels of height for the title.`,
    );
  }
  const panels = spec.panels.map((panel, i) => {
    const left = (i % 2) * panelWidth;
    const top = titleHeight + Math.floor(i / 2) * panelHeight;
    return drawPanel(panel, { left, top, right: left + panelWidth, bottom: top + panelHeight });
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
      `width="${width}" height="${height}" role="img">`,
    `<title>${escapeXml(spec.title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    textPath(spec.title, margin, 32, { size: 18, weight: "bold", maxWidth: width - 2 * margin }),
    ...panels,
    "</svg>\n",
  ].join("\n");
}

/** Writes the plot as {@link writeDrawing} does. */
export async function writePlot(basePath: string, spec: PlotSpec): Promise<void> {
  await writeDrawing(basePath, linePlots(spec));
}

/**
 * Writes an SVG document to `<basePath>.svg` and, at twice the size for sharp screens, to `<basePath>.png`: each of
 * them whole or not at all. Makes the folder if it is missing.
 */
export async function writeDrawing(basePath: string, svg: string): Promise<void> {
  const png = await sharp(Buffer.from(svg), { density: 2 * 72 })
    .png({ compressionLevel: 9 })
    .toBuffer();
  await mkdir(dirname(basePath), { recursive: true });
  await writeWhole(`${basePath}.svg`, svg);
  await writeWhole(`${basePath}.png`, png);
}

function drawPanel(spec: PanelSpec, panel: Box): string {
  const logY = spec.logY ?? false;
  const series = spec.series.map((each, i) => ({
    ...each,
    color: each.color ?? palette[i % palette.length],
    points: each.points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y) && (y > 0 || !logY)),
  }));
  const ys = extent(series, 1);
  const curves = series.filter((each) => !isLevel(each));
  const [xMin, xMax] = apart(extent(curves, 0) ?? [0, 1]);
  const [yMin, yMax] = roomAround(ys ?? [0.1, 1], logY);

  const maxWidth = panel.right - panel.left - 2 * margin;
  const legend = drawLegend(series, panel.left + margin, panel.top + 38, maxWidth);
  const top = legend.bottom + 12;
  const bottom = panel.bottom - 52;
  const yTicks = (logY ? logTicks : niceTicks)(yMin, yMax, (bottom - top) / 40);
  // On a logarithmic axis every number has as many digits as it needs: 0.01, 0.1, 1.
  const yNames = logY ? yTicks.flatMap((tick) => formatTicks([tick])) : formatTicks(yTicks);
  const yNamesWidth = Math.max(0, ...yNames.map((name) => textWidth(name, label.size)));
  const left = panel.left + margin + 20 + yNamesWidth + 8;
  const right = panel.right - margin - 6; // the last number of the x axis reaches beyond it
  const xTicks = niceTicks(xMin, xMax, (right - left) / 75);
  const xNames = formatTicks(xTicks);

  const height = logY ? Math.log : (y: number) => y;
  const toPixels: ToPixels = ([x, y]) => [
    left + ((x - xMin) / (xMax - xMin)) * (right - left),
    bottom - ((height(y) - height(yMin)) / (height(yMax) - height(yMin))) * (bottom - top),
  ];
  const middle = { x: (left + right) / 2, y: (top + bottom) / 2 };

  const out = [
    textPath(spec.title, panel.left + margin, panel.top + 16, { size: 14, weight: "bold", maxWidth }),
    legend.svg,
  ];
  yTicks.forEach((tick, i) => {
    const [, y] = toPixels([xMin, tick]);
    out.push(
      segment([left, y], [right, y], { color: gridColor, width: 1 }),
      textPath(yNames[i], left - 8, y + toBaseline, { ...label, anchor: "end" }),
    );
  });
  xTicks.forEach((tick, i) => {
    const [x] = toPixels([tick, yMin]);
    out.push(
      segment([x, top], [x, bottom], { color: gridColor, width: 1 }),
      textPath(xNames[i], x, bottom + 20, { ...label, anchor: "middle" }),
    );
  });
  out.push(
    segment([left, bottom], [right, bottom], { color: axisColor, width: 1 }),
    textPath(spec.xLabel, middle.x, bottom + 40, {
      ...label,
      anchor: "middle",
      maxWidth: right - left,
    }),
    textPath(spec.yLabel, panel.left + margin + 8, middle.y, {
      ...label,
      anchor: "middle",
      rotate: -90,
      maxWidth: bottom - top,
    }),
  );
  if (!ys) out.push(textPath("no data", middle.x, middle.y, { ...label, size: 14, anchor: "middle" }));

  // The faint points of all series first: no trend line is hidden under another series' noise.
  out.push(
    ...series
      .filter((each) => each.smooth)
      .map(({ color, points }) => polyline(thin(points.map(toPixels)), { color, width: 1, opacity: 0.3 })),
    ...series.map((each) => drawLine(each, toPixels, left, right)),
  );
  return out.join("\n");
}

/** Rows of line samples and names from (left, top) on, and the y below the last row. */
function drawLegend(series: readonly DrawnSeries[], left: number, top: number, maxWidth: number) {
  const sample = 22;
  const gap = 7;
  let x = left;
  let y = top;
  let svg = "";
  for (const { name, color, dashed, smooth } of series) {
    const width = sample + gap + textWidth(name, label.size);
    if (x > left && x + width > left + maxWidth) {
      x = left;
      y += 18;
    }
    const end: Point = [x + sample, y];
    if (smooth) svg += segment([x, y], end, { color, width: 9, opacity: 0.3 }); // the cloud of single points
    svg += segment([x, y], end, { color, dashed });
    const style = { size: label.size, maxWidth: maxWidth - sample - gap };
    svg += textPath(name, x + sample + gap, y + toBaseline, style);
    x += width + 20;
  }
  return { svg, bottom: y + 8 };
}

/** The line of a series; with dots where so few points were measured that each of them matters. */
function drawLine(series: DrawnSeries, toPixels: ToPixels, left: number, right: number): string {
  const { points, color, dashed, smooth } = series;
  const pixels = thin((smooth ? smoothed(points) : points).map(toPixels));
  if (isLevel(series)) {
    const [, y] = pixels[0];
    return segment([left, y], [right, y], { color, dashed });
  }
  const dots = pixels.length === 1 || (pixels.length <= 30 && !dashed && !smooth) ? pixels : [];
  return (
    polyline(pixels, { color, dashed }) +
    dots
      .map(([x, y]) => `<circle cx="${fixed(x)}" cy="${fixed(y)}" r="3.5" fill="${escapeXml(color)}"/>`)
      .join("")
  );
}

interface Stroke {
  color: string;
  width?: number;
  opacity?: number;
  dashed?: boolean;
}

export function segment(from: Point, to: Point, stroke: Stroke): string {
  return polyline([from, to], stroke);
}

export function polyline(
  points: readonly Point[],
  { color, width = 2.25, opacity = 1, dashed }: Stroke,
): string {
  if (points.length < 2) return "";
  const path = points.map(([x, y]) => `${fixed(x)} ${fixed(y)}`).join("L");
  return (
    `<path d="M${path}" fill="none" stroke="${escapeXml(color)}" stroke-width="${width}" ` +
    `stroke-linejoin="round"${opacity < 1 ? ` opacity="${opacity}"` : ""}` +
    `${dashed ? ' stroke-dasharray="6 4"' : ""}/>`
  );
}

/**
 * At most four points for every pixel of width: the first, the lowest, the highest and the last. Joined by
 * lines they cover the same pixels as all of them would ("M4", Jugel et al. 2014), so that a single spike
 * among 100,000 points stays visible. `points` are in pixels, in order of x.
 */
export function thin(points: readonly Point[]): Point[] {
  const kept: Point[] = [];
  for (let first = 0, next = 0; first < points.length; first = next) {
    let low = first;
    let high = first;
    for (next = first + 1; next < points.length; next++) {
      if (Math.floor(points[next][0]) !== Math.floor(points[first][0])) break;
      if (points[next][1] < points[low][1]) low = next;
      if (points[next][1] > points[high][1]) high = next;
    }
    const indices = new Set([first, Math.min(low, high), Math.max(low, high), next - 1]);
    for (const i of indices) kept.push(points[i]);
  }
  return kept;
}

/**
 * Moving average over a twenty-fifth of the points. Both coordinates are averaged: near the ends, where the
 * window is cut off, a mean of y alone would belong to another x and bend a falling curve.
 */
export function smoothed(points: readonly Point[]): Point[] {
  const reach = Math.round(points.length / 50);
  const sums: [number, number][] = [[0, 0]]; // sums[i]: of the first i points
  for (const [x, y] of points) {
    const [sumX, sumY] = sums[sums.length - 1];
    sums.push([sumX + x, sumY + y]);
  }
  return points.map((_, i) => {
    const from = Math.max(0, i - reach);
    const to = Math.min(points.length, i + reach + 1);
    return [(sums[to][0] - sums[from][0]) / (to - from), (sums[to][1] - sums[from][1]) / (to - from)];
  });
}

/** The multiples of 1, 2 or 5 times a power of ten between min and max (min < max): at most `count` + 1. */
export function niceTicks(min: number, max: number, count: number): number[] {
  const rough = (max - min) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const ticks: number[] = [];
  for (let i = Math.ceil(min / step - 1e-9); i <= max / step + 1e-9; i++) {
    ticks.push(Number((i * step).toPrecision(12))); // 0.3, not 0.30000000000000004
  }
  return ticks;
}

/** Ticks between min and max (0 < min < max) for a logarithmic axis: round numbers, about `count` at most. */
export function logTicks(min: number, max: number, count: number): number[] {
  const decades = Math.log10(max / min);
  const stride = Math.max(1, Math.ceil(decades / count));
  const factors = decades <= count / 3 ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  const firstPower = Math.floor(Math.log10(min) / stride) * stride;
  for (let power = firstPower; power <= Math.log10(max); power += stride) {
    ticks.push(...factors.map((factor) => Number((factor * 10 ** power).toPrecision(12))));
  }
  const inside = ticks.filter((tick) => tick >= min && tick <= max);
  return inside.length >= 3 ? inside : niceTicks(min, max, count).filter((tick) => tick > 0);
}

/** The ticks of one axis as text, with one number of decimals and one unit: 0, 0.5, 1.0 or 0, 50k, 100k. */
export function formatTicks(ticks: readonly number[]): string[] {
  const largest = Math.max(...ticks.map(Math.abs));
  const plain = (text: string) => text.replaceAll("-", "−"); // a minus sign is as wide as a plus sign
  if (largest >= 1e12 || largest < 1e-3) {
    return ticks.map((tick) => plain(tick === 0 ? "0" : tick.toExponential().replace("+", "")));
  }
  const [unit, suffix] =
    largest >= 1e9 ? [1e9, "G"] : largest >= 1e6 ? [1e6, "M"] : largest >= 1e4 ? [1e3, "k"] : [1, ""];
  const scaled = ticks.map((tick) => Number((tick / unit).toPrecision(12)));
  const decimals = Math.max(...scaled.map((tick) => String(tick).split(".")[1]?.length ?? 0));
  return scaled.map((tick) => plain(tick === 0 ? "0" : `${tick.toFixed(decimals)}${suffix}`));
}

function isLevel(series: Series): boolean {
  return series.dashed === true && series.points.length === 1;
}

/** Smallest and largest x (axis 0) or y (axis 1), or undefined when there are no points. */
function extent(series: readonly Series[], axis: 0 | 1): [number, number] | undefined {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const { points } of series) {
    for (const point of points) {
      min = Math.min(min, point[axis]);
      max = Math.max(max, point[axis]);
    }
  }
  return min <= max ? [min, max] : undefined;
}

/** The same range, or one around it when its ends are (almost) the same number. */
export function apart([min, max]: [number, number]): [number, number] {
  const size = Math.max(Math.abs(min), Math.abs(max));
  const pad = max - min > 1e-9 * size ? 0 : size / 10 || 1;
  return [min - pad, max + pad];
}

/** A range for the y axis that leaves a little room above and below the data. */
function roomAround([min, max]: [number, number], logY: boolean): [number, number] {
  const [low, high] = apart(logY ? [Math.log(min), Math.log(max)] : [min, max]);
  const pad = 0.05 * (high - low);
  return logY ? [Math.exp(low - pad), Math.exp(high + pad)] : [low - pad, high + pad];
}

/** Hundredths of a pixel are enough, and keep the file small. */
export function fixed(pixels: number): string {
  return String(Math.round(pixels * 100) / 100);
}
