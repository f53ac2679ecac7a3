/** What PNG files say of their colours in chunks of their own, as a profile. */

import { isHdrCode, isProfile, isUnspecified, profileOfCode, profileOfNumbers } from "./icc.ts";
import type { Metadata } from "./metadata.ts";
import type { ColorCode } from "./notes.ts";

/**
 * A profile for what PNG says of its colours in chunks of its own; undefined if that is sRGB, or nothing. `lost` is
 * what no profile says.
 */
export function profileOfPng(metadata: Metadata): { readonly icc?: Uint8Array; readonly lost?: ColorCode } {
  const { pngColor = [], icc } = metadata;
  const contents = new Map(
    pngColor.map((chunk) => {
      const bytes = Buffer.from(chunk);
      return [bytes.toString("latin1", 4, 8), bytes.subarray(8, -4)] as const;
    }),
  );
  const [code, gama, chrm] = ["cICP", "gAMA", "cHRM"].map((type) => contents.get(type));
  if (code && code.length >= 4 && !isUnspecified(code[0], code[1])) {
    const { profile, isKnown } = profileOfCode(code[0], code[1]);
    return isKnown
      ? { icc: profile }
      : { icc, lost: { primaries: code[0], transfer: code[1], isHdr: isHdrCode(code[1]) } };
  }
  if (icc || contents.has("sRGB")) return { icc };
  const gamma = gama && gama.length >= 4 ? gama.readUInt32BE(0) / 1e5 : 0;
  const points = chrm && chrm.length >= 32 ? [0, 1, 2, 3].map((i) => pointAt(chrm, 8 * i)) : undefined;
  return { icc: profileOfNumbers({ gammas: gamma > 0 ? [1 / gamma] : [], primaries: points }) };
}

function pointAt(bytes: Buffer, at: number): [number, number] {
  return [bytes.readUInt32BE(at) / 1e5, bytes.readUInt32BE(at + 4) / 1e5];
}

/**
 * The colours of a file as one profile, for whoever wants sRGB; undefined if they are sRGB. `lost` is what no profile
 * says.
 */
export function profileIn(metadata: Metadata): { readonly icc?: Uint8Array; readonly lost?: ColorCode } {
  const { icc, lost } = profileOfPng(metadata);
  return { icc: icc && isProfile(icc) ? icc : undefined, lost };
}
