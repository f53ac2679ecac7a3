/**
 * Numbers of 16 bits (float16, IEEE 754's binary16): a sign, 5 bits of exponent and 10 of fraction. They have
 * about three decimal digits and reach 65504; beyond that is infinity. Below 2^-14 they lie evenly, 2^-24 apart.
 * JavaScript has no array of them on all systems yet, so they are kept as the integers of the same bits.
 */

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** Rounds to float16, ties to even, as GPUs do. From 65520 on the result is infinity; NaN stays NaN. */
export function toHalf(values: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) bits[i] = halfBits(values[i]);
  return bits;
}

/** The float16 nearest to a number. */
export function roundToHalf(value: number): number {
  return halfValue(halfBits(value));
}

/** The bits of the float16 nearest to a number. */
export function halfBits(value: number): number {
  float[0] = value;
  const sign = (word[0] >>> 16) & 0x8000;
  const size = word[0] & 0x7fffffff; // the bits of |value|, which grow with it
  if (size > 0x7f800000) return sign | 0x7e00; // NaN
  if (size >= 0x477ff000) return sign | 0x7c00; // from 65520, halfway from 65504 to the next, to infinity
  if (size < 0x38800000) {
    // Below 2^-14. The floats from 0.5 to 1 lie 2^-24 apart, so adding 0.5 rounds to whole steps.
    float[0] = Math.abs(value) + 0.5;
    return sign | (word[0] - 0x3f000000);
  }
  // 13 bits of the fraction go; a carry grows into the exponent, which counts from 15 instead of 127.
  const toEven = 0xfff + ((size >>> 13) & 1);
  return sign | ((size + toEven - (112 << 23)) >>> 13);
}

/** The exact values. */
export function fromHalf(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = halfValue(bits[i]);
  return values;
}

/** The value of each of the 65536 patterns of bits. */
let table: Float32Array | undefined;

/** The exact value of 16 bits. */
export function halfValue(bits: number): number {
  table ??= Float32Array.from({ length: 65536 }, (_, pattern) => decodeHalf(pattern));
  return table[bits];
}

function decodeHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = (bits & 0x3ff) / 1024;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15));
}
