/** From the bytes of a picture file to samples, with a look at the header before memory is taken for them. */
import { type FileHandle, open } from "node:fs/promises";
import { isLimitedGrey } from "../formats/avif-colors.ts";
import { readBmp } from "../formats/bmp.ts";
import { asStill, framesOfSequence, isPremultiplied, isSequence, refuseManyBoxes } from "../formats/boxes.ts";
import { endOfImage, hasEnd, mayBeCutShort, zerosForScans } from "../formats/cut-short.ts";
import { withoutPrefix } from "../formats/exif.ts";
import { profileGap } from "../formats/gaps.ts";
import { gifExtras, partOfGif } from "../formats/gif.ts";
import { codesOfAvif, isHdrCode, profileFor } from "../formats/icc.ts";
import { dependsOnFurther } from "../formats/jpeg-scans.ts";
import { unpackedSize } from "../formats/png.ts";
import { readPnm } from "../formats/pnm.ts";
import { damageError, type Raster } from "../formats/raster.ts";
import { asBuffer, type Read, readFrom } from "../formats/read.ts";
import { hasUnspecifiedChannel, lastOfGreyChannels, yCbCrOf } from "../formats/tiff-samples.ts";
import { orientationOf } from "../formats/turn.ts";
import { refuseRaw, unreadKind } from "../formats/unread-kinds.ts";
import { START_LENGTH } from "../options/file-kinds.ts";
import { dividedByAlpha } from "../picture/alpha.ts";
import { DataError } from "../picture/errors.ts";
import { describeForeignPicture } from "../picture/foreign-pictures.ts";
import { formatOfStart, type PictureFormat, pictureFormats } from "../picture/formats.ts";
import type { Image, Samples } from "../picture/image.ts";
import { upperBytes } from "../picture/levels.ts";
import { type Header, isGrey, isStored } from "./header.ts";
import { alone, withOthers } from "./messages.ts";
import { exifOfPng } from "./png-exif.ts";
import { readError, readFromFile } from "./read-file.ts";
import { refusePipe } from "./same-file.ts";
import { inputOf, lenient, samplesOf } from "./samples.ts";
import { loadSharp } from "./sharp.ts";
import { spaceFor, toSrgb } from "./to-srgb.ts";

/** A file in memory or on disk. */
interface Source {
  readonly read: Read;
  readonly length: number;
  /** What sharp reads. */
  readonly input: () => Uint8Array | string;
}

/** Reads the header of a file alone, and of a large file little more. @throws DataError */
export async function readHeaderOfFile(path: string): Promise<Header> {
  let file: FileHandle | undefined;
  try {
    refusePipe(path);
    file = await open(path);
    const { size: length } = await file.stat();
    const read = readFromFile(file.fd);
    // libvips takes what stands in brackets at the end of a name for options.
    const input = () => (path.endsWith("]") ? read(0, length) : path);
    return await readHeader({ read, length, input }, path);
  } catch (cause) {
    throw readError(path, cause);
  } finally {
    await file?.close();
  }
}

