// Quality against cost as one self-contained SVG: a dot for every method, its name beside it.
//
// scatterPlot() draws it, front() finds the methods that no other one beats, and placeLabels() finds room for the names.

import {
  apart,
  axisColor,
  type Box,
  fixed,
  formatTicks,
  gridColor,
  label,
  logTicks,
  margin,
  niceTicks,
  type Point,
  palette,
  polyline,
  segment,
  titleHeight,
  toBaseline,
} from "./plot.ts";
import { escapeXml, textPath, textWidth } from "./text.ts";

export interface Dot {
  name: string;
  /** Cost, above 0: milliseconds, say. */
  x: number;
  /** Quality: more is better. */
  y: number;
}

export interface ScatterSpec {
  title: string;
  /** A second line under the title: under which conditions this was measured. */
  subtitle: string;
  xLabel: string;
  yLabel: string;
  dots: readonly Dot[];
}

const size = { width: 720, height: 460 };
const radius = 5;
const nameSize = 13;

/**
 * One SVG document that needs no fonts and no other files. The x axis is logarithmic. A dashed line joins the dots that
 * no other one beats in both cost and quality. Throws RangeError unless there is a dot and all have finite numbers and
 * x above 0.
 */
export function scatterPlot({ title, subtitle, xLabel, yLabel, dots }: ScatterSpec): string {
  const wrong = dots.find(({ x, y }) => !(x > 0 && Number.isFinite(x) && Number.isFinite(y)));
  if (dots.length === 0 || wrong) {
    const what = wrong ? `"${wrong.name}" is at (${wrong.x}, ${wrong.y})` : "there is no dot";
    throw new RangeError(`scatterPlot: ${what}; it needs a dot, and finite numbers with x above 0.`);
  }
  const { width, height } = size;
  const [left, right] = roomAround(dots.map(({ x }) => Math.log(x)));
  const [xMin, xMax] = [Math.exp(left), Math.exp(right)];
  const [yMin, yMax] = roomAround(dots.map(({ y }) => y));
  const box = { left: 84, top: titleHeight + 32, right: width - margin, bottom: height - 56 };
  const toPixels = ([x, y]: Point): Point => [
    box.left + (Math.log(x / xMin) / Math.log(xMax / xMin)) * (box.right - box.left),
    box.bottom - ((y - yMin) / (yMax - yMin)) * (box.bottom - box.top),
  ];
  const pixels = dots.map(({ x, y }) => toPixels([x, y]));
  const middle = { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2 };

  const out = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
      `width="${width}" height="${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    textPath(title, margin, 32, { size: 18, weight: "bold", maxWidth: width - 2 * margin }),
    textPath(subtitle, margin, 54, { ...label, maxWidth: width - 2 * margin }),
  ];
  const yTicks = niceTicks(yMin, yMax, (box.bottom - box.top) / 40);
  formatTicks(yTicks).forEach((name, i) => {
    const [, y] = toPixels([xMin, yTicks[i]]);
    out.push(
      segment([box.left, y], [box.right, y], { color: gridColor, width: 1 }),
      textPath(name, box.left - 8, y + toBaseline, { ...label, anchor: "end" }),
    );
  });
  for (const tick of logTicks(xMin, xMax, (box.right - box.left) / 60)) {
    const [x] = toPixels([tick, yMin]);
    out.push(
      segment([x, box.top], [x, box.bottom], { color: gridColor, width: 1 }),
      textPath(formatTicks([tick])[0], x, box.bottom + 20, { ...label, anchor: "middle" }),
    );
  }
  out.push(
    segment([box.left, box.bottom], [box.right, box.bottom], { color: axisColor, width: 1 }),
    textPath(xLabel, middle.x, box.bottom + 42, { ...label, anchor: "middle" }),
    textPath(yLabel, margin + 8, middle.y, { ...label, anchor: "middle", rotate: -90 }),
    polyline(
      front(dots).map(({ x, y }) => toPixels([x, y])),
      { color: axisColor, width: 1.5, dashed: true },
    ),
  );
  const widths = dots.map(({ name }) => textWidth(name, nameSize));
  const labels = placeLabels(pixels, widths, { ...box, top: box.top - nameSize });
  dots.forEach(({ name }, i) => {
    const [x, y] = pixels[i];
    const color = palette[i % palette.length];
    const behind = areaOf(labels[i], widths[i]); // white, so that no line runs through the name
    out.push(
      `<rect x="${fixed(behind.left)}" y="${fixed(behind.top)}" width="${fixed(widths[i])}" ` +
        `height="${nameSize + 3}" fill="#fff" opacity="0.8"/>`,
      `<circle cx="${fixed(x)}" cy="${fixed(y)}" r="${radius}" fill="${color}"/>`,
      textPath(name, labels[i][0], labels[i][1], { size: nameSize }),
    );
  });
  return [...out, "</svg>\n"].join("\n");
}

/** The dots that no other one beats: none costs as little and is better. In order of cost. */
export function front(dots: readonly Dot[]): Dot[] {
  const byCost = [...dots].sort((a, b) => a.x - b.x || b.y - a.y);
  let best = Number.NEGATIVE_INFINITY;
  return byCost.filter(({ y }) => {
    const better = y > best;
    best = Math.max(best, y);
    return better;
  });
}

/**
 * Where each name starts (its baseline's left end): right of its dot, left of it, above, below or at a
 * corner. It is the first of these that lies inside the box and covers no dot and no name before it, or else the one
 * that covers least.
 */
export function placeLabels(dots: readonly Point[], widths: readonly number[], box: Box): Point[] {
  const gap = radius + 5;
  const taken = dots.map(([x, y]) => around(x - radius, y - radius, 2 * radius, 2 * radius));
  return dots.map(([x, y], i) => {
    const width = widths[i];
    const [above, below] = [y - gap, y + gap + 9];
    const places: Point[] = [
      [x + gap, y + 5],
      [x - gap - width, y + 5],
      [x - width / 2, above],
      [x - width / 2, below],
      [x, above],
      [x - width, above],
      [x, below],
      [x - width, below],
    ];
    // Nothing counts as much as to stay inside.
    const cost = (place: Point) => {
      const area = areaOf(place, width);
      const covered = taken.reduce((sum, other) => sum + common(area, other), 0);
      return covered + 1000 * (common(area, area) - common(area, box));
    };
    const costs = places.map(cost);
    const place = places[costs.indexOf(Math.min(...costs))];
    taken.push(areaOf(place, width));
    return place;
  });
}

function areaOf([x, baseline]: Point, width: number): Box {
  return around(x, baseline - nameSize, width, nameSize + 3);
}

function around(left: number, top: number, width: number, height: number): Box {
  return { left, top, right: left + width, bottom: top + height };
}

/** Area that two boxes have in common. */
function common(a: Box, b: Box): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return Math.max(0, width) * Math.max(0, height);
}

/** A range with the values in its middle, and room for names around them. */
function roomAround(values: readonly number[]): [number, number] {
  const [low, high] = apart([Math.min(...values), Math.max(...values)]);
  const pad = 0.12 * (high - low);
  return [low - pad, high + pad];
}
