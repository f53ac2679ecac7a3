/**
 * What a network says about itself in its own file: its options, the pictures it works on, how it is built,
 * described and trained. Weight files, the trainer, its settings and the command line read it from there. A
 * new network is one such file and one entry in registry.ts.
 */

import type { NamedArray, StateDifference } from "../nn/module.ts";
import {
  checkArguments,
  checkIsObject,
  checkNames,
  isObject,
  optional,
  type Wanted,
} from "../options/arguments.ts";
import { type Kind, oneOf } from "../options/kinds.ts";
import { scales } from "../picture/scales.ts";
import { aRandom, type Random } from "../tensor/random.ts";
import { formatShape, ShapeError } from "../tensor/shape.ts";
import { aTensor, type Tensor } from "../tensor/tensor.ts";
import { type DetectOptions, markersIn, type State, withoutTensors } from "./state.ts";
import { SuperResolver } from "./super-resolver.ts";

/** Far more than any network of the literature has, and few enough for a mistake to be noticed. */
export const MAX_CHANNELS = 4096;
export const MAX_LAYERS = 1024;

export interface Architecture<
  Name extends string = string,
  Options extends NetworkOptions = NetworkOptions,
  PresetName extends string = string,
> {
  /** Its name in weight files and tables; in lower case, on the command line. */
  readonly name: Name;
  /** One line, without a full stop. */
  readonly summary: string;
  /** SuperResolver's `colors`, for networks whose options have none. */
  readonly colors: SuperResolver["colors"];
  readonly inputSize: SuperResolver["inputSize"];
  readonly options: OptionTable<Options>;
  /** Ways to train it; the first one is the default. */
  readonly presets: Readonly<Record<PresetName, Preset<Options>>>;
  /** The network in words: "EDSR x2, 4 blocks of 16 channels". */
  describe(options: Options): string;
  /** The network as the name of a folder: "edsr-x2-4x16". */
  shortName(options: Options): string;
  /** Does `build` look at examples? The trainer then reads some before it builds the network. */
  looksAtExamples(options: Options): boolean;
  /**
   * Tensors whose values do not count: they say by being there how the network computes, where its weights do not.
   * Each name has the metadata of the networks with that tensor. They are in `stateDict()` and so in files, and stay
   * when another program writes a file again without its metadata.
   */
  readonly markers?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /**
   * A new network with random weights.
   *
   * @param random where the weights come from; default: the generator of `manualSeed`.
   * @param examples some of the training pictures, as planes [channels, h, w] in 0..1 of the colours and the
   *   size that the network takes. Where `looksAtExamples`, it is fitted to them.
   */
  build(options: Options, random?: Random, examples?: readonly NamedArray[]): SuperResolver;
  /**
   * The network of a file that another program made of this architecture, by its tensors' names and shapes;
   * undefined for all other files. Without this function, only files of `saveWeights` are read.
   *
   * @throws DataError for a file that is nearly one, and cannot be used.
   */
  recognize?(state: State, options: DetectOptions): RecognizedNetwork | undefined;
}

/** Every network has a scale, and other options. */
export interface NetworkOptions {
  /** Enlargement of each side. */
  readonly scale: number;
  /** What it takes, for networks that can be built for either. */
  readonly colors?: SuperResolver["colors"];
}

/** A network's options, except for generators and values fitted to pictures. */
export type OptionTable<Options> = { readonly [Key in keyof Options]: Option<Options[Key]> };

/** The scale of networks that have every one. At 1 they remove noise or traces of JPEG. */
export const scaleOption = option(oneOf(...scales), 2, "enlargement; 1 keeps the size");

/** The planes of networks that can be built for RGB or for luma. */
export const colorsOption = option(oneOf("rgb", "y"), "rgb", "what it takes: RGB, or luma alone");

/** The values that belong to a table. */
export type OptionValues<Table> = { [Key in keyof Table]: Table[Key] extends Option<infer T> ? T : never };

/** A weight file holds its value as metadata, a configuration as a field, the command line as a flag. */
export interface Option<T = unknown> {
  readonly kind: Kind<T>;
  readonly default: T;
  readonly help: string;
}

/** An entry of a table: which values fit, the default, and a help text. */
export function option<T>(kind: Kind<T>, value: NoInfer<T>, help: string): Option<T> {
  return { kind, default: value, help };
}

/** How a network is trained, except for the pictures and the machine. */
export interface Recipe {
  /** Side of a patch in LR pixels. */
  readonly patch: number;
  /** Patches per step. */
  readonly batch: number;
  /** What is made small: l1, l2, charbonnier, ssim, fft, or a weighted sum such as "l1+0.1*ssim". */
  readonly loss: string;
  /** Adam's first learning rate. */
  readonly lr: number;
  readonly schedule: ScheduleConfig;
  /** Steps over which the rate rises to what the schedule says. */
  readonly warmup: number;
  readonly steps: number;
  /** Steps between evaluations on the held-out pictures. */
  readonly evalEvery: number;
  /** Steps between readings of the loss for log and progress. In between, nothing waits for the GPU. */
  readonly logEvery: number;
}

/** A first network in minutes: that of most networks for colours. Those that need it add a warm-up. */
export const quickRecipe: Recipe = {
  patch: 24,
  batch: 4,
  loss: "l1",
  lr: 2e-3,
  schedule: { kind: "cosine" },
  warmup: 0,
  steps: 1200,
  evalEvery: 300,
  logEvery: 10,
};

