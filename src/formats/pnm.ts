/** Reads PBM, PGM, PPM and PAM files (netpbm), which sharp does not, as text or bytes, up to 16 bits. */
import { type Samples, zerosLike } from "../picture/image.ts";
import { damageError, type Raster } from "./raster.ts";
import type { Read } from "./read.ts";

/** More bytes than a header has, with comments that people write. */
const LONGEST_HEADER = 2 ** 16;

/**
 * Reads the header of a file of `fileLength` bytes.
 *
 * @throws DataError if it is no such picture, or is too short for its samples
 */
export function readPnm(read: Read, fileLength: number, name: string): Raster {
  const fail = (reason: string) => damageError(name, "PPM picture", reason);
  const bytes = read(0, LONGEST_HEADER);
  const kind = bytes[1] - 48;
  const { width, height, channels, max, start } = (kind === 7 ? pamHeader : header)(bytes, fail);
  if (![1, 2, 3, 4].includes(channels)) throw fail(`${channels} channels`);
  if (!(width > 0 && height > 0)) throw fail(`${width}x${height} pixels`);
  if (!(max >= 1 && max <= 65535)) throw fail(`white is ${max}`);
  const length = width * height * channels;
  const bits = kind === 1 || kind === 4;
  const text = kind <= 3;
  const wide = max > 255;
  const room = fileLength - start;
  // As text, a sample takes a digit and, unless it is a bit, white space.
  const needed = text
    ? bits
      ? length
      : 2 * length - 1
    : kind === 4
      ? Math.ceil(width / 8) * height
      : length * (wide ? 2 : 1);
  if (room < needed) throw fail(`${width}x${height} pixels take ${needed} bytes, and the file has ${room}`);
  const more = !text && read(start + needed, 1)[0] === 0x50;
  return {
    width,
    height,
    channels: channels as Raster["channels"],
    depth: wide ? 16 : 8,
    frames: more ? 2 : 1,
    samples(file) {
      const samples: Samples = wide ? new Uint16Array(length) : new Uint8Array(length);
      if (kind === 4) return unpackBits(file, start, width, samples);
      if (text) readText(file, start, samples, bits, fail);
      else if (!wide) samples.set(file.subarray(start, start + length));
      else for (let i = 0, at = start; i < length; i++, at += 2) samples[i] = file[at] * 256 + file[at + 1];
      if (bits) return samples.map((value) => (value ? 0 : 255)); // in PBM, 1 is black
      return max === 255 || max === 65535 ? samples : scaled(samples, max);
    },
  };
}

interface Header {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** The value that means white. */
  readonly max: number;
  readonly start: number;
}

function header(bytes: Uint8Array, fail: (reason: string) => Error): Header {
  const kind = bytes[1] - 48;
  const numbers: number[] = [];
  let at = 2;
  while (numbers.length < (kind === 1 || kind === 4 ? 2 : 3)) {
    const token = nextNumber(bytes, at);
    // Behind a number stands white space, or the rest of the number may be missing.
    if (token === undefined || token.end === bytes.length) throw fail("the header is incomplete");
    numbers.push(token.value);
    at = token.end;
  }
  const [width, height, max = 255] = numbers;
  return { width, height, max, channels: kind % 3 === 0 ? 3 : 1, start: at + 1 };
}

/** PAM has its numbers in lines with names. */
function pamHeader(bytes: Uint8Array, fail: (reason: string) => Error): Header {
  const text = Buffer.from(bytes.subarray(0, 4096)).toString("latin1");
  const end = /^ENDHDR[ \t\r]*\n/m.exec(text);
  if (end === null) throw fail("the header is incomplete");
  const number = (word: string) => {
    const value = new RegExp(`^${word}\\s+(\\d+)`, "m").exec(text.slice(0, end.index))?.[1];
    return value === undefined ? Number.NaN : Number(value);
  };
  const start = end.index + end[0].length;
  const [width, height, channels] = [number("WIDTH"), number("HEIGHT"), number("DEPTH")];
  return { width, height, channels, max: number("MAXVAL"), start };
}

const space = (byte: number) => byte === 32 || (byte >= 9 && byte <= 13);

/** A number behind white space and comments; undefined if there is none. */
function nextNumber(bytes: Uint8Array, from: number): { value: number; end: number } | undefined {
  let at = from;
  while (space(bytes[at]) || bytes[at] === 0x23) {
    if (bytes[at] === 0x23) while (at < bytes.length && bytes[at] !== 10) at++;
    at++;
  }
  const start = at;
  let value = 0;
  while (bytes[at] >= 48 && bytes[at] <= 57) value = Math.min(10 * value + bytes[at++] - 48, 2 ** 40);
  return at === start ? undefined : { value, end: at };
}

function readText(
  bytes: Uint8Array,
  start: number,
  samples: Samples,
  bits: boolean,
  fail: (reason: string) => Error,
): void {
  let at = start;
  for (let i = 0; i < samples.length; i++) {
    while (bits && space(bytes[at])) at++;
    const isBit = bits && (bytes[at] === 48 || bytes[at] === 49);
    const token = isBit ? { value: bytes[at] - 48, end: at + 1 } : nextNumber(bytes, at);
    if (token === undefined) throw fail(`sample ${i + 1} of ${samples.length} is missing`);
    samples[i] = Math.min(token.value, samples instanceof Uint8Array ? 255 : 65535);
    at = token.end;
  }
}

function unpackBits(bytes: Uint8Array, start: number, width: number, samples: Samples): Samples {
  const stride = Math.ceil(width / 8);
  return samples.map((_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return (bytes[start + y * stride + (x >> 3)] >> (7 - (x & 7))) & 1 ? 0 : 255;
  });
}

function scaled(samples: Samples, max: number): Samples {
  const white = samples instanceof Uint8Array ? 255 : 65535;
  const result = zerosLike(samples, samples.length);
  for (let i = 0; i < samples.length; i++) result[i] = Math.round((Math.min(samples[i], max) * white) / max);
  return result;
}
