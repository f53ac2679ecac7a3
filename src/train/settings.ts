/**
 * The settings of training as a table: the place of each in the configuration, its values, its flag on the
 * command line. Checks, flags, help texts and the rules of resuming all come from it.
 */

import { totalmem } from "node:os";
import { aTrack } from "../data/div2k.ts";
import { degradationKind } from "../data/index.ts";
import { adapterChoices } from "../device/adapter-choice.ts";
import { type Architecture, architectureOf, architectures } from "../node.ts";
import { ArgumentError, isObject, listOf } from "../options/arguments.ts";
import { file, folder, inProgram, type Kind, positive, quote, share, text, whole } from "../options/kinds.ts";
import { planeCount } from "../picture/planes.ts";
import { networkOf, type TrainConfig } from "./config.ts";
import { lossKind, termsOf } from "./loss.ts";
import { scheduleKind } from "./schedule.ts";

export interface Setting extends Entry {
  /** Its name on the command line, without the dashes. */
  readonly flag: string;
  /** Its place in TrainConfig. */
  readonly path: string;
}

interface Entry {
  readonly kind: Kind;
  readonly help: string;
  /** The value of a missing setting. */
  readonly default?: unknown;
  /** The setting may be missing without a default. */
  readonly optional?: true;
  /** The setting is a list of such values. */
  readonly multiple?: true;
  /**
   * It may change when training is resumed: it does not decide what is learned, but for `steps`, with which an open
   * cosine ends.
   */
  readonly resumable?: true;
}

/** Every field of the configuration but the network. */
const common: { readonly [Name in keyof Omit<TrainConfig, "network">]-?: Entry } = {
  init: {
    kind: file,
    optional: true,
    help: "weight file to begin from, or a network that comes with the library, such as wren",
  },
  steps: { kind: whole(1), resumable: true, help: "training steps" },
  batch: { kind: whole(1), help: "patches per step (EDSR's paper: 16)" },
  accumulate: { kind: whole(1), help: "computes the batch in this many parts, one by one, to save memory" },
  patch: { kind: whole(1), help: "side of a patch in LR pixels (EDSR's paper: 48)" },
  loss: { kind: lossKind, help: `what is made small: ${lossKind.wants}` },
  lr: { kind: positive, help: "Adam's first learning rate (EDSR's paper: 1e-4)" },
  schedule: { kind: scheduleKind, help: `how the rate falls: ${scheduleKind.wants}` },
  warmup: { kind: whole(0), help: "steps over which the rate first rises" },
  clip: { kind: positive, optional: true, help: "scales gradients of a larger norm down to this one" },
  ema: {
    kind: share,
    optional: true,
    help: "decay of a moving average of the weights, such as 0.999; the average is measured and saved",
  },
  seed: { kind: whole(), help: "decides the first weights, and the order and place of the patches" },
  evalEvery: { kind: whole(1), resumable: true, help: "steps between evaluations on the held-out pictures" },
  logEvery: { kind: whole(1), resumable: true, help: "steps between readings of the loss" },
  checkpointEvery: {
    kind: whole(1),
    optional: true,
    resumable: true,
    help: "steps between checkpoints, besides those at evaluations",
  },
  checkpointMinutes: {
    kind: positive,
    resumable: true,
    help: "minutes after which a checkpoint is made in any case",
  },
  data: {
    kind: folder,
    multiple: true,
    resumable: true,
    help: "DIV2K, or any HR pictures; repeat the flag for several folders; default: photographs from npm",
  },
  track: {
    kind: aTrack,
    optional: true,
    help: `DIV2K's LR pictures: ${aTrack.wants}; default: bicubic`,
  },
  degradation: {
    kind: degradationKind,
    optional: true,
    help: `how LR is made of HR: ${degradationKind.wants}; default: Matlab's bicubic`,
  },
  cache: {
    kind: folder,
    optional: true,
    resumable: true,
    help: "for decoded pictures as files; default: in memory, up to half of what is free",
  },
  valid: {
    kind: folder,
    optional: true,
    resumable: true,
    help: "HR pictures to measure on; default: some of the data, held out",
  },
  validPictures: { kind: whole(1), help: "at most this many of them are measured" },
  out: {
    kind: folder,
    optional: true,
    resumable: true,
    help: "for the results; default: a new folder under runs/",
  },
  adapter: {
    kind: text,
    optional: true,
    resumable: true,
    help: adapterChoices,
  },
};

/** The settings for training a network: its own options and the common ones. */
export function settingsFor({ options }: Architecture): readonly Setting[] {
  return [...settingsOf(options, "network."), ...settingsOf(common, "")];
}