async function readHeader({ read, length, input }: Source, name: string): Promise<Header> {
  const format = formatOfBytes(read(0, START_LENGTH), name);
  refuseRaw(name, format, read);
  if (format === "bmp" || format === "pnm") {
    const raster = readRaster(format, read, length, name);
    const { width, height, channels, depth, frames } = raster;
    const space = channels <= 2 ? "b-w" : "srgb";
    const [orientation, looksWhole] = [1, true]; // or the raster would not have been read
    const header = { format, width, height, channels, depth, orientation, frames, looksWhole, space, raster };
    return checkHeader(header, length, name);
  }
  if (format === "avif") refuseManyBoxes(name, read, length);
  const sharp = await loadSharp();
  let warnings: string[] = [];
  const isAnimation = format === "avif" && isSequence(read, length);
  const content = isAnimation ? asStill(read(0, length)) : input();
  const look = () => {
    warnings = [];
    return sharp(content, lenient)
      .on("warning", (warning) => warnings.push(warning))
      .metadata();
  };
  const metadata = await withOthers(look).catch(async () => {
    const unread = unreadKind(name, format, read, length);
    if (unread) throw unread;
    const again = await alone(look);
    if (again.status === "fulfilled") return again.value;
    throw undecodable(name, format, length, again.reason, warnings);
  });
  const { width, height, channels } = metadata;
  const depth = { uchar: 8, ushort: 16 }[metadata.depth as string] as 8 | 16 | undefined;
  if (depth === undefined || channels > 4) {
    const what =
      depth === undefined ? `its samples are of the kind "${metadata.depth}"` : `it has ${channels} channels`;
    throw (
      unreadKind(name, format, read, length) ??
      new DataError(
        `${name}: ${what}, and up to 4 channels of whole numbers of 8 or 16 bits are read. Convert it to grey or ` +
          "RGB of 16 bits, or leave it out.",
      )
    );
  }
  const {
    orientation = metadata.orientation ?? 1,
    frames = metadata.pages ?? 1,
    looksWhole = !mayBeCutShort(format, read, length),
    isHdr = format === "avif" && isHdrCode(codesOfAvif(read(0, 2 ** 14))?.transfer ?? 0),
  }: Extras = format === "png" ? pngExtras(read) : {};
  const size = { width, height, channels, depth };
  const packed = format === "png" ? unpackedSize(read(16, 10)) : undefined;
  const found = { orientation, frames, looksWhole, isHdr, metadata, space: metadata.space as string };
  const header = checkHeader({ format, ...size, ...found }, length, name, packed);
  if (format === "avif") {
    const all = isAnimation ? framesOfSequence(read, length) : frames;
    return { ...header, frames: all, isSequence: isAnimation, isLimitedGrey: isLimitedGrey(read, length) };
  }
  const part =
    format === "gif" && channels % 2 === 1 ? partOfGif(read, length, { width, height }) : undefined;
  if (part) return { ...header, part, channels: channels + 1, metadata: { ...metadata, hasAlpha: true } };
  return format === "tiff" ? withSamplesOfTiff(header, read, length, name) : header;
}

function readRaster(format: "bmp" | "pnm", read: Read, length: number, name: string): Raster {
  try {
    return (format === "bmp" ? readBmp : readPnm)(read, length, name);
  } catch (cause) {
    throw unreadKind(name, format, read, length) ?? cause;
  }
}

/** With what libvips takes for something else in a TIFF file, and without a channel that nobody sees. */
function withSamplesOfTiff(header: Header, read: Read, length: number, name: string): Header {
  if (isGrey(header) && header.channels > 2) return withRgbAsGrey(header, read, name);
  const { channels, depth, format } = header;
  if (isStored(header) && channels % 2 === 0 && hasUnspecifiedChannel(read))
    return withoutLastChannel(header);
  try {
    return { ...header, yCbCr: yCbCrOf(read, depth) };
  } catch (cause) {
    throw undecodable(name, format, length, cause);
  }
}

function withRgbAsGrey(header: Header, read: Read, name: string): Header {
  const { channels, depth, metadata } = header;
  const last = lastOfGreyChannels(read, channels);
  if (last === "unknown") {
    throw new DataError(
      `${name}: this is a TIFF file of ${channels} channels, grey and alpha and others, which is not read. ` +
        "Convert it to grey or RGB, or leave it out.",
    );
  }
  const space = spaceFor(channels, depth);
  const hasAlpha = last === "alpha";
  const rgb = { ...header, space, isCalledGrey: true, metadata: metadata && { ...metadata, hasAlpha } };
  return last === "other" ? withoutLastChannel(rgb) : rgb;
}

function withoutLastChannel({ channels, metadata, ...header }: Header): Header {
  const opaque = metadata && { ...metadata, hasAlpha: false };
  return { ...header, channels: channels - 1, metadata: opaque, lacksChannel: true };
}

/**
 * The format of a file by its first bytes, of which `START_LENGTH` suffice.
 *
 * @throws DataError that names the file if it has none of them.
 */
