/** Samples to PNG files, in strips, so that a large result is never packed and unpacked at once. */
import "./buffer.ts";
import { zlibSync } from "fflate";
import { encodeChunk } from "../../src/formats/png.ts";
import type { Image, Samples } from "../../src/picture/index.ts";
import { paeth } from "./decode-png.ts";

export interface PngOptions {
  readonly width: number;
  readonly height: number;
  readonly channels: Image["channels"];
  readonly depth: 8 | 16;
  readonly icc?: Uint8Array;
  /** More chunks, whole, behind the header. */
  readonly chunks?: readonly Uint8Array[];
}

const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** Bytes that are packed before they become a chunk. */
const CHUNK_BYTES = 2 ** 18;

/** Bytes that stay in JavaScript's memory; blobs may lie elsewhere. */
const HELD_BYTES = 2 ** 24;

export class PngWriter {
  readonly #stream = new CompressionStream("deflate");
  readonly #writer = this.#stream.writable.getWriter();
  readonly #packed: Promise<Blob>;
  readonly #head: readonly Uint8Array[];
  readonly #pixel: number;
  /** The row above, unfiltered, and the row itself. */
  #above: Uint8Array;
  #row: Uint8Array;
  /** The row by each filter. */
  readonly #filtered: readonly Uint8Array[];

  constructor({ width, height, channels, depth, icc, chunks = [] }: PngOptions) {
    const header = new DataView(new ArrayBuffer(13));
    header.setUint32(0, width);
    header.setUint32(4, height);
    header.setUint8(8, depth);
    header.setUint8(9, { 1: 0, 2: 4, 3: 2, 4: 6 }[channels]);
    const profile = icc ? [encodeChunk("iCCP", profileChunk(icc))] : [];
    this.#head = [signature, encodeChunk("IHDR", new Uint8Array(header.buffer)), ...profile, ...chunks];
    this.#pixel = (channels * depth) / 8;
    const line = width * this.#pixel;
    this.#above = new Uint8Array(line);
    this.#row = new Uint8Array(line);
    this.#filtered = [0, 1, 2, 3, 4].map((filter) => new Uint8Array(line + 1).fill(filter, 0, 1));
    this.#packed = this.#collect();
    this.#packed.catch(() => {}); // `finish` says it
  }

  /** The next rows. */
  async write(data: Samples): Promise<void> {
    const line = this.#row.length;
    const samples = data instanceof Uint8Array ? line : line / 2;
    const rows = data.length / samples;
    const block = Math.max(1, Math.floor(CHUNK_BYTES / line));
    for (let row = 0; row < rows; row += block) {
      const count = Math.min(block, rows - row);
      const out = new Uint8Array(count * (line + 1));
      for (let i = 0; i < count; i++) {
        this.#take(data, (row + i) * samples);
        out.set(this.#best(), i * (line + 1));
        [this.#above, this.#row] = [this.#row, this.#above];
      }
      await this.#writer.write(out);
    }
  }

  async finish(): Promise<Blob> {
    await this.#writer.close();
    const end = encodeChunk("IEND", new Uint8Array());
    return new Blob([...(this.#head as readonly BlobPart[]), await this.#packed, end as BlobPart], {
      type: "image/png",
    });
  }

  /** Gives up. */
  async discard(): Promise<void> {
    await this.#writer.abort().catch(() => {});
  }

  /** Copies a row of samples to `#row`, in the byte order of files. */
  #take(data: Samples, at: number): void {
    if (data instanceof Uint8Array) {
      this.#row.set(data.subarray(at, at + this.#row.length));
      return;
    }
    for (let i = 0; i < this.#row.length; i += 2) {
      const value = data[at + (i >> 1)];
      this.#row[i] = value >> 8;
      this.#row[i + 1] = value & 255;
    }
  }

  /** The row by the filter whose bytes, seen as signed, are smallest together: those pack well as a rule. */
  #best(): Uint8Array {
    const [row, above, pixel] = [this.#row, this.#above, this.#pixel];
    const [none, sub, up, average, nearest] = this.#filtered;
    const sums = [0, 0, 0, 0, 0];
    for (let i = 0; i < row.length; i++) {
      const value = row[i];
      const a = i < pixel ? 0 : row[i - pixel];
      const b = above[i];
      const c = i < pixel ? 0 : above[i - pixel];
      none[i + 1] = value;
      sub[i + 1] = value - a;
      up[i + 1] = value - b;
      average[i + 1] = value - ((a + b) >> 1);
      nearest[i + 1] = value - paeth(a, b, c);
      sums[0] += size(value);
      sums[1] += size(sub[i + 1]);
      sums[2] += size(up[i + 1]);
      sums[3] += size(average[i + 1]);
      sums[4] += size(nearest[i + 1]);
    }
    return this.#filtered[sums.indexOf(Math.min(...sums))];
  }

  async #collect(): Promise<Blob> {
    const reader = this.#stream.readable.getReader();
    let whole = new Blob();
    let parts: BlobPart[] = [];
    let bytes = 0;
    let waiting: Uint8Array[] = [];
    let waitingBytes = 0;
    const chunk = () => {
      parts.push(encodeChunk("IDAT", concatBytes(waiting, waitingBytes)) as BlobPart);
      bytes += waitingBytes;
      [waiting, waitingBytes] = [[], 0];
    };
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      waiting.push(value);
      waitingBytes += value.length;
      if (waitingBytes >= CHUNK_BYTES) chunk();
      if (bytes < HELD_BYTES) continue;
      whole = new Blob([whole, ...parts]);
      [parts, bytes] = [[], 0];
    }
    chunk();
    return new Blob([whole, ...parts]);
  }
}

function size(byte: number): number {
  return byte < 128 ? byte : 256 - byte;
}

function concatBytes(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A name that nobody reads, the way of packing, and the packed profile. */
function profileChunk(icc: Uint8Array): Uint8Array {
  const packed = zlibSync(icc);
  const chunk = new Uint8Array(5 + packed.length);
  chunk.set(new TextEncoder().encode("icc"));
  chunk.set(packed, 5);
  return chunk;
}

/** A whole picture as a PNG file. */
export async function encodePng(
  { width, height, channels, data }: Image<Samples>,
  more: Pick<PngOptions, "icc" | "chunks"> = {},
): Promise<Blob> {
  const depth = data instanceof Uint8Array ? 8 : 16;
  const writer = new PngWriter({ width, height, channels, depth, ...more });
  await writer.write(data);
  return writer.finish();
}
