/**
 * Kinds of picture files that are whole, though nothing here reads them. Decoders fail on them as on damaged
 * ones; people are told what they have.
 */
import { andList } from "../options/lists.ts";
import { DataError } from "../picture/errors.ts";
import { describeHeic, describeRawFile, isRawName } from "../picture/foreign-pictures.ts";
import type { PictureFormat } from "../picture/formats.ts";
import { isSequence } from "./boxes.ts";
import { Directories, tags } from "./directories.ts";
import { segmentsOf } from "./jpeg.ts";
import { chunksOf } from "./png.ts";
import { asBuffer, type Read } from "./read.ts";
import { isCameraRaw } from "./tiff-tags.ts";

/** Decoders would take the thumbnail in it for the picture. @throws DataError for a camera's raw file */
export function refuseRaw(name: string, format: PictureFormat, read: Read): void {
  if (format === "tiff" && isCameraRaw(read)) throw new DataError(describeRawFile(name));
}

/** What a file that no decoder takes is, if it says so itself; otherwise undefined: it is damaged. */
export function unreadKind(
  name: string,
  format: PictureFormat,
  read: Read,
  length: number,
): DataError | undefined {
  if (format === "avif" && isHeic(read)) return new DataError(describeHeic(name));
  if (format === "tiff" && isRawName(name)) return new DataError(describeRawFile(name));
  let kind: Kind | undefined;
  if (format === "png") kind = kindOfPng(read);
  if (format === "jpeg") kind = kindOfJpeg(read(0, Math.min(length, 2 ** 20)));
  if (format === "bmp") kind = kindOfBmp(read);
  if (format === "avif") kind = kindOfAvif(read, length);
  if (format === "tiff") kind = kindOfTiff(read(0, Math.min(length, 2 ** 30)));
  if (kind === undefined) return undefined;
  return new DataError(`${name}: this is ${kind.what}, which is not read. ${kind.advice}, or leave it out.`);
}

interface Kind {
  readonly what: string;
  readonly advice: string;
}

/** Xcode rewrites the pictures of an app so that iPhones show them faster, and keeps the name. */
function kindOfPng(read: Read): Kind | undefined {
  const [first] = chunksOf(read);
  if (first?.type !== "CgBI") return undefined;
  return {
    what: "a picture of an iPhone app in Apple's own variant of PNG (CgBI)",
    advice: "Open it on a Mac and save it as an ordinary PNG",
  };
}

/** Kinds of JPEG that next to no decoder has: ITU-T T.81, B.1.1.3, and T.87. */
function kindOfJpeg(bytes: Uint8Array): Kind | undefined {
  const [hierarchical, jpegLs] = [0xde, 0xf7];
  const isFrame = (marker: number) =>
    marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
  for (const { marker, data } of segmentsOf(bytes)) {
    if (marker === jpegLs) {
      return { what: "a JPEG-LS picture", advice: "Convert it to PNG, such as by FFmpeg" };
    }
    if (marker === hierarchical) {
      return { what: "a hierarchical JPEG picture", advice: "Have the program that wrote it save it as PNG" };
    }
    if (!isFrame(marker)) continue;
    if (data[0] !== 8) {
      const kind = (marker & 3) === 3 ? "lossless JPEG picture" : "JPEG picture";
      return {
        what: `a ${kind} of ${data[0]} bits per sample`,
        advice: "Have the program that wrote it save it as PNG or TIFF of 16 bits",
      };
    }
    // The height of the picture may stand behind its first scan (DNL: B.2.5), where decoders do not look.
    if (data[1] !== 0 || data[2] !== 0) return undefined;
    return {
      what: "a JPEG picture whose header leaves its height open (DNL)",
      advice: "Have the program or scanner that wrote it save it as PNG",
    };
  }
  return undefined;
}

/** What the number of its compression means in a BMP file of Windows, and what else in one of OS/2. */
const compressionsOfBmp: Readonly<Record<number, string>> = {
  4: "a JPEG picture",
  5: "a PNG picture",
  11: "CMYK",
  12: "CMYK",
  13: "CMYK",
};
const compressionsOfOs2: Readonly<Record<number, string>> = { 3: "Huffman codes", 4: "runs of 24 bits" };

/** Some that only printers take, and some of OS/2. */
function kindOfBmp(read: Read): Kind | undefined {
  const head = asBuffer(read(0, 34));
  if (head.length < 34) return undefined;
  const [size, compression] = [head.readUInt32LE(14), head.readUInt32LE(30)];
  const isOs2 = size === 64;
  const what = (isOs2 ? compressionsOfOs2 : compressionsOfBmp)[compression];
  if (what === undefined || size < 40) return undefined;
  const how = isOs2 ? `of OS/2 that is packed by ${what}` : `that holds ${what}`;
  return { what: `a BMP file ${how}`, advice: "Have the program that wrote it save it as PNG" };
}

