/** Samples are whole levels, 0 to 255 or 65535. How numbers become samples, and samples numbers. */

/** The nearest level from 0 to `max`, halves upwards, as Matlab rounds. */
export function toLevel(value: number, max: number): number {
  return value <= 0 ? 0 : value >= max ? max : Math.floor(value + 0.5);
}

/** The highest level of samples. */
export function whiteOf(samples: Uint8Array | Uint16Array): 255 | 65535 {
  return samples.BYTES_PER_ELEMENT === 1 ? 255 : 65535;
}

/** The nearest level of 8 bits. */
export function toByte(value: number): number {
  return toLevel(value, 255);
}

/** Samples of 16 bits as 8: the upper ones. */
export function upperBytes(samples: Uint16Array | Uint8Array): Uint8Array {
  const bytes = new Uint8Array(samples.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = samples[i] >> 8; // Uint8Array.from with a function takes far longer
  return bytes;
}

/** Byte -> 0..1 in single precision. A table, because loaders convert millions of bytes per batch. */
export const unitFromByte: Float32Array = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);
