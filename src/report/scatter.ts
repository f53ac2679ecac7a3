// Quality against cost as self-contained SVG: a dot for each method, its name beside it.
//
// scatterPlot() draws it, front() selects the methods that no other beats, placeLabels() places the names.

import { ArgumentError } from "../options/arguments.ts";
import {
  axisColor,
  axisOf,
  type Box,
  circle,
  drawAxes,
  fixed,
  label,
  MARGIN,
  type Point,
  palette,
  polyline,
  svgDocument,
  TITLE_HEIGHT,
} from "./axes.ts";
import { textPath, textWidth } from "./text.ts";

export interface Dot {
  name: string;
  /** Cost, above 0, such as milliseconds. */
  x: number;
  /** Quality: larger is better. */
  y: number;
}

export interface ScatterSpec {
  title: string;
  /** A second line, below the title: the conditions of the measurement. */
  subtitle: string;
  xLabel: string;
  yLabel: string;
  dots: readonly Dot[];
}

const size = { width: 720, height: 460 };
const RADIUS = 5;
const NAME_SIZE = 13;

/**
 * One SVG document that needs no fonts and no other files. The x axis is logarithmic. A dashed line joins the
 * dots of front(). Throws RangeError if there is no dot, if a number is not finite, or an x is not above 0.
 */
export function scatterPlot({ title, subtitle, xLabel, yLabel, dots }: ScatterSpec): string {
  const wrong = dots.find(({ x, y }) => !(x > 0 && Number.isFinite(x) && Number.isFinite(y)));
  if (dots.length === 0 || wrong) {
    const what = wrong ? `"${wrong.name}" is at (${wrong.x}, ${wrong.y})` : "there is no dot";
    throw new ArgumentError("scatterPlot", `${what}; it needs a dot, and finite numbers with x above 0.`);
  }
  const { width, height } = size;
  const box = { left: 84, top: TITLE_HEIGHT + 32, right: width - MARGIN, bottom: height - 56 };
  const xs = dots.map((dot) => dot.x);
  const ys = dots.map((dot) => dot.y);
  const room = 0.12; // for names
  const [xAt, yAt] = [box.bottom + 42, MARGIN + 8];
  const x = axisOf(xs, [box.left, box.right], { log: true, room, spacing: 60, label: xLabel, labelAt: xAt });
  const y = axisOf(ys, [box.bottom, box.top], { room, spacing: 40, label: yLabel, labelAt: yAt });
  const toPixels = (dot: Dot): Point => [x.toPixel(dot.x), y.toPixel(dot.y)];
  const pixels = dots.map(toPixels);

  const out = [
    textPath(subtitle, MARGIN, 54, { ...label, maxWidth: width - 2 * MARGIN }),
    ...drawAxes(box, x, y),
    polyline(front(dots).map(toPixels), { color: axisColor, width: 1.5, dashed: true }),
  ];
  const widths = dots.map(({ name }) => textWidth(name, NAME_SIZE));
  const labels = placeLabels(pixels, widths, { ...box, top: box.top - NAME_SIZE });
  dots.forEach(({ name }, i) => {
    const behind = areaOf(labels[i], widths[i]); // white, so that no line runs through the name
    out.push(
      `<rect x="${fixed(behind.left)}" y="${fixed(behind.top)}" width="${fixed(widths[i])}" ` +
        `height="${NAME_SIZE + 3}" fill="#fff" opacity="0.8"/>`,
      circle(pixels[i], RADIUS, palette[i % palette.length]),
      textPath(name, labels[i][0], labels[i][1], { size: NAME_SIZE }),
    );
  });
  return svgDocument(title, size, out);
}

/** The dots that no other beats: each is better than all that cost no more. In order of cost. */
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
 * The left end of each name's baseline. A name stands right of its dot, left of it, above, below or at a
 * corner: the first of these places that is inside the box and covers no dot and no earlier name, or else the
 * place that covers the smallest area.
 */
export function placeLabels(dots: readonly Point[], widths: readonly number[], box: Box): Point[] {
  const gap = RADIUS + 5;
  const obstacles = dots.map(([x, y]) => around(x - RADIUS, y - RADIUS, 2 * RADIUS, 2 * RADIUS));
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
    // What matters most is to stay inside the box.
    const cost = (place: Point) => {
      const area = areaOf(place, width);
      const overlap = obstacles.reduce((sum, other) => sum + common(area, other), 0);
      return overlap + 1000 * (common(area, area) - common(area, box));
    };
    const costs = places.map(cost);
    const place = places[costs.indexOf(Math.min(...costs))];
    obstacles.push(areaOf(place, width));
    return place;
  });
}

function areaOf([x, baseline]: Point, width: number): Box {
  return around(x, baseline - NAME_SIZE, width, NAME_SIZE + 3);
}

function around(left: number, top: number, width: number, height: number): Box {
  return { left, top, right: left + width, bottom: top + height };
}

/** The area that two boxes share. */
function common(a: Box, b: Box): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return Math.max(0, width) * Math.max(0, height);
}
