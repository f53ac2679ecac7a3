// Line plots as one self-contained SVG file, and the same as PNG.
//
// linePlots() lays panels out two to a row and drawPanel() draws one of them. Below are two ideas a plot
// stands on: how to show 100,000 points on 400 pixels without losing a spike (thin), and the trend under the
// noise (smoothed).

import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import sharp from "sharp";
import { writeWhole } from "../data/index.ts";
import {
  axisOf,
  type Box,
  drawAxes,
  fixed,
  label,
  margin,
  type Point,
  palette,
  polyline,
  segment,
  svgDocument,
  titleHeight,
  toBaseline,
} from "./axes.ts";
import { escapeXml, textPath, textWidth } from "./text.ts";

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

/** What the drawing functions get: a colour for every series, and only points that can be drawn. */
type DrawnSeries = Series & { color: string };
type ToPixels = (point: Point) => Point;

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
  return svgDocument(spec.title, { width, height }, panels);
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
  const maxWidth = panel.right - panel.left - 2 * margin;
  const legend = drawLegend(series, panel.left + margin, panel.top + 38, maxWidth);
  const top = legend.bottom + 12;
  const bottom = panel.bottom - 52;
  const y = axisOf(ys ?? [0.1, 1], [bottom, top], {
    ...{ log: logY, room: 0.05, spacing: 40, label: spec.yLabel, labelAt: panel.left + margin + 8 },
  });
  const yNamesWidth = Math.max(0, ...y.names.map((name) => textWidth(name, label.size)));
  const left = panel.left + margin + 20 + yNamesWidth + 8;
  const right = panel.right - margin - 6; // the last number of the x axis reaches beyond it
  const x = axisOf(extent(curves, 0) ?? [0, 1], [left, right], {
    ...{ spacing: 75, label: spec.xLabel, labelAt: bottom + 40 },
  });
  const toPixels: ToPixels = (point) => [x.toPixel(point[0]), y.toPixel(point[1])];

  const out = [
    textPath(spec.title, panel.left + margin, panel.top + 16, { size: 14, weight: "bold", maxWidth }),
    legend.svg,
    ...drawAxes({ left, top, right, bottom }, x, y),
  ];
  if (!ys) {
    const style = { ...label, size: 14, anchor: "middle" } as const;
    out.push(textPath("no data", (left + right) / 2, (top + bottom) / 2, style));
  }

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
