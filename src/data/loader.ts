import { availableParallelism } from "node:os";
import { DataError } from "../picture/errors.ts";
import { checkPairSizes, randomPlace } from "../picture/patches.ts";
import { Random } from "../tensor/random.ts";
import { DecodePool } from "./decode-pool.ts";
import type { PairDataset } from "./pairs.ts";
import { type PairSource, PictureCache } from "./picture-cache.ts";
import { RawCache } from "./raw-cache.ts";

export interface LoaderOptions {
  /** Patches per batch. */
  batch: number;
  /** Side of a patch in LR pixels; the HR side is `scale` times that. EDSR: 48 (Lim et al. 2017: HR 96 at x2). */
  patch: number;
  /** Decides the order of the pictures and every crop. Any whole number. */
  seed: number;
  /** Decoded pictures are kept up to this many bytes, the least recently used going first. Default 512 MiB. */
  cacheBytes?: number;
  /**
   * For datasets that do not fit into memory: decoded pictures are kept as files in this folder, and little more
   * than a patch is read from them: DIV2K X2 takes 8 GB there. Not together with cacheBytes. See RawCache.
   */
  cacheFolder?: string;
  /** Threads that read pictures. Default: one fewer than there are processors, 1 to 4. */
  workers?: number;
}

/** Values 0..1. */
export interface PatchBatch {
  /** [n, channels, patch, patch], or as large as high if the dataset's inputSize is "high"; 3 channels, or 1 of luma */
  low: Float32Array;
  /** [n, channels, patch * scale, patch * scale] */
  high: Float32Array;
  lowShape: [number, number, number, number];
  highShape: [number, number, number, number];
  /** The pictures the patches were cut from, n names. */
  names: string[];
  /** Epoch of the first patch, from 0. */
  epoch: number;
  /** Milliseconds for which next() had to wait for pictures: near 0 if reading keeps up with training. */
  wait: number;
}

/** Where a loader is in its endless sequence of patches; fit for JSON. */
export interface LoaderState {
  seed: number;
  epoch: number;
  /** Patches already given out in this epoch. */
  position: number;
  /** Length of the dataset, to notice a different one. */
  pictures: number;
}

interface Coming {
  batch: Promise<PatchBatch>;
  /** The state after this batch. */
  after: LoaderState;
}

const batchesAhead = 2;

/**
 * An endless sequence of training batches: random, aligned patches of LR and HR pictures, flipped and turned. Every
 * epoch shows every picture once, in a new order; a batch may begin in one epoch and end in the next.
 *
 * Files are decoded, and where needed shrunk, on worker threads, two batches ahead. Whatever the threads' timing,
 * the batches depend on the dataset, `batch`, `patch` and `seed` alone: all randomness of patch number k of epoch e
 * comes from (seed, e, k). For the same reason training can be resumed exactly with state() and restore().
 *
 * The first picture that cannot be read ends the loader: the next() that would have needed it, and every later one,
 * rejects with its DataError. Call close() when done (or use `await using`); an idle loader does not keep the
 * process alive.
 */
export class PatchLoader {
  readonly #dataset: PairDataset;
  readonly #batch: number;
  readonly #patch: number;
  readonly #pool: DecodePool;
  readonly #workers: number;
  readonly #pictures: PairSource;
  readonly #coming: Coming[] = [];
  /** State after the batches given out so far, and after those that are being prepared. */
  #given: LoaderState;
  #planned: LoaderState;
  #plan: EpochPlan | undefined;
  #failure: unknown;

