/** Extensions of GIF files, which no encoder here writes. Shares no code with the library. */

/** The file with an application's extension behind its samples. */
export function gifWith(gif: Uint8Array, name: string, ...content: readonly Uint8Array[]): Buffer {
  const block = Buffer.concat([Buffer.of(0x21, 0xff, 11), Buffer.from(name), ...content]);
  return Buffer.concat([gif.subarray(0, -1), block, gif.subarray(-1)]);
}

/** Bytes in parts of up to 255, each behind its length. */
export function gifParts(bytes: Uint8Array): Buffer {
  const parts = Array.from({ length: Math.ceil(bytes.length / 255) }, (_, i) =>
    bytes.subarray(255 * i, 255 * (i + 1)),
  );
  return Buffer.concat([...parts.flatMap((part) => [Buffer.of(part.length), part]), Buffer.of(0)]);
}