function kindOfAvif(read: Read, length: number): Kind | undefined {
  if (asBuffer(read(8, 4)).toString("latin1") !== "avis" || isSequence(read, length)) return undefined;
  return { what: "an AVIF animation without a still picture", advice: "Save a frame of it as PNG" };
}

/** Kinds of HEIC among the kinds that a file says it is, after the first one: "mif1", as AVIF files may begin, too. */
function isHeic(read: Read): boolean {
  const box = Buffer.from(read(0, 64));
  const kinds = box.toString("latin1", 8, Math.min(box.readUInt32BE(0), box.length));
  return /hei[cxms]|hev[cxms]/.test(kinds) && !/avi[fs]/.test(kinds);
}

/** Ways to compress a TIFF file that libtiff has only in some programs, and some that it has not. */
// biome-ignore format: one row for each program's numbers
const compressionsOfTiff: Readonly<Record<number, string>> = {
  34661: "JBIG", 34887: "LERC", 34925: "LZMA", 50000: "ZSTD", 50002: "JPEG XL", 52546: "JPEG XL",
  33003: "JPEG 2000", 33005: "JPEG 2000", 34712: "JPEG 2000",
  6: "JPEG in its old way", 34892: "JPEG with losses, of DNG", 34933: "PNG", 34934: "JPEG XR", 22610: "JPEG XR",
};

/** None, and those that are read: CCITT's, LZW, JPEG, Deflate, PackBits, those of old computers and WebP. */
const readCompressions = [1, 2, 3, 4, 5, 7, 8, 32766, 32771, 32773, 32809, 32909, 32946, 34676, 34677, 50001];

// biome-ignore format: colours, and raw samples
const colorsOfTiff: Readonly<Record<number, string>> = {
  4: "a transparency mask", 8: "CIELab", 9: "ICC Lab", 10: "ITU Lab", 32844: "LogL", 32845: "LogLuv",
  32803: "a camera's raw samples", 34892: "a camera's raw samples",
};

/** Usual TIFF files have up to four channels of whole numbers, of 1 to 16 bits in powers of two. */
function kindOfTiff(bytes: Uint8Array): Kind | undefined {
  try {
    const file = new Directories(bytes);
    const entries = file.entries(file.first);
    const first = (tag: number) => file.value(entries.find((entry) => entry.tag === tag));
    const [bits = 1, compression = 1, photometric = 1, channels = 1, planes = 1, tile, sampleFormat = 1] = [
      ...[tags.bitsPerSample, tags.compression, tags.photometric, 277, 284, 322, 339].map(first),
    ];
    const shared = entries.find(({ tag }) => tag === tags.yCbCrSubsampling);
    const subsampling = shared ? file.values(shared) : [2, 2];
    const packed =
      compressionsOfTiff[compression] ??
      (readCompressions.includes(compression) ? undefined : `a method of the number ${compression}`);
    if (packed !== undefined) {
      return {
        what: `a TIFF file that is compressed by ${packed}`,
        advice: 'Save it without compression or by LZW, such as by libtiff: "tiffcp -c lzw FILE new.tif"',
      };
    }
    if (planes === 2 && tile !== undefined && channels > 1) {
      return {
        what: "a TIFF file whose channels lie in tiles of their own",
        advice: 'Put them side by side, such as by libtiff: "tiffcp -p contig FILE new.tif"',
      };
    }
    const colors =
      photometric === Y_CB_CR ? kindOfYCbCr(channels, bits, subsampling) : colorsOfTiff[photometric];
    const kind = { 2: "signed whole numbers", 3: "floating-point numbers" }[sampleFormat] ?? "whole numbers";
    const isUsual = sampleFormat === 1 && [1, 2, 4, 8, 16].includes(bits);
    const what = [
      ...(colors === undefined ? [] : [colors]),
      ...(channels > 4 ? [`${channels} channels`] : []),
      ...(isUsual ? [] : [`${kind} of ${bits} bits`]),
    ];
    if (what.length === 0) return undefined;
    return {
      what: `a TIFF file of ${andList(what)}`,
      advice: "Convert it to grey or RGB, to whole numbers of 8 or 16 bits",
    };
  } catch {
    return undefined; // no directory is where it should be
  }
}

const Y_CB_CR = 6;

/** Luma and chroma are read without alpha, and those of which pixels share chroma with 8 bits alone. */
function kindOfYCbCr(channels: number, bits: number, subsampling: readonly number[]): string | undefined {
  const isShared = subsampling.some((count) => count !== 1);
  if (channels === 3 && (bits === 8 || (bits === 16 && !isShared))) return undefined;
  return `YCbCr of ${channels} channels and ${bits} bits`;
}
