/** CRC-32: the remainder of a file's bits, divided as a polynomial over 0 and 1. */

/** With the polynomial of zip. (node:zlib has it only from Node 20.15 on.) */
export const crc32 = checksum(0xedb88320);

/** CRC-32C (Castagnoli); RFC 3720, B.4. */
export const crc32c = checksum(0x82f63b78);

/** A function of bytes, and of the checksum of those before them. */
function checksum(polynomial: number): (bytes: Uint8Array, before?: number) => number {
  const remainders = Int32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? polynomial : 0);
    return rest;
  });
  return (bytes, before = 0) => {
    let rest = ~before;
    for (const byte of bytes) rest = remainders[(rest ^ byte) & 255] ^ (rest >>> 8);
    return ~rest >>> 0;
  };
}
