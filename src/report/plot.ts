// Line plots as self-contained SVG, and drawings as files.
//
// linePlots() lays out panels, two to a row; drawPanel() draws one. thin() shows 100,000 points on 400 pixels
// without losing a spike; smoothPoints() shows the trend under the noise.

import { dirname } from "node:path";
import { makeFolder, writeWhole } from "../files/image-files.ts";
import { loadSharp } from "../files/sharp.ts";
import { ArgumentError } from "../options/arguments.ts";
import {
  axisOf,
  type Box,
  circle,
  drawAxes,
  label,
  MARGIN,
  type Point,
  palette,
  polyline,
  segment,
  svgDocument,
  TITLE_HEIGHT,
  toBaseline,
} from "./axes.ts";
import { textPath, textWidth } from "./text.ts";

export interface Series {
  name: string;
  /** In order of x. Points that are not finite are left out; on a logarithmic axis, so is y <= 0. */
  points: readonly Point[];
  /** A dashed line. A single dashed point is a level: its line crosses the whole panel. */
  dashed?: boolean;
  /** The points are drawn faintly, and their moving average over them. */
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
}

type DrawnSeries = Series & { color: string };
type ToPixels = (point: Point) => Point;

/**
 * One SVG document with a panel for each entry of `panels`, on white. It needs no fonts and no other files.
 * Throws RangeError if there is no panel.
 */
export function linePlots({ title, panels }: PlotSpec): string {
  if (panels.length === 0)
    throw new ArgumentError("linePlots", "there is no panel. A plot needs one or more.");
  const [panelWidth, panelHeight] = [panels.length > 1 ? 500 : 560, 340];
  const size = {
    width: panelWidth * Math.min(2, panels.length),
    height: TITLE_HEIGHT + panelHeight * Math.ceil(panels.length / 2),
  };
  const drawings = panels.map((panel, i) => {
    const left = (i % 2) * panelWidth;
    const top = TITLE_HEIGHT + Math.floor(i / 2) * panelHeight;
    return drawPanel(panel, { left, top, right: left + panelWidth, bottom: top + panelHeight });
  });
  return svgDocument(title, size, drawings);
}

/**
 * Writes an SVG document to `<basePath>.svg` and, at twice the size for sharp screens, to `<basePath>.png`,
 * each file whole or not at all. Makes the folder if it is missing.
 */
export async function writeDrawing(basePath: string, svg: string): Promise<void> {
  const sharp = await loadSharp();
  const png = await sharp(Buffer.from(svg), { density: 2 * 72 })
    .png({ compressionLevel: 9 })
    .toBuffer();
  makeFolder(dirname(basePath));
  await writeWhole(`${basePath}.svg`, svg);
  await writeWhole(`${basePath}.png`, png);
}

function drawPanel(spec: PanelSpec, panel: Box): string {
  const logY = spec.logY ?? false;
  const series = spec.series.map((each, i) => ({
    ...each,
    color: palette[i % palette.length],
    points: each.points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y) && (y > 0 || !logY)),
  }));
  const xs = series.filter((each) => !isLevel(each)).flatMap(({ points }) => points.map(([x]) => x));
  const ys = series.flatMap(({ points }) => points.map(([, y]) => y));
  const maxWidth = panel.right - panel.left - 2 * MARGIN;
  const legend = drawLegend(series, panel.left + MARGIN, panel.top + 38, maxWidth);
  const top = legend.bottom + 12;
  const bottom = panel.bottom - 52;
  const y = axisOf(ys.length > 0 ? ys : [0.1, 1], [bottom, top], {
    log: logY,
    room: 0.05,
    spacing: 40,
    label: spec.yLabel,
    labelAt: panel.left + MARGIN + 8,
  });
  const yNamesWidth = Math.max(0, ...y.names.map((name) => textWidth(name, label.size)));
  const left = panel.left + MARGIN + 20 + yNamesWidth + 8;
  const right = panel.right - MARGIN - 6; // the x axis's last number reaches beyond its end
  const x = axisOf(xs.length > 0 ? xs : [0, 1], [left, right], {
    spacing: 75,
    label: spec.xLabel,
    labelAt: bottom + 40,
  });
  const toPixels: ToPixels = (point) => [x.toPixel(point[0]), y.toPixel(point[1])];

  const out = [
    textPath(spec.title, panel.left + MARGIN, panel.top + 16, { size: 14, weight: "bold", maxWidth }),
    legend.svg,
    ...drawAxes({ left, top, right, bottom }, x, y),
  ];
  if (ys.length === 0) {
    const style = { ...label, size: 14, anchor: "middle" } as const;
    out.push(textPath("no data", (left + right) / 2, (top + bottom) / 2, style));
  }

  // Faint points first: no trend may vanish under the noise of another series.
  out.push(
    ...series
      .filter((each) => each.smooth)
      .map(({ color, points }) => polyline(thin(points.map(toPixels)), { color, width: 1, opacity: 0.3 })),
    ...series.map((each) => drawLine(each, toPixels, left, right)),
  );
  return out.join("\n");
}

/** Line samples and names, in rows from (left, top) on; `bottom` is below the last row. */
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
    if (smooth) svg += segment([x, y], end, { color, width: 9, opacity: 0.3 }); // the cloud of points
    svg += segment([x, y], end, { color, dashed });
    const style = { size: label.size, maxWidth: maxWidth - sample - gap };
    svg += textPath(name, x + sample + gap, y + toBaseline, style);
    x += width + 20;
  }
  return { svg, bottom: y + 8 };
}

/** The line of a series, with dots if it has so few points that each one matters. */
function drawLine(series: DrawnSeries, toPixels: ToPixels, left: number, right: number): string {
  const { points, color, dashed, smooth } = series;
  const pixels = thin((smooth ? smoothPoints(points) : points).map(toPixels));
  if (isLevel(series)) {
    const [, y] = pixels[0];
    return segment([left, y], [right, y], { color, dashed });
  }
  const dots = pixels.length === 1 || (pixels.length <= 30 && !dashed && !smooth) ? pixels : [];
  return polyline(pixels, { color, dashed }) + dots.map((dot) => circle(dot, 3.5, color)).join("");
}

/**
 * At most four points for each pixel of width: the first, the lowest, the highest and the last. Joined by
 * lines, they cover the same pixels as all points would ("M4", Jugel et al. 2014), so a single spike among
 * 100,000 points stays visible. `points` are in pixels, in order of x.
 */
export function thin(points: readonly Point[]): Point[] {
  const thinned: Point[] = [];
  for (let first = 0, next = 0; first < points.length; first = next) {
    let low = first;
    let high = first;
    for (next = first + 1; next < points.length; next++) {
      if (Math.floor(points[next][0]) !== Math.floor(points[first][0])) break;
      if (points[next][1] < points[low][1]) low = next;
      if (points[next][1] > points[high][1]) high = next;
    }
    const indices = new Set([first, Math.min(low, high), Math.max(low, high), next - 1]);
    for (const i of indices) thinned.push(points[i]);
  }
  return thinned;
}

/**
 * Moving average over a twenty-fifth of the points. It averages both coordinates: near the ends, where the
 * window is cut off, a mean of y alone would belong to another x, and would bend a falling curve.
 */
export function smoothPoints(points: readonly Point[]): Point[] {
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
