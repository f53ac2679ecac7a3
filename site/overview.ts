/** What a canvas shows of a picture. */
import type { Size } from "./size.ts";

/** All of it, in less pixels if it is large. `width` and `height` are those of the picture itself. */
export interface Overview extends Size {
  readonly bitmap: ImageBitmap;
  /** Its colours may lie outside sRGB. */
  readonly wideGamut: boolean;
  /** The picture in the worker, which has the details. */
  readonly id?: number;
}
