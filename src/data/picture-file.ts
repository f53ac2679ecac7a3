/**
 * Picture files for people who look at the result, with all their bits and their colour profile. (`readImage`
 * gives what benchmarks compare.) Results are written in strips, so that they are never in memory whole.
 */
import { type FileHandle, open, rm } from "node:fs/promises";
import { DataError } from "../picture/errors.ts";
import type { Image, Samples } from "../picture/image.ts";
import { decode, readError, replaceWhole, temporaryName, writeError } from "./files.ts";
import { formatOfBytes, type PictureFormat } from "./formats.ts";
import { type TiffPicture, tiffHeader } from "./tiff.ts";

export interface PictureFile {
  /** Samples as in the file: 16 bits if it has them. */
  readonly image: Image<Samples>;
  /** The colour profile that says what the colours mean; without one, sRGB. */
  readonly icc?: Uint8Array;
}

/**
 * Reads a PNG, JPEG or WebP file. The orientation that a camera noted is applied; of an animation, the first
 * frame is taken. Colours are not converted, except CMYK to sRGB.
 *
 * @throws DataError if there is no such file, or it is no such picture, damaged, or enormous.
 */
export async function readPictureFile(path: string): Promise<PictureFile> {
  const isCmyk = ({ space }: { space: string }) => space === "cmyk";
  const { image, metadata } = await decode(path, await formatOfFile(path), path, (metadata) => ({
    deep: metadata.depth === "ushort",
    ignoreIcc: !isCmyk(metadata),
  }));
  return { image, icc: isCmyk(metadata) ? undefined : metadata.icc };
}

/** Width and height of a picture file as it would be read, from its header alone. */
export async function sizeOfPictureFile(path: string): Promise<{ width: number; height: number }> {
  await formatOfFile(path);
  const { default: sharp } = await import("sharp");
  return (await sharp(path, { limitInputPixels: false }).metadata()).autoOrient;
}

/** What a picture file says about itself before it is decoded. */
export interface PictureHeader {
  /** As it would be read. */
  readonly width: number;
  readonly height: number;
  /** Bits per sample. */
  readonly depth: 8 | 16;
  readonly hasAlpha: boolean;
  /** Pictures in the file; only the first is read. */
  readonly frames: number;
}

/** @throws DataError if there is no such file, or it is no such picture. */
export async function headerOfPictureFile(path: string): Promise<PictureHeader> {
  await formatOfFile(path);
  const { default: sharp } = await import("sharp");
  const {
    autoOrient,
    depth,
    hasAlpha,
    pages = 1,
  } = await sharp(path, { limitInputPixels: false }).metadata();
  return { ...autoOrient, depth: depth === "ushort" ? 16 : 8, hasAlpha, frames: pages };
}

async function formatOfFile(path: string): Promise<PictureFormat> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const { buffer, bytesRead } = await file.read(new Uint8Array(12), 0, 12);
    return formatOfBytes(buffer.subarray(0, bytesRead), path);
  } catch (cause) {
    throw cause instanceof DataError ? cause : readError(path, cause);
  } finally {
    await file?.close();
  }
}

export interface PictureFileOptions extends TiffPicture {
  readonly format: PictureFormat;
  /** For JPEG and WebP: 1 to 100. At 100, WebP is lossless. Default 95. */
  readonly quality?: number;
}

/** The longest sides that the formats allow. */
const maxSide: Record<PictureFormat, number> = { png: 2 ** 31 - 1, jpeg: 65_500, webp: 16_383 };

/**
 * Writes a picture file in strips, from top to bottom. They go to an uncompressed file beside it; `finish`
 * compresses that, and then puts the result in its place as a whole.
 */
export class PictureWriter {
  readonly #path: string;
  readonly #options: PictureFileOptions;
  readonly #strips: string;
  readonly #file: FileHandle;

  /** @throws DataError if the format cannot hold the picture, or nothing can be written there. */
  static async create(path: string, options: PictureFileOptions): Promise<PictureWriter> {
    const { width, height, channels, depth, format } = options;
    if (Math.max(width, height) > maxSide[format]) {
      throw new DataError(
        `${path}: ${format} pictures have at most ${maxSide[format]} pixels a side, ` +
          `and this one would have ${width}x${height}. Choose png.`,
      );
    }
    if ((format === "jpeg" && channels % 2 === 0) || (format !== "png" && depth === 16)) {
      throw new DataError(
        `${path}: ${format} pictures hold no ${depth === 16 ? "16 bits" : "transparency"}. Choose png.`,
      );
    }
    const strips = temporaryName(path);
    try {
      const file = await open(strips, "wx");
      await file.write(tiffHeader(options));
      return new PictureWriter(path, options, strips, file);
    } catch (cause) {
      await rm(strips, { force: true });
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

  async finish(): Promise<void> {
    await this.#file.close();
    const { default: sharp } = await import("sharp");
    const { channels, depth, format, quality = 95 } = this.#options;
    const grey = channels <= 2;
    const space = depth === 16 ? (grey ? "grey16" : "rgb16") : grey ? "b-w" : "srgb";
    const picture = sharp(this.#strips, { limitInputPixels: false }).toColourspace(space).keepIccProfile();
    const encoded = {
      png: () => picture.png(),
      // 4:4:4 keeps colours as sharp as luma. Optimised coding tables would need the whole picture in memory.
      jpeg: () => picture.jpeg({ quality, chromaSubsampling: "4:4:4", optimiseCoding: false }),
      webp: () => picture.webp({ quality, lossless: quality === 100 }),
    }[format]();
    await replaceWhole(this.#path, (temporary) => encoded.toFile(temporary));
    await rm(this.#strips, { force: true });
  }

  /** Gives up and leaves no file. */
  async discard(): Promise<void> {
    await this.#file.close().catch(() => {});
    await rm(this.#strips, { force: true });
  }
}
