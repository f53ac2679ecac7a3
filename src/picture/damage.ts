/**
 * Signs of what has happened to a picture before it was handed over: JPEG, noise, blur. All are estimates
 * from the samples, the same every time. They look at a limited number of blocks and lines, spread over the
 * picture, so that large pictures take little longer than small ones. docs/damage.md has what they find in
 * clean and damaged pictures.
 */
import { checkArguments, optional } from "../options/arguments.ts";
import { whole } from "../options/kinds.ts";
import { isTransparent, withoutAlpha } from "./alpha.ts";
import { checkImage, hasBytes, type Image, type Samples } from "./image.ts";
import { jpegQualityOfPixels } from "./jpeg-quality.ts";

/** What a picture shows of its past. */
export interface Damage {
  /** Quality of the JPEG file that it is or was, 1 to 100; undefined if there is no trace of one. */
  readonly jpegQuality?: number;
  /** Standard deviation of noise, in levels of 0..255. 0 if what varies is the subject's texture. */
  readonly noise: number;
  /**
   * Share of an edge's height that the steepest edges rise from one pixel to the next, 0 to 1; undefined
   * without edges that are high enough. In sharp pictures it is about a half or more; a Gaussian blur of 1.2
   * pixels leaves a third.
   */
  readonly steepness?: number;
}

/**
 * Estimates what has damaged a picture of 8 or 16 bits.
 *
 *     const { jpegQuality, noise, steepness } = damageOf(image);
 *
 * @param jpegQuality that of the picture's file, from `jpegQualityOfFile`; if it is no JPEG file, the pixels
 *   tell
 *   whether it was one.
 * @throws DataError if it is no picture
 */
export function damageOf(image: Image<Samples>, jpegQuality?: number): Damage {
  checkImage(image, "damageOf");
  checkArguments("damageOf", { jpegQuality: [jpegQuality, optional(whole(1, 100))] });
  // The colours that transparency hides may be anything.
  const seen = isTransparent(image) ? withoutAlpha(image, "white") : image;
  const quality = jpegQuality ?? jpegQualityOfPixels(seen);
  const steepness = steepnessOf(seen);
  return {
    ...(quality !== undefined && { jpegQuality: quality }),
    noise: noiseOf(seen),
    ...(steepness !== undefined && { steepness }),
  };
}

/** What is looked at: green, which has most of a picture's luma, or grey. */
function channelOf(image: Image<Samples>): { first: number; unit: number } {
  return { first: image.channels >= 3 ? 1 : 0, unit: hasBytes(image) ? 1 : 1 / 257 };
}

// ---- Noise

/** Side of the blocks in which noise is measured, and how many are. */
const BLOCK_SIDE = 16;
const MAX_BLOCKS = 2048;
const MIN_BLOCKS = 8;
/** Noise is white where this is 1. Textures have less. */
const MIN_WHITE = 0.78;
/** From the mean of |x| to the standard deviation of x, if that is Gaussian. */
const deviationOfMean = Math.sqrt(Math.PI / 2);

interface NoiseBlock {
  /** Standard deviation if all that varies is noise, by the second differences of rows and columns. */
  readonly sigma: number;
  /** The same by differences between neighbours is this many times smaller: 1 for white noise. */
  readonly white: number;
}

/**
 * Noise is everywhere, so it is measured where the picture has least of its own: in the fifth of all blocks
 * that vary least. There the mask of Immerkaer ("Fast noise variance estimation", 1996) is deaf to edges and
 * slopes. What it still hears of textures is not white, and a picture that has no white block among these has
 * no noise to speak of.
 */
function noiseOf(image: Image<Samples>): number {
  const blocks = noiseBlocks(image).sort((a, b) => a.sigma - b.sigma);
  if (blocks.length < MIN_BLOCKS) return 0;
  const quiet = blocks.slice(0, Math.ceil(blocks.length / 5));
  const whitest = quiet.map(({ white }) => white).sort((a, b) => b - a)[Math.floor(quiet.length / 10)];
  return whitest < MIN_WHITE ? 0 : quiet[quiet.length >> 1].sigma;
}

