import type { OpenPair } from "./cut.ts";

/** Pairs by their number in the dataset. Asking twice for one that is being opened opens it once. */
export class PictureCache {
  readonly #open: (index: number) => Promise<OpenPair>;
  readonly #limit: number;
  /** In the order of last use, the oldest first; 0 bytes while being opened. */
  readonly #entries = new Map<number, { pair: Promise<OpenPair>; bytes: number }>();
  #bytes = 0;

  /** @param limit bytes of pictures to keep; beyond that, the least recently used go first. */
  constructor(open: (index: number) => Promise<OpenPair>, limit: number) {
    this.#open = open;
    this.#limit = limit;
  }

  get(index: number): Promise<OpenPair> {
    const cached = this.#entries.get(index);
    const entry = cached ?? { pair: this.#open(index), bytes: 0 };
    this.#entries.delete(index);
    this.#entries.set(index, entry);
    if (cached === undefined) {
      entry.pair.then(
        ({ low, high }) => {
          entry.bytes = low.width * low.height * low.channels + high.width * high.height * high.channels;
          this.#bytes += entry.bytes;
          this.#evict();
        },
        () => this.#entries.delete(index),
      );
    }
    return entry.pair;
  }

  #evict(): void {
    for (const [index, { bytes }] of this.#entries) {
      if (this.#bytes <= this.#limit) return;
      if (bytes === 0) continue;
      this.#entries.delete(index);
      this.#bytes -= bytes;
    }
  }
}
