/** What GIF files say besides samples: https://www.w3.org/Graphics/GIF/spec-gif89a.txt */
import { type Density, ratioOf } from "./exif.ts";

/** The comments of a GIF file, and the ratio of its pixels' sides. */
export function gifExtras(bytes: Uint8Array): { comments: string[]; density?: Density } {
  const comments: string[] = [];
  const aspect = bytes[12];
  const density = aspect > 0 ? ratioOf(64, aspect + 15) : undefined;
  const tableBytes = (flags: number) => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
  /** Blocks of up to 255 bytes, each behind its length, up to one without any. */
  const blocksFrom = (start: number) => {
    const blocks: Uint8Array[] = [];
    let at = start;
    while (bytes[at] > 0) {
      blocks.push(bytes.subarray(at + 1, at + 1 + bytes[at]));
      at += 1 + bytes[at];
    }
    return { blocks, end: at + 1 };
  };
  for (let at = 13 + tableBytes(bytes[10]); at < bytes.length; ) {
    if (bytes[at] === 0x2c)
      at = blocksFrom(at + 11 + tableBytes(bytes[at + 9])).end; // a frame
    else if (bytes[at] !== 0x21) break;
    else {
      const { blocks, end } = blocksFrom(at + 2);
      if (bytes[at + 1] === 0xfe) comments.push(Buffer.concat(blocks).toString("latin1"));
      at = end;
    }
  }
  return { comments, density };
}
