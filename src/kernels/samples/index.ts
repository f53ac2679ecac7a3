/**
 * A picture's samples, as files have them, from and to planes of numbers on a device. They travel packed, four
 * or two to a word: a quarter or half of the bytes that floats would take. The results are exactly those of
 * toPlanar and fromPlanar (picture/planes.ts) on every device.
 */
import type { Device } from "../../device/device.ts";
import { MAX_GRID } from "../../device/kernel.ts";
import { toLevel } from "../../picture/levels.ts";
import { defineOp } from "../../tensor/op.ts";
import { formatShape, ShapeError } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { packKernel, unpackKernel } from "./samples.wgsl.ts";

/** Samples of 8 bits or of 16. */
export type SampleArray = Uint8Array | Uint16Array;

export interface SampleFormat {
  /** Bits of a sample. Default 8. */
  readonly depth?: 8 | 16;
  /** Values are 0..1, as networks take them; otherwise whole levels, such as 0..255. Default true. */
  readonly unit?: boolean;
}

/** A rectangle of pixels; right and bottom edge are not included. */
export interface Region {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

/** Samples in a word. */
function perWord(depth: 8 | 16): number {
  return 32 / depth;
}

interface Unpacking {
  readonly shape: readonly [1, channels: number, height: number, width: number];
  readonly depth: 8 | 16;
  readonly unit: boolean;
}

const unpackOp = defineOp<{ samples: Tensor }, Unpacking>({
  name: "unpackSamples",
  shape: (_, { shape }) => shape,
  cpu({ samples }, { shape, depth, unit }, y) {
    const [, channels, height, width] = shape;
    const area = height * width;
    const { buffer, byteOffset } = samples.data;
    const from = samplesIn(buffer, byteOffset, depth, area * channels);
    const white = unit ? 2 ** depth - 1 : 1;
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < area; i++) y.data[c * area + i] = from[i * channels + c] / white;
    }
  },
  gpu(device, { samples }, { shape, depth, unit }, y) {
    const [, channels, height, width] = shape;
    const pixels = height * width;
    const threads = Math.ceil(pixels / perWord(depth) / (device.profile.outputsPerThread / 16));
    device.run(unpackKernel, {
      constants: { ...constantsOf(channels, depth, unit), REPEATED: depth === 8 ? 0x01010101 : 0x00010001 },
      buffers: { samples: samples.gpuStorage, y: y.gpuStorage },
      params: { pixels },
      grid: [Math.min(Math.ceil(threads / 64), MAX_GRID)],
    });
  },
});

interface Packing {
  readonly depth: 8 | 16;
  readonly unit: boolean;
  readonly region: Region;
}

const packOp = defineOp<{ x: Tensor }, Packing>({
  name: "packSamples",
  shape({ x }, { depth, region: { top, left, bottom, right } }) {
    return [1 + ((bottom - top) * packedWidth(right - left, depth) * x.shape[1]) / perWord(depth)];
  },
  cpu({ x }, { depth, unit, region }, y) {
    const [, channels, rows, columns] = x.shape;
    const { top, left, bottom, right } = region;
    const [width, height] = [packedWidth(right - left, depth), bottom - top];
    const { buffer, byteOffset } = y.data;
    const to = samplesIn(buffer, byteOffset + 4, depth, height * width * channels);
    const white = 2 ** depth - 1;
    let broken = 0;
    for (let c = 0; c < channels; c++) {
      for (let row = 0; row < height; row++) {
        const from = (c * rows + top + row) * columns;
        for (let column = 0; column < width; column++) {
          const value = x.data[from + Math.min(left + column, right - 1)];
          if (!Number.isFinite(value)) broken = 1;
          to[(row * width + column) * channels + c] = toLevel(unit ? value * white : value, white);
        }
      }
    }
    samplesIn(buffer, byteOffset, 8, 1)[0] = broken;
  },
  gpu(device, { x }, { depth, unit, region }, y) {
    const [, channels, rows, columns] = x.shape;
    const { top, left, bottom, right } = region;
    const [width, height] = [right - left, bottom - top];
    device.writeBytes(y.gpuStorage, new Uint8Array(4)); // nothing is broken yet
    const rowsPerThread = device.profile.outputsPerThread / 16;
    device.run(packKernel, {
      constants: constantsOf(channels, depth, unit),
      buffers: { x: x.gpuStorage, y: y.gpuStorage },
      params: { plane: rows * columns, row: columns, first: top * columns + left, width, height },
      grid: [Math.ceil(width / perWord(depth) / 64), Math.min(Math.ceil(height / rowsPerThread), MAX_GRID)],
    });
  },
});

