/** A measurement as text for people and as JSON for programs. */
import { bytesText, errorText, flopsText, msText, percentText, significant, timesText } from "./format.ts";
import { describeLayer } from "./layers.ts";
import type { CeilingInfo, Results, StepResult } from "./messages.ts";

/** Which step each is compared with: the first of its ladder that was timed. */
export function firstOf(steps: readonly StepResult[], { name }: StepResult): StepResult | undefined {
  const back = name.startsWith("weight-grad");
  return steps.find((each) => each.times && each.name.startsWith("weight-grad") === back);
}

/** What the ceilings are, and whether they held. */
export function ceilingText({ before, after, bytes, limit, bestMs }: CeilingInfo): string {
  const unsteady = Math.max(before, after) > 1.2 * Math.min(before, after);
  return (
    `Multiply-adds in registers alone: ${flopsText(before)} before, ${flopsText(after)} after. ` +
    (unsteady ? "The adapter's speed changed meanwhile, so trust ratios more than shares. " : "") +
    `A copy of this size: ${bytesText(bytes)}. At best this convolution would take ${msText(bestMs)}, ` +
    `limited by ${limit === "bytes" ? "moving its data" : "arithmetic"}.`
  );
}

export function methodText({ steps }: Results): string {
  const timed = steps.find(({ times }) => times)?.times;
  if (!timed) return "Nothing was timed.";
  const clock =
    timed.clock === "gpu"
      ? "by the GPU's own clock"
      : "by wall, since this adapter has no clock of its own to read; each run repeats the kernel and waits once";
  const parts = (["y", "dw"] as const).map((computes) => {
    const check = steps.find(
      (step) => step.check && step.name.startsWith("weight-grad") === (computes === "dw"),
    )?.check;
    return !check || check.byReference === check.values
      ? undefined
      : `${significant(check.byReference)} of ${significant(check.values)} values of ${computes}`;
  });
  const partly = parts.filter((part) => part !== undefined);
  return (
    `Times are medians of ${timed.runs} runs in turns, after a warm-up, ${clock}. ` +
    (partly.length === 0
      ? "All values were compared with plain loops on the CPU in float64."
      : `Plain loops on the CPU in float64 checked ${partly.join(" and ")}; all others were compared with the first ` +
        "step's.")
  );
}

export function markdownOf(results: Results, browser: string, date: Date): string {
  const { card, layer, flops, ceiling, steps } = results;
  const rows = steps.map((step) => {
    const { name, check, times } = step;
    if (!check) return [name, "-", "-", "-", "-", "does not run here"];
    if (!times) return [name, "-", "-", "-", "-", `wrong by ${errorText(check.error)}`];
    const first = firstOf(steps, step)!.times!;
    return [
      ...[name, msText(times.ms), significant(times.gflops), percentText(times.share)],
      ...[timesText(first.ms / times.ms), `right, within ${errorText(check.error)}`],
    ];
  });
  const head = ["step", "time", "GFLOP/s", "of the ceiling", "speed-up", "result"];
  const table = [head, head.map((_, i) => (i === 0 ? "---" : "---:")), ...rows];
  return [
    `## ${describeLayer(layer)}`,
    "",
    `- Adapter: ${card.adapter}${card.software ? " (software)" : ""}`,
    `- Browser: ${browser}`,
    `- Date: ${date.toISOString().slice(0, 10)}`,
    `- Work: ${significant(flops / 1e6)} MFLOP. ${ceilingText(ceiling)}`,
    `- ${methodText(results)}`,
    "",
    ...table.map((cells) => `| ${cells.join(" | ")} |`),
    "",
  ].join("\n");
}

export function jsonOf(results: Results, browser: string, date: Date): string {
  return JSON.stringify({ format: 1, date: date.toISOString(), browser, ...results }, undefined, 1);
}