function formatOfBytes(bytes: Uint8Array, name: string): PictureFormat {
  if (bytes.length === 0) {
    throw new DataError(`${name}: the file is empty. Download or copy it again, or leave it out.`);
  }
  const format = formatOfStart(bytes);
  if (format) return format;
  throw new DataError(describeForeignPicture(bytes, name));
}

type Extras = Partial<Pick<Header, "orientation" | "frames" | "looksWhole" | "isHdr">>;

/** What libvips does not see: the number of frames, an orientation behind the samples or in a text, and the end. */
function pngExtras(read: Read): Extras {
  const extras: { -readonly [K in keyof Extras]: Extras[K] } = { looksWhole: false };
  let inFront = true;
  const found = exifOfPng(read, ({ type, data }) => {
    if (type === "IDAT") inFront = false;
    if (type === "acTL" && inFront && data().length >= 4) extras.frames = Buffer.from(data()).readUInt32BE(0);
    if (type === "cICP") extras.isHdr = isHdrCode(data()[1]);
    if (type === "IEND") extras.looksWhole = true;
  });
  return found ? { ...extras, orientation: orientationOf(withoutPrefix(found.exif)) } : extras;
}

/** A gigabyte. While it is decoded, a picture takes up to three times as much as its samples. */
export const MAX_BYTES = 2 ** 30;

/**
 * How many pixels (in PNG, bytes of samples) a byte of a file can stand for. Deflate makes 1032 bytes of one.
 * In a JPEG, a block of 64 samples takes a bit or more, and may be seen four times as wide and high. BMP and
 * GIF can leave out pixels, but no real picture leaves out so many.
 */
const mostPerByte: Partial<Record<PictureFormat, number>> = {
  png: 1032,
  jpeg: 8 * 64 * 16,
  bmp: 2 ** 12,
  gif: 2 ** 12,
};

/** Refuses a picture before memory is taken for it, since a file of 100 bytes can claim any size. */
function checkHeader(header: Header, length: number, name: string, packed?: number): Header {
  const { format, width, height, channels, depth } = header;
  const size = width * height * channels * (depth / 8);
  if (!(size > 0)) throw undecodable(name, format, length, new Error(`${width}x${height} pixels`));
  if (size > MAX_BYTES) {
    const gigabytes = (size / 2 ** 30).toPrecision(3);
    throw new DataError(
      `${name}: this picture claims to have ${width}x${height} pixels, which take ${gigabytes} GiB, and at ` +
        "most 1 GiB is read. If that is right, cut it into parts; otherwise the file is damaged.",
    );
  }
  if ((packed ?? width * height) > length * (mostPerByte[format] ?? Number.POSITIVE_INFINITY)) {
    throw new DataError(
      `${name}: this picture claims to have ${width}x${height} pixels, which ${length} bytes cannot ` +
        "hold. It is damaged or was cut short; download or copy it again, or leave it out.",
    );
  }
  return header;
}

export interface DecodedPicture {
  readonly image: Image<Samples>;
  readonly header: Header;
  /** What the decoder found wrong, though it could read everything. */
  readonly warning?: string;
}

/**
 * Decodes the bytes of a file. `choose` decides by the header: `deep` for 16 bits; without `ignoreIcc`, colours
 * are converted to sRGB from the profile in the file.
 */
