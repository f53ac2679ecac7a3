/**
 * PNG files to samples, all of them and exactly: a canvas has 8 bits, no grey, and multiplies colours by alpha.
 * The browser's own streams unpack. https://www.w3.org/TR/png-3/
 */
import "./buffer.ts";
import { spaceOf } from "../../src/formats/icc.ts";
import { chunksOf } from "../../src/formats/png.ts";
import { readFrom } from "../../src/formats/read.ts";
import type { Image, Samples } from "../../src/picture/index.ts";
import { inflate } from "./inflate.ts";
import { TooLarge } from "./picture-file.ts";

export interface DecodedPng {
  readonly image: Image<Samples>;
  /** The colour profile in it. */
  readonly icc?: Uint8Array;
  /** Pictures in an animation. */
  readonly frames: number;
}

interface Header {
  readonly width: number;
  readonly height: number;
  /** Bits of a sample, or of a palette's index. */
  readonly bits: number;
  readonly colorType: number;
  readonly interlaced: boolean;
}

/** Samples of a pixel in the file, by its colour type: grey, RGB, palette, grey + alpha, RGB + alpha. */
const stored: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const PALETTE = 3;

/** A gigabyte of samples, as the command line reads. */
const MAX_BYTES = 2 ** 30;

/** Deflate makes at most so many bytes of one. */
const MAX_RATIO = 1032;

/** Profiles are smaller by far. */
const MAX_PROFILE = 2 ** 24;

/** The pixels of a pass: from (x, y) on, every dx-th of every dy-th row. */
interface Pass {
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
}

const wholePass: readonly Pass[] = [{ x: 0, y: 0, dx: 1, dy: 1 }];
const adam7: readonly Pass[] = [
  { x: 0, y: 0, dx: 8, dy: 8 },
  { x: 4, y: 0, dx: 8, dy: 8 },
  { x: 0, y: 4, dx: 4, dy: 8 },
  { x: 2, y: 0, dx: 4, dy: 4 },
  { x: 0, y: 2, dx: 2, dy: 4 },
  { x: 1, y: 0, dx: 2, dy: 2 },
  { x: 0, y: 1, dx: 1, dy: 2 },
];

/** @throws Error with a reason in a few words, if it is damaged, or TooLarge */
export async function decodePng(bytes: Uint8Array): Promise<DecodedPng> {
  const first = new Map<string, Uint8Array>();
  const packed: Uint8Array[] = [];
  for (const { type, data } of chunksOf(readFrom(bytes))) {
    if (type === "IDAT") packed.push(data());
    else if (!first.has(type)) first.set(type, data());
    if (type === "IEND") break;
  }
  const header = readHeader(first.get("IHDR"));
  const colors = first.get("PLTE") ?? new Uint8Array();
  if (header.colorType === PALETTE && colors.length < 3) throw new Error("no palette");
  const passes = header.interlaced ? adam7 : wholePass;
  const sizes = passes.map((pass) => passSize(header, pass));
  const length = sizes.reduce((sum, { columns, rows, line }) => sum + (columns ? rows * (1 + line) : 0), 0);
  if (length > MAX_BYTES) throw new TooLarge(header);
  if (length > MAX_RATIO * packed.reduce((sum, { length }) => sum + length, 0)) throw new Error("cut short");
  const raw = await unpack(packed, length);
  const image = emptyImage(header);
  let at = 0;
  for (const [i, pass] of passes.entries()) {
    const { columns, rows, line } = sizes[i];
    if (columns === 0) continue;
    for (let row = 0; row < rows; row++, at += 1 + line) {
      unfilter(raw, at, line, row === 0 ? 0 : line, bytesPerPixel(header));
      const to = ((pass.y + row * pass.dy) * header.width + pass.x) * image.channels;
      scatter(raw.subarray(at + 1, at + 1 + line), columns, header, image, to, pass.dx);
    }
  }
  const icc = profileIn(first.get("iCCP"), image.channels <= 2 && header.colorType !== PALETTE);
  const frames = first.has("acTL") ? Math.max(1, uint32(first.get("acTL")!, 0)) : 1;
  return { image: withColors(image, header, colors, first.get("tRNS")), icc, frames };
}

