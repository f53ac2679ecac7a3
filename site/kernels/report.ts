/**
 * A measurement as text for people and as JSON for programs. Both are in English, whatever the page's language is:
 * people paste them where others have to read them, and compare them.
 */
import { Numbers, numbers } from "./format.ts";
import { say } from "./language.ts";
import type { CeilingInfo, Results, StepResult } from "./messages.ts";
import { english, type Sentences } from "./sentences/english.ts";

/** A language: its sentences, and how it writes numbers. */
interface Voice {
  readonly say: Sentences;
  readonly numbers: Numbers;
}

/** Which step each is compared with: the first of its ladder that was timed. */
export function firstOf(steps: readonly StepResult[], { name }: StepResult): StepResult | undefined {
  const back = name.startsWith("weight-grad");
  return steps.find((each) => each.times && each.name.startsWith("weight-grad") === back);
}

/** What the ceilings are, whether they held, and how everything was timed and checked; in the page's language. */
export function noteOf(results: Results): string {
  const voice = { say, numbers };
  return `${ceilingText(results.ceiling, voice)} ${methodText(results, voice)}`;
}

function ceilingText({ before, after, bytes, limit, bestMs }: CeilingInfo, { say, numbers }: Voice): string {
  const isUnsteady = Math.max(before, after) > 1.2 * Math.min(before, after);
  return [
    say.ceilings(numbers.flops(before), numbers.flops(after)),
    ...(isUnsteady ? [say.unsteady] : []),
    say.bestTime(numbers.bytes(bytes), numbers.ms(bestMs), limit),
  ].join(" ");
}

function methodText({ steps }: Results, { say, numbers }: Voice): string {
  const timed = steps.find(({ times }) => times)?.times;
  if (!timed) return say.nothingTimed;
  const partly = (["y", "dw"] as const).flatMap((computes) => {
    const check = steps.find(
      (step) => step.check && step.name.startsWith("weight-grad") === (computes === "dw"),
    )?.check;
    if (!check || check.byReference === check.values) return [];
    return [
      say.someValues(numbers.significant(check.byReference), numbers.significant(check.values), computes),
    ];
  });
  const compared = partly.length === 0 ? say.allCompared : say.partlyCompared(partly);
  return `${say.medians(timed.runs, timed.clock)} ${compared}`;
}

export function markdownOf(results: Results, browser: string, date: Date): string {
  const { card, layer, flops, ceiling, steps } = results;
  const numbers = new Numbers(() => "en");
  const voice = { say: english, numbers };
  const rows = steps.map((step) => {
    const { name, check, times } = step;
    if (!check) return [name, "-", "-", "-", "-", "does not run here"];
    if (!times) return [name, "-", "-", "-", "-", `wrong by ${numbers.exponential(check.error)}`];
    const first = firstOf(steps, step)!.times!;
    return [
      ...[name, numbers.ms(times.ms), numbers.significant(times.gflops), numbers.percent(times.share)],
      ...[numbers.times(first.ms / times.ms), `right, within ${numbers.exponential(check.error)}`],
    ];
  });
  const head = ["step", "time", "GFLOP/s", "of the ceiling", "speed-up", "result"];
  const table = [head, head.map((_, i) => (i === 0 ? "---" : "---:")), ...rows];
  return [
    `## ${english.layer(layer)}`,
    "",
    `- Adapter: ${card.adapter}${card.software ? " (software)" : ""}`,
    `- Browser: ${browser}`,
    `- Date: ${date.toISOString().slice(0, 10)}`,
    `- Work: ${numbers.significant(flops / 1e6)} MFLOP. ${ceilingText(ceiling, voice)}`,
    `- ${methodText(results, voice)}`,
    "",
    ...table.map((cells) => `| ${cells.join(" | ")} |`),
    "",
  ].join("\n");
}

export function jsonOf(results: Results, browser: string, date: Date): string {
  return JSON.stringify({ format: 1, date: date.toISOString(), browser, ...results }, undefined, 1);
}
