/** What the readers of BMP and PPM have in common: a header, and samples that begin at a known place. */
import { DataError } from "../picture/errors.ts";
import type { Image, Samples } from "../picture/image.ts";
import type { Density } from "./density.ts";

/** A picture's header, which says enough to refuse the picture before the file is read, and memory taken for it. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly channels: Image["channels"];
  readonly depth: 8 | 16;
  /** Pictures in the file. */
  readonly frames: number;
  readonly density?: Density;
  /** The colour profile in the bytes of the whole file, if one is there. */
  profile?(file: Uint8Array): Uint8Array | undefined;
  /** The samples in the bytes of the whole file. @throws DataError if they are damaged */
  samples(file: Uint8Array): Samples;
}

/** What to say of a picture whose bytes cannot be right. `what` it is: "BMP picture". */
export function damageError(name: string, what: string, reason: string, cause?: unknown): DataError {
  return new DataError(
    `${name}: this ${what} cannot be decoded (${reason}). ` +
      "It is damaged or was cut short; download or copy it again, or leave it out.",
    { cause },
  );
}
