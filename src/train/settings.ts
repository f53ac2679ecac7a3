/**
 * The settings of a training as a table: where each is in the configuration, what it may be, what it is called on the
 * command line. Parsing, checking, --help and the rules of resuming all come from it.
 */
import { type DegradationOptions, drawDegradation } from "../data/index.ts";
import type { Architecture, TrainConfig } from "./config.ts";
import { formatSchedule, isSchedule, parseSchedule, scheduleForms } from "./schedule.ts";

export interface Setting {
  /** Its name on the command line, without the dashes. */
  readonly flag: string;
  /** Its place in TrainConfig. */
  readonly path: string;
  readonly kind: Kind;
  readonly help: string;
  /** May be left out. */
  readonly optional?: true;
  /** May be another one when a training is resumed: it does not decide what is learned. */
  readonly resumable?: true;
}

/** What a value may be. */
interface Kind {
  /** In words: "--steps wants …". */
  readonly wants: string;
  fits(value: unknown): boolean;
  /** From the command line; what does not fit may become anything. */
  read(text: string): unknown;
  /** For --help. */
  write(value: unknown): string;
}

// ---- The kinds

function numeric(wants: string, fits: (value: number) => boolean): Kind {
  return {
    wants,
    fits: (value) => typeof value === "number" && fits(value),
    read: (text) => (text.trim() === "" ? Number.NaN : Number(text)),
    write: (value) => formatNumber(value as number),
  };
}

const count = numeric("a whole number above 0", (value) => Number.isSafeInteger(value) && value > 0);
const countOrNone = numeric(
  "a whole number, 0 or more",
  (value) => Number.isSafeInteger(value) && value >= 0,
);
const whole = numeric("a whole number", Number.isSafeInteger);
const positive = numeric("a number above 0", (value) => value > 0 && value < Infinity);
const share = numeric("a number between 0 and 1", (value) => value > 0 && value < 1);

const text: Kind = {
  wants: "a text",
  fits: (value) => typeof value === "string" && value !== "",
  read: (value) => value,
  write: String,
};

const texts: Kind = {
  wants: "paths",
  fits: (value) => Array.isArray(value) && value.every(text.fits),
  read: (value) => [value],
  write: (value) => (value as string[]).join(", "),
};

function oneOf(...choices: readonly (string | number)[]): Kind {
  return {
    wants: `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`,
    fits: (value) => choices.some((choice) => choice === value),
    read: (value) => choices.find((choice) => String(choice) === value),
    write: String,
  };
}

const yesOrNo: Kind = {
  wants: "yes or no",
  fits: (value) => typeof value === "boolean",
  read: (value) => ({ yes: true, no: false })[value],
  write: (value) => (value ? "yes" : "no"),
};

/** Whole numbers joined by hyphens: 9-1-5. */
function counts(length: number): Kind {
  return {
    wants: `${length} whole numbers above 0, joined by hyphens`,
    fits: (value) => Array.isArray(value) && value.length === length && value.every(count.fits),
    read: (value) => value.split("-").map(Number),
    write: (value) => (value as number[]).join("-"),
  };
}

/** JSON, with a seed: what a random degradation was made of must be known. */
const degradation: Kind = {
  wants: 'a degradation as JSON, such as {"seed":0,"noise":[1,10],"jpeg":[60,95]}',
  fits(value) {
    try {
      return drawDegradation(value as DegradationOptions, 0) !== undefined;
    } catch {
      return false;
    }
  },
  read(text) {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  },
  write: (value) => JSON.stringify(value),
};

const schedule: Kind = {
  wants: scheduleForms,
  fits: isSchedule,
  read: parseSchedule,
  write: (value) => formatSchedule(value as TrainConfig["schedule"]),
};

// ---- The table

const filters: Setting = {
  flag: "filters",
  path: "network.filters",
  kind: counts(2),
  help: "channels of the two feature maps (the paper: 64-32)",
};
const residual: Setting = {
  flag: "residual",
  path: "network.residual",
  kind: yesOrNo,
  help: "predict what has to be added to the bicubic enlargement (the paper: no)",
};

const networks: Record<Architecture, readonly Setting[]> = {
  SRCNN: [
    { flag: "scale", path: "network.scale", kind: oneOf(2, 3, 4), help: "enlargement" },
    {
      flag: "kernels",
      path: "network.kernels",
      kind: counts(3),
      help: "sides of the three windows, odd (the papers: 9-1-5, 9-3-5, 9-5-5)",
    },
    filters,
    {
      flag: "padding",
      path: "network.padding",
      kind: oneOf("replicate", "zeros"),
      help: "what the windows meet beyond the picture",
    },
    residual,
  ],
  ESPCN: [
    { flag: "scale", path: "network.scale", kind: oneOf(2, 3, 4), help: "enlargement" },
    filters,
    {
      flag: "activation",
      path: "network.activation",
      kind: oneOf("tanh", "relu"),
      help: "after the first two layers (the paper: tanh)",
    },
    residual,
  ],
  EDSR: [
    { flag: "scale", path: "network.scale", kind: oneOf(2, 3, 4, 8), help: "enlargement" },
    {
      flag: "blocks",
      path: "network.blocks",
      kind: count,
      help: "residual blocks (the paper's baseline: 16)",
    },
    {
      flag: "channels",
      path: "network.channels",
      kind: count,
      help: "channels of every feature map (the paper's baseline: 64)",
    },
    {
      flag: "res-scale",
      path: "network.resScale",
      kind: positive,
      help: "factor of each block's residual (0.1 for 256 channels)",
    },
  ],
};