/** A recipe with a network's options. */
export interface Preset<Options = NetworkOptions> extends Recipe {
  readonly network: Options;
}

/** How the learning rate falls; the names are those of the schedules in src/nn/schedules.ts. */
export type ScheduleConfig =
  | { readonly kind: "constant" }
  | { readonly kind: "step"; readonly stepSize: number; readonly gamma: number }
  | { readonly kind: "multistep"; readonly milestones: readonly number[]; readonly gamma: number }
  /** Without tMax: over all steps. Without etaMin: to a hundredth of the first rate. */
  | { readonly kind: "cosine"; readonly tMax?: number; readonly etaMin?: number };

/** The options of a constructor, if they are an object with a generator or none; the others are checked later. */
export function checkConstructor<Init extends { readonly random?: Random }>(name: string, init: Init): Init {
  checkIsObject(name, init, "such as { scale: 2 }");
  checkArguments(name, { random: [init.random, optional(aRandom)] });
  return init;
}

const aTableOfOptions: Wanted<Pick<Architecture, "name" | "options">> = {
  wants: "an architecture, such as architectureOf() returns",
  fits: (value): value is Pick<Architecture, "name" | "options"> =>
    isObject(value) && isObject(value.options),
};

/** All of a network's options, with defaults. Throws a RangeError for a name or a value that does not fit. */
export function completeOptions<Options extends NetworkOptions>(
  architecture: Pick<Architecture<string, Options>, "name" | "options">,
  values: Partial<Options>,
): Options {
  checkArguments("completeOptions", { "the first argument": [architecture, aTableOfOptions] });
  const { name, options } = architecture;
  checkIsObject(name, values, "such as { scale: 2 }");
  checkNames(name, values, Object.keys(options));
  const complete = Object.entries<Option>(options).map(([key, { kind, default: usual }]) => {
    const { [key as keyof Options]: value = usual } = values;
    checkArguments(name, { [key]: [value, kind] });
    return [key, value];
  });
  return Object.fromEntries(complete);
}

/** What a file does not say, and was taken for granted. */
export interface Assumption {
  /** The network's option that it is about. */
  readonly option: string;
  /** The assumption in words: "the activation: tanh, as in the paper". */
  readonly text: string;
}

/** A weight file of another program, understood. */
export interface RecognizedNetwork {
  /** The architecture and its options, as `SuperResolver.metadata()` has them. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The weights by the names that the architecture's network has for them. */
  readonly state: ReadonlyMap<string, NamedArray>;
  readonly assumptions: readonly Assumption[];
}

/** A network of an architecture, with the options that it was built with. */
export abstract class ConfiguredNetwork<Options extends NetworkOptions> extends SuperResolver {
  readonly colors: SuperResolver["colors"];
  readonly inputSize: SuperResolver["inputSize"];
  readonly scale: number;
  /** All of them, in the table's order. */
  readonly options: Options;
  readonly #architecture: string;
  readonly #markers: readonly string[];

  /** @throws RangeError for an option that does not fit. */
  constructor(architecture: Architecture<string, Options>, options: Partial<Options>) {
    super();
    this.#architecture = architecture.name;
    this.inputSize = architecture.inputSize;
    this.options = completeOptions(architecture, options);
    this.#markers = markersOf(architecture, this.metadata());
    this.colors = this.options.colors ?? architecture.colors;
    this.scale = this.options.scale;
  }

  /** Throws unless x is a tensor [n, channels, h, w] with the colours that the network takes. */
  protected checkInput(x: Tensor): void {
    const name = `${this.#architecture}.forward`;
    checkArguments(name, { x: [x, aTensor] });
    if (x.shape.length === 4 && x.shape[1] === this.planes) return;
    throw new ShapeError(
      `${name}: x must have the shape [n, ${this.planes}, h, w], got ${formatShape(x.shape)}.`,
    );
  }

  metadata(): Record<string, string> {
    return metadataOf(this.#architecture, this.options);
  }

  override async stateDict(): Promise<Map<string, NamedArray>> {
    const state = await super.stateDict();
    for (const name of this.#markers) state.set(name, { shape: [1], data: new Float32Array(1) });
    return state;
  }

  /** Files of earlier versions and of other programs lack the markers. Those of another network are refused. */
  override loadStateDict(
    state: ReadonlyMap<string, NamedArray>,
    options: { strict?: boolean; source?: string } = {},
  ): StateDifference {
    const marks = state instanceof Map ? markersIn(state, this.#markers) : [];
    return super.loadStateDict(marks.length > 0 ? withoutTensors(state, marks) : state, options);
  }
}

/** The names of the markers that a network with such metadata has. */
export function markersOf(
  { markers = {} }: Pick<Architecture, "markers">,
  metadata: Readonly<Record<string, string>>,
): string[] {
  return Object.entries(markers).flatMap(([name, of]) =>
    Object.entries(of).every(([option, text]) => metadata[option] === text) ? [name] : [],
  );
}

/** An architecture and its options as weight files have them. */
export function metadataOf(architecture: string, options: object): Record<string, string> {
  const texts = Object.entries(options).map(([key, value]) => [
    key,
    Array.isArray(value) ? value.join("-") : String(value),
  ]);
  return { architecture, ...Object.fromEntries(texts) };
}
