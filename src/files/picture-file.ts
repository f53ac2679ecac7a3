/**
 * Picture files for people who look at the result, with all their bits and what they say besides samples.
 * (`readImage` gives what benchmarks compare.) Results are written in strips, so that they are never in
 * memory whole.
 */
import { appendFile, type FileHandle, open } from "node:fs/promises";
import type { Sharp } from "sharp";
import { fitTo, metadataOfResult } from "../formats/fit-metadata.ts";
import { exceededSide } from "../formats/fit-samples.ts";
import { damagedProfile, isProfileGap, profileGap } from "../formats/gaps.ts";
import { profileFor, spaceOf } from "../formats/icc.ts";
import type { Metadata } from "../formats/metadata.ts";
import {
  colorCodeInEnglish,
  gapInEnglish,
  type Note,
  noteInEnglish,
  type ResultNote,
} from "../formats/notes.ts";
import { profileIn } from "../formats/png-colors.ts";
import { type TiffPicture, tiffHeader } from "../formats/tiff.ts";
import { andList } from "../options/lists.ts";
import { excerpt } from "../options/printable.ts";
import { DataError } from "../picture/errors.ts";
import { namesOfFormats, type PictureFormat, pictureFormats, writtenFormats } from "../picture/formats.ts";
import type { Image, Samples } from "../picture/image.ts";
import { jpegQualityOfFile } from "../picture/jpeg-quality.ts";
import { decode, readHeaderOfFile } from "./decode.ts";
import { copyWithMetadata, exifPlaceholder } from "./embed.ts";
import { isStored, uprightSize } from "./header.ts";
import { readBytes, refuseReadOnly, replaceWhole, writeError } from "./image-files.ts";
import { withOthers } from "./messages.ts";
import { metadataOf } from "./metadata-in-file.ts";
import { loadSharp } from "./sharp.ts";
import { makeTemporary, removeTemporary, temporaryFor } from "./temporary.ts";
import { spaceFor, toSrgb } from "./to-srgb.ts";

export type { Metadata } from "../formats/metadata.ts";
export type { Note } from "../formats/notes.ts";

export interface PictureFile extends Metadata {
  /** Samples as in the file: 16 bits if it has them. */
  readonly image: Image<Samples>;
  /** The quality at which a JPEG file was compressed, 1 to 100. */
  readonly jpegQuality?: number;
  /** What the result of this picture will lack, and what was odd about the file. */
  readonly notes: readonly Note[];
}

export interface ReadOptions {
  /**
   * The format of the result, to which the metadata are fitted; or "srgb" for no file at all: the samples are
   * converted, and there are no metadata. Default: "png", which holds nearly all there is.
   */
  readonly target?: PictureFormat | "srgb";
}

/**
 * Reads a picture file. The orientation that a camera noted is applied; of several pictures in a file, the
 * first is taken, and a note says so. Colours are not converted, unless they are CMYK, or the target
 * cannot hold their profile.
 *
 * @throws DataError if there is no such file, or it is no such picture, damaged, or enormous.
 */
export async function readPictureFile(path: string, options?: ReadOptions): Promise<PictureFile> {
  return decodePictureFile(await readBytes(path), path, options);
}

