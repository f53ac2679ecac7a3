/**
 * Flags that say which method enlarges, by how much and where; and which of them contradict each other. All commands
 * share them.
 */
import { adapterChoices } from "../device/adapter-choice.ts";
import { oneOf, text } from "../options/kinds.ts";
import { orList } from "../options/lists.ts";
import { DEFAULT_SCALE, scales } from "../picture/scales.ts";
import {
  defaultMethod,
  enlargementsByDefault,
  isInterpolation,
  methodNames,
} from "../upscale/method-names.ts";
import { type Flags, UsageError } from "./flags.ts";

export const methodFlag = {
  short: "m",
  kind: { ...text, symbol: "METHOD" },
  help: `${methodNames.join(", ")}, or a weight file (safetensors, .pth, ncnn's .param, .h5)`,
} satisfies Flags[string];

export const scaleFlag = {
  short: "s",
  kind: oneOf(...scales),
  help:
    `enlargement of each side; default: that of the weight file, else ${DEFAULT_SCALE}; 1 keeps the size, by ` +
    "networks that were made for it",
} satisfies Flags[string];

export const ensembleFlag = {
  short: "x",
  help: "averages the results for the picture's eight flips and turns: a little better, eight times the work",
} satisfies Flags[string];

export const halfFlag = {
  help:
    "stores weights and feature maps as 16-bit floats: half the memory on the device, results that hardly differ " +
    "(of 16 bits per sample, 11 are exact)",
} satisfies Flags[string];

export const adapterFlag = {
  short: "g",
  kind: text,
  help: `where networks run: ${adapterChoices}`,
} satisfies Flags[string];

export interface MethodFlags {
  readonly method?: string;
  readonly scale?: number;
  readonly ensemble?: boolean;
  readonly half?: boolean;
  readonly adapter?: string;
}

/** @throws UsageError if flags that are for networks are given for interpolations alone */
export function refuseWithoutNetwork(flags: FlagsForNetworks, methods: readonly string[]): void {
  if (!methods.every(isInterpolation)) return;
  const flag = flagForNetworks(flags);
  if (flag === undefined) return;
  throw new UsageError(`${flag} is for networks, and ${methods.join(", ")} computes without one`);
}

/** @throws UsageError if flags that are for networks are given, and there is none for the scale */
export function refuseWithoutDefault(flags: FlagsForNetworks, scale: number): void {
  const flag = flagForNetworks(flags);
  if (flag === undefined || !isInterpolation(defaultMethod(scale))) return;
  throw new UsageError(
    `no network enlarges by ${scale}, and ${flag} is for networks; take --scale ${orList(enlargementsByDefault())}`,
  );
}

type FlagsForNetworks = Pick<MethodFlags, "ensemble" | "half" | "adapter">;

/** The first flag that only networks heed, if one is given. */
function flagForNetworks(flags: FlagsForNetworks): string | undefined {
  const flag = (["ensemble", "half", "adapter"] as const).find((name) => flags[name]);
  return flag && `--${flag}`;
}
