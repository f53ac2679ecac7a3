/** What results are made without, in words to follow "without". */

import { quantity } from "../options/lists.ts";
import { printable } from "../options/printable.ts";
import { isProfile, spaceOf } from "./icc.ts";
import { asBuffer } from "./read.ts";
import { film, furtherPictures, gainMap } from "./xmp.ts";

/** What is wrong with it follows. */
export const itsProfile = "its colour profile";
export const damagedProfile = `${itsProfile}, which is damaged`;

/** What is wrong with a profile, in words, after "without"; undefined if pictures of RGB and grey can have it. */
export function profileGap(icc: Uint8Array): string | undefined {
  if (!isProfile(icc)) return damagedProfile;
  const space = spaceOf(icc);
  return ["RGB", "GRAY"].includes(space) ? undefined : `${itsProfile}, which is for ${printable(space)}`;
}

export const furtherByMpf = `${furtherPictures} (MPF)`;

/** What lies behind the end of a picture that is in the same file. */
export const liesBehind: readonly string[] = [film, gainMap, furtherPictures, furtherByMpf];

/** What lies behind the end of a picture, in words; undefined for zeros. */
export function behindEnd(bytes: Uint8Array): string | undefined {
  if (bytes.every((byte) => byte === 0)) return undefined;
  const text = asBuffer(bytes);
  const isFilm = text.subarray(0, 64).includes("ftyp") || text.includes("MotionPhoto_Data");
  return isFilm ? film : `${quantity(text.length, "byte")} behind its end`;
}
