/** What a TIFF file says besides samples is added to one that libvips or pixelgrad has written. */
import { open } from "node:fs/promises";
import { type Density, densityEntries } from "../formats/density.ts";
import { Directories, type Entry } from "../formats/directories.ts";
import { encodeTree, withBytesTurned } from "../formats/encode-directories.ts";
import { IPTC_TAG, PHOTOSHOP_TAG, resolutionTags, treeOf } from "../formats/tiff-tags.ts";

interface TiffMetadata {
  readonly exif?: Uint8Array;
  readonly iptc?: Uint8Array;
  readonly rights?: Uint8Array;
  readonly density?: Density;
}

/**
 * Adds metadata to a TIFF file, by a new first directory behind its end. libvips' resolution, which it makes
 * up, goes.
 */
export async function addToTiff(path: string, { exif, iptc, rights, density }: TiffMetadata): Promise<void> {
  const tree = exif ? treeOf(exif) : { entries: [], children: [] };
  const handle = await open(path, "r+");
  try {
    const read = async (at: number, length: number) =>
      (await handle.read(Buffer.alloc(length), 0, length, at)).buffer;
    const header = new Directories(await read(0, 16));
    const { wide, first } = header;
    const order = { littleEndian: header.littleEndian, wide };
    const [countBytes, entryBytes] = wide ? [8, 20] : [2, 12];
    const number = (bytes: Buffer, at: number, size: number) =>
      order.littleEndian ? bytes.readUIntLE(at, size) : bytes.readUIntBE(at, size);
    const count = number(await read(first, countBytes), 0, Math.min(countBytes, 6));
    const list = await read(first + countBytes, count * entryBytes);
    const all = Array.from({ length: count }, (_, i) => {
      const entry = list.subarray(i * entryBytes, (i + 1) * entryBytes);
      const [tag, type] = [number(entry, 0, 2), number(entry, 2, 2)];
      // A value that lies elsewhere stays there; its place counts as the value.
      return { tag, type, count: number(entry, 4, 4), bytes: entry.subarray(wide ? 12 : 8) };
    });
    const own = all.filter(({ tag }) => !resolutionTags.includes(tag));
    const texts = [
      { tag: IPTC_TAG, bytes: iptc },
      { tag: PHOTOSHOP_TAG, bytes: rights },
    ].flatMap(({ tag, bytes }): Omit<Entry, "at">[] =>
      bytes ? [{ tag, type: 7, count: bytes.length, bytes }] : [],
    );
    const treeInOrder = order.littleEndian === tree.littleEndian ? tree : withBytesTurned(tree);
    const names = new Set(own.map(({ tag }) => tag));
    const entries = [
      ...own,
      ...densityEntries(density, order),
      ...texts,
      ...treeInOrder.entries.filter(({ tag }) => !names.has(tag)),
    ];
    const { size } = await handle.stat();
    const start = size + (size % 2);
    await handle.write(
      encodeTree({ entries, children: treeInOrder.children }, start, order),
      0,
      undefined,
      start,
    );
    const place = Buffer.alloc(wide ? 8 : 4);
    if (order.littleEndian) place.writeUIntLE(start, 0, wide ? 6 : 4);
    else place.writeUIntBE(start, wide ? 2 : 0, wide ? 6 : 4);
    await handle.write(place, 0, place.length, wide ? 8 : 4);
  } finally {
    await handle.close();
  }
}
