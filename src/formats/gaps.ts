/** Finds what results are made without. */

import { printable } from "../options/printable.ts";
import { isProfile, spaceOf } from "./icc.ts";
import type { Gap, GapText } from "./notes.ts";
import { asBuffer } from "./read.ts";
import { film, furtherPictures, gainMap } from "./xmp.ts";

export const damagedProfile = "its colour profile, which is damaged";

/** What is wrong with a profile; undefined if pictures of RGB and grey can have it. */
export function profileGap(icc: Uint8Array): Gap | undefined {
  if (!isProfile(icc)) return damagedProfile;
  const space = spaceOf(icc);
  return ["RGB", "GRAY"].includes(space) ? undefined : { code: "profileFor", space: printable(space) };
}

/** Is it the colour profile that is left out? */
export function isProfileGap(gap: Gap): boolean {
  return typeof gap === "string" ? gap === damagedProfile : gap.code === "profileFor";
}

export const furtherByMpf = "further pictures inside it (MPF)";

/** What lies behind the end of a picture that is in the same file. */
export const liesBehind: readonly Gap[] = [film, gainMap, furtherPictures, furtherByMpf] satisfies GapText[];

/** What lies behind the end of a picture; undefined for zeros. */
export function behindEnd(bytes: Uint8Array): Gap | undefined {
  if (bytes.every((byte) => byte === 0)) return undefined;
  const text = asBuffer(bytes);
  const isFilm = text.subarray(0, 64).includes("ftyp") || text.includes("MotionPhoto_Data");
  return isFilm ? film : { code: "bytesBehind", count: text.length };
}