function uint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

function readHeader(bytes: Uint8Array | undefined): Header {
  if (!bytes || bytes.length < 13) throw new Error("no header");
  const [width, height] = [uint32(bytes, 0), uint32(bytes, 4)];
  const [bits, colorType, compression, filter, interlace] = bytes.subarray(8);
  const allowed = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] }[colorType];
  if (!allowed?.includes(bits) || compression !== 0 || filter !== 0 || interlace > 1) {
    throw new Error("a kind of PNG that there is not");
  }
  if (width === 0 || height === 0) throw new Error(`${width}x${height} pixels`);
  return { width, height, bits, colorType, interlaced: interlace === 1 };
}

function passSize({ width, height, bits, colorType }: Header, { x, y, dx, dy }: Pass) {
  const columns = Math.ceil((width - x) / dx);
  const rows = Math.ceil((height - y) / dy);
  return { columns, rows, line: Math.ceil((columns * stored[colorType] * bits) / 8) };
}

/** What filters take for a pixel. */
function bytesPerPixel({ bits, colorType }: Header): number {
  return Math.max(1, (stored[colorType] * bits) / 8);
}

/** The bytes that deflate has packed. More than `length` are no matter, and neither is damage behind them. */
async function unpack(packed: readonly Uint8Array[], length: number): Promise<Uint8Array> {
  const raw = new Uint8Array(length);
  const reader = new Blob(packed as Uint8Array<ArrayBuffer>[])
    .stream()
    .pipeThrough(new DecompressionStream("deflate"))
    .getReader();
  let at = 0;
  try {
    while (at < length) {
      const { done, value } = await reader.read();
      if (done) break;
      raw.set(value.subarray(0, length - at), at);
      at += value.length;
    }
  } catch (cause) {
    if (at < length) throw new Error("its samples cannot be unpacked", { cause });
  }
  void reader.cancel().catch(() => {});
  if (at < length) throw new Error("cut short");
  return raw;
}

/** Undoes a row's filter in place. `above`: bytes of the row above, 0 if there is none. */
function unfilter(raw: Uint8Array, at: number, line: number, above: number, pixel: number): void {
  const [start, end] = [at + 1, at + 1 + line];
  const up = above === 0 ? 0 : line + 1;
  const upper = (i: number) => (up === 0 ? 0 : raw[i - up]);
  switch (raw[at]) {
    case 0:
      return;
    case 1:
      for (let i = start + pixel; i < end; i++) raw[i] += raw[i - pixel];
      return;
    case 2:
      if (up > 0) for (let i = start; i < end; i++) raw[i] += raw[i - up];
      return;
    case 3:
      for (let i = start; i < end; i++) {
        const left = i < start + pixel ? 0 : raw[i - pixel];
        raw[i] += (left + upper(i)) >> 1;
      }
      return;
    case 4:
      for (let i = start; i < end; i++) {
        const isFirst = i < start + pixel;
        raw[i] += paeth(isFirst ? 0 : raw[i - pixel], upper(i), isFirst ? 0 : upper(i - pixel));
      }
      return;
    default:
      throw new Error("a filter that there is not");
  }
}

/** Of left, upper and upper left, the one that is closest to left + upper - upper left. */
export function paeth(a: number, b: number, c: number): number {
  const pa = Math.abs(b - c);
  const pb = Math.abs(a - c);
  const pc = Math.abs(a + b - 2 * c);
  if (pa <= pb && pa <= pc) return a;
  return pb <= pc ? b : c;
}

