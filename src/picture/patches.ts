import { ArgumentError, checkArguments, instanceOf, isObject, type Wanted } from "../options/arguments.ts";
import { whole } from "../options/kinds.ts";
import { DataError } from "./errors.ts";
import { checkByteImage, checkInside, type Image } from "./image.ts";
import { unitFromByte } from "./levels.ts";
import { checkPlanes } from "./planes.ts";

/**
 * One of the 8 symmetries of the square: flips first, then rows and columns change places. A quarter turn
 * clockwise is { vflip: true, transpose: true }.
 */
export interface Symmetry {
  /** Left and right change places. */
  hflip: boolean;
  /** Top and bottom change places. */
  vflip: boolean;
  /** Rows become columns. */
  transpose: boolean;
}

const aSymmetry: Wanted<Symmetry> = {
  wants: "a symmetry, { hflip, vflip, transpose }",
  fits: (value): value is Symmetry =>
    isObject(value) && [value.hflip, value.vflip, value.transpose].every((flag) => typeof flag === "boolean"),
};

const aGenerator: Wanted<{ int(n: number): number }> = {
  wants: "a Random, such as new Random(1)",
  fits: (value): value is { int(n: number): number } => isObject(value) && typeof value.int === "function",
};

const aSize: Wanted<{ width: number; height: number }> = {
  wants: "a picture or its size, { width, height }",
  fits: (value): value is { width: number; height: number } =>
    isObject(value) && whole(1).fits(value.width) && whole(1).fits(value.height),
};

/** All 8; number 0 changes nothing. */
export const symmetries: readonly Symmetry[] = Array.from({ length: 8 }, (_, k) => ({
  hflip: (k & 1) !== 0,
  vflip: (k & 2) !== 0,
  transpose: (k & 4) !== 0,
}));

/** The symmetry that undoes another one. All but the quarter turns are their own inverse. */
export function inverseSymmetry(symmetry: Symmetry): Symmetry {
  checkArguments("inverseSymmetry", { "the first argument": [symmetry, aSymmetry] });
  const { hflip, vflip, transpose } = symmetry;
  return transpose ? { hflip: vflip, vflip: hflip, transpose } : { hflip, vflip, transpose };
}

/**
 * Planes [c, h, w], flipped and turned; with `transpose` the result is [c, w, h]. Any value range. The mean
 * of a network's results over all 8 symmetries is the "self-ensemble" of EDSR (Lim et al. 2017).
 */
export function augment(
  planar: Float32Array,
  w: number,
  h: number,
  c: number,
  symmetry: Symmetry,
): Float32Array {
  checkPlanes(planar, [c, h, w], "augment");
  checkArguments("augment", { symmetry: [symmetry, aSymmetry] });
  const out = new Float32Array(planar.length);
  const { start, rowStep, columnStep } = walk(w, h, symmetry);
  const [rows, columns] = symmetry.transpose ? [w, h] : [h, w];
  let to = 0;
  for (let plane = 0; plane < c; plane++) {
    for (let row = 0; row < rows; row++) {
      let from = plane * h * w + start + row * rowStep;
      for (let column = 0; column < columns; column++, from += columnStep) out[to++] = planar[from];
    }
  }
  return out;
}

/**
 * Copies a square of a picture, flipped and turned, to its place in a batch without allocating anything. The
 * size x size square has its top left pixel at column `x` of row `y`; it goes into `out` from `offset` on, as
 * planes [channels, size, size] with values in 0..1. Throws a RangeError if it sticks out of the picture or
 * of `out`.
 */
export function copyPatch(
  out: Float32Array,
  offset: number,
  image: Image,
  x: number,
  y: number,
  size: number,
  symmetry: Symmetry,
): void {
  checkByteImage(image, "copyPatch");
  checkInside(image, [x, y, size, size], "copyPatch");
  checkArguments("copyPatch", {
    out: [out, instanceOf(Float32Array, "a Float32Array")],
    offset: [offset, whole(0)],
    symmetry: [symmetry, aSymmetry],
  });
  const { width, channels, data } = image;
  if (offset < 0 || offset + channels * size * size > out.length) {
    throw new ArgumentError(
      "copyPatch",
      `${channels} planes of ${size}x${size} from ${offset} on do not fit ` + `into ${out.length} values.`,
    );
  }
  const { start, rowStep, columnStep } = walk(size, size, symmetry, width);
  const first = (y * width + x + start) * channels;
  const step = columnStep * channels;
  let to = offset;
  for (let c = 0; c < channels; c++) {
    for (let row = 0; row < size; row++) {
      let from = first + row * rowStep * channels + c;
      for (let column = 0; column < size; column++, from += step) out[to++] = unitFromByte[data[from]];
    }
  }
}

/**
 * Where a patch of the LR picture lies and how it is turned. Its HR partner lies at `scale` times that place.
 */
export interface PatchPlace {
  x: number;
  y: number;
  symmetry: Symmetry;
}

/** Draws the place of a size x size square in a picture, and one of the 8 symmetries. */
export function randomPlace(
  rng: { int(n: number): number },
  picture: { width: number; height: number },
  size: number,
): PatchPlace {
  checkArguments("randomPlace", { rng: [rng, aGenerator], picture: [picture, aSize] });
  const { width, height } = picture;
  checkArguments("randomPlace", { size: [size, whole(1)] });
  if (size > width || size > height) {
    throw new DataError(
      `a patch of ${size}x${size} does not fit into the LR picture of ${width}x${height}; ` +
        "make the patch smaller or leave the picture out.",
    );
  }
  const x = rng.int(width - size + 1);
  const y = rng.int(height - size + 1);
  return { x, y, symmetry: symmetries[rng.int(8)] };
}

/** Throws a DataError unless HR is exactly `scale` times as wide and high as LR, with the same channels. */
export function checkPairSizes(low: Omit<Image, "data">, high: Omit<Image, "data">, scale: number): void {
  const fits = high.width === low.width * scale && high.height === low.height * scale;
  if (fits && high.channels === low.channels) return;
  throw new DataError(
    `HR (${high.width}x${high.height}, ${high.channels} channels) is not ${scale} times ` +
      `LR (${low.width}x${low.height}, ${low.channels} channels).`,
  );
}

/**
 * A symmetry as a walk through a w x h picture: output pixel (row, column) is input pixel
 * start + row * rowStep + column * columnStep. `pitch` is the distance from one input row to the next.
 */
function walk(w: number, h: number, { hflip, vflip, transpose }: Symmetry, pitch: number = w) {
  const start = (hflip ? w - 1 : 0) + (vflip ? (h - 1) * pitch : 0);
  const right = hflip ? -1 : 1;
  const down = vflip ? -pitch : pitch;
  return transpose
    ? { start, rowStep: right, columnStep: down }
    : { start, rowStep: down, columnStep: right };
}
