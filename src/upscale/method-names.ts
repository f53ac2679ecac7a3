/** The names of methods: one vocabulary for the library, the command line and the page. */
import { type PretrainedName, pretrainedNames, pretrainedScales } from "../models/pretrained-files.ts";

export const interpolations = ["nearest", "bilinear", "bicubic"] as const;
export type Interpolation = (typeof interpolations)[number];

/** An interpolation, or a network that comes with the library. */
export type MethodName = Interpolation | PretrainedName;

/** The best first. */
export const methodNames: readonly MethodName[] = [...interpolations, ...pretrainedNames].reverse();

export function isInterpolation(method: unknown): method is Interpolation {
  return (interpolations as readonly unknown[]).includes(method);
}

/** Enlargements that a method exists for. */
export function scalesOf(name: MethodName): readonly number[] {
  return isInterpolation(name) ? [2, 3, 4, 8] : pretrainedScales;
}

/** What enlarges when nobody says what should: the best that there is for the scale. */
export function defaultMethod(scale: number): MethodName {
  return methodNames.find((name) => scalesOf(name).includes(scale)) ?? "bicubic";
}
