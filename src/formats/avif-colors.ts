/** What AVIF files say of their colours without a profile. */
import type { Image, Samples } from "../picture/image.ts";
import { toLevel, whiteOf } from "../picture/levels.ts";
import { boxAt, boxesOf } from "./boxes.ts";
import { codesOfAvif, isTelevisionCode, profileOfCode, SRGB_TRANSFER } from "./icc.ts";
import type { FileMetadata, Metadata } from "./metadata.ts";
import { encodeChunk } from "./png.ts";
import { asBuffer, type Read } from "./read.ts";

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

/**
 * Whether the levels of a picture without colours run from 16 to 235, of 8 bits, and in proportion of more. libheif
 * stretches those of colours alone. Files that leave the range to what AV1 itself says are taken for full ones.
 */
export function isLimitedGrey(read: Read, length: number): boolean {
  const properties = boxAt(read, length, ["meta", "iprp", "ipco"]);
  if (properties === undefined) return false;
  let isLimited: boolean | undefined;
  for (const { type, start } of boxesOf(read, properties.start, Math.min(properties.end, length))) {
    const content = asBuffer(read(start, 11));
    // Alpha has no colours, either: the picture has some if anything in the file has.
    if (type === "av1C" && (content[2] & IS_GREY) === 0) return false;
    if (type === "colr" && content.toString("latin1", 0, 4) === "nclx") {
      isLimited ??= (content[10] & IS_FULL_RANGE) === 0;
    }
  }
  return isLimited ?? false;
}

/** Bits of the third byte of av1C, and of the last byte of colr. */
const [IS_GREY, IS_FULL_RANGE] = [0x10, 0x80];

/**
 * libvips moves the samples of AVIF to the upper bits, and leaves the lower ones 0, so that white is no white: here it
 * is. Those of grey are in a limited range, if that is so, but alpha never is.
 *
 * @param bits of a sample in the file
 */
export function stretchAvif({ data, channels }: Image<Samples>, bits: number, isLimited: boolean): void {
  const [most, shift] = [whiteOf(data), data.BYTES_PER_ELEMENT * 8 - bits];
  const levels = (black: number, white: number) =>
    Uint16Array.from({ length: 2 ** bits }, (_, level) =>
      toLevel(((level - black) * most) / (white - black), most),
    );
  const full = levels(0, 2 ** bits - 1);
  const colors = isLimited ? levels(16 * 2 ** (bits - 8), 235 * 2 ** (bits - 8)) : full;
  const alpha = channels % 2 === 0 ? channels - 1 : -1;
  for (let i = 0; i < data.length; i++) {
    data[i] = (i % channels === alpha ? full : colors)[data[i] >> shift];
  }
}
