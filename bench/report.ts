/** Figures as lines of a table that fits into a terminal of 120 columns. */
import type { Ceilings } from "../src/measure/ceilings.ts";
import { summarize } from "../src/measure/statistics.ts";
import type { Card } from "./cards.ts";
import type { Result, Row } from "./harness.ts";

interface Column {
  readonly title: string;
  readonly width: number;
  readonly left?: boolean;
}

const columns: readonly Column[] = [
  { title: "", width: 27, left: true },
  { title: "variant", width: 11, left: true },
  { title: "median", width: 6 },
  { title: "min .. max", width: 14 },
  { title: "GPU", width: 6 },
  { title: "GFLOP/s", width: 7 },
  { title: "GB/s", width: 5 },
  { title: "of ceiling", width: 11 },
  { title: "error", width: 7 },
  { title: "first", width: 5 },
];

/** What the columns mean. */
export const legend = `\
  median, min, max   milliseconds per repetition, over the timed runs, without warm-up; variants in turn
  GPU                milliseconds that the GPU itself computes, by its own clock; the rest is launching and waiting
  GFLOP/s, GB/s      work by definition: 2 per multiply-add, padding included; inputs and results moved once
  of ceiling         share of the adapter's limit that binds: multiply-adds (flops) or copying (bytes)
  error              largest difference from the references, as a share of the largest value; "*": gradients
                     at a kink of relu differed on the first inputs, and agreed on others
  first              milliseconds of the first call on the small shape, with compilation, or with loading from
                     the driver's cache on disk; "-" if all its pipelines existed already`;

/** A heading and the titles of the columns. */
export function heading(name: string): string {
  return `\n${line([name, ...columns.slice(1).map(({ title }) => title)])}`;
}

export function resultLines(result: Result): string[] {
  return result.rows.map((row, i) => line([i === 0 ? result.shape : "", ...cells(row)]));
}

/** How fast the machine was around the benches: where it changed, so did all times. */
export function steadinessLine(results: readonly Result[]): string {
  const rates = results.flatMap(({ flops: { before, after } }) => [before, after]);
  const { min, max } = summarize(rates);
  return (
    `Multiply-adds in registers, before and after each bench: ${short(min / 1e9)} to ${short(max / 1e9)} GFLOP/s.` +
    (max > 1.2 * min ? " The machine changed its speed: compare only what was measured in turns." : "")
  );
}

/** How much of the machine other programs took during timing. */
export function othersLine(results: readonly Result[]): string {
  const cores = results.map(({ foreignCores }) => foreignCores);
  const { median, max } = summarize(cores);
  return (
    `During timing, other programs kept ${median.toFixed(1)} cores busy (at most ${max.toFixed(1)}).` +
    (max >= 0.3
      ? "\nTimes are longer than on an idle machine; their spread shows how uneven the load was."
      : "")
  );
}

function cells({ variant, status, reason, timing, error, kinkError, first }: Row): string[] {
  const name = variant || "-";
  if (!timing) return [name, `${status === "wrong" ? "WRONG" : status}: ${reason}`];
  return [
    name,
    short(timing.median),
    `${short(timing.min)} .. ${short(timing.max)}`,
    timing.gpu === undefined ? "-" : short(timing.gpu),
    timing.gflops > 0 ? short(timing.gflops) : "-",
    short(timing.gbytes),
    `${percent(timing.ceiling.share)} ${timing.ceiling.kind === "bytes" ? "bytes" : "flops"}`,
    `${error.toExponential(1)}${kinkError === undefined ? "" : "*"}`,
    first && first.pipelines > 0 ? short(first.ms) : "-",
  ];
}

/** Cells under their columns. The last cell may be wider than its column, as a reason is. */
function line(cells: readonly string[]): string {
  return cells
    .map((cell, i) => {
      const { width, left } = columns[i];
      return left || (i === cells.length - 1 && cell.length > width)
        ? cell.padEnd(width)
        : cell.padStart(width);
    })
    .join("  ")
    .trimEnd();
}

export function ceilingLines({ flops, multiplyAdd, copies }: Ceilings, card?: Card): string[] {
  const { chains, unroll } = multiplyAdd;
  const rates = copies.map(({ bytes, rate }) => `${short(rate / 1e9)} (${Math.round(bytes / 2 ** 20)} MiB)`);
  return [
    `ceilings   ${short(flops / 1e9)} GFLOP/s, multiply-adds in registers ` +
      `(${chains} sums, unrolled by ${unroll})`,
    ...(card
      ? [`           ${percent(flops / card.flops)} of ${short(card.flops / 1e9)} GFLOP/s, by ${card.source}`]
      : []),
    `           GB/s of a copy, by how much it moves: ${rates.join(", ")}`,
  ];
}

/** Three digits, with all those before the point and at most three behind it: 0.012, 1.23, 12.3, 1234. */
export function short(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const digits = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(3))))) + 1;
  return value.toFixed(Math.min(3, Math.max(0, 3 - digits)));
}

export function percent(share: number): string {
  return share < 0.01 ? `${(100 * share).toFixed(1)} %` : `${Math.round(100 * share)} %`;
}
