import type { Image } from "../picture/image.ts";
import type { Pair } from "./pairs.ts";

/** A pair of which parts can be had, wherever it is. */
export interface PairParts {
  readonly lr: Size;
  readonly hr: Size;
  /** A picture that contains a part of lr or hr, and the place of that part's top left pixel in it. */
  part(which: "lr" | "hr", part: Part): Place | Promise<Place>;
}

export type Size = Omit<Image, "data">;

/** w x h pixels whose top left one is column `x` of row `y`. */
export interface Part {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface Place {
  image: Image;
  x: number;
  y: number;
}

/** Pairs by their number in the dataset. */
export interface PairSource {
  get(picture: number): Promise<PairParts>;
}

/** Decoded pictures in memory. Asking twice while one is being read reads it once. */
export class PictureCache implements PairSource {
  readonly #load: (picture: number) => Promise<Pair>;
  readonly #limit: number;
  /** In the order of last use, the oldest first; 0 bytes while being read. */
  readonly #entries = new Map<number, { pair: Promise<PairParts>; bytes: number }>();
  #bytes = 0;

  /** @param limit how many bytes of pictures are kept, the least recently used going first. */
  constructor(load: (picture: number) => Promise<Pair>, limit: number) {
    this.#load = load;
    this.#limit = limit;
  }

  get(picture: number): Promise<PairParts> {
    const known = this.#entries.get(picture);
    const entry = known ?? { pair: this.#load(picture).then(partsOf), bytes: 0 };
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

function partsOf(pair: Pair): PairParts {
  return { lr: pair.lr, hr: pair.hr, part: (which, { x, y }) => ({ image: pair[which], x, y }) };
}
