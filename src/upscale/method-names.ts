/**
 * The names of methods, the same for the library, the command line and the page, and the files behind them.
 * This file loads no other, so that help texts can read it quickly.
 */

/**
 * Weights that come with the library. Each URL is written out because bundlers look for exactly this
 * expression: they copy the file beside the bundle and put its new URL here.
 */
export const pretrainedFiles = {
  srcnn: {
    2: new URL("../../weights/srcnn-x2.safetensors", import.meta.url),
    3: new URL("../../weights/srcnn-x3.safetensors", import.meta.url),
    4: new URL("../../weights/srcnn-x4.safetensors", import.meta.url),
  },
  espcn: {
    2: new URL("../../weights/espcn-x2.safetensors", import.meta.url),
    3: new URL("../../weights/espcn-x3.safetensors", import.meta.url),
    4: new URL("../../weights/espcn-x4.safetensors", import.meta.url),
  },
  wren: {
    2: new URL("../../weights/wren-x2.safetensors", import.meta.url),
  },
  "edsr-small": {
    2: new URL("../../weights/edsr-small-x2.safetensors", import.meta.url),
    3: new URL("../../weights/edsr-small-x3.safetensors", import.meta.url),
    4: new URL("../../weights/edsr-small-x4.safetensors", import.meta.url),
  },
} as const;

export type PretrainedName = keyof typeof pretrainedFiles;
export const pretrainedNames = Object.keys(pretrainedFiles) as PretrainedName[];
/** Enlargements that pretrained networks have weights for; `scalesOf` says which of them one has. */
export const pretrainedScales = [2, 3, 4] as const;
export type PretrainedScale = (typeof pretrainedScales)[number];

export const interpolations = ["nearest", "bilinear", "bicubic"] as const;
export type Interpolation = (typeof interpolations)[number];

/** An interpolation, or a network that comes with the library. */
export type MethodName = Interpolation | PretrainedName;

/** What enlarges where nobody names a method, at the scales that it has weights for. */
export const defaultNetwork: PretrainedName = "edsr-small";

/** Networks before interpolations, the default network first. */
export const methodNames: readonly MethodName[] = [...interpolations, ...pretrainedNames].reverse();

export function isInterpolation(method: unknown): method is Interpolation {
  return (interpolations as readonly unknown[]).includes(method);
}

export function isPretrained(method: unknown): method is PretrainedName {
  return (pretrainedNames as readonly unknown[]).includes(method);
}

export function isMethodName(method: unknown): method is MethodName {
  return (methodNames as readonly unknown[]).includes(method);
}

/** The scales that a method has. At scale 1, interpolations return the picture as it is. */
export function scalesOf(name: MethodName): readonly number[] {
  return isInterpolation(name) ? [1, 2, 3, 4, 8] : Object.keys(pretrainedFiles[name]).map(Number);
}

/** A network's file for a scale; undefined if there is none. */
export function pretrainedFile(name: PretrainedName, scale: number): URL | undefined {
  const files: Readonly<Partial<Record<number, URL>>> = pretrainedFiles[name];
  // "2" has the same property as 2.
  return typeof scale === "number" && Object.hasOwn(files, scale) ? files[scale] : undefined;
}

/**
 * The method for callers who name none. At scale 1 there is none: networks that keep the size, and remove noise or
 * traces of JPEG, are weight files.
 */
export function defaultMethod(scale: number): MethodName | undefined {
  if (scale === 1) return undefined;
  return scalesOf(defaultNetwork).includes(scale) ? defaultNetwork : "bicubic";
}
