/**
 * How strongly JPEG has rounded a picture, as the quality, 1 to 100, that encoders ask for: from the tables
 * in a file, or from the pixels of a picture that was a JPEG file once.
 *
 * JPEG cuts luma into blocks of 8x8, and rounds each block's 64 frequencies (its DCT) to multiples of the
 * steps in a table. The standard has an example of one, and "quality" scales it as the Independent JPEG
 * Group's encoder does. Other tables get the quality whose table is the nearest.
 */
import { bytes as aFile, checkArguments } from "../options/arguments.ts";
import { hasBytes, type Image, type Samples } from "./image.ts";
import { segmentsOf } from "./jpeg-segments.ts";

/** ITU-T T.81, table K.1: the steps for luma, row by row. */
const standardSteps = [
  ...[16, 11, 10, 16, 24, 40, 51, 61],
  ...[12, 12, 14, 19, 26, 58, 60, 55],
  ...[14, 13, 16, 24, 40, 57, 69, 56],
  ...[14, 17, 22, 29, 51, 87, 80, 62],
  ...[18, 22, 37, 56, 68, 109, 103, 77],
  ...[24, 35, 55, 64, 81, 104, 113, 92],
  ...[49, 64, 78, 87, 103, 121, 120, 101],
  ...[72, 92, 95, 98, 112, 100, 103, 99],
];

/** Where the values of a file's table belong: from low frequencies to high ones, in a zigzag. */
const zigzag = Array.from({ length: 64 }, (_, place) => place).sort((a, b) => {
  const [rowA, rowB] = [a >> 3, b >> 3];
  const [diagonalA, diagonalB] = [rowA + (a & 7), rowB + (b & 7)];
  if (diagonalA !== diagonalB) return diagonalA - diagonalB;
  return diagonalA % 2 === 1 ? rowA - rowB : rowB - rowA;
});

/** The step of a frequency at a quality. */
function stepAt(quality: number, place: number): number {
  const percent = quality < 50 ? Math.floor(5000 / quality) : 200 - 2 * quality;
  return Math.min(255, Math.max(1, Math.floor((standardSteps[place] * percent + 50) / 100)));
}

/** A frequency, its place in the table, and its step. */
type Step = readonly [place: number, step: number];

/**
 * The quality whose steps are the nearest ones, and how far they are off: the median of the logarithm's
 * error.
 */
function nearestQuality(steps: readonly Step[]): { quality: number; error: number } {
  let best = { quality: 100, sum: Number.POSITIVE_INFINITY };
  const errorsAt = (quality: number) =>
    steps.map(([place, step]) => Math.abs(Math.log(step / stepAt(quality, place))));
  for (let quality = 100; quality >= 1; quality--) {
    const sum = errorsAt(quality).reduce((total, error) => total + error, 0);
    if (sum < best.sum) best = { quality, sum };
  }
  const errors = errorsAt(best.quality).sort((a, b) => a - b);
  return { quality: best.quality, error: errors[errors.length >> 1] };
}

/** The quality of a JPEG file, by its table for luma; undefined for other files, and without such a table. */
export function jpegQualityOfFile(bytes: Uint8Array): number | undefined {
  checkArguments("jpegQualityOfFile", { bytes: [bytes, aFile] });
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  const tables = new Map<number, readonly Step[]>();
  /** The table of the first component, which is luma or grey. */
  let luma = 0;
  for (const { marker, data } of segmentsOf(bytes)) {
    if (marker === 0xdb) for (const [id, steps] of tablesIn(data)) tables.set(id, steps);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame && data.length >= 9) luma = data[8];
  }
  const steps = tables.get(luma);
  return steps && nearestQuality(steps).quality;
}

/** The tables of a segment: a byte with the number and the width of the values, and 64 values. */
function* tablesIn(data: Uint8Array): Generator<[id: number, steps: readonly Step[]]> {
  for (let at = 0; at < data.length; ) {
    const wide = data[at] >> 4 !== 0;
    const id = data[at] & 15;
    const length = wide ? 128 : 64;
    if (at + 1 + length > data.length) return;
    const values = data.subarray(at + 1, at + 1 + length);
    yield [
      id,
      zigzag.map((place, i): Step => {
        const step = wide ? values[2 * i] * 256 + values[2 * i + 1] : values[i];
        return [place, Math.max(1, step)];
      }),
    ];
    at += 1 + length;
  }
}

// ---- From pixels

/** The lowest frequencies but the mean: their steps are large, and they are seldom zero. */
const lowFrequencies = zigzag.slice(1, 10);
/** So many blocks are enough. */
const MAX_BLOCKS = 512;
/** Fewer values than these say nothing about a frequency's step. */
const MIN_VALUES = 24;
/** So many frequencies must have steps, which must be those of some quality, nearly. */
const MIN_FREQUENCIES = 4;
const MAX_ERROR = 0.35;

/** Cosines of the DCT: frequency by frequency, for the 8 samples. */
const cosines = Array.from({ length: 4 }, (_, u) =>
  Array.from(
    { length: 8 },
    (_, x) => Math.cos(((2 * x + 1) * u * Math.PI) / 16) / 2 / (u === 0 ? Math.SQRT2 : 1),
  ),
);

const highestCosine = Array.from({ length: 8 }, (_, x) => Math.cos(((2 * x + 1) * 7 * Math.PI) / 16) / 2);

