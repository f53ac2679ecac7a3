import type { OpenPair } from "./cut.ts";

/**
 * Pairs by their number in the dataset. Asking twice for one that is being opened opens it once.
 *
 * What was opened first stays, and when the memory is full, other pairs are opened whenever they are asked for. To
 * drop the least recently used would be of no use: every epoch asks for all pairs, in a new order, so most of them
 * would be dropped before their next use.
 */
export class PictureCache {
  readonly #open: (index: number) => Promise<OpenPair>;
  readonly #limit: number;
  /** Pairs that are kept, and those that are being opened. */
  readonly #pairs = new Map<number, Promise<OpenPair>>();
  #bytes = 0;
  #full = false;

  /** @param limit bytes of pictures to keep. */
  constructor(open: (index: number) => Promise<OpenPair>, limit: number) {
    this.#open = open;
    this.#limit = limit;
  }

  /** A picture did not fit, and no more are kept. */
  get full(): boolean {
    return this.#full;
  }

  get(index: number): Promise<OpenPair> {
    const present = this.#pairs.get(index);
    if (present) return present;
    const pair = this.#open(index);
    this.#pairs.set(index, pair);
    pair.then(
      ({ low, high }) => {
        const bytes = low.width * low.height * low.channels + high.width * high.height * high.channels;
        if (!this.#full && this.#bytes + bytes <= this.#limit) {
          this.#bytes += bytes;
          return;
        }
        this.#full = true;
        this.#pairs.delete(index);
      },
      () => this.#pairs.delete(index),
    );
    return pair;
  }
}
