/**
 * Which kernel is fastest depends on the adapter by a factor of two and more. Operations choose by rules (see
 * conv2d/plan.ts). Where those are not good enough, a tuner measures the alternatives for the shapes of a
 * network, and its choices replace those of the rules. Nothing is ever measured unasked.
 */
import type { Storage } from "./device.ts";

/** A kernel and its block sizes. */
export type Choice = Readonly<Record<string, string | number>>;

/** What can be chosen at one launch. */
export interface Tunable<C extends Choice> {
  /** The operation, the version of its kernels, and all sizes that matter for its speed. */
  readonly key: string;
  /** The choice by rule. */
  readonly byRule: C;
  /** Other choices that give the same result; only a tuner asks for them. */
  readonly candidates: () => readonly C[];
  readonly launch: (choice: C) => void;
  /** The memory in which the launch puts its result; a tuner checks that all choices agree. */
  readonly result: Storage;
}

/** A tuner's choices, as they are saved. */
export interface TuningFile {
  /** Name of the adapter they were measured on. */
  readonly adapter: string;
  readonly choices: Readonly<Record<string, Choice>>;
}

/** The measured choices of a device. */
export class Tuning {
  readonly choices = new Map<string, Choice>();
  /** Called with every launch that could be tuned; a tuner sets it while it works. */
  observer: ((tunable: Tunable<Choice>) => void) | undefined;

  /** Launches with the measured choice where there is one, else by rule. */
  launch<C extends Choice>(tunable: Tunable<C>): void {
    this.observer?.(tunable as unknown as Tunable<Choice>);
    tunable.launch((this.choices.get(tunable.key) as C | undefined) ?? tunable.byRule);
  }

  load(file: TuningFile): void {
    for (const [key, choice] of Object.entries(file.choices)) this.choices.set(key, choice);
  }
}

/** A short name for the text of some kernels. Choices hold only for the text that was measured. */
export function versionOf(kernels: readonly { readonly body: string }[]): string {
  // FNV-1a, 32 bits.
  let hash = 0x811c9dc5;
  for (const { body } of kernels) {
    for (let i = 0; i < body.length; i++) hash = Math.imul(hash ^ body.charCodeAt(i), 0x01000193) >>> 0;
  }
  return hash.toString(36);
}
