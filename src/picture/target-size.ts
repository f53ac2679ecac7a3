/** A wanted size in pixels instead of a scale: how large pictures become, and their rows resized on the way. */
import { checkArguments, type Wanted } from "../options/arguments.ts";
import { whole } from "../options/kinds.ts";
import type { Image, Samples, Size } from "./image.ts";
import { toLevel } from "./levels.ts";
import { type ResizeTable, resizeWeights } from "./resize-weights.ts";

/**
 * The most pixels that a result may have across, down, or both. It is made as large as fits, and keeps its
 * proportions.
 */
export interface TargetSize {
  readonly width?: number;
  readonly height?: number;
}

export const aTargetSize: Wanted<TargetSize> = {
  wants: "{ width, height } in pixels, one of them or both",
  fits(value): value is TargetSize {
    if (typeof value !== "object" || value === null) return false;
    const sides = Object.entries(value).filter(([, side]) => side !== undefined);
    const fits = (name: string, side: unknown) => ["width", "height"].includes(name) && whole(1).fits(side);
    return sides.length > 0 && sides.every(([name, side]) => fits(name, side));
  },
};

const aSize: Wanted<Size> = {
  wants: "{ width, height } in pixels",
  fits(value): value is Size {
    const { width, height } = (value ?? {}) as Partial<Size>;
    return whole(1).fits(width) && whole(1).fits(height);
  },
};

/** The size of a picture that is made as large as fits. @throws RangeError for sizes that mean nothing */
export function sizeWithin(picture: Size, target: TargetSize): Size {
  checkArguments("sizeWithin", { picture: [picture, aSize], target: [target, aTargetSize] });
  return fittingSize(picture, target);
}

function fittingSize({ width, height }: Size, target: TargetSize): Size {
  const ratio = Math.min((target.width ?? Infinity) / width, (target.height ?? Infinity) / height);
  const side = (length: number) => Math.max(1, Math.round(length * ratio));
  return { width: side(width), height: side(height) };
}

const someScales: Wanted<readonly number[]> = {
  wants: "a list of scales, at least one, such as [2, 3, 4]",
  fits: (value): value is readonly number[] =>
    Array.isArray(value) && value.length > 0 && value.every((one) => whole(1, 64).fits(one)),
};

/**
 * The smallest of the scales by which a picture becomes at least so large; undefined if none does.
 *
 * @throws RangeError for sizes and scales that mean nothing
 */
export function scaleFor(picture: Size, target: TargetSize, scales: readonly number[]): number | undefined {
  checkArguments("scaleFor", {
    picture: [picture, aSize],
    target: [target, aTargetSize],
    scales: [scales, someScales],
  });
  const size = fittingSize(picture, target);
  const suffices = (scale: number) =>
    scale * picture.width >= size.width && scale * picture.height >= size.height;
  return [...scales].sort((a, b) => a - b).find(suffices);
}

/**
 * Makes a picture smaller, row by row: bicubic interpolation as imresize does it, antialiased, with real numbers
 * in between that are rounded once. Colours count as much as they are opaque; those of pixels that nobody will
 * see are kept all the same.
 */
export class RowResizer {
  readonly #width: number;
  readonly #channels: Image["channels"];
  readonly #across: ResizeTable;
  readonly #down: ResizeTable;
  /** For each row of the result, the last of the picture that it needs; and the first that it and later ones do. */
  readonly #last: readonly number[];
  readonly #first: readonly number[];
  /** Rows of the picture that are narrow already, by their number. */
  readonly #rows = new Map<number, Float64Array>();
  #read = 0;
  #written = 0;

  constructor(from: Size & Pick<Image, "channels">, to: Size) {
    this.#width = to.width;
    this.#channels = from.channels;
    this.#across = resizeWeights(from.width, to.width, to.width / from.width);
    this.#down = resizeWeights(from.height, to.height, to.height / from.height);
    const { taps, indices } = this.#down;
    const rows = Array.from({ length: to.height }, (_, y) => indices.subarray(y * taps, (y + 1) * taps));
    this.#last = rows.map((needed) => Math.max(...needed));
    const first = rows.map((needed) => Math.min(...needed));
    for (let y = to.height - 2; y >= 0; y--) first[y] = Math.min(first[y], first[y + 1]);
    this.#first = first;
  }

  /** Takes the next rows of the picture, with 16 bits, and returns those of the result that are finished. */
  push<S extends Samples>({ width, height, data }: Image<Uint16Array>, depth: 8 | 16): S {
    const rowLength = width * this.#channels;
    for (let y = 0; y < height; y++) {
      this.#rows.set(this.#read++, this.#narrowed(data.subarray(y * rowLength, (y + 1) * rowLength)));
    }
    let end = this.#written;
    while (end < this.#last.length && this.#last[end] < this.#read) end++;
    const length = (end - this.#written) * this.#width * this.#channels;
    const result = (depth === 8 ? new Uint8Array(length) : new Uint16Array(length)) as S;
    for (let at = 0; this.#written < end; this.#written++, at += this.#width * this.#channels) {
      this.#finish(this.#written, result, at);
    }
    for (const row of this.#rows.keys()) if (row < (this.#first[end] ?? Infinity)) this.#rows.delete(row);
    return result;
  }

  /** Numbers of a pixel while it is being resized: colours, and with alpha these times alpha, and alpha. */
  get #lanes(): number {
    return this.#channels % 2 === 1 ? this.#channels : 2 * this.#channels - 1;
  }

  /** A row of the picture as wide as the result. */
  #narrowed(row: Uint16Array): Float64Array {
    const [lanes, channels] = [this.#lanes, this.#channels];
    const { taps, indices, weights } = this.#across;
    const result = new Float64Array(this.#width * lanes);
    for (let x = 0, to = 0; x < this.#width; x++, to += lanes) {
      for (let t = x * taps; t < (x + 1) * taps; t++) {
        const from = indices[t] * channels;
        const weight = weights[t];
        if (lanes === channels) {
          for (let c = 0; c < channels; c++) result[to + c] += weight * row[from + c];
          continue;
        }
        const colors = channels - 1;
        const alpha = row[from + colors];
        for (let c = 0; c < colors; c++) {
          result[to + c] += weight * row[from + c];
          result[to + colors + c] += weight * alpha * row[from + c];
        }
        result[to + 2 * colors] += weight * alpha;
      }
    }
    return result;
  }

  /** Writes a row of the result. */
  #finish(y: number, result: Samples, at: number): void {
    const [lanes, channels] = [this.#lanes, this.#channels];
    const { taps, indices, weights } = this.#down;
    const sums = new Float64Array(this.#width * lanes);
    for (let t = y * taps; t < (y + 1) * taps; t++) {
      const row = this.#rows.get(indices[t])!;
      const weight = weights[t];
      for (let i = 0; i < sums.length; i++) sums[i] += weight * row[i];
    }
    const max = result.BYTES_PER_ELEMENT === 1 ? 255 : 65535;
    const level = (value: number) => toLevel((value / 65535) * max, max);
    if (lanes === channels) {
      for (let i = 0; i < sums.length; i++) result[at + i] = level(sums[i]);
      return;
    }
    const colors = channels - 1;
    for (let from = 0, to = at; from < sums.length; from += lanes, to += channels) {
      const alpha = sums[from + 2 * colors];
      const isVisible = level(alpha) > 0;
      for (let c = 0; c < colors; c++) {
        result[to + c] = level(isVisible ? sums[from + colors + c] / alpha : sums[from + c]);
      }
      result[to + colors] = level(alpha);
    }
  }
}
