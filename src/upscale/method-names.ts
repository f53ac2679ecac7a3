/**
 * The names of methods, the same for the library, the command line and the page, and the files behind them.
 * This file loads nearly no other, so that help texts can read it quickly.
 */
import { checkArguments, type Wanted } from "../options/arguments.ts";
import { whole } from "../options/kinds.ts";
import { andList } from "../options/lists.ts";
import { DataError } from "../picture/errors.ts";
import { scales } from "../picture/scales.ts";

export const interpolations = ["nearest", "bilinear", "bicubic"] as const;
export type Interpolation = (typeof interpolations)[number];

/**
 * Weights that come with the library: every network, and by scale its file. All else follows from this table:
 * which names and scales there are, in the library, the command line, its help and the page, and which
 * network enlarges where nobody names one. The better a network is for its milliseconds, the further down it
 * stands.
 *
 * A new file is a new line. Each URL is written out because bundlers look for exactly this expression: they
 * copy the file beside the bundle and put its new URL here. They are functions because a bundle in CommonJS has no
 * import.meta.url: it works until it asks for a file.
 */
export const pretrainedFiles = {
  srcnn: {
    2: () => new URL("../../weights/srcnn-x2.safetensors", import.meta.url),
    3: () => new URL("../../weights/srcnn-x3.safetensors", import.meta.url),
    4: () => new URL("../../weights/srcnn-x4.safetensors", import.meta.url),
  },
  espcn: {
    2: () => new URL("../../weights/espcn-x2.safetensors", import.meta.url),
    3: () => new URL("../../weights/espcn-x3.safetensors", import.meta.url),
    4: () => new URL("../../weights/espcn-x4.safetensors", import.meta.url),
  },
  "edsr-small": {
    2: () => new URL("../../weights/edsr-small-x2.safetensors", import.meta.url),
    3: () => new URL("../../weights/edsr-small-x3.safetensors", import.meta.url),
    4: () => new URL("../../weights/edsr-small-x4.safetensors", import.meta.url),
  },
  "wren-photo": {
    1: () => new URL("../../weights/wren-photo-x1.safetensors", import.meta.url),
    2: () => new URL("../../weights/wren-photo-x2.safetensors", import.meta.url),
    4: () => new URL("../../weights/wren-photo-x4.safetensors", import.meta.url),
  },
  wren: {
    2: () => new URL("../../weights/wren-x2.safetensors", import.meta.url),
    3: () => new URL("../../weights/wren-x3.safetensors", import.meta.url),
    4: () => new URL("../../weights/wren-x4.safetensors", import.meta.url),
  },
} as const satisfies Readonly<Record<string, Readonly<Partial<Record<PretrainedScale, () => URL>>>>>;

/** The network for pictures that JPEG, noise or blur has damaged. All others are for clean pictures. */
export const photoNetwork = "wren-photo";

const aMethodName: Wanted<MethodName> = {
  wants: "a method's name, such as those of methodNames",
  fits: (name): name is MethodName =>
    isInterpolation(name) || (typeof name === "string" && Object.hasOwn(pretrainedFiles, name)),
};

export type PretrainedName = keyof typeof pretrainedFiles;
/** Networks that have a file at some scale, at least. */
export const pretrainedNames = (Object.keys(pretrainedFiles) as PretrainedName[]).filter(isPretrained);
/** Enlargements that a pretrained network may have weights for; at 1, the size stays. */
export type PretrainedScale = 1 | 2 | 3 | 4;
/** Scales that there are weights for; `scalesOf` says which of them a network has. */
export const pretrainedScales: readonly PretrainedScale[] = ([1, 2, 3, 4] as const).filter((scale) =>
  pretrainedNames.some((name) => hasFile(name, scale)),
);

/** An interpolation, or a network that comes with the library. */
export type MethodName = Interpolation | PretrainedName;

/** Networks before interpolations, the best first. */
export const methodNames: readonly MethodName[] = [...interpolations, ...pretrainedNames].reverse();

