/** What GIF files say besides samples: https://www.w3.org/Graphics/GIF/spec-gif89a.txt */
import type { Size } from "../picture/image.ts";
import { type Density, ratioOf } from "./density.ts";
import { startsWith } from "./jpeg.ts";
import type { Gap } from "./notes.ts";
import { asBuffer, type Read } from "./read.ts";
import { type Comment, takeText } from "./texts.ts";
import { decodeXmp } from "./xmp.ts";

interface Block {
  readonly at: number;
  /** The byte that it begins with: what it is. */
  readonly kind: number;
  /** An extension's kind: the byte behind `kind`. */
  readonly label: number;
  /** What it holds begins here: parts of up to 255 bytes, each behind its length, up to one without any. */
  readonly start: number;
  readonly end: number;
}

const [FRAME, EXTENSION, COMMENT, APPLICATION] = [0x2c, 0x21, 0xfe, 0xff];
/** Bytes behind XMP: 1, those from 255 to 0, and the end of the block. */
const XMP_LANDING = 258;
/** Ends a GIF file. */
export const TRAILER = 0x3b;

/** Frames, extensions and the mark for the end, up to the first byte that is none of them. */
function* blocksOf(bytes: Uint8Array): Generator<Block> {
  const tableBytes = (flags: number) => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
  for (let at = 13 + tableBytes(bytes[10]); at < bytes.length; ) {
    const [from, kind, label] = [at, bytes[at], bytes[at + 1]];
    if (kind === TRAILER) return yield { at, kind, label, start: at + 1, end: at + 1 };
    if (kind !== FRAME && kind !== EXTENSION) return;
    at += kind === FRAME ? 11 + tableBytes(bytes[at + 9]) : 2;
    const start = at;
    while (bytes[at] > 0) at += 1 + bytes[at];
    at++;
    yield { at: from, kind, label, start, end: at };
  }
}

/** Where the bytes behind a picture begin; undefined if the mark for its end is missing. */
export function endOfGif(bytes: Uint8Array): number | undefined {
  for (const { kind, end } of blocksOf(bytes)) if (kind === TRAILER) return end;
  return undefined;
}

/** The pictures in a GIF file. */
export function framesOfGif(bytes: Uint8Array): number {
  return [...blocksOf(bytes)].filter(({ kind }) => kind === FRAME).length;
}

/** A part of a picture, in pixels. */
export interface Area {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Where the first frame of a GIF file lies; undefined if that is all of the picture, whose size is not always that
 * which the file says: decoders take no notice of some.
 */
export function partOfGif(read: Read, length: number, picture: Size): Area | undefined {
  for (const part of [2 ** 16, length]) {
    const bytes = asBuffer(read(0, Math.min(part, length)));
    for (const { kind, at } of blocksOf(bytes)) {
      if (kind !== FRAME) continue;
      if (at + 9 > bytes.length) break;
      const [left, top, width, height] = [1, 3, 5, 7].map((place) => bytes.readUInt16LE(at + place));
      const isAll = left === 0 && top === 0 && width >= picture.width && height >= picture.height;
      return isAll ? undefined : { left, top, width, height };
    }
  }
  return undefined;
}

/** The comments, XMP and colour profile of a GIF file, and the ratio of its pixels' sides. */
export function gifExtras(bytes: Uint8Array): {
  comments?: Comment[];
  xmp?: string;
  icc?: Uint8Array;
  gaps: Gap[];
  density?: Density;
} {
  const aspect = bytes[12];
  const density = aspect > 0 ? ratioOf(64, aspect + 15) : undefined;
  const comments: Comment[] = [];
  const gaps = new Set<Gap>();
  let [xmp, icc]: (Buffer | undefined)[] = [];
  for (const { kind, label, start, end } of blocksOf(bytes)) {
    if (kind !== EXTENSION) continue;
    const parts = bytes.subarray(start, end);
    if (label === COMMENT) {
      takeText({ keyword: "Comment", text: partsOf(parts).toString("latin1") }, { comments, gaps });
    }
    if (label !== APPLICATION) continue;
    const content = parts.subarray(1 + parts[0]); // behind the program's name
    if (startsWith(parts.subarray(1), "XMP DataXMP")) xmp ??= xmpOf(content);
    if (startsWith(parts.subarray(1), "ICCRGBG1012")) icc ??= partsOf(content);
  }
  return {
    comments: comments.length > 0 ? comments : undefined,
    xmp: xmp && decodeXmp(xmp),
    icc,
    gaps: [...gaps],
    density,
  };
}

/** What the parts of a block are together. */
function partsOf(parts: Uint8Array): Buffer {
  const whole = Buffer.alloc(parts.length);
  let length = 0;
  for (let at = 0; parts[at] > 0; at += 1 + parts[at]) {
    const part = parts.subarray(at + 1, at + 1 + parts[at]);
    whole.set(part, length);
    length += part.length;
  }
  return whole.subarray(0, length);
}

/**
 * XMP lies there in one piece, without lengths. Behind it are all bytes from 255 to 0: who takes bytes of the text for
 * lengths lands on one of them, and then on the last. Some programs write parts all the same.
 */
function xmpOf(content: Uint8Array): Buffer {
  const landing = content.length - XMP_LANDING;
  const isWhole = landing > 0 && content[landing] === 1 && content[landing + 1] === 255;
  return isWhole ? asBuffer(content.subarray(0, landing)) : partsOf(content);
}
