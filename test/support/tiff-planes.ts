/** TIFF files written by hand, for what no encoder here writes. Shares no code with the library. */

/** Values of a tag: SHORTs, or fractions. */
type Values = readonly number[] | { readonly fractions: readonly number[] };

/** An uncompressed little-endian file of one strip for each plane. Behind the samples stands the directory. */
export function tiffFile({
  width,
  height,
  planes,
  tags,
}: {
  readonly width: number;
  readonly height: number;
  /** Samples as they are stored: all in one plane, or each channel in its own. */
  readonly planes: readonly (Uint8Array | Uint16Array)[];
  readonly tags: Readonly<Record<number, Values>>;
}): Buffer {
  const parts: Buffer[] = [Buffer.from("49492a0000000000", "hex")];
  let length = 8;
  const add = (part: Buffer) => {
    const padded = Buffer.concat([part, Buffer.alloc(part.length % 2)]);
    parts.push(padded);
    length += padded.length;
    return length - padded.length;
  };
  const starts = planes.map((plane) => add(Buffer.from(plane.buffer, plane.byteOffset, plane.byteLength)));
  const [short, long, rational] = [3, 4, 5];
  const wholes = (values: readonly number[], bytes: 2 | 4) => {
    const list = Buffer.alloc(values.length * bytes);
    for (const [i, value] of values.entries()) list.writeUIntLE(value, bytes * i, bytes);
    return list;
  };
  const all: [tag: number, type: number, count: number, bytes: Buffer][] = [
    [273, long, planes.length, wholes(starts, 4)],
    [
      279,
      long,
      planes.length,
      wholes(
        planes.map((plane) => plane.byteLength),
        4,
      ),
    ],
  ];
  for (const [tag, values] of Object.entries<Values>({
    256: [width],
    257: [height],
    278: [height],
    ...tags,
  })) {
    if ("fractions" in values) {
      const numbers = values.fractions.flatMap((value) => [Math.round(value * 10_000), 10_000]);
      all.push([Number(tag), rational, values.fractions.length, wholes(numbers, 4)]);
    } else all.push([Number(tag), short, values.length, wholes(values, 2)]);
  }
  all.sort(([one], [other]) => one - other);
  const entries = all.map(([tag, type, count, bytes]) => {
    const entry = Buffer.alloc(12);
    entry.writeUInt16LE(tag);
    entry.writeUInt16LE(type, 2);
    entry.writeUInt32LE(count, 4);
    if (bytes.length <= 4) bytes.copy(entry, 8);
    else entry.writeUInt32LE(add(bytes), 8);
    return entry;
  });
  parts[0].writeUInt32LE(add(Buffer.concat([wholes([all.length], 2), ...entries, Buffer.alloc(4)])), 4);
  return Buffer.concat(parts);
}