/** The samples as stored: a palette's are indices. */
function emptyImage({ width, height, bits, colorType }: Header): Image<Samples> {
  const channels = stored[colorType] as Image["channels"];
  const length = width * height * channels;
  return { width, height, channels, data: bits === 16 ? new Uint16Array(length) : new Uint8Array(length) };
}

/** Puts a row's samples where they belong: every `step`-th pixel from `to` on. */
function scatter(
  row: Uint8Array,
  columns: number,
  { bits }: Header,
  { channels, data }: Image<Samples>,
  to: number,
  step: number,
): void {
  if (bits === 8 && step === 1) {
    data.set(row, to);
    return;
  }
  const mask = 2 ** bits - 1;
  for (let x = 0, i = 0; x < columns; x++) {
    for (let c = 0; c < channels; c++, i++) {
      let value: number;
      if (bits === 16) value = (row[2 * i] << 8) | row[2 * i + 1];
      else if (bits === 8) value = row[i];
      else value = (row[(i * bits) >> 3] >> (8 - bits - ((i * bits) & 7))) & mask;
      data[to + x * step * channels + c] = value;
    }
  }
}

/** Indices become colours, few bits become eight, and the one transparent colour becomes alpha. */
function withColors(
  image: Image<Samples>,
  { bits, colorType }: Header,
  colors: Uint8Array,
  transparent: Uint8Array | undefined,
): Image<Samples> {
  if (colorType === PALETTE) return fromPalette(image, colors, transparent);
  const key = keyOf(transparent, image.channels);
  const keyed = key ? withAlpha(image, key, bits === 16 ? 65535 : 255) : image;
  if (bits >= 8) return keyed;
  const factor = 255 / (2 ** bits - 1);
  const { channels, data } = keyed;
  for (let i = 0; i < data.length; i += channels) data[i] *= factor;
  return keyed;
}

/** The transparent colour that a file names. */
function keyOf(bytes: Uint8Array | undefined, channels: number): number[] | undefined {
  if (!bytes || channels % 2 === 0 || bytes.length < 2 * channels) return undefined;
  return Array.from({ length: channels }, (_, c) => (bytes[2 * c] << 8) | bytes[2 * c + 1]);
}

function withAlpha(image: Image<Samples>, key: readonly number[], opaque: number): Image<Samples> {
  const { width, height, channels } = image;
  const length = width * height * (channels + 1);
  const data = image.data instanceof Uint8Array ? new Uint8Array(length) : new Uint16Array(length);
  for (let from = 0, to = 0; to < length; from += channels, to += channels + 1) {
    let same = true;
    for (let c = 0; c < channels; c++) {
      const value = image.data[from + c];
      data[to + c] = value;
      same &&= value === key[c];
    }
    data[to + channels] = same ? 0 : opaque;
  }
  return { width, height, channels: (channels + 1) as Image["channels"], data };
}

function fromPalette(
  { width, height, data: indices }: Image<Samples>,
  colors: Uint8Array,
  alphas: Uint8Array | undefined,
): Image {
  const channels = alphas ? 4 : 3;
  const data = new Uint8Array(width * height * channels);
  for (let i = 0, to = 0; i < indices.length; i++, to += channels) {
    const index = indices[i];
    for (let c = 0; c < 3; c++) data[to + c] = colors[3 * index + c] ?? 0;
    if (alphas) data[to + 3] = alphas[index] ?? 255;
  }
  return { width, height, channels, data };
}

/** The profile; undefined where it is damaged, which harms no samples, or is not for such samples, as libpng has it. */
function profileIn(chunk: Uint8Array | undefined, isGrey: boolean): Uint8Array | undefined {
  if (!chunk) return undefined;
  const end = chunk.indexOf(0);
  if (end < 0) return undefined;
  try {
    const icc = inflate(chunk.subarray(end + 2), MAX_PROFILE);
    return (spaceOf(icc) === "GRAY") === isGrey ? icc : undefined;
  } catch {
    return undefined;
  }
}
