import type { Image } from "./image.ts";
import type { Pair } from "./pairs.ts";
import type { Size } from "./raw-file.ts";

/** A pair of which parts can be had, wherever it is. */
export interface PairRows {
  readonly lr: Size;
  readonly hr: Size;
  /** `count` rows of one of the two pictures, from row `y` on, as a picture of that height. */
  rows(which: "lr" | "hr", y: number, count: number): Image | Promise<Image>;
}

/** Pairs by their number in the dataset. */
export interface PairSource {
  get(picture: number): Promise<PairRows>;
}

/** Decoded pictures in memory. Asking twice while one is being read reads it once. */
export class PictureCache implements PairSource {
  readonly #load: (picture: number) => Promise<Pair>;
  readonly #limit: number;
  /** In the order of last use, the oldest first; 0 bytes while being read. */
  readonly #entries = new Map<number, { pair: Promise<PairRows>; bytes: number }>();
  #bytes = 0;

  /** @param limit how many bytes of pictures are kept, the least recently used going first. */
  constructor(load: (picture: number) => Promise<Pair>, limit: number) {
    this.#load = load;
    this.#limit = limit;
  }

  get(picture: number): Promise<PairRows> {
    const known = this.#entries.get(picture);
    const entry = known ?? { pair: this.#load(picture).then(rowsOf), bytes: 0 };
    this.#entries.delete(picture);
    this.#entries.set(picture, entry);
    if (known === undefined) {
      entry.pair.then(
        ({ lr, hr }) => {
          entry.bytes = lr.width * lr.height * lr.channels + hr.width * hr.height * hr.channels;
          this.#bytes += entry.bytes;
          this.#evict();
        },
        () => this.#entries.delete(picture),
      );
    }
    return entry.pair;
  }

  #evict(): void {
    for (const [picture, { bytes }] of this.#entries) {
      if (this.#bytes <= this.#limit) return;
      if (bytes === 0) continue;
      this.#entries.delete(picture);
      this.#bytes -= bytes;
    }
  }
}

function rowsOf(pair: Pair): PairRows {
  return {
    lr: pair.lr,
    hr: pair.hr,
    rows(which, y, count) {
      const { width, channels, data } = pair[which];
      const rowBytes = width * channels;
      return { width, height: count, channels, data: data.subarray(y * rowBytes, (y + count) * rowBytes) };
    },
  };
}
