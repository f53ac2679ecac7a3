/**
 * Kinds of picture files that are whole, though nothing here reads them. Decoders fail on them as on damaged
 * ones; people are told what they have.
 */
import { andList } from "../options/lists.ts";
import { DataError } from "../picture/errors.ts";
import { describeHeic, describeRawFile, isRawName } from "../picture/foreign-pictures.ts";
import type { PictureFormat } from "../picture/formats.ts";
import { Directories } from "./directories.ts";
import { segmentsOf } from "./jpeg.ts";
import { chunksOf } from "./png.ts";
import type { Read } from "./read.ts";
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
  if (format === "avif") kind = kindOfAvif(read);
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

/** The height of the picture may stand behind its first scan (DNL: ITU-T T.81, B.2.5), where decoders do not look. */
function kindOfJpeg(bytes: Uint8Array): Kind | undefined {
  const isFrame = (marker: number) =>
    marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
  for (const { marker, data } of segmentsOf(bytes)) {
    if (!isFrame(marker) || data[1] !== 0 || data[2] !== 0) continue;
    return {
      what: "a JPEG picture whose header leaves its height open (DNL)",
      advice: "Have the program or scanner that wrote it save it as PNG",
    };
  }
  return undefined;
}

function kindOfAvif(read: Read): Kind | undefined {
  if (Buffer.from(read(8, 4)).toString("latin1") !== "avis") return undefined;
  return { what: "an animation, an AVIF sequence", advice: "Save a frame of it as PNG" };
}

/** Kinds of HEIC among the kinds that a file says it is, after the first one: "mif1", as AVIF files may begin, too. */
function isHeic(read: Read): boolean {
  const box = Buffer.from(read(0, 64));
  const kinds = box.toString("latin1", 8, Math.min(box.readUInt32BE(0), box.length));
  return /hei[cxms]|hev[cxms]/.test(kinds) && !/avi[fs]/.test(kinds);
}

/** Ways to compress a TIFF file that libtiff has only in some programs. */
// biome-ignore format: one row for each program's numbers
const compressionsOfTiff: Readonly<Record<number, string>> = {
  34661: "JBIG", 34887: "LERC", 34925: "LZMA", 50000: "ZSTD", 50002: "JPEG XL", 52546: "JPEG XL",
  33003: "JPEG 2000", 33005: "JPEG 2000", 34712: "JPEG 2000",
};

// biome-ignore format: colours, and raw samples
const colorsOfTiff: Readonly<Record<number, string>> = {
  8: "CIELab", 9: "ICC Lab", 10: "ITU Lab", 32844: "LogL", 32845: "LogLuv",
  32803: "a camera's raw samples", 34892: "a camera's raw samples",
};

/** Usual TIFF files have up to four channels of whole numbers, of 1 to 16 bits in powers of two. */
function kindOfTiff(bytes: Uint8Array): Kind | undefined {
  try {
    const file = new Directories(bytes);
    const entries = file.entries(file.first);
    const first = (tag: number) => file.value(entries.find((entry) => entry.tag === tag));
    const [bits = 1, compression = 1, photometric = 1, channels = 1, sampleFormat = 1] = [
      258, 259, 262, 277, 339,
    ].map(first);
    const packed = compressionsOfTiff[compression];
    if (packed !== undefined) {
      return {
        what: `a TIFF file that is compressed by ${packed}`,
        advice: 'Save it without compression or by LZW, such as by libtiff: "tiffcp -c lzw FILE new.tif"',
      };
    }
    const colors = colorsOfTiff[photometric];
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
