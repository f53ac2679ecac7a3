/** Uncompressed TIFF files written entry by entry, for tags that no encoder writes. Shares no code with the library. */
import type { Image } from "../../src/picture/image.ts";

/** Values of a type, by its number: bytes (1, 7), text (2), 16 and 32 bits (3, 4), fractions (5), float64 (12). */
export type TiffEntry = readonly [
  tag: number,
  type: 1 | 2 | 3 | 4 | 5 | 7 | 12,
  values: readonly number[] | string | Uint8Array,
];

export function tiffOf(
  { width, height, channels, data }: Image,
  further: readonly TiffEntry[] = [],
  bigEndian = false,
): Buffer {
  const number = (value: number, size: 2 | 4 | 8) => {
    const bytes = Buffer.alloc(size);
    if (size === 8) bytes.writeDoubleLE(value);
    else bytes.writeUIntLE(value, 0, size);
    return bigEndian ? bytes.reverse() : bytes;
  };
  const encode = ([, type, values]: TiffEntry): { count: number; bytes: Buffer } => {
    const list = typeof values === "string" ? [...Buffer.from(`${values}\0`)] : [...values];
    const one = (value: number) => {
      if (type === 5) return Buffer.concat([number(Math.round(value * 1e6), 4), number(1e6, 4)]);
      if (type === 12) return number(value, 8);
      if (type === 3 || type === 4) return number(value, type === 3 ? 2 : 4);
      return Buffer.of(value);
    };
    return { count: list.length, bytes: Buffer.concat(list.map(one)) };
  };
  const entries: TiffEntry[] = [
    [256, 4, [width]],
    [257, 4, [height]],
    [258, 3, new Array(channels).fill(8)],
    [259, 3, [1]],
    [262, 3, [channels === 1 ? 1 : 2]],
    [273, 4, [0]],
    [277, 3, [channels]],
    [278, 4, [height]],
    [279, 4, [data.length]],
    ...further,
  ];
  entries.sort(([a], [b]) => a - b);
  const start = 8 + 2 + 12 * entries.length + 4;
  const values: Buffer[] = [];
  let end = start;
  const list = entries.map((entry) => {
    const { count, bytes } = encode(entry);
    const head = [number(entry[0], 2), number(entry[1], 2), number(count, 4)];
    if (bytes.length <= 4) return Buffer.concat([...head, bytes, Buffer.alloc(4 - bytes.length)]);
    values.push(bytes, Buffer.alloc(bytes.length % 2));
    const place = number(end, 4);
    end += bytes.length + (bytes.length % 2);
    return Buffer.concat([...head, place]);
  });
  number(end, 4).copy(list[entries.findIndex(([tag]) => tag === 273)], 8);
  const header = [Buffer.from(bigEndian ? "MM" : "II"), number(42, 2), number(8, 4)];
  return Buffer.concat([...header, number(entries.length, 2), ...list, Buffer.alloc(4), ...values, data]);
}