/** The same, for the bytes of a file. */
export async function decodePictureFile(
  bytes: Uint8Array,
  name: string,
  { target = "png" }: ReadOptions = {},
): Promise<PictureFile> {
  const { image, header, warning } = await decode(bytes, name, (header) => ({
    deep: header.depth === 16,
    ignoreIcc: isStored(header),
  }));
  const notes: Note[] = [];
  const note = (one: ResultNote) => notes.push(noteInEnglish(one));
  const { format, frames } = header;
  if (frames > 1) {
    const of = format === "tiff" ? "pages" : format === "pnm" || format === "avif" ? "pictures" : "frames";
    note({ code: "frames", of, count: format === "pnm" ? undefined : frames });
  }
  if (warning !== undefined) notes.push({ kind: "decoder", text: `the decoder warns: ${excerpt(warning)}` });

  if (header.lacksChannel) {
    notes.push({ kind: "alpha", text: "without a channel that the file does not call transparency" });
  }

  const jpegQuality = jpegQualityOfFile(bytes);
  const content = metadataOf(header, bytes);
  const stored = isStored(header);
  if (!stored) note({ code: "readAsSrgb", from: header.space });
  const metadata = stored ? content.metadata : { ...content.metadata, icc: undefined, pngColor: undefined };
  if (target === "srgb") {
    const { icc: own, lost } = profileIn(metadata);
    if (lost !== undefined) notes.push({ kind: "color", text: takenForSrgb(colorCodeInEnglish(lost)) });
    const icc = own && (profileFor(image.channels <= 2 ? "GRAY" : "RGB", own) ?? own);
    const isUsable = icc !== undefined && (await takesProfile(icc, "png", spaceOf(icc) === "GRAY" ? 1 : 3));
    const noted = content.gaps.find(isProfileGap);
    if (!isUsable && (icc ?? metadata.icc ?? noted)) {
      const gap = (metadata.icc && profileGap(metadata.icc)) ?? noted ?? damagedProfile;
      notes.push({ kind: "color", text: takenForSrgb(gapInEnglish(gap)) });
    }
    return { image: isUsable ? await withOthers(() => toSrgb(image, icc)) : image, jpegQuality, notes };
  }
  const fitted = fitTo({ ...content, metadata }, target, image.channels);
  const { convertFrom } = fitted;
  const { icc } = fitted.metadata;
  const takesIcc = icc === undefined || (await takesProfile(icc, target, image.channels));
  if (!takesIcc) notes.push({ kind: "color", text: `without ${damagedProfile}` });
  return {
    ...fitted.metadata,
    icc: takesIcc ? icc : undefined,
    image: convertFrom ? await withOthers(() => toSrgb(image, convertFrom)) : image,
    jpegQuality,
    notes: [...notes, ...fitted.notes.map((one) => noteInEnglish(one))],
  };
}

function takenForSrgb(without: string): string {
  return `taken for sRGB, without ${without}`;
}

/** Width and height of a picture file as it would be read, from its header alone. */
export async function sizeOfPictureFile(path: string): Promise<{ width: number; height: number }> {
  return uprightSize(await readHeaderOfFile(path));
}

export interface PictureFileOptions extends TiffPicture, Metadata {
  readonly format: PictureFormat;
  /** Quality of JPEG, WebP and AVIF, 1 to 100. At 100, WebP and AVIF are lossless. Default 95. */
  readonly quality?: number;
}

/**
 * Writes a picture file in strips, from top to bottom. They go to an uncompressed file beside it; `finish`
 * compresses that, adds the metadata, and then puts the result in its place as a whole.
 */
export class PictureWriter {
  readonly #path: string;
  readonly #options: PictureFileOptions;
  readonly #strips: string;
  readonly #file: FileHandle;

  /** @throws DataError if the format cannot hold the picture, or nothing can be written there. */
  static async create(path: string, options: PictureFileOptions): Promise<PictureWriter> {
    checkWritable(path, options);
    refuseReadOnly(path);
    const strips = temporaryFor(path);
    let file: FileHandle | undefined;
    try {
      makeTemporary(strips, path);
      file = await open(strips, "r+");
      const writer = new PictureWriter(path, options, strips, file);
      await writer.write(tiffHeader(options));
      return writer;
    } catch (cause) {
      await file?.close().catch(() => {}); // why it could not be written is told
      await removeTemporary(strips);
      throw writeError(path, cause);
    }
  }

  private constructor(path: string, options: PictureFileOptions, strips: string, file: FileHandle) {
    this.#path = path;
    this.#options = options;
    this.#strips = strips;
    this.#file = file;
  }