  constructor(dataset: PairDataset, options: LoaderOptions) {
    const { batch, patch, seed, cacheBytes = 512 * 2 ** 20, cacheFolder } = options;
    const { workers = Math.min(4, Math.max(1, availableParallelism() - 1)) } = options;
    for (const [name, value] of Object.entries({ batch, patch, workers })) {
      if (!Number.isInteger(value) || value < 1) {
        throw new RangeError(`PatchLoader: ${name} must be a whole number of at least 1, not ${value}.`);
      }
    }
    if (!(cacheBytes >= 0))
      throw new RangeError(`PatchLoader: cacheBytes must not be below 0: ${cacheBytes}.`);
    if (cacheFolder !== undefined && options.cacheBytes !== undefined) {
      throw new RangeError(
        "PatchLoader: pictures are kept in memory or in files; give cacheBytes or cacheFolder.",
      );
    }
    if (dataset.length === 0) throw new DataError(`PatchLoader: the dataset ${dataset.name} is empty.`);
    this.#dataset = dataset;
    this.#batch = batch;
    this.#patch = patch;
    this.#given = this.#planned = { seed, epoch: 0, position: 0, pictures: dataset.length };
    this.#pool = new DecodePool(workers);
    this.#workers = workers;
    const { files, scale, colors, inputSize } = dataset;
    const format = { scale, colors, inputSize };
    const load = (i: number) => (files ? this.#pool.load(files[i], format) : dataset.load(i));
    this.#pictures =
      cacheFolder === undefined
        ? new PictureCache(load, cacheBytes)
        : new RawCache(cacheFolder, dataset, this.#pool);
    planEpoch(this.#planned); // a bad seed should be told here, not by the first next()
  }

  /** The next batch; rejects with a DataError if one of its pictures cannot be read. */
  async next(): Promise<PatchBatch> {
    if (this.#failure !== undefined) throw this.#failure;
    while (this.#coming.length <= batchesAhead) this.#coming.push(this.#prepare());
    const { batch, after } = this.#coming.shift()!;
    this.#given = after;
    const start = performance.now();
    try {
      const ready = await batch;
      return { ...ready, wait: performance.now() - start };
    } catch (error) {
      this.#failure ??= error;
      void this.#pool.close();
      throw error;
    }
  }

  /**
   * Puts all pictures that are not there yet into `cacheFolder`, so that the first epoch does not wait for the decoder
   * either.
   */
  async prepare(
    options: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void } = {},
  ): Promise<void> {
    const { signal, onProgress } = options;
    if (!(this.#pictures instanceof RawCache)) {
      throw new RangeError("PatchLoader: prepare() fills a cacheFolder, and this loader was given none.");
    }
    const total = this.#dataset.length;
    let [next, done] = [0, 0];
    const work = async (): Promise<void> => {
      try {
        while (next < total) {
          signal?.throwIfAborted();
          await this.#pictures.get(next++);
          onProgress?.(++done, total);
        }
      } catch (error) {
        next = total; // the others stop, too
        throw error;
      }
    };
    await Promise.all(Array.from({ length: this.#workers }, work));
  }

  /** Where the next batch starts: a loader of the same dataset and options that restores it goes on from here. */
  state(): LoaderState {
    return { ...this.#given };
  }

  /** Goes to where state() was taken, whatever this loader's own seed and place. */
  restore(state: LoaderState): void {
    if (state.pictures !== this.#dataset.length) {
      throw new DataError(
        `PatchLoader.restore: the state is of a dataset with ${state.pictures} pictures, but ` +
          `${this.#dataset.name} has ${this.#dataset.length}. Open the dataset the training began with.`,
      );
    }
    const { epoch, position, pictures } = state;
    const valid = Number.isInteger(epoch) && Number.isInteger(position) && epoch >= 0 && position >= 0;
    if (!valid || position >= pictures) {
      throw new DataError(
        `PatchLoader.restore: epoch ${epoch}, position ${position} of ${pictures} pictures is not a place; ` +
          "pass what state() returned.",
      );
    }
    planEpoch(state);
    this.#given = this.#planned = { ...state };
    this.#coming.length = 0;
  }

  /** Ends the threads. next() rejects from now on. */
  async close(): Promise<void> {
    this.#failure ??= new DataError("PatchLoader: next() was called after close().");
    this.#coming.length = 0;
    await this.#pool.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Endless: leave the loop with break, which closes the loader. */
  async *[Symbol.asyncIterator](): AsyncGenerator<PatchBatch, void, void> {
    try {
      while (true) yield await this.next();
    } finally {
      await this.close();
    }
  }

  /** Starts one more batch; each patch is cut as soon as its picture is there, so no picture has to be held. */
  #prepare(): Coming {
    const { scale, names, colors, inputSize } = this.#dataset;
    const channels = colors === "y" ? 1 : 3;
    const zoom = inputSize === "high" ? scale : 1; // places are in pixels of the small picture, low may be enlarged
    const [n, p, q] = [this.#batch, this.#patch * zoom, this.#patch * scale];
    const { epoch } = this.#planned;
    const low = new Float32Array(n * channels * p * p);
    const high = new Float32Array(n * channels * q * q);
    const samples = Array.from({ length: n }, () => this.#nextSample());
    const cut = async ({ picture, seed }: Sample, slot: number): Promise<void> => {
      const pair = await this.#pictures.get(picture);
      try {
        checkPairSizes(pair.low, pair.high, scale / zoom);
        if (pair.high.channels !== channels) {
          throw new DataError(
            `the picture has ${pair.high.channels} channels, but the dataset ${this.#dataset.name} says colors: ` +
              `"${colors}", which are ${channels}.`,
          );
        }
        const places = { width: pair.low.width / zoom, height: pair.low.height / zoom };
        const { x, y, symmetry } = randomPlace(new Random(seed), places, this.#patch);
        const at = (times: number) => ({ x: x * times, y: y * times, symmetry });
        await Promise.all([
          pair.copyPatch("low", low, slot * channels * p * p, at(zoom), p),
          pair.copyPatch("high", high, slot * channels * q * q, at(scale), q),
        ]);
      } catch (cause) {
        const path = this.#dataset.files?.[picture].high ?? names[picture];
        throw new DataError(`${path}: ${(cause as Error).message}`, { cause });
      }
    };
    const batch = Promise.all(samples.map(cut)).then(() => ({
      low,
      high,
      lowShape: [n, channels, p, p] as PatchBatch["lowShape"],
      highShape: [n, channels, q, q] as PatchBatch["highShape"],
      names: samples.map(({ picture }) => names[picture]),
      epoch,
      wait: 0,
    }));
    batch.catch(() => {}); // told by the next() that reaches this batch; until then it is not "unhandled"
    return { batch, after: this.#planned };
  }

  #nextSample(): Sample {
    const { epoch, position, pictures } = this.#planned;
    if (this.#plan?.epoch !== epoch || this.#plan.seed !== this.#planned.seed)
      this.#plan = planEpoch(this.#planned);
    const sample = this.#plan.samples[position];
    const last = position + 1 === pictures;
    this.#planned = { ...this.#planned, epoch: last ? epoch + 1 : epoch, position: last ? 0 : position + 1 };
    return sample;
  }
}

interface Sample {
  picture: number;
  /** Seeds the generator that draws this patch's place. */
  seed: number;
}

interface EpochPlan {
  seed: number;
  epoch: number;
  samples: Sample[];
}

/** The order of an epoch's pictures, and a seed for each patch: a function of (seed, epoch) alone. */
function planEpoch({ seed, epoch, pictures }: LoaderState): EpochPlan {
  const base = new Random(seed).next(); // so that seeds 1 and 2 share no epoch
  const random = new Random(base * 2 ** 20 + epoch);
  const order = Array.from({ length: pictures }, (_, picture) => picture);
  random.shuffle(order);
  return { seed, epoch, samples: order.map((picture) => ({ picture, seed: random.next() })) };
}
