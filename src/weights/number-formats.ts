/** How weight files write numbers. */
import { halfBits, halfValue } from "../device/half.ts";
import { ArgumentError } from "../options/arguments.ts";

/** A way to write numbers as bytes, the lowest first unless a file says otherwise. */
export interface NumberFormat {
  /** Bytes of each number. */
  readonly bytes: number;
  read(view: DataView, at: number, littleEndian: boolean): number;
}

/** One that is also written. */
export interface WrittenFormat extends NumberFormat {
  write(view: DataView, at: number, value: number): void;
}

export const float32: WrittenFormat = {
  bytes: 4,
  read: (view, at, little) => view.getFloat32(at, little),
  write: (view, at, value) => view.setFloat32(at, value, true),
};

export const float16: WrittenFormat = {
  bytes: 2,
  read: (view, at, little) => halfValue(view.getUint16(at, little)),
  write: (view, at, value) => view.setUint16(at, halfBits(value), true),
};

/** The upper half of a float32. */
export const bfloat16: NumberFormat = {
  bytes: 2,
  read: (view, at, little) => {
    bits[0] = view.getUint16(at, little) << 16;
    return ofBits[0];
  },
};
const bits = new Uint32Array(1);
const ofBits = new Float32Array(bits.buffer);

export const float64: NumberFormat = {
  bytes: 8,
  read: (view, at, little) => view.getFloat64(at, little),
};

/**
 * A number that a file holds and that has become infinite as a float32. Of the formats here, float64 alone has such.
 *
 * @param read the file's i-th number
 */
export function lostToFloat32(values: Float32Array, read: (i: number) => number): number | undefined {
  const i = values.findIndex((value, i) => !Number.isFinite(value) && Number.isFinite(read(i)));
  return i < 0 ? undefined : read(i);
}

/** What is wrong with a tensor that holds such a number, after the file's name. */
export function describeLoss(value: number, tensorName: string): string {
  return `holds ${value} in the tensor ${tensorName}, and float32, in which networks compute, ends at 3.4e38`;
}

/** Whole numbers, which become the nearest float32. Networks have them beside their weights, for counters. */
export const int64: NumberFormat = {
  bytes: 8,
  read: (view, at, little) => Number(view.getBigInt64(at, little)),
};
export const int32: NumberFormat = { bytes: 4, read: (view, at, little) => view.getInt32(at, little) };
export const int16: NumberFormat = { bytes: 2, read: (view, at, little) => view.getInt16(at, little) };
export const int8: NumberFormat = { bytes: 1, read: (view, at) => view.getInt8(at) };
export const uint64: NumberFormat = {
  bytes: 8,
  read: (view, at, little) => Number(view.getBigUint64(at, little)),
};
export const uint32: NumberFormat = { bytes: 4, read: (view, at, little) => view.getUint32(at, little) };
export const uint16: NumberFormat = { bytes: 2, read: (view, at, little) => view.getUint16(at, little) };
export const uint8: NumberFormat = { bytes: 1, read: (view, at) => view.getUint8(at) };

/** The least number whose nearest float16 is infinity. */
const HALF_LIMIT = 65520;

/** Throws a RangeError of `caller` if one of a tensor's values would become infinite as a float16. */
export function checkHalf(caller: string, tensorName: string, values: Float32Array): void {
  const large = values.find((value) => Math.abs(value) >= HALF_LIMIT && Math.abs(value) < Infinity);
  if (large === undefined) return;
  throw new ArgumentError(
    caller,
    `tensor ${tensorName} holds ${large}, and float16 ends at 65504. Save it as float32.`,
  );
}