/**
 * The quality of the JPEG file that a picture was once, if its pixels still show it: the frequencies of its
 * blocks are multiples of steps (Fan and de Queiroz, "Identification of bitmap compression history", 2003).
 * Undefined if they show nothing: it never was one, its quality was above about 95, or it was resized, turned
 * or blurred since.
 */
export function jpegQualityOfPixels(image: Image<Samples>): number | undefined {
  if (!hasBytes(image) || Math.min(image.width, image.height) < 16) return undefined;
  const quality = qualityAt(image, 0, 0);
  if (quality !== undefined) return quality;
  const [left, top] = [gridPhase(image, true), gridPhase(image, false)];
  return left === 0 && top === 0 ? undefined : qualityAt(image, left, top);
}

/** The same for blocks that begin at a pixel, as those of a cropped picture do. */
function qualityAt(image: Image, left: number, top: number): number | undefined {
  const values = lowFrequencies.map(() => new Set<number>());
  const luma = new Float64Array(64);
  const rows = new Float64Array(32);
  for (const [x, y] of blocksOf(image, left, top)) {
    if (!readBlock(image, x, y, luma)) continue;
    for (let row = 0; row < 8; row++) {
      for (let u = 0; u < 4; u++) {
        let sum = 0;
        for (let i = 0; i < 8; i++) sum += cosines[u][i] * luma[8 * row + i];
        rows[8 * u + row] = sum;
      }
    }
    for (const [i, place] of lowFrequencies.entries()) {
      const [u, v] = [place & 7, place >> 3];
      let sum = 0;
      for (let row = 0; row < 8; row++) sum += cosines[v][row] * rows[8 * u + row];
      // A set: what is drawn repeats itself, and that is no evidence.
      if (Math.abs(sum) > 1) values[i].add(Math.round(sum * 64) / 64);
    }
  }
  const steps: Step[] = [];
  for (const [i, place] of lowFrequencies.entries()) {
    const step = stepOf(Float64Array.from(values[i]));
    if (step !== undefined) steps.push([place, step]);
    const rest = lowFrequencies.length - 1 - i;
    if (steps.length + rest / 2 < MIN_FREQUENCIES) return undefined; // not even if half of the rest had steps
  }
  const { quality, error } = nearestQuality(steps);
  return error <= MAX_ERROR ? quality : undefined;
}

/** Places of blocks, spread over the picture. */
function* blocksOf({ width, height }: Image, left: number, top: number): Generator<[x: number, y: number]> {
  const across = Math.floor((width - left) / 8);
  const down = Math.floor((height - top) / 8);
  const count = across * down;
  // A step without a common factor with the width would do as well: this one visits all columns.
  const every = Math.max(1, Math.floor(count / MAX_BLOCKS));
  for (let i = 0; i < count; i += every) {
    const row = Math.floor(i / across);
    yield [left + 8 * (i % across), top + 8 * row];
  }
}

/** Luma of a block, as JPEG has it; false if some of it is clipped, and so no longer what JPEG made. */
function readBlock({ width, channels, data }: Image, x: number, y: number, luma: Float64Array): boolean {
  const colors = channels >= 3;
  for (let row = 0; row < 8; row++) {
    let at = ((y + row) * width + x) * channels;
    for (let column = 0; column < 8; column++, at += channels) {
      const first = data[at];
      const [second, third] = colors ? [data[at + 1], data[at + 2]] : [first, first];
      if (Math.min(first, second, third) === 0 || Math.max(first, second, third) === 255) return false;
      luma[8 * row + column] = 0.299 * first + 0.587 * second + 0.114 * third;
    }
  }
  return true;
}

/** The largest step of which these values are multiples, but for rounding to bytes. */
function stepOf(values: Float64Array): number | undefined {
  const sizes = values.map(Math.abs).sort().reverse();
  for (let step = 90; step >= 2; step--) {
    let [count, sum, multiples] = [0, 0, 0];
    for (const size of sizes) {
      if (size < step / 2) break;
      count++;
      sum += Math.cos((2 * Math.PI * size) / step);
      if (size > 1.5 * step) multiples++;
    }
    // Values that are all the same size are multiples of that; there must be larger ones.
    const clear = step > 3 ? count >= MIN_VALUES && sum > 0.6 * count : count >= 64 && sum > 0.4 * count;
    if (clear && multiples >= 5) return step;
  }
  return undefined;
}

/**
 * Where the grid of blocks begins, 0 to 7 along one axis. JPEG leaves little of the highest frequency in a
 * block, but eight samples across its border have it: it is least where the grid is.
 */
function gridPhase({ width, height, channels, data }: Image, across: boolean): number {
  const [length, lines] = across ? [width, height] : [height, width];
  const [step, line] = across ? [channels, width * channels] : [width * channels, channels];
  const sums = new Float64Array(8);
  const every = Math.max(1, Math.floor(lines / 96));
  const luma = new Float64Array(length);
  for (let i = 0; i < lines; i += every) {
    for (let place = 0, at = i * line; place < length; place++, at += step) {
      luma[place] = channels >= 3 ? 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2] : data[at];
    }
    // As many blocks of every phase.
    for (let place = 0; place < 8 * Math.floor((length - 7) / 8); place++) {
      let highest = 0;
      for (let k = 0; k < 8; k++) highest += highestCosine[k] * luma[place + k];
      sums[place & 7] += Math.min(4, Math.abs(highest));
    }
  }
  return sums.indexOf(Math.min(...sums));
}