/** Blocks of the picture without those that are clipped, where noise has lost a half. */
function noiseBlocks(image: Image<Samples>): NoiseBlock[] {
  const { width, height, channels, data } = image;
  const { first, unit } = channelOf(image);
  const line = width * channels;
  const across = Math.floor(width / BLOCK_SIDE);
  const down = Math.floor(height / BLOCK_SIDE);
  const every = Math.max(1, Math.ceil((across * down) / MAX_BLOCKS));
  const count = (BLOCK_SIDE - 2) ** 2;
  const blocks: NoiseBlock[] = [];
  for (let i = 0; i < across * down; i += every) {
    const corner = first + Math.floor(i / across) * BLOCK_SIDE * line + (i % across) * BLOCK_SIDE * channels;
    let [second, steps, low, high] = [0, 0, 65535, 0];
    for (let y = 1; y < BLOCK_SIDE - 1; y++) {
      for (let x = 1; x < BLOCK_SIDE - 1; x++) {
        const at = corner + y * line + x * channels;
        const [up, below] = [at - line, at + line];
        const [here, left, above] = [data[at], data[at - channels], data[up]];
        if (here < low) low = here;
        if (here > high) high = here;
        const beside = left + data[at + channels] + above + data[below];
        const corners =
          data[up - channels] + data[up + channels] + data[below - channels] + data[below + channels];
        second += Math.abs(4 * here - 2 * beside + corners);
        steps += Math.abs(here - left) + Math.abs(here - above);
      }
    }
    if (low * unit < 2 || high * unit > 253) continue;
    const sigma = (deviationOfMean * unit * second) / (6 * count); // 6² is the sum of the mask's squares
    const byNeighbours = (deviationOfMean * unit * steps) / (Math.SQRT2 * 2 * count);
    blocks.push({ sigma, white: byNeighbours === 0 ? 0 : sigma / byNeighbours });
  }
  return blocks;
}

// ---- Blur

/** How many rows and columns are looked at. */
const MAX_LINES = 192;
/** How far an edge may reach, on either side. */
const REACH = 4;
/** An edge's height in levels. Noise and shallow shades are none. */
const MIN_HEIGHT = 64;
const MIN_EDGES = 20;
/** Share of the edges that count as the steepest. */
const STEEPEST = 0.1;

/**
 * How steep the steepest edges are. Out of focus, all that is out of focus has shallow edges; but in a
 * picture that was blurred as a whole, or enlarged, all have.
 */
function steepnessOf(image: Image<Samples>): number | undefined {
  const { width, height, channels } = image;
  /** Edges by their steepness, in hundredths. */
  const histogram = new Uint32Array(101);
  const [column, row] = [channels, width * channels];
  countEdges(image, { step: column, length: width, line: row, lines: height }, histogram);
  countEdges(image, { step: row, length: height, line: column, lines: width }, histogram);
  const count = histogram.reduce((sum, edges) => sum + edges, 0);
  if (count < MIN_EDGES) return undefined;
  let share = 100;
  for (let rest = STEEPEST * count - histogram[share]; rest > 0; rest -= histogram[share]) share--;
  return share / 100;
}

/**
 * Counts the edges along rows, or along columns: where the samples differ more than just before and after.
 */
function countEdges(
  image: Image<Samples>,
  { step, length, line, lines }: { step: number; length: number; line: number; lines: number },
  histogram: Uint32Array,
): void {
  const { data } = image;
  const { first, unit } = channelOf(image);
  const [height, minRise] = [MIN_HEIGHT / unit, MIN_HEIGHT / unit / 5];
  const every = Math.max(1, Math.ceil(lines / MAX_LINES));
  for (let i = 0; i < lines; i += every) {
    let at = first + i * line + REACH * step;
    for (let place = REACH; place < length - REACH - 1; place++, at += step) {
      const [before, here, next, after] = [data[at - step], data[at], data[at + step], data[at + 2 * step]];
      const rise = Math.abs(next - here);
      if (rise < minRise || rise < Math.abs(here - before) || rise < Math.abs(after - next)) continue;
      let [low, high] = [65535, 0];
      for (let k = -REACH; k <= REACH + 1; k++) {
        const value = data[at + k * step];
        if (value < low) low = value;
        if (value > high) high = value;
      }
      if (high - low >= height) histogram[Math.round((100 * rise) / (high - low))]++;
    }
  }
}
