/**
 * What a network says about itself, once, in its own file: its options, the pictures it works on, how it is
 * built, described and trained. Weight files, the trainer, its settings and the command line read it from
 * there. A new network is one more file like those beside this one, and one more entry in architectures.ts.
 */
import type { NamedArray } from "../nn/module.ts";
import { type Kind, quote } from "../options/kinds.ts";
import type { Random } from "../tensor/random.ts";
import type { SuperResolver } from "./super-resolver.ts";

export interface Architecture<
  Name extends string = string,
  Options extends NetworkOptions = NetworkOptions,
  PresetName extends string = string,
> {
  /** In weight files and tables; in lower case, on the command line. */
  readonly name: Name;
  /** One line, without a full stop. */
  readonly summary: string;
  /** As for the network itself: see SuperResolver. */
  readonly colors: SuperResolver["colors"];
  readonly inputSize: SuperResolver["inputSize"];
  readonly options: OptionTable<Options>;
  /** Ways to train it; the first one is the default. */
  readonly presets: Readonly<Record<PresetName, Preset<Options>>>;
  /** In words: "EDSR x2, 4 blocks of 16 channels". */
  describe(options: Options): string;
  /** For the name of a folder: "edsr-x2-4x16". */
  shortName(options: Options): string;
  /** Whether `build` looks at examples, which have to be read before training begins. */
  looksAtExamples(options: Options): boolean;
  /**
   * A new network with random weights.
   *
   * @param random where they come from; default: the generator of `manualSeed`.
   * @param examples some of the pictures that it will learn from, as planes [channels, h, w] in 0..1 of the
   *   colours and the size that it takes. Where `looksAtExamples`, the network is fitted to them.
   */
  build(options: Options, random?: Random, examples?: readonly NamedArray[]): SuperResolver;
}

/** Every network has this option, and others. */
export interface NetworkOptions {
  /** Enlargement of each side. */
  readonly scale: number;
}

/** What a network's constructor takes, except for generators and values fitted to pictures. */
export type OptionTable<Options> = { readonly [Key in keyof Options]: Option<Options[Key]> };

/** A weight file holds its value as metadata, a configuration as a field, the command line as a flag. */
export interface Option<T = unknown> {
  readonly kind: Kind<T>;
  readonly default: T;
  readonly help: string;
}

/** How a network is trained, as far as that does not depend on the pictures or the machine. */
export interface Recipe {
  /** Side of a patch in LR pixels. */
  readonly patch: number;
  /** Patches per step. */
  readonly batch: number;
  /** Mean absolute or mean squared difference. */
  readonly loss: "l1" | "l2";
  /** Adam's first learning rate. */
  readonly lr: number;
  readonly schedule: ScheduleConfig;
  /** Over this many steps the rate rises to what the schedule says. */
  readonly warmup: number;
  readonly steps: number;
  /** Steps between evaluations on the held-out pictures. */
  readonly evalEvery: number;
  /** Steps between readings of the loss for log and progress. In between, nothing waits for the GPU. */
  readonly logEvery: number;
}

/** A complete recipe with a network's options. */
export interface Preset<Options = NetworkOptions> extends Recipe {
  readonly network: Options;
}

/** How the learning rate falls: see src/nn/schedules.ts, whose names these are. */
export type ScheduleConfig =
  | { readonly kind: "constant" }
  | { readonly kind: "step"; readonly stepSize: number; readonly gamma: number }
  | { readonly kind: "multistep"; readonly milestones: readonly number[]; readonly gamma: number }
  /** Without tMax: over all steps. Without etaMin: to a hundredth of the first rate. */
  | { readonly kind: "cosine"; readonly tMax?: number; readonly etaMin?: number };

/** All of a network's options, with defaults. Throws a RangeError for a value that does not fit. */
export function completeOptions<Options extends NetworkOptions>(
  { name, options }: Pick<Architecture<string, Options>, "name" | "options">,
  values: { readonly [Key in keyof Options]?: Options[Key] },
): Options {
  const complete = entriesOf(options).map(([key, option]) => {
    const value = values[key] ?? option.default;
    if (!option.kind.fits(value)) {
      throw new RangeError(`${name}: ${key} must be ${option.kind.wants}, got ${quote(value)}.`);
    }
    return [key, value];
  });
  return Object.fromEntries(complete);
}

/** What a weight file keeps of a network: its architecture, and as texts the options it was built with. */
export function metadataOf<Options extends NetworkOptions>(
  { name, options }: Pick<Architecture<string, Options>, "name" | "options">,
  values: { readonly [Key in keyof Options]: unknown },
): Record<string, string> {
  const texts = entriesOf(options).map(([key]) => {
    const value = values[key];
    return [key, Array.isArray(value) ? value.join("-") : String(value)];
  });
  return { architecture: name, ...Object.fromEntries(texts) };
}

function entriesOf<Options>(options: OptionTable<Options>) {
  return Object.entries(options) as [string & keyof Options, Option<Options[keyof Options]>][];
}