function settingsOf(entries: Readonly<Record<string, Entry>>, place: string): Setting[] {
  return Object.entries(entries).map(([name, entry]) => ({
    ...entry,
    path: place + name,
    flag: name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
  }));
}

/** The names that a configuration may have. */
export const configNames: readonly string[] = ["network", ...Object.keys(common)];

/** The value of a setting. */
export function settingOf(config: TrainConfig, setting: Setting): unknown {
  let value: unknown = config;
  for (const name of setting.path.split(".")) value = (value as Record<string, unknown>)[name];
  return value ?? setting.default;
}

/** The value of a setting for people; undefined if there is none. */
export function formatSetting(config: TrainConfig, setting: Setting): string | undefined {
  const value = settingOf(config, setting);
  if (value === undefined) return undefined;
  const values = setting.multiple ? (value as unknown[]) : [value];
  return values.map(setting.kind.write).join(", ");
}

/** The configuration with another value of a setting. */
export function withSetting(config: TrainConfig, { path }: Setting, value: unknown): TrainConfig {
  const [name, inner] = path.split(".");
  return { ...config, [name]: inner ? { ...config.network, [inner]: value } : value };
}

/** Throws a RangeError if a setting has a wrong value; it is called by its place, such as `network.blocks`. */
export function checkConfig(config: TrainConfig): void {
  checkConfigFor("checkConfig", config);
}

/** The same for a function that errors call `caller`. They call a setting by `nameOf`. */
export function checkConfigFor(
  caller: string,
  config: TrainConfig,
  nameOf = (setting: Setting) => setting.path,
): void {
  if (!isObject(config) || !isObject(config.network)) {
    throw new ArgumentError(
      caller,
      `a configuration is an object such as { ...presets.EDSR.quick, data: [folder] }, got ` +
        `${quote(config)}.`,
    );
  }
  const { architecture: name } = config.network;
  const names = architectures.map((architecture) => architecture.name);
  if (!names.includes(name)) {
    throw new ArgumentError(
      caller,
      `there is no network called ${quote(name)}; there are ${names.join(", ")}.`,
    );
  }
  for (const setting of settingsFor(architectureOf(name))) {
    const { optional, multiple } = setting;
    const value = settingOf(config, setting);
    if (value === undefined && optional) continue;
    const kind = multiple ? several(setting.kind) : setting.kind;
    if (kind.fits(value)) continue;
    const wants = kind.wantsOf?.(value) ?? kind.wants;
    throw new ArgumentError(
      caller,
      `${nameOf(setting)} wants ${wants}, got ${quote(value)}.${inProgram(kind, value)}`,
    );
  }
  const { batch, accumulate, patch } = config;
  const side = patch * networkOf(config.network).options.scale;
  if (termsOf(config.loss).some(({ name }) => name === "ssim") && side < 11) {
    throw new ArgumentError(
      caller,
      `SSIM looks at 11x11 pixels, and patches have ${side}x${side}; choose a patch of at least ` +
        `${Math.ceil((11 * patch) / side)}.`,
    );
  }
  if (batch % accumulate !== 0) {
    throw new ArgumentError(
      caller,
      `a batch of ${batch} patches cannot be computed in ${accumulate} equal parts; choose a batch that is ` +
        `a multiple.`,
    );
  }
}

/** A list of what the kind takes. A text stands for a list of one. */
function several(kind: Kind): Pick<Kind, "wants" | "wantsOf" | "fits" | "read"> {
  return { ...listOf(kind), read: (text) => [kind.read(text)] };
}

/**
 * Throws a RangeError if the patches of a batch alone, LR and HR, take more memory than there is. The network's
 * feature maps take more, on the device, which says so itself.
 *
 * @param memory bytes; default: those of this computer, or of its part that the process may use.
 */
export function checkBatchFits(
  caller: string,
  { batch, patch, network }: TrainConfig,
  memory = Math.min(totalmem(), process.constrainedMemory?.() || Infinity),
): void {
  const { architecture, options } = networkOf({ ...network });
  const { colors = architecture.colors, scale } = options;
  const high = (patch * scale) ** 2;
  const low = architecture.inputSize === "high" ? high : patch ** 2;
  const bytes = batch * (low + high) * planeCount(colors) * Float32Array.BYTES_PER_ELEMENT;
  if (bytes <= memory) return;
  const gigabytes = (count: number) =>
    `${Number((count / 2 ** 30).toPrecision(3)).toLocaleString("en-US")} GiB`;
  throw new ArgumentError(
    caller,
    `a batch of ${batch} patches of ${patch}x${patch} pixels and their originals takes ${gigabytes(bytes)}, and ` +
      `there are ${gigabytes(memory)} of memory. Choose a smaller batch or a smaller patch.`,
  );
}
