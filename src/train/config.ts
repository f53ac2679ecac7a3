import { basename } from "node:path";
import type { DegradationOptions, Div2kTrack } from "../data/index.ts";

/**
 * Everything that decides what a training does, in one object. It is saved with every checkpoint and weight file, so
 * that a training can be resumed, and repeated. The presets below are complete examples; what each field may be is in
 * settings.ts.
 */
export interface TrainConfig {
  readonly network: NetworkConfig;
  /** Weight file to begin from, instead of random weights: see `initialWeights`. */
  readonly init?: string;

  /** Folders of HR pictures, or of DIV2K; none: photographs that npm installs beside this package's sources. */
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
  /** Side of a patch in LR pixels. */
  readonly patch: number;
  /** Patches per step. */
  readonly batch: number;
  /** The batch is computed in this many parts, one after the other, to save memory. */
  readonly accumulate: number;

  readonly loss: "l1" | "l2";
  /** Adam's first learning rate. */
  readonly lr: number;
  readonly schedule: ScheduleConfig;
  /** Over this many steps the rate rises to what the schedule says. */
  readonly warmup: number;
  /** Longest gradient, all parameters together: see `clipGradNorm`. None: not clipped. */
  readonly clip?: number;
  /**
   * Decay of the weights' moving average, which is then what is measured and kept: see `emaUpdate`, and `emaDecay` for its
   * beginning. None: no average.
   */
  readonly ema?: number;
  readonly steps: number;
  /** Decides the first weights, and the order and place of the patches. */
  readonly seed: number;

  /** Steps between evaluations on the held-out pictures. */
  readonly evalEvery: number;
  /** Steps between readings of the loss, for the log and the progress. In between, nothing waits for the GPU. */
  readonly logEvery: number;
  /** Steps between checkpoints, besides those at evaluations and at the end. None: by time alone. */
  readonly checkpointEvery?: number;
  /** Minutes after which a checkpoint is made in any case. */
  readonly checkpointMinutes: number;

  /** As for `init()`: gpu, lavapipe, swiftshader, cpu, or part of an adapter's name. None: the best there is. */
  readonly adapter?: string;
  /** Folder for the results. None: a new one under runs/. */
  readonly out?: string;
}

/** A network and its constructor's options, which src/models explains. */
export type NetworkConfig =
  | {
      readonly architecture: "SRCNN";
      readonly scale: 2 | 3 | 4;
      readonly kernels: readonly [number, number, number];
      readonly filters: readonly [number, number];
      readonly padding: "replicate" | "zeros";
      readonly residual: boolean;
    }
  | {
      readonly architecture: "ESPCN";
      readonly scale: 2 | 3 | 4;
      readonly filters: readonly [number, number];
      readonly activation: "tanh" | "relu";
      readonly residual: boolean;
    }
  | {
      readonly architecture: "EDSR";
      readonly scale: 2 | 3 | 4 | 8;
      readonly blocks: number;
      readonly channels: number;
      readonly resScale: number;
    };

export type Architecture = NetworkConfig["architecture"];

/** The configuration as weight files, logs and reports tell it: paths say nothing elsewhere, so folders keep their names only. */
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

/** How the learning rate falls: see src/nn/schedules.ts, whose names these are. */
export type ScheduleConfig =
  | { readonly kind: "constant" }
  | { readonly kind: "step"; readonly stepSize: number; readonly gamma: number }
  | { readonly kind: "multistep"; readonly milestones: readonly number[]; readonly gamma: number }
  /** Without tMax: over the whole training. Without etaMin: to a hundredth of the first rate. */
  | { readonly kind: "cosine"; readonly tMax?: number; readonly etaMin?: number };

/** A first training, in minutes: on photographs that npm installs, with a small network. */
const edsrQuick: TrainConfig = {
  network: { architecture: "EDSR", scale: 2, blocks: 4, channels: 16, resScale: 1 },
  data: [],
  validPictures: 10,
  patch: 24,
  batch: 4,
  accumulate: 1,
  loss: "l1",
  lr: 2e-3,
  schedule: { kind: "cosine" },
  warmup: 0,
  steps: 1200,
  seed: 0,
  evalEvery: 300,
  logEvery: 10,
  checkpointMinutes: 10,
};

/** The baseline of Lim et al. 2017: 1.37 M parameters at x2; the halving at every 200,000 steps is the authors' code's. */
const edsrPaper: TrainConfig = {
  ...edsrQuick,
  network: { architecture: "EDSR", scale: 2, blocks: 16, channels: 64, resScale: 1 },
  patch: 48,
  batch: 16,
  lr: 1e-4,
  schedule: { kind: "step", stepSize: 200_000, gamma: 0.5 },
  steps: 300_000,
  evalEvery: 1000,
  logEvery: 100,
};

/** The same network for a tenth of the steps: hours on a GPU. The best weights are those of the best evaluation. */
const edsrArticle: TrainConfig = { ...edsrPaper, steps: 30_000 };

/** Minutes, too. It learns what has to be added to the bicubic enlargement, which is most of what can be had early. */
const srcnnQuick: TrainConfig = {
  ...edsrQuick,
  network: {
    architecture: "SRCNN",
    scale: 3,
    kernels: [9, 1, 5],
    filters: [64, 32],
    padding: "replicate",
    residual: true,
  },
  patch: 16,
  batch: 8,
  loss: "l2",
  lr: 1e-3,
  steps: 1000,
  evalEvery: 250,
};

/**
 * The best of fifteen settings tried for 40 to 50 seconds each, once, on T91 and BSDS200 at x2: 32.00 dB on held-out pictures.
 * With 4 patches a step 31.92, at half the rate 31.86, with tanh 31.67 (at 2e-3, no warm-up). With ReLU at 2e-3, no warm-up: 31.42
 * with 16 patches, and with 4 no better than bicubic. What rate, warm-up and batch do by themselves was not measured.
 */
const espcnQuick: TrainConfig = {
  ...srcnnQuick,
  network: { architecture: "ESPCN", scale: 3, filters: [64, 32], activation: "relu", residual: true },
  batch: 2,
  lr: 1e-3,
  warmup: 500,
  steps: 6000,
  evalEvery: 1500,
};

/** Complete configurations by architecture and name; the first of each is the default. */
export const presets = {
  SRCNN: { quick: srcnnQuick },
  ESPCN: { quick: espcnQuick },
  EDSR: { quick: edsrQuick, "edsr-article": edsrArticle, "edsr-paper": edsrPaper },
} as const satisfies Record<Architecture, Record<string, TrainConfig>>;
