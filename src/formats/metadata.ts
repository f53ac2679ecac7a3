/** What picture files say besides samples: colours, camera, place, author, print size. */

import type { Density } from "./density.ts";
import type { Gap } from "./notes.ts";
import type { SourcePicture } from "./picture-places.ts";
import type { Comment } from "./texts.ts";

export interface Metadata {
  /** The colour profile that says what the colours mean; without one, sRGB. */
  readonly icc?: Uint8Array;
  /** PNG's own chunks on colours, whole: cICP, gAMA, cHRM, sRGB… */
  readonly pngColor?: readonly Uint8Array[];
  /** Camera, date, place: a TIFF file without samples. */
  readonly exif?: Uint8Array;
  readonly xmp?: string;
  /** Captions and credits of news agencies (IIM records). */
  readonly iptc?: Uint8Array;
  /** What Photoshop says of copyright: resources of its own. */
  readonly rights?: Uint8Array;
  /** Pixels per inch, of the picture upright. It stays what it was, so that a result prints larger. */
  readonly density?: Density;
  readonly comments?: readonly Comment[];
  /** The picture that EXIF and XMP speak of; undefined if neither is there, or that is not known. */
  readonly source?: SourcePicture;
}

export interface FileMetadata {
  readonly metadata: Metadata;
  /** What no result can have: pictures inside the picture, signatures. */
  readonly gaps: readonly Gap[];
  /** Bytes behind the end of the picture that nothing in the file names. */
  readonly behind?: Gap;
}

/** What a file says, for its picture upright, which is `source`: the resolution is turned with it. */
export function forUpright(metadata: Metadata, source: SourcePicture): Metadata {
  const { density } = metadata;
  if (!density || source.orientation < 5) return { ...metadata, source };
  return { ...metadata, source, density: { ...density, x: density.y, y: density.x } };
}