function constantsOf(channels: number, depth: 8 | 16, unit: boolean): Record<string, number> {
  const pixels = perWord(depth);
  return {
    CHANNELS: channels,
    PIXELS: pixels,
    SAMPLES: channels * pixels,
    BITS: depth,
    WHITE: 2 ** depth - 1,
    UNIT: Number(unit),
  };
}

/** How many pixels a packed row has: `width`, and up to three more that fill its last words. */
export function packedWidth(width: number, depth: 8 | 16): number {
  return Math.ceil(width / perWord(depth)) * perWord(depth);
}

/** Samples in a piece of memory, from a byte on. */
function samplesIn(buffer: ArrayBufferLike, offset: number, depth: 8 | 16, count: number): SampleArray {
  return depth === 8 ? new Uint8Array(buffer, offset, count) : new Uint16Array(buffer, offset, count);
}

/**
 * A picture's samples, row by row, the channels of a pixel side by side, to a tensor [1, channels, height,
 * width] with values in 0..1, or with the levels themselves if `unit` is false. The array's type says how many
 * bits they have. Throws a ShapeError if their number is not height * width * channels.
 */
export function unpackSamples(
  samples: SampleArray,
  [channels, height, width]: readonly [number, number, number],
  device: Device,
  { unit = true }: Pick<SampleFormat, "unit"> = {},
): Tensor {
  const shape = [1, channels, height, width] as const;
  if (samples.length !== channels * height * width) {
    throw new ShapeError(`unpackSamples: ${samples.length} samples do not fill shape ${formatShape(shape)}.`);
  }
  const depth = samples.BYTES_PER_ELEMENT === 1 ? 8 : 16;
  // Whole pixels in whole words, for the kernel: some bytes of the last ones may have no meaning.
  const words = Math.ceil((height * width) / perWord(depth)) * channels;
  const packed = Tensor.empty([words], device, "unpackSamples");
  try {
    device.writeBytes(packed.storage, wholeWords(samples));
    return unpackOp({ samples: packed }, { shape, depth, unit });
  } finally {
    packed.dispose();
  }
}

/** The bytes of samples, and up to three more behind them. */
function wholeWords({ buffer, byteOffset, byteLength }: SampleArray): Uint8Array {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  if (byteLength % 4 === 0) return bytes;
  const padded = new Uint8Array(Math.ceil(byteLength / 4) * 4);
  padded.set(bytes);
  return padded;
}

/**
 * The other way: a region of x [1, channels, h, w] (by default all of it) as samples on its device, for
 * `readSamples`. Values are clamped to 0..1, multiplied by 255 (by 65535 if depth is 16) and rounded, halves
 * upwards; with `unit: false` they are levels already.
 *
 * The result is a tensor in name only: its memory holds a word that says whether there was NaN or infinity, and then
 * the samples, in rows of `packedWidth` pixels.
 */
export function packSamples(
  x: Tensor,
  { depth = 8, unit = true, region }: SampleFormat & { readonly region?: Region } = {},
): Tensor {
  if (x.shape.length !== 4 || x.shape[0] !== 1) {
    throw new ShapeError(`packSamples: x must be [1, channels, h, w], got ${formatShape(x.shape)}.`);
  }
  const [, , bottom, right] = x.shape;
  return packOp({ x }, { depth, unit, region: region ?? { top: 0, left: 0, bottom, right } });
}

/** Packed samples. `finite`: no value was NaN or infinite, whose sample means nothing. */
export interface PackedSamples {
  readonly data: SampleArray;
  readonly finite: boolean;
}

/** Reads packed samples and frees them. */
export function readSamples(packed: Tensor, depth: 8 | 16): Promise<PackedSamples> {
  return useSamples(packed, depth, ({ data, finite }) => ({ data: data.slice(), finite }));
}

/**
 * Reads packed samples without a copy, and frees them: the result of `use`, which gets samples in memory that is lent.
 * `turn` is awaited before (see `Device.readBytes`).
 */
export function useSamples<T>(
  packed: Tensor,
  depth: 8 | 16,
  use: (samples: PackedSamples) => T,
  turn?: () => Promise<void>,
): Promise<T> {
  try {
    const samplesOf = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
      samplesIn(buffer, byteOffset + 4, depth, (byteLength - 4) / (depth / 8));
    return packed.device.readBytes(
      packed.storage,
      (bytes) => use({ data: samplesOf(bytes), finite: bytes[0] === 0 }),
      turn,
    );
  } finally {
    packed.dispose(); // its memory may be used again by the commands after this one
  }
}
