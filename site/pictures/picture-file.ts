/** What is known of a picture file when it was read. */
import type { FileMetadata } from "../../src/formats/metadata.ts";
import type { ResultNote } from "../../src/formats/notes.ts";
import type { Image, Samples, Size } from "../../src/picture/index.ts";

export type { ResultNote };

export interface PictureFile extends FileMetadata {
  /** Upright. Samples as in the file: 16 bits if it has them, grey if it is. */
  readonly image: Image<Samples>;
  readonly format: string;
  /** Of a JPEG file: how strongly it was compressed, 1 to 100. */
  readonly jpegQuality?: number;
  /** What was odd about the file. */
  readonly notes: readonly ResultNote[];
}

/** What a file says besides its pixels. */
export interface Content extends FileMetadata {
  /** Of the samples in the file. */
  readonly channels: number;
  /** Whether the browser converts the colours to sRGB when it reads the file. Otherwise its numbers stay. */
  readonly convertsColors?: boolean;
  readonly notes: readonly ResultNote[];
  /** Of a JPEG file: how strongly it was compressed, 1 to 100. */
  readonly jpegQuality?: number;
  /** How the picture is to be turned, 1 to 8, as in EXIF. */
  readonly orientation: number;
  /** The file for a browser to decode without turning the picture. Undefined: it turns it. */
  readonly unturned?: Uint8Array;
}

/** A whole file of more samples than the page reads. */
export class TooLarge extends Error {
  readonly size: Size;

  constructor(size: Size) {
    super(`${size.width}x${size.height} pixels are more than a gigabyte`);
    this.size = size;
  }
}
