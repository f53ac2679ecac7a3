/** Where a video goes that the user downloads when it is done. */
import { StreamTarget } from "mediabunny";

interface Patch {
  readonly position: number;
  readonly data: Uint8Array<ArrayBuffer>;
}

/**
 * Collects a file in pieces. Browsers keep large blobs on the disk, so that a long video does not fill the memory.
 * Containers are written from front to back, and then a few numbers at the front once more.
 */
export class PartsTarget {
  readonly target: StreamTarget;
  readonly #parts: Blob[] = [];
  readonly #patches: Patch[] = [];
  #size = 0;

  constructor() {
    const write = ({ position, data }: Patch) => this.#write(position, data);
    this.target = new StreamTarget(new WritableStream<Patch>({ write }), {
      chunked: true,
      chunkSize: 2 ** 22,
    });
  }

  /** The file, once the output is finalized. */
  file(type: string): Blob {
    let file = new Blob(this.#parts);
    for (const { position, data } of this.#patches) {
      file = new Blob([file.slice(0, position), data, file.slice(position + data.length)]);
    }
    return file.slice(0, file.size, type);
  }

  #write(position: number, data: Uint8Array<ArrayBuffer>): void {
    const overlap = Math.max(0, Math.min(data.length, this.#size - position));
    if (overlap > 0) this.#patches.push({ position, data: data.slice(0, overlap) });
    if (overlap === data.length) return;
    if (position + overlap > this.#size) this.#parts.push(new Blob([new Uint8Array(position - this.#size)]));
    this.#parts.push(new Blob([data.slice(overlap)]));
    this.#size = position + data.length;
  }
}
