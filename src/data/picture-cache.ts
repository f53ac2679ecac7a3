import type { Image } from "../picture/image.ts";
import { copyPatch, type PatchPlace } from "../picture/patches.ts";
import type { Pair } from "./pairs.ts";

/** A pair of pictures, wherever it is, to cut patches from. */
export interface OpenPair {
  readonly low: Size;
  readonly high: Size;
  /** Copies a square of one of the two pictures into a batch: see copyPatch. */
  copyPatch(
    which: "low" | "high",
    out: Float32Array,
    offset: number,
    place: PatchPlace,
    size: number,
  ): Promise<void>;
}

export type Size = Omit<Image, "data">;

/** Pairs by their number in the dataset. */
export interface PairSource {
  get(picture: number): Promise<OpenPair>;
}

/** Decoded pictures in memory. Asking twice while one is being read reads it once. */
export class PictureCache implements PairSource {
  readonly #load: (picture: number) => Promise<Pair>;
  readonly #limit: number;
  /** In the order of last use, the oldest first; 0 bytes while being read. */
  readonly #entries = new Map<number, { pair: Promise<OpenPair>; bytes: number }>();
  #bytes = 0;

  /** @param limit how many bytes of pictures are kept, the least recently used going first. */
  constructor(load: (picture: number) => Promise<Pair>, limit: number) {
    this.#load = load;
    this.#limit = limit;
  }

  get(picture: number): Promise<OpenPair> {
    const known = this.#entries.get(picture);
    const entry = known ?? { pair: this.#load(picture).then(opened), bytes: 0 };
    this.#entries.delete(picture);
    this.#entries.set(picture, entry);
    if (known === undefined) {
      entry.pair.then(
        ({ low, high }) => {
          entry.bytes = low.width * low.height * low.channels + high.width * high.height * high.channels;
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

function opened(pair: Pair): OpenPair {
  return {
    low: pair.low,
    high: pair.high,
    async copyPatch(which, out, offset, { x, y, symmetry }, size) {
      copyPatch(out, offset, pair[which], x, y, size, symmetry);
    },
  };
}
