/** Flags that say which method enlarges, by how much and where. All commands share them. */
import { fileURLToPath } from "node:url";
import { adapterChoices } from "../device/adapter-choice.ts";
import type { NetworkFile } from "../node.ts";
import { oneOf, text } from "../options/kinds.ts";
import { orList } from "../options/lists.ts";
import { DataError } from "../picture/errors.ts";
import type { Size } from "../picture/image.ts";
import { scales } from "../picture/scales.ts";
import { sizeWithin, type TargetSize } from "../picture/target-size.ts";
import type { Choice, OpenedMethod, ReadPicture, Upscaler } from "../upscale/index.ts";
import {
  defaultMethod,
  enlargementsByDefault,
  isInterpolation,
  isMethodName,
  isPretrained,
  methodNames,
  pretrainedFile,
  refuseInterpolation,
  scalesOf,
} from "../upscale/method-names.ts";
import { scaleForSize } from "../upscale/scale-for-size.ts";
import { type Flags, UsageError } from "./flags.ts";
import { printError } from "./print.ts";

export const methodFlag = {
  short: "m",
  kind: { ...text, symbol: "METHOD" },
  help: `${methodNames.join(", ")}, or a weight file (safetensors, .pth)`,
} satisfies Flags[string];

export const scaleFlag = {
  short: "s",
  kind: oneOf(...scales),
  help:
    "enlargement of each side; default: that of the weight file, else 2; 1 keeps the size, by networks that were " +
    "made for it",
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

interface MethodFlags {
  readonly method?: string;
  readonly scale?: number;
  readonly ensemble?: boolean;
  readonly half?: boolean;
  readonly adapter?: string;
}

/** Opens the method that the flags name. @throws UsageError if flags contradict each other */
export async function methodOf({
  method,
  scale,
  ensemble,
  half,
  adapter,
}: MethodFlags): Promise<OpenedMethod> {
  const name = method ?? defaultMethod(scale ?? 2);
  if (name === undefined) {
    throw new UsageError(
      `--scale ${scale} keeps the size, and what a picture gains by that depends on the network: name one that was ` +
        "made for it, --method FILE",
    );
  }
  if (scale !== undefined && isMethodName(name) && !scalesOf(name).includes(scale)) {
    throw new UsageError(`${name} enlarges by ${orList(scalesOf(name))}, and --scale is ${scale}`);
  }
  if (method === undefined) refuseWithoutDefault({ ensemble, half, adapter }, scale ?? 2);
  else refuseWithoutNetwork({ ensemble, half, adapter }, [name]);
  await openAdapter(adapter);
  const { openMethod } = await import("../node.ts");
  const opened = await openMethod({ method, scale, ensemble, half });
  for (const line of notesOn(opened)) printError(line);
  return opened;
}

/** What was taken for granted of a weight file, in lines: it may change every pixel. */
function notesOn({ weights, assumptions = [], taken }: OpenedMethod): string[] {
  const assumed = assumptions.map(
    ({ option, text }) =>
      `${weights} does not say ${text}. That is assumed; "pixelgrad convert" with --set ${option}=… says otherwise.`,
  );
  return taken === undefined ? assumed : [`${weights}: the weights are those of ${taken}.`, ...assumed];
}

/** Says which size a picture's result will have, before any method is opened. A weight file is read for its scale. */
export function resultSizes(flags: MethodFlags & TargetSize): (picture: Size) => Promise<Size> {
  const { method, scale, width, height } = flags;
  if (width !== undefined || height !== undefined) {
    return async (picture) => sizeWithin(picture, { width, height });
  }
  const scaleOfFile = async (path: string) => {
    try {
      return Number((await readNetworkFile(path)).metadata.scale);
    } catch {
      // That says what is wrong with it: it may be the name of a method, with a letter too many.
      const { upscaler, close } = await methodOf(flags);
      close();
      return upscaler.scale;
    }
  };
  let own: Promise<number> | undefined;
  return async (picture) => {
    const isFile = method !== undefined && !isMethodName(method);
    own ??= scale === undefined && isFile ? scaleOfFile(method) : Promise.resolve(scale ?? 2);
    const factor = await own;
    return { width: factor * picture.width, height: factor * picture.height };
  };
}

/**
 * What enlarges the pictures of a run: the method that the flags name, or for each picture one that suits it.
 */
export interface MethodsOfRun {
  /** The factor by which a picture is enlarged. */
  scaleFor(picture: Size): number;
  /** The method for a picture, and why it, where the picture decided. */
  methodFor(picture: ReadPicture): Promise<{ readonly upscaler: Upscaler; readonly choice?: Choice }>;
  close(): void;
}

/**
 * Opens the method that the flags name; without one, that for clean pictures, and others once a picture needs
 * them: to be repaired, or to reach the size.
 *
 * @throws UsageError if flags contradict each other
 */
export async function methodsOf(flags: MethodFlags & { readonly size?: TargetSize }): Promise<MethodsOfRun> {
  // What is wrong with the method is said before anything is read.
  const first = await methodOf(flags);
  const { chooseMethod } = await import("../node.ts");
  const key = (method: string | undefined, scale: number) => `${method ?? defaultMethod(scale)} x${scale}`;
  const opened = new Map([[key(flags.method, first.upscaler.scale), first]]);
  const scaleFor = (picture: Size) => scaleForSize(picture, flags) ?? first.upscaler.scale;
  return {
    scaleFor,
    async methodFor(picture) {
      const scale = scaleFor(picture.image);
      const choice = flags.method === undefined ? chooseMethod(picture, scale) : undefined;
      const method = choice?.method ?? flags.method;
      const name = key(method, scale);
      // The adapter is open already.
      const one = opened.get(name) ?? (await methodOf({ ...flags, method, scale, adapter: undefined }));
      opened.set(name, one);
      return { upscaler: one.upscaler, choice };
    },
    close() {
      for (const { close } of opened.values()) close();
    },
  };
}

/** @throws UsageError if flags that are for networks are given for interpolations alone */
export function refuseWithoutNetwork(flags: FlagsForNetworks, methods: readonly string[]): void {
  if (!methods.every(isInterpolation)) return;
  const flag = flagForNetworks(flags);
  if (flag === undefined) return;
  throw new UsageError(`${flag} is for networks, and ${methods.join(", ")} computes without one`);
}

/** @throws UsageError if flags that are for networks are given, and there is none for the scale */
function refuseWithoutDefault(flags: FlagsForNetworks, scale: number): void {
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

/** Opens the adapter that --adapter names, if it is given. */
export async function openAdapter(adapter: string | undefined): Promise<void> {
  if (adapter === undefined) return;
  const { init } = await import("../node.ts");
  await init({ adapter }).catch((cause: Error) => {
    throw new DataError(`${cause.message} Or do without WebGPU: --method bicubic.`, { cause });
  });
}

/** The network of a weight file, or of a name that comes with the package, as its file describes it. */
export async function readNetworkFile(method: string, scale?: number): Promise<NetworkFile> {
  const { readBytes } = await import("../files/image-files.ts");
  const { readNetwork } = await import("../node.ts");
  refuseInterpolation(method);
  if (!isPretrained(method)) {
    const { readWeightFile } = await import("../upscale/weight-files.ts");
    const bytes = await readWeightFile(method);
    const network = readNetwork(bytes, method, { scale });
    const ownScale = Number(network.metadata.scale);
    if (scale !== undefined && ownScale > 0 && ownScale !== scale) {
      throw new UsageError(`${method} enlarges by ${ownScale}, and --scale is ${scale}`);
    }
    return network;
  }
  const url = pretrainedFile(method, scale ?? 2);
  if (url === undefined) {
    throw new UsageError(`${method} enlarges by ${orList(scalesOf(method))}, and --scale is ${scale}`);
  }
  return readNetwork(await readBytes(fileURLToPath(url)), method);
}
