// What plots are made of: a document with a title, axes with numbers, lines.
//
// drawAxes() draws two axes, each made by axisOf(). That one also decides which numbers to write (niceTicks,
// logTicks).

import { CAP_HEIGHT, escapeXml, quietInk, textPath } from "./text.ts";

export type Point = readonly [x: number, y: number];

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Okabe and Ito's colours (2008), dark ones first; without yellow, which vanishes on white. */
export const palette = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
export const label = { size: 12, color: quietInk };
const gridColor = "#e6e8eb";
export const axisColor = "#9aa2ab";

export const TITLE_HEIGHT = 46;
export const MARGIN = 20;
/** From the middle of a line of labels down to its baseline. */
export const toBaseline = (label.size * CAP_HEIGHT) / 2;

/** An SVG document of the given size, on white, with a title. It needs no fonts and no other files. */
export function svgDocument(
  title: string,
  { width, height }: { width: number; height: number },
  drawings: readonly string[],
): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
      `width="${width}" height="${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    textPath(title, MARGIN, 32, { size: 18, weight: "bold", maxWidth: width - 2 * MARGIN }),
    ...drawings,
    "</svg>\n",
  ].join("\n");
}

interface AxisOptions {
  readonly label: string;
  /** Where the label's baseline lies: its y on an x axis, its x on a y axis, whose label is turned. */
  readonly labelAt: number;
  /** Pixels between two numbers, roughly. */
  readonly spacing: number;
  readonly log?: boolean;
  /** Space to leave free at both ends, as a share of the range. */
  readonly room?: number;
}

type Axis = ReturnType<typeof axisOf>;

/** An axis for `values`, of which there must be one or more. It runs from pixel `from` to pixel `to`. */
export function axisOf(
  values: readonly number[],
  [from, to]: readonly [number, number],
  { label, labelAt, spacing, log = false, room = 0 }: AxisOptions,
) {
  const [measure, value] = log ? [Math.log, Math.exp] : [Number, Number];
  const [low, high] = apart(
    measure(values.reduce((a, b) => Math.min(a, b))),
    measure(values.reduce((a, b) => Math.max(a, b))),
  );
  const pad = room * (high - low);
  const [start, end] = [low - pad, high + pad];
  const ticks = (log ? logTicks : niceTicks)(value(start), value(end), Math.abs(to - from) / spacing);
  // On a logarithmic axis each number has as many digits as it needs: 0.01, 0.1, 1.
  const names = log ? ticks.flatMap((tick) => formatTicks([tick])) : formatTicks(ticks);
  const toPixel = (value: number) => from + ((measure(value) - start) / (end - start)) * (to - from);
  return { label, labelAt, ticks, names, toPixel };
}

/** Two axes: grid lines across the box, numbers, and labels. */
export function drawAxes({ left, top, right, bottom }: Box, x: Axis, y: Axis): string[] {
  const grid = { color: gridColor, width: 1 };
  const middle = { ...label, anchor: "middle" } as const;
  return [
    ...y.ticks.flatMap((tick, i) => {
      const at = y.toPixel(tick);
      return [
        segment([left, at], [right, at], grid),
        textPath(y.names[i], left - 8, at + toBaseline, { ...label, anchor: "end" }),
      ];
    }),
    ...x.ticks.flatMap((tick, i) => {
      const at = x.toPixel(tick);
      return [segment([at, top], [at, bottom], grid), textPath(x.names[i], at, bottom + 20, middle)];
    }),
    segment([left, bottom], [right, bottom], { color: axisColor, width: 1 }),
    textPath(x.label, (left + right) / 2, x.labelAt, { ...middle, maxWidth: right - left }),
    textPath(y.label, y.labelAt, (top + bottom) / 2, { ...middle, rotate: -90, maxWidth: bottom - top }),
  ];
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
    `<path d="M${path}" fill="none" stroke="${color}" stroke-width="${width}" ` +
    `stroke-linejoin="round"${opacity < 1 ? ` opacity="${opacity}"` : ""}` +
    `${dashed ? ' stroke-dasharray="6 4"' : ""}/>`
  );
}

export function circle([x, y]: Point, radius: number, color: string): string {
  return `<circle cx="${fixed(x)}" cy="${fixed(y)}" r="${radius}" fill="${color}"/>`;
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

/** Round numbers between min and max (0 < min < max) for a logarithmic axis: about `count`, or fewer. */
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

/** The numbers of one axis as text, all with the same decimals and unit: 0, 0.5, 1.0 or 0, 50k, 100k. */
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

/** The range itself, or a wider one where its ends (almost) coincide. */
function apart(min: number, max: number): [number, number] {
  const size = Math.max(Math.abs(min), Math.abs(max));
  const pad = max - min > 1e-9 * size ? 0 : size / 10 || 1;
  return [min - pad, max + pad];
}

/** Hundredths of a pixel are enough, and keep the file small. */
export function fixed(pixels: number): string {
  return String(Math.round(pixels * 100) / 100);
}
