/** What a canvas shows of a picture. */

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** What a canvas shows of a picture: all of it, in less pixels if it is large. */
export interface Overview {
  readonly bitmap: ImageBitmap;
  /** Size of the picture itself. */
  readonly width: number;
  readonly height: number;
  /** Its colours may lie outside sRGB. */
  readonly wideGamut: boolean;
  /** The picture in the worker, which has the details. */
  readonly id?: number;
}
