/** What JPEG files say besides samples: resolution, comments, and what no result can have. */

import { type Density, ratioOf } from "./density.ts";
import { behindEnd, damagedProfile, furtherByMpf } from "./gaps.ts";
import { endOfJpeg, segmentsOf, startsWith } from "./jpeg.ts";
import type { Gap } from "./notes.ts";
import { type Comment, decodeText, takeText } from "./texts.ts";
import { film, gainMap } from "./xmp.ts";

/** What the JFIF header of a JPEG file states: pixels per inch or per centimetre, or only their ratio. */
export function jfifDensity(bytes: Uint8Array): Density | undefined {
  for (const { marker, data } of segmentsOf(bytes)) {
    if (marker !== 0xe0 || !startsWith(data, "JFIF\0") || data.length < 12) continue;
    const [x, y] = [data[8] * 256 + data[9], data[10] * 256 + data[11]];
    const perInch = { 1: 1, 2: 2.54 }[data[7]];
    if (x > 0 && y > 0) return perInch ? { x: x * perInch, y: y * perInch } : ratioOf(x, y);
  }
  return undefined;
}

/** The comments of a JPEG file, and what no result can have. `icc` is the profile that could be read. */
export function jpegExtras(
  bytes: Uint8Array,
  icc: Uint8Array | undefined,
): { comments?: Comment[]; gaps: Gap[]; behind?: Gap } {
  const comments: Comment[] = [];
  const gaps = new Set<Gap>();
  for (const { marker, data } of segmentsOf(bytes)) {
    if (marker === 0xfe) takeText({ keyword: "Comment", text: decodeText(data) }, { comments, gaps });
    if (marker === 0xe2 && startsWith(data, "ICC_PROFILE\0") && icc === undefined) gaps.add(damagedProfile);
    if (marker === 0xe2 && startsWith(data, "MPF\0")) gaps.add(furtherByMpf);
    if (marker === 0xe2 && startsWith(data, "urn:iso:std:iso:ts:21496:-1\0")) gaps.add(gainMap);
    if (marker === 0xeb && startsWith(data, "JP"))
      gaps.add("content credentials, which hold for the original");
    if (marker === 0xe1 && startsWith(data, "http://ns.adobe.com/xmp/extension/")) gaps.add("extended XMP");
  }
  const end = endOfJpeg(bytes);
  const rest = end === undefined ? undefined : behindEnd(bytes.subarray(end));
  if (rest === film) gaps.add(film);
  return {
    comments: comments.length > 0 ? comments : undefined,
    gaps: [...gaps],
    behind: rest === film ? undefined : rest,
  };
}
