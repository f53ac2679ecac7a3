/** From the bytes of a picture file to samples, with a look at the header before memory is taken for them. */
import { type FileHandle, open } from "node:fs/promises";
import type { Metadata } from "sharp";
import { readBmp } from "../formats/bmp.ts";
import { isPremultiplied, refuseManyBoxes } from "../formats/boxes.ts";
import { endOfImage, hasEnd, mayBeCutShort, withoutZerosAtEnd, zerosForScans } from "../formats/cut-short.ts";
import { withoutPrefix } from "../formats/exif.ts";
import { codesOfAvif, isHdrCode } from "../formats/icc.ts";
import { furtherSamples, withFurtherSamples } from "../formats/jpeg-scans.ts";
import { unpackedSize } from "../formats/png.ts";
import { readPnm } from "../formats/pnm.ts";
import { damageError, type Raster } from "../formats/raster.ts";
import { asBuffer, type Read, readFrom } from "../formats/read.ts";
import { hasUnspecifiedChannel } from "../formats/tiff-tags.ts";
import { orientationOf } from "../formats/turn.ts";
import { refuseRaw, unreadKind } from "../formats/unread-kinds.ts";
import { START_LENGTH } from "../options/file-kinds.ts";
import { dividedByAlpha, withoutAlpha } from "../picture/alpha.ts";
import { DataError } from "../picture/errors.ts";
import { describeForeignPicture } from "../picture/foreign-pictures.ts";
import { formatOfStart, type PictureFormat, pictureFormats } from "../picture/formats.ts";
import type { Image, Samples } from "../picture/image.ts";
import { alone, withOthers } from "./messages.ts";
import { exifOfPng, withExifInFront } from "./png-exif.ts";
import { readError, readFromFile } from "./read-file.ts";
import { refusePipe } from "./same-file.ts";
import { loadSharp } from "./sharp.ts";
import { toSrgb, withoutColor } from "./to-srgb.ts";

/** What a file says about its picture before the samples. */
export interface Header {
  readonly format: PictureFormat;
  /** Size as stored: the orientation is not applied. */
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** A TIFF file has one more, which it does not call transparency, such as near infrared. It is left out. */
  readonly lacksChannel?: boolean;
  readonly depth: 8 | 16;
  /** 1 to 8, as in EXIF. */
  readonly orientation: number;
  /** Pictures in the file. */
  readonly frames: number;
  /** False if the file looks as if it were cut short, which only decoding can tell. */
  readonly looksWhole: boolean;
  /** The name that libvips has for its colours. */
  readonly space: string;
  /** Its codes for colours, of PNG and AVIF, say HDR. */
  readonly isHdr?: boolean;
  /** What sharp says of it, unless it is BMP or PPM. */
  readonly metadata?: Metadata;
  readonly raster?: Raster;
}

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
    const raster = (format === "bmp" ? readBmp : readPnm)(read, length, name);
    const { width, height, channels, depth, frames } = raster;
    const space = channels <= 2 ? "b-w" : "srgb";
    const [orientation, looksWhole] = [1, true]; // or the raster would not have been read
    const header = { format, width, height, channels, depth, orientation, frames, looksWhole, space, raster };
    return checkHeader(header, length, name);
  }
  if (format === "avif") refuseManyBoxes(name, read, length);
  const sharp = await loadSharp();
  let warnings: string[] = [];
  const content = input();
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
  const { width, height, channels, space } = metadata;
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
  const found = { orientation, frames, looksWhole, isHdr, metadata };
  const header = { format, ...size, ...found, space: space as string };
  const whole = checkHeader(header, length, name, packed);
  const lacksChannel =
    format === "tiff" && isStored(whole) && channels % 2 === 0 && hasUnspecifiedChannel(read);
  if (!lacksChannel) return whole;
  return { ...whole, channels: channels - 1, metadata: { ...metadata, hasAlpha: false }, lacksChannel };
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

/** Size limits of sharp's own would say that a file is damaged; warnings of the decoders are no errors. */
const lenient = { limitInputPixels: false, failOn: "error" } as const;

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