export function isInterpolation(method: unknown): method is Interpolation {
  return (interpolations as readonly unknown[]).includes(method);
}

/** @throws DataError for an interpolation, where weights are wanted */
export function refuseInterpolation(name: string): void {
  if (!isInterpolation(name)) return;
  throw new DataError(`${name} is an interpolation, by a formula: it has no weights. Name a network.`);
}

export function isPretrained(method: unknown): method is PretrainedName {
  if (typeof method !== "string" || !Object.hasOwn(pretrainedFiles, method)) return false;
  return scalesOf(method as PretrainedName).length > 0;
}

export function isMethodName(method: unknown): method is MethodName {
  return isInterpolation(method) || isPretrained(method);
}

/**
 * The scales that a method has. At scale 1, interpolations return the picture as it is.
 *
 * @throws RangeError for a name that no method has
 */
export function scalesOf(name: MethodName): readonly number[] {
  checkArguments("scalesOf", { "the first argument": [name, aMethodName] });
  return isInterpolation(name) ? scales : Object.keys(pretrainedFiles[name]).map(Number);
}

/**
 * A network's file for a scale; undefined if there is none.
 *
 * @throws TypeError in a bundle that does not know its own address
 */
export function pretrainedFile(name: PretrainedName, scale: number): URL | undefined {
  const files: Readonly<Partial<Record<number, () => URL>>> = pretrainedFiles[name];
  return hasFile(name, scale) ? files[scale]!() : undefined;
}

export function hasFile(name: PretrainedName, scale: number): boolean {
  // "2" has the same property as 2.
  return typeof scale === "number" && Object.hasOwn(pretrainedFiles[name], scale);
}

/**
 * The method for clean pictures where nobody names one: the best network that has weights for the scale, or
 * bicubic interpolation. At scale 1 there is nothing to do for a clean picture: there it is the network for
 * damaged ones, and undefined where that has no weights.
 *
 * @throws RangeError unless `scale` is a whole number of at least 1
 */
export function defaultMethod(scale: number): MethodName | undefined {
  checkArguments("defaultMethod", { scale: [scale, whole(1)] });
  if (scale === 1) return photoMethod(scale);
  return cleanNetworks().find((name) => hasFile(name, scale)) ?? "bicubic";
}

/** The scales at which networks enlarge pictures where nobody names one. */
export function enlargementsByDefault(): readonly number[] {
  return pretrainedScales.filter((scale) => scale > 1 && isPretrained(defaultMethod(scale)));
}

/**
 * The method for damaged pictures; undefined where it has no weights for the scale.
 *
 * @throws RangeError unless `scale` is a whole number of at least 1
 */
export function photoMethod(scale: number): PretrainedName | undefined {
  checkArguments("photoMethod", { scale: [scale, whole(1)] });
  return hasFile(photoNetwork, scale) ? photoNetwork : undefined;
}

/** The best first. */
function cleanNetworks(): PretrainedName[] {
  const names = Object.keys(pretrainedFiles) as PretrainedName[];
  return names.reverse().filter((name) => name !== photoNetwork);
}

/** Which networks there are, and at which scales, the best first: "wren (x2), espcn (x2, x3, x4)". */
export function networksInWords(): string {
  const names = methodNames.filter((name) => !isInterpolation(name));
  return andList(
    names.map(
      (name) =>
        `${name} (${scalesOf(name)
          .map((scale) => `x${scale}`)
          .join(", ")})`,
    ),
  );
}

/** What enlarges clean pictures where nobody names a method: "wren at scale 2, bicubic at scale 8". */
export function defaultsInWords(): string {
  const scales = scalesOf("bicubic").filter((scale) => scale > 1);
  const methods = [...new Set(scales.map(defaultMethod))];
  return methods
    .map(
      (method) => `${method} at scale ${andList(scales.filter((scale) => defaultMethod(scale) === method))}`,
    )
    .join(", ");
}