  /** The next rows. */
  async write({ buffer, byteOffset, byteLength }: Samples): Promise<void> {
    try {
      for (let done = 0; done < byteLength; ) {
        const rest = new Uint8Array(buffer, byteOffset + done, Math.min(byteLength - done, 2 ** 24));
        done += (await this.#file.write(rest)).bytesWritten;
      }
    } catch (cause) {
      throw writeError(this.#path, cause);
    }
  }

  /** Puts the result in its place. @throws DataError if it cannot be written; then call `discard`. */
  async finish(): Promise<void> {
    const { format } = this.#options;
    const metadata = metadataOfResult(this.#options, this.#options, format);
    const encoded = temporaryFor(this.#path);
    try {
      await this.#file.close(); // which may be when the disk says that it is full
      makeTemporary(encoded, this.#path);
      await encodeTo(await this.#encoder(metadata), encoded);
      await removeTemporary(this.#strips);
      await replaceWhole(this.#path, (temporary) => copyWithMetadata(encoded, temporary, format, metadata));
    } catch (cause) {
      throw cause instanceof DataError ? cause : writeError(this.#path, cause);
    } finally {
      await removeTemporary(encoded);
    }
  }

  async #encoder({ exif, xmp }: Metadata): Promise<Sharp> {
    const sharp = await loadSharp();
    const { channels, depth, format } = this.#options;
    let picture = sharp(this.#strips, { limitInputPixels: false })
      .toColourspace(spaceFor(channels, depth))
      .keepIccProfile();
    if (xmp && format !== "png") picture = picture.withXmp(xmp);
    if (exif && (format === "webp" || format === "avif")) picture = picture.withExif(exifPlaceholder(exif));
    return encode(picture, this.#options);
  }

  /** Gives up and leaves no file. */
  async discard(): Promise<void> {
    await this.#file.close().catch(() => {});
    await removeTemporary(this.#strips);
  }
}

function encode(picture: Sharp, options: PictureFileOptions): Sharp {
  const { width, height, channels, depth, format, quality = 95 } = options;
  const lossless = quality === 100;
  switch (format) {
    case "jpeg":
      // 4:4:4 keeps colours as sharp as luma. Optimized coding tables would need the whole picture in memory.
      return picture.jpeg({ quality, chromaSubsampling: "4:4:4", optimiseCoding: false });
    case "webp":
      return picture.webp({ quality, lossless });
    case "avif":
      return picture.avif({ quality, lossless, bitdepth: depth === 16 ? 12 : 8 });
    case "tiff": {
      const bigtiff = (width * height * channels * depth) / 8 > 2 ** 31;
      return picture.tiff({ compression: "deflate", predictor: "horizontal", bigtiff });
    }
    default:
      return picture.png();
  }
}

/** Whether encoders take a profile. They drop damaged ones without a word, or fail at the end. */
async function takesProfile(icc: Uint8Array, format: PictureFormat, channels: number): Promise<boolean> {
  const few = channels <= 2 ? 1 : 3;
  const tiny = { width: 16, height: 16, channels: few, depth: 8, icc, format } as const;
  const file = Buffer.concat([tiffHeader(tiny), Buffer.alloc(16 * 16 * few)]);
  const sharp = await loadSharp();
  try {
    return await withOthers(async () => {
      const picture = sharp(file).toColourspace(spaceFor(few, 8)).keepIccProfile();
      return (await sharp(await encode(picture, tiny).toBuffer()).metadata()).icc !== undefined;
    });
  } catch {
    return false;
  }
}

/** @throws DataError if a file of the format cannot hold a picture of that size. */
export function checkPictureSize(
  path: string,
  size: { width: number; height: number },
  format: PictureFormat,
): void {
  const most = exceededSide(size, format);
  if (most === undefined) return;
  throw new DataError(
    `${path}: ${pictureFormats[format].name} pictures have at most ${most} pixels a side, ` +
      `and this one would have ${size.width}x${size.height}. Choose png.`,
  );
}

function checkWritable(path: string, options: PictureFileOptions): void {
  const { channels, depth, format } = options;
  const { name, writes } = pictureFormats[format];
  if (!writes) {
    throw new DataError(
      `${path}: ${name} is only read. ${andList(namesOfFormats(writtenFormats))} are written.`,
    );
  }
  checkPictureSize(path, options, format);
  const lacks = depth > 8 && writes.depth === 8 ? "16 bits" : "transparency";
  if (lacks === "16 bits" || (channels % 2 === 0 && !writes.alpha)) {
    throw new DataError(`${path}: ${name} pictures hold no ${lacks}. Choose png.`);
  }
}

/** Like toFile, but the error says so if the disk is full: sharp's own message does not. */
export async function encodeTo(picture: Sharp, path: string): Promise<void> {
  try {
    await picture.toFile(path);
  } catch (cause) {
    // More of the same file meets the same end, and Node knows its name.
    await appendFile(path, new Uint8Array(2 ** 20));
    throw cause;
  }
}