export async function decode(
  bytes: Uint8Array,
  name: string,
  choose: (header: Header) => { readonly deep: boolean; readonly ignoreIcc: boolean },
): Promise<DecodedPicture> {
  const read = readFrom(bytes);
  const seen = await readHeader({ read, length: bytes.length, input: () => bytes }, name);
  const header = seen.format === "gif" ? withProfileOfGif(seen, bytes) : seen;
  const { deep, ignoreIcc } = choose(header);
  const { raster, format } = header;
  if (raster) {
    const { width, height, channels } = raster;
    const samples = raster.samples(bytes);
    const data = deep || samples instanceof Uint8Array ? samples : upperBytes(samples);
    return { image: { width, height, channels, data }, header };
  }
  const zeros = zerosForScans(format, bytes);
  if (zeros > 0) {
    const cause = new Error(`${zeros} zeros stand where its last scans should be`);
    throw undecodable(name, format, bytes.length, cause);
  }
  const lacksEnd = !hasEnd(format, bytes);
  const input = inputOf(header, bytes, lacksEnd);
  const isMultiplied = format === "avif" && isPremultiplied(read, bytes.length);
  const ownProfile = format === "gif" && header.metadata?.icc !== undefined;
  // A profile speaks of the samples as they are in the end.
  const isChanged = isMultiplied || ownProfile || header.yCbCr !== undefined || header.isLimitedGrey === true;
  const attempt = async (content: Uint8Array, failOn: "warning" | "error") => {
    const image = await samplesOf(content, header, failOn, deep, ignoreIcc || isChanged);
    if (!isChanged) return image;
    const straight = isMultiplied ? dividedByAlpha(image) : image;
    const { icc } = header.metadata ?? {};
    if (!icc || ignoreIcc) return straight;
    return toSrgb(straight, profileFor(straight.channels <= 2 ? "GRAY" : "RGB", icc) ?? icc);
  };
  // Many programs leave out the two bytes that end a JPEG. With them, a decoder warns if samples are missing.
  const second = format === "jpeg" ? Buffer.concat([input, endOfImage]) : input;
  for (const content of new Set([input, second])) {
    const image = await withOthers(() => attempt(content, "warning")).catch(() => undefined);
    const mayLackEnd = lacksEnd || (format === "jpeg" && content === second);
    if (image) return { image, header, warning: mayLackEnd ? noEnd : undefined };
  }
  const again = await alone(() => attempt(input, "warning"));
  if (again.status === "fulfilled")
    return { image: again.value, header, warning: lacksEnd ? noEnd : undefined };
  const cause: unknown = again.reason;
  const refusal = (cause: unknown) =>
    unreadKind(name, format, read, bytes.length) ?? undecodable(name, format, bytes.length, cause);
  const image = await withOthers(() => attempt(second, "error")).catch(() => {
    throw refusal(cause);
  });
  const reason = reasonOf(cause);
  // What decoders only warn of is no damage, unless samples are lost. No others than those of JPEG pass them over.
  const isCut =
    format === "jpeg"
      ? await dependsOnFurther(second, image, (longer) => withOthers(() => attempt(longer, "error")))
      : /premature end/i.test(reason ?? ""); // TIFF, whose parts may be compressed by JPEG: here words have to do
  if (isCut) throw refusal(lostSamples);
  return { image, header, warning: reason ?? noReason };
}

/** With its colour profile, which libvips does not see, unless that is damaged or for other colours. */
function withProfileOfGif(header: Header, bytes: Uint8Array): Header {
  const { icc } = gifExtras(bytes);
  if (!header.metadata || !icc || profileGap(icc)) return header;
  return { ...header, metadata: { ...header.metadata, icc: asBuffer(icc) } };
}

const lostSamples = new Error("some of its samples are missing");
const noEnd = "the mark for the end of the file is missing";
const noReason = "the decoder does not say why";

function undecodable(
  name: string,
  format: PictureFormat,
  length: number,
  cause: unknown,
  warnings: readonly string[] = [],
): DataError {
  const reason = [reasonOf(cause) ?? noReason, ...warnings.slice(0, 1)].join(": ");
  return damageError(name, `${pictureFormats[format].name} picture of ${length} bytes`, reason, cause);
}

/** What libvips says first of a picture, without what it says of itself; undefined if it says nothing. */
function reasonOf(cause: unknown): string | undefined {
  const { message = "" } = (cause ?? {}) as Error;
  const [line] = message
    .split("\n")
    .filter((line) => !/^Warning treated as error/.test(line) && line.trim() !== "");
  return line?.replace(/^Vips\w+: /, "").replace(/:\s*$/, "");
}
