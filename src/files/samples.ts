/** The samples of a file as it means them: libvips decodes them, and takes some for something else. */
import { stretchAvif } from "../formats/avif-colors.ts";
import { asStill } from "../formats/boxes.ts";
import { withoutZerosAtEnd } from "../formats/cut-short.ts";
import { asRgb, rgbOfYCbCr } from "../formats/tiff-samples.ts";
import { transparentAround, withoutAlpha } from "../picture/alpha.ts";
import type { Image, Samples } from "../picture/image.ts";
import { upperBytes } from "../picture/levels.ts";
import { type Header, isGrey } from "./header.ts";
import { withExifInFront } from "./png-exif.ts";
import { loadSharp } from "./sharp.ts";
import { withoutColor } from "./to-srgb.ts";

/** Size limits of sharp's own would say that a file is damaged; warnings of the decoders are no errors. */
export const lenient = { limitInputPixels: false, failOn: "error" } as const;

/** The file, as libvips reads it as it is meant. */
export function inputOf(
  { format, isSequence, ...header }: Header,
  bytes: Uint8Array,
  lacksEnd: boolean,
): Uint8Array {
  if (format === "png") return withExifInFront(bytes);
  if (isSequence) return asStill(bytes);
  // The channels then come as they are, also where they do not lie side by side.
  if (header.isCalledGrey || header.yCbCr) return asRgb(bytes);
  return lacksEnd ? withoutZerosAtEnd(bytes) : bytes;
}

/** The samples that sharp decodes from what `inputOf` gives. `deep`: 16 bits, otherwise 8. */
export async function samplesOf(
  bytes: Uint8Array,
  header: Header,
  failOn: "warning" | "error",
  deep: boolean,
  ignoreIcc: boolean,
): Promise<Image<Samples>> {
  const { metadata, lacksChannel, yCbCr, isLimitedGrey = false } = header;
  // What is computed here needs all bits.
  const allBits = deep || (header.depth === 16 && (yCbCr !== undefined || isLimitedGrey));
  const sharp = await loadSharp();
  const grey = isGrey(header);
  const { data, info } = await sharp(bytes, { ...lenient, failOn, ignoreIcc })
    .autoOrient()
    .toColourspace(allBits ? (grey ? "grey16" : "rgb16") : "srgb")
    .raw({ depth: allBits ? "ushort" : "uchar" })
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const channels = info.channels as Image["channels"];
  const length = width * height * channels;
  const samples = new (allBits ? Uint16Array : Uint8Array)(data.buffer, data.byteOffset, length);
  const stored = { width, height, channels, data: samples };
  const bits = metadata?.bitsPerSample ?? 16;
  if (metadata?.format === "heif" && (isLimitedGrey || (allBits && bits < 16))) {
    stretchAvif(stored, bits, isLimitedGrey);
  }
  const colors = yCbCr ? rgbOfYCbCr(stored, yCbCr) : stored;
  const image = lacksChannel ? withoutAlpha(colors, "drop") : colors;
  if (allBits && !deep) return { ...image, data: upperBytes(image.data) };
  const natural = grey && !deep ? withoutColor(image) : image;
  return header.part ? transparentAround(natural, header.part) : natural;
}