const common: readonly Setting[] = [
  { flag: "init", path: "init", kind: text, optional: true, help: "weight file to begin from" },
  { flag: "steps", path: "steps", kind: count, resumable: true, help: "training steps" },
  { flag: "batch", path: "batch", kind: count, help: "patches per step (EDSR's paper: 16)" },
  {
    flag: "accumulate",
    path: "accumulate",
    kind: count,
    help: "parts the batch is computed in, one after the other, to save memory",
  },
  { flag: "patch", path: "patch", kind: count, help: "side of a patch in LR pixels (EDSR's paper: 48)" },
  { flag: "loss", path: "loss", kind: oneOf("l1", "l2"), help: "mean absolute or mean squared difference" },
  { flag: "lr", path: "lr", kind: positive, help: "Adam's first learning rate (EDSR's paper: 1e-4)" },
  { flag: "schedule", path: "schedule", kind: schedule, help: `how it falls: ${scheduleForms}` },
  { flag: "warmup", path: "warmup", kind: countOrNone, help: "steps over which the rate first rises" },
  { flag: "clip", path: "clip", kind: positive, optional: true, help: "longest gradient" },
  {
    flag: "ema",
    path: "ema",
    kind: share,
    optional: true,
    help: "decay of a moving average of the weights, which is then kept (0.999)",
  },
  {
    flag: "seed",
    path: "seed",
    kind: whole,
    help: "decides the first weights, and the order and place of the patches",
  },
  {
    flag: "eval-every",
    path: "evalEvery",
    kind: count,
    resumable: true,
    help: "steps between evaluations on the held-out pictures",
  },
  {
    flag: "log-every",
    path: "logEvery",
    kind: count,
    resumable: true,
    help: "steps between readings of the loss",
  },
  {
    flag: "checkpoint-every",
    path: "checkpointEvery",
    kind: count,
    optional: true,
    resumable: true,
    help: "steps between checkpoints, besides those at evaluations",
  },
  {
    flag: "checkpoint-minutes",
    path: "checkpointMinutes",
    kind: positive,
    resumable: true,
    help: "minutes after which there is a checkpoint in any case",
  },
  {
    flag: "data",
    path: "data",
    kind: texts,
    resumable: true,
    help: "folder of DIV2K or of any HR pictures, several times for several; default: photographs from npm",
  },
  {
    flag: "track",
    path: "track",
    kind: oneOf("bicubic", "unknown", "mild", "difficult", "wild"),
    optional: true,
    help: "which of DIV2K's LR pictures; default: bicubic",
  },
  {
    flag: "degradation",
    path: "degradation",
    kind: degradation,
    optional: true,
    help: "how LR pictures of other folders are made, see src/data/degrade.ts; default: Matlab's bicubic",
  },
  {
    flag: "cache",
    path: "cache",
    kind: text,
    optional: true,
    resumable: true,
    help: "folder for decoded pictures, for data that does not fit into memory",
  },
  {
    flag: "valid",
    path: "valid",
    kind: text,
    optional: true,
    resumable: true,
    help: "folder of pictures to evaluate on; default: some of the data, held out",
  },
  {
    flag: "valid-pictures",
    path: "validPictures",
    kind: count,
    help: "how many of them to evaluate on",
  },
  {
    flag: "out",
    path: "out",
    kind: text,
    optional: true,
    help: "folder for the results; default: a new one under runs/",
  },
  {
    flag: "adapter",
    path: "adapter",
    kind: text,
    optional: true,
    resumable: true,
    help: "gpu, lavapipe, swiftshader, cpu, or part of an adapter's name",
  },
];

/** The settings that a training of such a network has. */
export function settingsFor(architecture: Architecture): readonly Setting[] {
  return [...networks[architecture], ...common];
}

/** The value of a setting. */
export function settingOf(config: TrainConfig, { path }: Setting): unknown {
  let value: unknown = config;
  for (const name of path.split(".")) value = (value as Record<string, unknown>)[name];
  return value;
}

/** The configuration with another value of a setting. */
export function withValue(config: TrainConfig, { path }: Setting, value: unknown): TrainConfig {
  const [name, inner] = path.split(".");
  const holder = config as unknown as Record<string, Record<string, unknown>>;
  const changed = { ...config, [name]: inner ? { ...holder[name], [inner]: value } : value };
  return changed as TrainConfig;
}

/**
 * Throws a RangeError unless every setting may be what it is. `name` says what errors call a setting: a path as in
 * `config.network.blocks`, or a flag.
 */
export function checkConfig(config: TrainConfig, name = (setting: Setting) => setting.path): void {
  for (const setting of settingsFor(config.network.architecture)) {
    const value = settingOf(config, setting);
    if (value === undefined && setting.optional) continue;
    if (!setting.kind.fits(value)) {
      throw new RangeError(
        `${name(setting)} wants ${setting.kind.wants}, got ${typeof value === "number" ? value : JSON.stringify(value)}`,
      );
    }
  }
  const { batch, accumulate } = config;
  if (batch % accumulate !== 0) {
    throw new RangeError(
      `a batch of ${batch} patches cannot be computed in ${accumulate} equal parts; choose a batch that is a multiple`,
    );
  }
}

/** 0.002 as people write it; 1e-4 rather than 0.0001. */
function formatNumber(value: number): string {
  return Math.abs(value) < 1e-2 && value !== 0 ? value.toExponential() : String(value);
}
