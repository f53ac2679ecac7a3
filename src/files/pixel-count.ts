/** How large a picture is, in passing, for those who compare many files by what their names say. */
import { closeSync, openSync } from "node:fs";
import { readBmp } from "../formats/bmp.ts";
import { Directories } from "../formats/directories.ts";
import { readPnm } from "../formats/pnm.ts";
import { asBuffer, type Read } from "../formats/read.ts";
import { formatOfStart, type PictureFormat } from "../picture/formats.ts";
import { readFromFile } from "./read-file.ts";
import { refusePipe } from "./same-file.ts";

/** The pixels of a file's first picture, by its header alone; undefined if that does not say. */
export function pixelCountOf(path: string): number | undefined {
  let file: number | undefined;
  try {
    refusePipe(path);
    file = openSync(path, "r");
    const read = readFromFile(file);
    const format = formatOfStart(read(0, 12));
    const count = format && counts[format](read);
    return count !== undefined && count > 0 ? count : undefined;
  } catch {
    return undefined; // who reads the picture says what is wrong
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** @throws RangeError beyond the end, or what a reader says of damage */
const counts: Readonly<Record<PictureFormat, (read: Read) => number | undefined>> = {
  png: (read) => (textAt(read, 12, 4) === "IHDR" ? uint32(read, 16) * uint32(read, 20) : undefined),
  jpeg: countOfJpeg,
  webp: countOfWebp,
  tiff: countOfTiff,
  avif: countOfAvif,
  gif: (read) => at(read, 6, 2).readUInt16LE() * at(read, 8, 2).readUInt16LE(),
  bmp: (read) => areaOf(readBmp(read, Infinity, "")),
  pnm: (read) => areaOf(readPnm(read, Infinity, "")),
};

/** The frame's header has the size: FFC0 to FFCF, without those of tables (C4, CC) and one that is reserved (C8). */
function countOfJpeg(read: Read): number | undefined {
  for (let place = 2; ; ) {
    const [start, marker] = at(read, place, 2);
    if (start !== 0xff || marker === 0xd9 || marker === 0xda) return undefined;
    if (marker === 0xff) {
      place++; // a byte that fills up
      continue;
    }
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return at(read, place + 5, 2).readUInt16BE() * at(read, place + 7, 2).readUInt16BE();
    }
    place += 2 + at(read, place + 2, 2).readUInt16BE();
  }
}

/** Lossy, lossless, or with a header of its own: https://developers.google.com/speed/webp/docs/riff_container */
function countOfWebp(read: Read): number | undefined {
  const kind = textAt(read, 12, 4);
  if (kind === "VP8 ") {
    const side = (place: number) => at(read, place, 2).readUInt16LE() & 0x3fff;
    return side(26) * side(28);
  }
  if (kind === "VP8L") {
    const bits = at(read, 21, 4).readUInt32LE();
    return ((bits & 0x3fff) + 1) * (((bits >>> 14) & 0x3fff) + 1);
  }
  return kind === "VP8X" ? (uint24(read, 24) + 1) * (uint24(read, 27) + 1) : undefined;
}

const [IMAGE_WIDTH, IMAGE_LENGTH] = [256, 257];

/** Its first directory, wherever that lies, right behind the header. The values are in its entries. */
function countOfTiff(read: Read): number | undefined {
  const header = read(0, 16);
  const file = new Directories(Buffer.concat([header, read(new Directories(header).first, 2 ** 16)]));
  const [width, height] = [IMAGE_WIDTH, IMAGE_LENGTH].map((tag) => file.value(file.find(header.length, tag)));
  return width && height && width * height;
}

/** The largest of its pictures; others are tiles, thumbnails and the like. They are described near the beginning. */
function countOfAvif(read: Read): number | undefined {
  const head = Buffer.from(read(0, 2 ** 14));
  let most = 0;
  for (let i = head.indexOf("ispe"); i >= 0; i = head.indexOf("ispe", i + 1)) {
    most = Math.max(most, head.readUInt32BE(i + 8) * head.readUInt32BE(i + 12));
  }
  return most;
}

function areaOf({ width, height }: { width: number; height: number }): number {
  return width * height;
}

/** @throws RangeError beyond the end */
function at(read: Read, place: number, length: number): Buffer {
  const bytes = read(place, length);
  if (bytes.length < length) throw new RangeError("the file ends before");
  return asBuffer(bytes);
}

const uint24 = (read: Read, place: number) => at(read, place, 3).readUIntLE(0, 3);
const uint32 = (read: Read, place: number) => at(read, place, 4).readUInt32BE();
const textAt = (read: Read, place: number, length: number) => at(read, place, length).toString("latin1");
