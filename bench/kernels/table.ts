/** Times of kernels as Markdown. */
import type { Card } from "../cards.ts";
import { table } from "../markdown.ts";
import { percent, short } from "../report.ts";
import type { KernelRow, KernelTimes } from "./stream.ts";

const micros = (ms: number) => short(1e3 * ms);
/** What rates of a workload are given in: TFLOP/s, GFLOP/s where that would be less than one, or GB/s. */
function unitOf({ work, ceiling }: KernelTimes): readonly [name: string, perSecond: number] {
  if (work.flops === 0) return ["GB/s", 1e9];
  return ceiling.median >= 1e12 ? ["TFLOP/s", 1e12] : ["GFLOP/s", 1e9];
}

/** One table for a workload: every variant, the fastest first. */
export function kernelTable(times: KernelTimes): string[] {
  const [unit, perSecond] = unitOf(times);
  const timed = times.rows.filter((row) => row.time !== undefined);
  const wrong = times.rows.filter((row) => row.time === undefined);
  const lines = timed
    .sort((a, b) => a.time!.median - b.time!.median)
    .map(({ name, byRule, time, rate, share }) => [
      byRule && times.rows.length > 1 ? `**${name}** (by rule)` : name,
      ...[time!.median, time!.min, time!.max].map(micros),
      short(rate! / perSecond),
      percent(share!),
    ]);
  const failed = wrong.map(({ name, error, problem }) => [
    name,
    problem ?? `WRONG: error ${error?.toExponential(1) ?? "NaN"}`,
    ...["", "", "", ""],
  ]);
  return table(["variant", "µs", "best", "worst", unit, "of ceiling"], [...lines, ...failed]);
}

/** What the ceiling was, in words. */
export function kernelCeiling(times: KernelTimes, peak?: Card): string {
  const { ceiling, rounds, work } = times;
  const [unit, perSecond] = unitOf(times);
  const what = work.flops > 0 ? "multiply-adds in registers" : "a copy of as many bytes";
  const sheet =
    peak && work.flops > 0 ? ` (${peak.card}: ${short(peak.flops / perSecond)} by ${peak.source})` : "";
  const range = `${short(ceiling.min / perSecond)} to ${short(ceiling.max / perSecond)} ${unit}`;
  return `Ceiling, ${what} in the same stream: ${range}${sheet}. Median of ${rounds} rounds.`;
}

/** One line for each workload: the kernel by rule, and the fastest. */
export function kernelSummary(list: readonly KernelTimes[]): string[] {
  return table(
    ["workload", "by rule", "µs", "speed", "of ceiling", "the fastest", "µs", "by rule takes"],
    list.map((times) => {
      const [unit, perSecond] = unitOf(times);
      const timed = times.rows.filter((row) => row.time !== undefined);
      const rule = timed.find(({ byRule }) => byRule);
      const best = timed.reduce<KernelRow | undefined>(
        (a, b) => (a && a.time!.median <= b.time!.median ? a : b),
        undefined,
      );
      const problems = times.rows.filter(({ problem }) => problem !== undefined).length;
      const wrong = times.rows.length - timed.length - problems;
      const failed = [
        ...(wrong > 0 ? [`${wrong} WRONG`] : []),
        ...(problems > 0 ? [`${problems} not run`] : []),
      ];
      return [
        [times.workload, ...failed].join(", "),
        ...(rule
          ? [
              rule.name,
              micros(rule.time!.median),
              `${short(rule.rate! / perSecond)} ${unit}`,
              percent(rule.share!),
            ]
          : ["-", "-", "-", "-"]),
        ...(best && rule && best !== rule
          ? [best.name, micros(best.time!.median), `${short(rule.time!.median / best.time!.median)} x`]
          : ["the same", "", ""]),
      ];
    }),
  );
}
