/**
 * Which network a picture gets where nobody names one: the one for clean pictures, or, where JPEG, noise or
 * blur has left signs, the one that was trained on such pictures. A network for clean pictures takes these
 * for detail, and enlarges them.
 */
import { checkArguments, isObject, type Wanted } from "../options/arguments.ts";
import { whole } from "../options/kinds.ts";
import { andList } from "../options/lists.ts";
import { type Damage, damageOf } from "../picture/damage.ts";
import { DEFAULT_SCALE } from "../picture/scales.ts";
import { defaultMethod, isInterpolation, type MethodName, photoMethod } from "./method-names.ts";
import type { ReadPicture } from "./source.ts";

/** What a picture may show that a network for clean pictures would enlarge. */
export type Sign = "jpeg" | "noise" | "blur";

/** A method, and what spoke for it. */
export interface Choice {
  readonly method: MethodName;
  /** The reason, to follow the method's name: "for JPEG at quality about 62". */
  readonly why: string;
  /** What `why` names: signs that reach their limit. */
  readonly signs: readonly Sign[];
  /** What the picture shows. */
  readonly damage: Damage;
}

/**
 * From where on signs count. docs/damage.md has the table that these are from: what is measured in clean
 * pictures and in damaged ones, and what the networks make of either.
 */
export const limits = {
  /** JPEG up to this quality. */
  jpegQuality: 85,
  /** Noise from this standard deviation on, in levels. */
  noise: 4.5,
  /** Blur if no edge is steeper. */
  steepness: 0.38,
} as const;

/**
 * Looks at a picture and chooses, as `upscale()` does without a `method`. For many pictures that should all
 * be enlarged by open methods:
 *
 *     const { method, why } = chooseMethod({ image, jpegQuality: jpegQualityOfFile(bytes) }, 2)!;
 *
 * Undefined where there is no choice: at scales that no network has, such as 8. At scale 1 it is the network for
 * damaged pictures in any case.
 *
 * @throws DataError if it is no picture
 */
export function chooseMethod(picture: ReadPicture, scale = DEFAULT_SCALE): Choice | undefined {
  checkArguments("chooseMethod", { picture: [picture, aReadPicture], scale: [scale, whole(1)] });
  const { image, jpegQuality } = picture;
  const clean = defaultMethod(scale);
  if (clean === undefined || isInterpolation(clean)) return undefined;
  const damage = damageOf(image, jpegQuality);
  const signs = signsOf(damage);
  const photo = photoMethod(scale);
  const words = andList(signs.map((sign) => inWords[sign](damage)));
  if (signs.length === 0) {
    const why =
      clean === photo ? "though there is no sign of damage" : "for a picture without signs of damage";
    return { method: clean, why, signs, damage };
  }
  if (photo) return { method: photo, why: `for ${words}`, signs, damage };
  return {
    method: clean,
    why: `though there is ${words}: no network for that has scale ${scale}`,
    signs,
    damage,
  };
}

const aReadPicture: Wanted<ReadPicture> = {
  wants: "{ image, jpegQuality }, of which the second may be missing",
  fits: (value): value is ReadPicture => isObject(value) && isObject(value.image),
};

/** None for a clean picture. */
export function signsOf({ jpegQuality, noise, steepness }: Damage): Sign[] {
  const signs: Sign[] = [];
  if (jpegQuality !== undefined && jpegQuality <= limits.jpegQuality) signs.push("jpeg");
  if (noise >= limits.noise) signs.push("noise");
  if (steepness !== undefined && steepness < limits.steepness) signs.push("blur");
  return signs;
}

const inWords: Readonly<Record<Sign, (damage: Damage) => string>> = {
  jpeg: ({ jpegQuality }) => `JPEG at quality about ${jpegQuality}`,
  noise: ({ noise }) => `noise of about ${noise.toFixed(0)} levels`,
  blur: () => "blur",
};
