/** What AVIF files say besides samples, in boxes within boxes: ISO/IEC 14496-12 and, for pictures, 23008-12. */
import "./buffer.ts";
import { type Box, boxesOf } from "../../src/formats/boxes.ts";
import { withoutPrefix } from "../../src/formats/exif.ts";
import { readFrom } from "../../src/formats/read.ts";

export interface AvifParts {
  readonly exif?: Uint8Array;
  readonly xmp?: Uint8Array;
  /** A colour profile. (Codes for colours are in src/formats/avif-colors.ts.) */
  readonly icc?: Uint8Array;
  /** Of a sample: 8, 10 or 12. */
  readonly bits: number;
  /** Pictures of an animation. */
  readonly frames: number;
}

/** A part of a file. */
type Place = Pick<Box, "start" | "end">;

/** What cannot be read is left out: whether the file is damaged, its decoder says. */
export function partsOfAvif(bytes: Uint8Array): AvifParts {
  const file = new AvifFile(bytes);
  const [exif, xmp] = [file.itemOf("Exif"), file.itemOf("mime")];
  // In front of EXIF data stands where in them their header begins.
  const start = exif && exif.length > 4 ? 4 + Buffer.from(exif).readUInt32BE() : 0;
  return {
    exif: exif && start > 0 ? withoutPrefix(exif.subarray(start)) : undefined,
    xmp,
    icc: file.profile,
    bits: file.bits,
    frames: file.frames,
  };
}

class AvifFile {
  readonly #bytes: Buffer;

  constructor({ buffer, byteOffset, byteLength }: Uint8Array) {
    this.#bytes = Buffer.from(buffer, byteOffset, byteLength);
  }

  /** The bytes of the first item of a type. Of those of "mime", XMP is meant. */
  itemOf(type: "Exif" | "mime"): Uint8Array | undefined {
    try {
      const id = this.#idOf(type);
      return id === undefined ? undefined : this.#item(id);
    } catch {
      return undefined; // it points beyond the end
    }
  }

  get profile(): Uint8Array | undefined {
    for (const { start, end } of this.#properties("colr")) {
      const kind = this.#bytes.toString("latin1", start, start + 4);
      if (kind === "prof" || kind === "rICC") return this.#bytes.subarray(start + 4, end);
    }
    return undefined;
  }

  get bits(): number {
    const [settings] = this.#properties("av1C");
    const flags = settings ? this.#bytes[settings.start + 2] : 0;
    return flags & 0x40 ? (flags & 0x20 ? 12 : 10) : 8;
  }

  get frames(): number {
    const track = this.#within(this.#all, "moov", "trak", "mdia", "minf", "stbl", "stsz");
    const isWhole = track && track.start + 12 <= Math.min(track.end, this.#bytes.length);
    return isWhole ? this.#bytes.readUInt32BE(track.start + 8) : 1;
  }

  get #all(): Place {
    return { start: 0, end: this.#bytes.length };
  }

  get #meta(): Place | undefined {
    return withoutVersion(this.#within(this.#all, "meta"));
  }

  #boxes({ start, end }: Place, type: string): Box[] {
    const inside = boxesOf(readFrom(this.#bytes), start, Math.min(end, this.#bytes.length));
    return [...inside].filter((box) => box.type === type);
  }

  /** The first box of a type in a place, the first of another type in that, and so on. */
  #within(place: Place | undefined, ...types: readonly string[]): Place | undefined {
    return types.reduce((outer, type) => outer && this.#boxes(outer, type)[0], place);
  }

  #properties(type: string): Box[] {
    const list = this.#within(this.#meta, "iprp", "ipco");
    return list ? this.#boxes(list, type) : [];
  }

  #idOf(type: "Exif" | "mime"): number | undefined {
    const list = this.#within(this.#meta, "iinf");
    if (!list) return undefined;
    const start = list.start + (this.#bytes[list.start] === 0 ? 6 : 8); // behind the count
    for (const { start: at, end } of this.#boxes({ ...list, start }, "infe")) {
      const idBytes = this.#bytes[at] === 2 ? 2 : 4;
      const typeAt = at + 4 + idBytes + 2;
      const [kind, text] = [
        this.#bytes.toString("latin1", typeAt, typeAt + 4),
        this.#bytes.toString("latin1", typeAt + 4, end),
      ];
      const isWanted = kind === type && (kind === "Exif" || text.includes("application/rdf+xml"));
      if (isWanted) return this.#bytes.readUIntBE(at + 4, idBytes);
    }
    return undefined;
  }

  /** @throws RangeError if the list of places is damaged */
  #item(wanted: number): Uint8Array | undefined {
    const list = this.#within(this.#meta, "iloc");
    if (!list) return undefined;
    const file = this.#bytes;
    let at = list.start + 4;
    const next = (size: number) => {
      at += size;
      if (size === 8) return Number(file.readBigUInt64BE(at - 8));
      return size === 0 ? 0 : file.readUIntBE(at - size, size);
    };
    const version = file[list.start];
    const sizes = next(2);
    const [offsetBytes, lengthBytes, baseBytes, indexBytes] = [12, 8, 4, 0].map((bit) => (sizes >> bit) & 15);
    const idBytes = version < 2 ? 2 : 4;
    for (let count = next(idBytes); count > 0; count--) {
      const id = next(idBytes);
      const method = version > 0 ? next(2) & 15 : 0;
      next(2); // another file's number, of which there is none
      const base = next(baseBytes);
      const extents = next(2);
      const indexOfExtent = version > 0 ? indexBytes : 0;
      if (id !== wanted) {
        at += extents * (indexOfExtent + offsetBytes + lengthBytes);
        continue;
      }
      const parts: Place[] = [];
      for (let i = 0; i < extents; i++) {
        next(indexOfExtent);
        const start = base + next(offsetBytes);
        parts.push({ start, end: start + next(lengthBytes) });
      }
      const length = parts.reduce((sum, { start, end }) => sum + end - start, 0);
      if (length > file.length) return undefined; // the same bytes again and again
      const origin = [0, this.#within(this.#meta, "idat")?.start][method];
      if (origin === undefined) return undefined;
      return Buffer.concat(parts.map(({ start, end }) => file.subarray(origin + start, origin + end)));
    }
    return undefined;
  }
}

/** Some boxes have a version and flags in front of what is in them. */
function withoutVersion(place: Place | undefined): Place | undefined {
  return place && { start: place.start + 4, end: place.end };
}
