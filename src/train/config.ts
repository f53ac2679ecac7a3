import { basename } from "node:path";
import type { DegradationOptions, Div2kTrack } from "../data/index.ts";
import {
  type Architecture,
  architectureOf,
  architectures,
  completeOptions,
  type NetworkOptions,
  type Recipe,
} from "../node.ts";
import { checkArguments, isObject, type Wanted } from "../options/arguments.ts";

/**
 * Everything that decides what training does. It is saved in every checkpoint and weight file, so that a run
 * can be resumed, and repeated. The networks' presets (src/models) are complete examples; settings.ts says
 * which values each field takes.
 */
export interface TrainConfig extends Recipe {
  readonly network: NetworkConfig;
  /** Weight file, or name of a network that comes with the library, to begin from: see `initialWeights`. */
  readonly init?: string;

  /** Folders of HR pictures, or of DIV2K. None: photographs from npm, see photographs.ts. */
  readonly data: readonly string[];
  /** Which of DIV2K's LR pictures. Default: bicubic. */
  readonly track?: Div2kTrack;
  /**
   * How LR pictures are made, of DIV2K too: anew for each patch, and once for each held-out picture. Default: by
   * Matlab's bicubic; of DIV2K, its own are taken.
   */
  readonly degradation?: DegradationOptions;
  /** Folder for decoded pictures that do not fit into memory: see PatchLoader's `cacheFolder`. */
  readonly cache?: string;
  /** Folder of HR pictures to measure on. Default: some of the data, held out. */
  readonly valid?: string;
  /** How many of them are measured at most. */
  readonly validPictures: number;
  /** Parts in which a batch is computed, one after the other, to save memory. */
  readonly accumulate: number;

  /** Largest norm of the gradient, all parameters together: see `clipGradNorm`. Default: any. */
  readonly clip?: number;
  /**
   * Decay of the weights' moving average (`emaUpdate`; `emaDecay` says how it begins), which is then measured
   * and saved in place of the weights. Default: no average.
   */
  readonly ema?: number;
  /** Decides the first weights, and the order and place of the patches. */
  readonly seed: number;

  /** Steps between checkpoints, besides those at evaluations and at the end. Default: by time alone. */
  readonly checkpointEvery?: number;
  /** Minutes after which a checkpoint is made in any case. */
  readonly checkpointMinutes: number;

  /** The adapter, as for `init()`. Default: the fastest. */
  readonly adapter?: string;
  /** Folder for the results. Default: a new one under runs/. */
  readonly out?: string;
}

/** A network: the name of its architecture, and its options. src/models has defaults for missing ones. */
export type NetworkConfig = {
  [A in (typeof architectures)[number] as A["name"]]: { readonly architecture: A["name"] } & OptionsOf<A>;
}[ArchitectureName];

export type ArchitectureName = (typeof architectures)[number]["name"];

type OptionsOf<A> = A extends Architecture<string, infer Options> ? Readonly<Partial<Options>> : never;

/** The architecture of a network and all its options. Throws a RangeError for a wrong name or option. */
export function networkOf(config: NetworkConfig): { architecture: Architecture; options: NetworkOptions } {
  const { architecture: name, ...options } = config;
  const architecture = architectureOf(name);
  return { architecture, options: completeOptions(architecture, options) };
}

/** The configuration for files that travel: of folders only the names, as paths mean nothing elsewhere. */
export function portable({
  out: _out,
  cache: _cache,
  adapter: _adapter,
  ...config
}: TrainConfig): TrainConfig {
  const { data, valid, init } = config;
  return {
    ...config,
    data: data.map((folder) => basename(folder)),
    ...(valid !== undefined && { valid: basename(valid) }),
    ...(init !== undefined && { init: basename(init) }),
  };
}

/** What a preset leaves to the pictures and the machine. */
const defaults = { data: [], validPictures: 10, accumulate: 1, seed: 0, checkpointMinutes: 10 };

const anArchitecture: Wanted<Architecture> = {
  wants: "an architecture, such as architectureOf() returns",
  fits: (value): value is Architecture => isObject(value) && isObject(value.presets),
};

/** The presets of a network as complete configurations; the first one is the default. */
export function presetsOf(architecture: Architecture): Readonly<Record<string, TrainConfig>> {
  checkArguments("presetsOf", { "the first argument": [architecture, anArchitecture] });
  const { name, presets } = architecture;
  const configs = Object.entries(presets).map(([preset, { network, ...recipe }]) => {
    return [preset, { ...defaults, ...recipe, network: { architecture: name, ...network } }];
  });
  return Object.fromEntries(configs);
}

/** Complete configurations by architecture and name. */
export const presets = Object.fromEntries(
  architectures.map((architecture) => [architecture.name, presetsOf(architecture)]),
) as {
  readonly [A in (typeof architectures)[number] as A["name"]]: Readonly<
    Record<keyof A["presets"], TrainConfig>
  >;
};
