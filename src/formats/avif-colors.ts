/** What AVIF files say of their colours without a profile. */
import { codesOfAvif, isTelevisionCode, profileOfCode, SRGB_TRANSFER } from "./icc.ts";
import type { FileMetadata, Metadata } from "./metadata.ts";
import { encodeChunk } from "./png.ts";

/** AVIF files may say their colours by the codes of cICP, in a box that libvips does not read. */
export function withColorsOfAvif(bytes: Uint8Array, metadata: Metadata): FileMetadata {
  const codes = codesOfAvif(bytes);
  if (metadata.icc || codes === undefined) return { metadata, gaps: [] };
  const { primaries, transfer } = codes;
  // Files that name the curve of television mean that of screens.
  const { profile, isKnown } = profileOfCode(
    primaries,
    isTelevisionCode(transfer) ? SRGB_TRANSFER : transfer,
  );
  if (isKnown) return { metadata: { ...metadata, icc: profile }, gaps: [] };
  // What no profile says, PNG says by the same codes: the samples are those of the file, as RGB in the full range.
  const code = encodeChunk("cICP", Buffer.of(primaries, transfer, 0, 1));
  return { metadata: { ...metadata, pngColor: [code] }, gaps: [] };
}
