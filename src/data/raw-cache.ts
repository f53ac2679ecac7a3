import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DataError } from "../picture/errors.ts";
import { copyPatch } from "../picture/patches.ts";
import type { DecodePool } from "./decode-pool.ts";
import { makeFolder } from "./files.ts";
import type { PairDataset, PairFiles } from "./pairs.ts";
import type { OpenPair, PairSource } from "./picture-cache.ts";
import { type RawHeader, readPart, readRawHeader } from "./raw-file.ts";

/** To be raised when the same files would give other pictures, so that old caches are not taken for new ones. */
const version = 1;

/**
 * Decoded pairs as files in a folder, one per pair, made when first asked for. Of each pair no more than its sizes are
 * held in memory. A file is made anew if a picture it was made from has another size or date than then; other scales,
 * colours or degradations have files of their own. Old ones are not removed; the whole folder may be deleted at any
 * time.
 */
export class RawCache implements PairSource {
  readonly #folder: string;
  readonly #dataset: PairDataset;
  readonly #files: readonly PairFiles[];
  readonly #pool: DecodePool;
  readonly #pairs = new Map<number, Promise<OpenPair>>();

  constructor(folder: string, dataset: PairDataset, pool: DecodePool) {
    if (dataset.files === undefined) {
      throw new RangeError(
        `PatchLoader: cacheFolder is for pictures in files, and the dataset ${dataset.name} has none. Leave it out.`,
      );
    }
    this.#folder = folder;
    this.#dataset = dataset;
    this.#files = dataset.files;
    this.#pool = pool;
  }

  get(picture: number): Promise<OpenPair> {
    const known = this.#pairs.get(picture);
    if (known) return known;
    const pair = this.#open(this.#files[picture]);
    this.#pairs.set(picture, pair);
    pair.catch(() => this.#pairs.delete(picture));
    return pair;
  }

  async #open(files: PairFiles): Promise<OpenPair> {
    const { scale, colors, inputSize } = this.#dataset;
    const format = { scale, colors, inputSize };
    const { name, low, high, degradation } = files;
    const made = [version, format, degradation, resolve(high), low && resolve(low)];
    const path = join(this.#folder, `${name}-${digest(made).slice(0, 16)}.raw`);
    const source = digest([made, await stamp(high), low && (await stamp(low))]);

    let header = await readRawHeader(path);
    if (header?.source !== source) {
      makeFolder(this.#folder, "Choose another cacheFolder.");
      await this.#pool.save(files, format, { path, source });
      header = await readRawHeader(path);
    }
    if (header === undefined)
      throw new DataError(`${path}: this file of the cache was removed while in use.`);
    return opened(path, header);
  }
}

function opened(path: string, header: RawHeader): OpenPair {
  return {
    low: header.low,
    high: header.high,
    async copyPatch(which, out, offset, { x, y, symmetry }, size) {
      const part = await readPart(path, header, which, { x, y, w: size, h: size }).catch((cause: Error) => {
        throw new DataError(
          `${path}: this file of the cache cannot be read (${cause.message}). Was the folder emptied? Start again, and ` +
            "it is made anew.",
          { cause },
        );
      });
      copyPatch(out, offset, part.image, part.x, 0, size, symmetry);
    },
  };
}

function digest(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

/** What changes when a file is changed. Of a missing file nothing: to read it will tell. */
async function stamp(path: string): Promise<number[]> {
  const found = await stat(path).catch(() => undefined);
  return found ? [found.size, found.mtimeMs] : [];
}
