/** How readers of formats get the bytes of a file. */

/** Gives bytes of a file; fewer, if it ends before. */
export type Read = (start: number, length: number) => Uint8Array;

export function readFrom(bytes: Uint8Array): Read {
  return (start, length) => bytes.subarray(start, start + length);
}

/** The same memory, with a Buffer's methods that read numbers and texts. */
export function asBuffer({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
