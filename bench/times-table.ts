/** Times as tables in Markdown. */

import { type InTurns, isUnsteady, type Times } from "../src/measure/in-turns.ts";
import type { Card } from "./cards.ts";
import { table } from "./markdown.ts";
import { percent, short } from "./report.ts";

interface TableOptions {
  readonly peak?: Card;
  /** The title of the first column. */
  readonly first: string;
  /** With a column for the time until JavaScript has recorded a repetition. */
  readonly recording?: boolean;
}

/** One line for each program: wall and GPU time, speed and shares. */
export function markdownOf(
  { rows }: Pick<InTurns, "rows">,
  { peak, first, recording }: TableOptions,
): string[] {
  const columns: (readonly [title: string, cell: (times: Times) => string])[] = [
    [first, ({ name }) => name],
    ["ms", ({ ms }) => short(ms)],
    ["best to worst", ({ min, max }) => `${short(min)} to ${short(max)}`],
    ["GPU ms", ({ gpuMs }) => (gpuMs === undefined ? "-" : short(gpuMs))],
    ...(recording ? [["recording ms", ({ recordMs }: Times) => short(recordMs)] as const] : []),
    ["GFLOP/s", ({ gflops }) => (gflops > 0 ? short(gflops) : "-")],
    ["of ceiling", ({ share }) => (share > 0 ? percent(share) : "-")],
    ...(peak
      ? [["of data sheet", ({ gflops }: Times) => percent((gflops * 1e9) / peak.flops)] as const]
      : []),
  ];
  return table(
    columns.map(([title]) => title),
    rows.map((times) => columns.map(([, cell]) => cell(times))),
  );
}

/** What the ceiling was meanwhile, and whether figures can be trusted. */
export function ceilingLine({ ceiling, rows }: InTurns, peak?: Card): string {
  const { before, after } = ceiling;
  const between = rows.flatMap(({ flopsAfter }) => flopsAfter ?? []);
  const range = `${short(before / 1e9)} GFLOP/s before and ${short(after / 1e9)} after`;
  const sheet = peak ? `; ${peak.card}: ${short(peak.flops / 1e9)} by ${peak.source}` : "";
  const warning = isUnsteady(ceiling)
    ? " **The machine changed its speed meanwhile: these figures are uncertain.**"
    : "";
  const lowest =
    between.length > 0
      ? `, and at least ${short(Math.min(...between) / 1e9)} right after a program's runs`
      : "";
  return `Ceiling (multiply-adds in registers): ${range}${lowest}${sheet}.${warning}`;
}