/** Colours that a result can have as they are. Others, such as CMYK, are converted to sRGB in decoding. */
export function isStored({ space }: Header): boolean {
  return ["srgb", "rgb", "rgb16", "b-w", "grey16"].includes(space);
}

/** Width and height when the picture is upright. */
export function uprightSize({ width, height, orientation }: Header): { width: number; height: number } {
  return orientation >= 5 ? { width: height, height: width } : { width, height };
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
  const header = await readHeader({ read, length: bytes.length, input: () => bytes }, name);
  const { deep, ignoreIcc } = choose(header);
  const { raster, format } = header;
  if (raster) {
    const { width, height, channels } = raster;
    const samples = raster.samples(bytes);
    const data = deep || samples instanceof Uint8Array ? samples : Uint8Array.from(samples, (v) => v >> 8);
    return { image: { width, height, channels, data }, header };
  }
  const zeros = zerosForScans(format, bytes);
  if (zeros > 0) {
    const cause = new Error(`${zeros} zeros stand where its last scans should be`);
    throw undecodable(name, format, bytes.length, cause);
  }
  const lacksEnd = !hasEnd(format, bytes);
  const input = format === "png" ? withExifInFront(bytes) : lacksEnd ? withoutZerosAtEnd(bytes) : bytes;
  const isMultiplied = format === "avif" && isPremultiplied(read, bytes.length);
  const attempt = async (content: Uint8Array, failOn: "warning" | "error") => {
    const image = await samplesOf(content, header, failOn, deep, ignoreIcc || isMultiplied);
    if (!isMultiplied) return image;
    const straight = dividedByAlpha(image);
    const { icc } = header.metadata ?? {};
    return icc && !ignoreIcc ? toSrgb(straight, icc) : straight;
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

const lostSamples = new Error("some of its samples are missing");
const noEnd = "the mark for the end of the file is missing";
const noReason = "the decoder does not say why";

/** Whether a JPEG file becomes another picture with further samples behind its own. */
async function dependsOnFurther(
  bytes: Uint8Array,
  { data }: Image<Samples>,
  decodeAgain: (bytes: Uint8Array) => Promise<Image<Samples>>,
): Promise<boolean> {
  for (const further of furtherSamples) {
    const longer = withFurtherSamples(bytes, further);
    if (longer === "unknown") return false;
    if (longer === "cut") return true;
    const other = await decodeAgain(longer).catch(() => undefined);
    if (other === undefined || !asBuffer(other.data).equals(asBuffer(data))) return true;
  }
  return false;
}

async function samplesOf(
  bytes: Uint8Array,
  { space, metadata, lacksChannel }: Header,
  failOn: "warning" | "error",
  deep: boolean,
  ignoreIcc: boolean,
): Promise<Image<Samples>> {
  const sharp = await loadSharp();
  const grey = space === "b-w" || space === "grey16";
  const { data, info } = await sharp(bytes, { ...lenient, failOn, ignoreIcc })
    .autoOrient()
    .toColourspace(deep ? (grey ? "grey16" : "rgb16") : "srgb")
    .raw({ depth: deep ? "ushort" : "uchar" })
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const channels = info.channels as Image["channels"];
  const length = width * height * channels;
  const samples = new (deep ? Uint16Array : Uint8Array)(data.buffer, data.byteOffset, length);
  const bits = metadata?.bitsPerSample ?? 16;
  if (samples instanceof Uint16Array && metadata?.format === "heif" && bits < 16) stretch(samples, bits);
  const stored = { width, height, channels, data: samples };
  const image = lacksChannel ? withoutAlpha(stored, "drop") : stored;
  return grey && !deep ? withoutColor(image) : image;
}

/** libvips moves the samples of AVIF to the upper bits, and leaves the lower ones 0, so that white is no white. */
function stretch(samples: Uint16Array, bits: number): void {
  const [shift, white] = [16 - bits, 2 ** bits - 1];
  for (let i = 0; i < samples.length; i++) samples[i] = Math.round(((samples[i] >> shift) * 65535) / white);
}

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
