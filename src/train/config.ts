import { basename } from "node:path";
import type { DegradationOptions, Div2kTrack } from "../data/index.ts";
import { type Architecture, architectures, type Recipe } from "../node.ts";

/**
 * Everything that decides what training does, in one object. It is saved with every checkpoint and weight
 * file, so that a run can be resumed, and repeated. The networks' presets (src/models) are complete examples;
 * what each field may be is in settings.ts.
 */
export interface TrainConfig extends Recipe {
  readonly network: NetworkConfig;
  /** Weight file to begin from, instead of random weights: see `initialWeights`. */
  readonly init?: string;

  /** Folders of HR pictures, or of DIV2K; none: photographs from npm, see photographs.ts. */
  readonly data: readonly string[];
  /** Which of DIV2K's LR pictures. None: bicubic. */
  readonly track?: Div2kTrack;
  /** How LR pictures of other folders are made, and those to measure on. None: by Matlab's bicubic. */
  readonly degradation?: DegradationOptions;
  /** Folder for decoded pictures, for data that does not fit into memory: see PatchLoader's `cacheFolder`. */
  readonly cache?: string;
  /** Folder of HR pictures to measure on; without it, some of the data is held out. */
  readonly valid?: string;
  /** On how many of them at most. */
  readonly validPictures: number;
  /** The batch is computed in this many parts, one after the other, to save memory. */
  readonly accumulate: number;

  /** Longest gradient, all parameters together: see `clipGradNorm`. None: not clipped. */
  readonly clip?: number;
  /**
   * Decay of the weights' moving average, which is then what is measured and kept: see `emaUpdate`, and
   * `emaDecay` for its beginning. None: no average.
   */
  readonly ema?: number;
  /** Decides the first weights, and the order and place of the patches. */
  readonly seed: number;

  /** Steps between checkpoints, besides those at evaluations and at the end. None: by time alone. */
  readonly checkpointEvery?: number;
  /** Minutes after which a checkpoint is made in any case. */
  readonly checkpointMinutes: number;

  /** As for `init()`: gpu, lavapipe, swiftshader, cpu, part of an adapter's name. None: the best there is. */
  readonly adapter?: string;
  /** Folder for the results. None: a new one under runs/. */
  readonly out?: string;
}

/**
 * A network by the name of its architecture, and its options: src/models explains them, and has defaults for
 * those that are left out.
 */
export type NetworkConfig = {
  [A in (typeof architectures)[number] as A["name"]]: { readonly architecture: A["name"] } & OptionsOf<A>;
}[ArchitectureName];

export type ArchitectureName = (typeof architectures)[number]["name"];

type OptionsOf<A> = A extends Architecture<string, infer Options> ? Readonly<Partial<Options>> : never;

/** The configuration for files that travel: paths say nothing elsewhere, so folders keep their names only. */
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

/** The presets of a network as complete configurations; the first one is the default. */
export function presetsOf({ name, presets }: Architecture): Readonly<Record<string, TrainConfig>> {
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
