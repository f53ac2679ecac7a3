/** Opens what the flags of method-flags.ts name: methods, adapters, networks. */
import { fileURLToPath } from "node:url";
import type { NetworkFile } from "../node.ts";
import { orList } from "../options/lists.ts";
import { DataError } from "../picture/errors.ts";
import type { Size } from "../picture/image.ts";
import { DEFAULT_SCALE } from "../picture/scales.ts";
import { sizeWithin, type TargetSize } from "../picture/target-size.ts";
import type { Choice, OpenedMethod, ReadPicture, Upscaler } from "../upscale/index.ts";
import {
  defaultMethod,
  isMethodName,
  isPretrained,
  pretrainedFile,
  refuseInterpolation,
  scalesOf,
} from "../upscale/method-names.ts";
import { scaleForSize } from "../upscale/scale-for-size.ts";
import { UsageError } from "./flags.ts";
import { type MethodFlags, refuseWithoutDefault, refuseWithoutNetwork } from "./method-flags.ts";
import { printError } from "./print.ts";

/** Opens the method that the flags name. @throws UsageError if flags contradict each other */
export async function methodOf({
  method,
  scale,
  ensemble,
  half,
  adapter,
}: MethodFlags): Promise<OpenedMethod> {
  const name = method ?? defaultMethod(scale ?? DEFAULT_SCALE);
  if (name === undefined) {
    throw new UsageError(
      `--scale ${scale} keeps the size, and what a picture gains by that depends on the network: name one that was ` +
        "made for it, --method FILE",
    );
  }
  if (scale !== undefined && isMethodName(name) && !scalesOf(name).includes(scale)) {
    throw wrongScale(name, scalesOf(name), scale);
  }
  if (method === undefined) refuseWithoutDefault({ ensemble, half, adapter }, scale ?? DEFAULT_SCALE);
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
    own ??= scale === undefined && isFile ? scaleOfFile(method) : Promise.resolve(scale ?? DEFAULT_SCALE);
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
      throw wrongScale(method, [ownScale], scale);
    }
    return network;
  }
  const url = pretrainedFile(method, scale ?? DEFAULT_SCALE);
  if (url === undefined) throw wrongScale(method, scalesOf(method), scale);
  return readNetwork(await readBytes(fileURLToPath(url)), method);
}

function wrongScale(name: string, scales: readonly number[], scale: number | undefined): UsageError {
  return new UsageError(`${name} enlarges by ${orList(scales)}, and --scale is ${scale}`);
}
