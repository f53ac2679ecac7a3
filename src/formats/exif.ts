/**
 * EXIF: what a camera notes about a picture, in directories of tags, as in a small TIFF file without samples.
 * EXIF 2.32, 4.6. What a directory says is patched in place, since makers' own notes count on places.
 */

import type { Size } from "../picture/image.ts";
import { type Density, densityEntries } from "./density.ts";
import { ASCII, Directories, LONG, RATIONAL, SHORT, tags } from "./directories.ts";
import { encodeDirectory, fraction, readTree, type Tree } from "./encode-directories.ts";
import { moveGeoreference } from "./geotiff.ts";
import { startsWith } from "./jpeg.ts";
import { growth, type SourcePicture, subjectIn } from "./picture-places.ts";
import { decodeText } from "./texts.ts";

/** Files begin EXIF data with this, except PNG. */
export function withoutPrefix(exif: Uint8Array): Uint8Array {
  return startsWith(exif, "Exif\0\0") ? exif.subarray(6) : exif;
}

/**
 * EXIF data for a picture that was turned upright and has a new size: orientation 1, the new width and height
 * wherever the old ones stand, and no thumbnail, which would show the old picture. With `density`, they have
 * that resolution if they had none. With `source`, the picture that they speak of, places in it move along, and
 * their own resolution is turned with it.
 *
 * @returns undefined if the data are damaged.
 */
export function forNewPicture(
  exif: Uint8Array,
  size: Size,
  density?: Density,
  source?: SourcePicture,
): Uint8Array | undefined {
  try {
    const file = new Directories(Uint8Array.from(exif));
    const patch = (directory: number, tag: number, value: number) => {
      const entry = file.find(directory, tag);
      // A value of 4 bytes stands in its entry, where those of 2 bytes stand, too.
      if (entry?.count !== 1 || (entry.type !== SHORT && entry.type !== LONG)) return;
      file.put(entry.at - 6, 2, LONG);
      file.put(entry.at, 4, value);
    };
    file.setShort(file.first, tags.orientation, 1);
    patch(file.first, tags.imageWidth, size.width);
    patch(file.first, tags.imageHeight, size.height);
    const exifDirectory = file.value(file.find(file.first, tags.exif));
    if (exifDirectory !== undefined) {
      patch(exifDirectory, tags.pixelWidth, size.width);
      patch(exifDirectory, tags.pixelHeight, size.height);
      if (source) moveSubjects(file, exifDirectory, source, size);
    }
    if (source && source.orientation >= 5) swapResolution(file);
    moveGeoreference(file, size, source);
    const bytes = withoutThumbnail(file);
    return density ? withDensity(bytes, density) : bytes;
  } catch {
    return undefined;
  }
}

/** Across and down change places. */
function swapResolution(file: Directories): void {
  const [x, y] = [tags.xResolution, tags.yResolution].map((tag) => file.find(file.first, tag));
  if (x?.type !== RATIONAL || y?.type !== RATIONAL) return;
  for (const part of [0, 4]) {
    const [ofX, ofY] = [file.uint(x.at + part, 4), file.uint(y.at + part, 4)];
    file.put(x.at + part, 4, ofY);
    file.put(y.at + part, 4, ofX);
  }
}

/** Where the subject is, in the new picture, and how many of its pixels a unit on the sensor takes. */
function moveSubjects(file: Directories, directory: number, source: SourcePicture, size: Size): void {
  for (const tag of [tags.subjectArea, tags.subjectLocation]) {
    const entry = file.find(directory, tag);
    if (entry?.type !== SHORT || entry.count < 2 || entry.count > 4) continue;
    const moved = subjectIn(file.values(entry), source, size);
    if (Math.max(...moved) > 0xffff) file.remove(directory, tag);
    else for (const [i, value] of moved.entries()) file.put(entry.at + 2 * i, 2, Math.max(0, value));
  }
  const factor = growth(source, size);
  const [x, y] = [tags.focalPlaneX, tags.focalPlaneY].map((tag) => file.find(directory, tag));
  if (x?.type !== RATIONAL || y?.type !== RATIONAL) return;
  const [perX, perY] = [x, y].map(({ at }) => file.uint(at, 4) / file.uint(at + 4, 4));
  const isTurned = source.orientation >= 5;
  const moved = [(isTurned ? perY : perX) * factor.x, (isTurned ? perX : perY) * factor.y];
  if (!moved.every(Number.isFinite)) return; // unknown
  const [newX, newY] = moved.map(fraction);
  for (const [tag, { at }, parts] of [
    [tags.focalPlaneX, x, newX],
    [tags.focalPlaneY, y, newY],
  ] as const) {
    if (newX && newY && parts) for (const [i, part] of parts.entries()) file.put(at + 4 * i, 4, part);
    else file.remove(directory, tag);
  }
}

/** The texts of all directories, each once. */
export function textsOf(exif: Uint8Array): ReadonlySet<string> {
  const texts = new Set<string>();
  const visit = ({ entries, children }: Tree) => {
    for (const { type, bytes } of entries) {
      if (type === ASCII) texts.add(decodeText(bytes).replace(/\0.*$/s, "").trim());
    }
    for (const { tree } of children) visit(tree);
  };
  try {
    const file = new Directories(exif);
    visit(readTree(file, file.first));
  } catch {
    // No directory is where it should be.
  }
  return texts;
}

/** Data that say the resolution alone. */
export function exifOfDensity(density: Density): Uint8Array {
  return withDensity(Buffer.from("49492a00080000000000" + "00000000", "hex"), density);
}

/** The second directory belongs to a thumbnail. It is unlinked, and the picture in it erased. */
function withoutThumbnail(file: Directories): Uint8Array {
  const { bytes, first } = file;
  const link = file.nextAt(first);
  const second = link + 4 <= bytes.length ? file.uint(link, 4) : 0;
  if (second === 0) return bytes;
  file.put(link, 4, 0);
  const start = file.value(file.find(second, tags.thumbnailStart));
  const length = file.value(file.find(second, tags.thumbnailLength));
  if (start === undefined || length === undefined || start < 8) return bytes;
  if (start + length >= bytes.length) return bytes.subarray(0, Math.min(start, bytes.length));
  return bytes.fill(0, start, start + length);
}

/** Adds resolution tags to the first directory, which moves to the end. What has them stays as it is. */
function withDensity(bytes: Uint8Array, density: Density): Uint8Array {
  const file = new Directories(bytes);
  const entries = file.entries(file.first);
  if (entries.some(({ tag }) => tag === tags.xResolution)) return bytes;
  const added = densityEntries(density, file);
  const kept = entries.filter(({ tag }) => !added.some((entry) => entry.tag === tag));
  const start = bytes.length + (bytes.length % 2);
  const directory = encodeDirectory([...kept, ...added], start, file);
  const result = Buffer.concat([bytes, Buffer.alloc(start - bytes.length), directory]);
  new Directories(result).put(4, 4, start);
  return result;
}
