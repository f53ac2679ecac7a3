import { batchesAhead } from "../files/resources.ts";
import { ArgumentError, aFunction, aSignal, checkOptions } from "../options/arguments.ts";
import { DataError } from "../picture/errors.ts";
import { checkPairSizes, randomPlace } from "../picture/patches.ts";
import { planeCount } from "../picture/planes.ts";
import { Random } from "../tensor/random.ts";
import { checkPair } from "./check-dataset.ts";
import {
  type BatchFormat,
  type Cut,
  cutBatch,
  lengthsOf,
  type OpenPair,
  type Patches,
  randomWindow,
  trimCut,
} from "./cut.ts";
import { DecodePool } from "./decode-pool.ts";
import { drawForPatch } from "./degrade.ts";
import { type Draw, drawsOf } from "./draws.ts";
import { type LoaderOptions, type LoaderSettings, settingsFor } from "./loader-options.ts";
import { checkState, type LoaderState } from "./loader-state.ts";
import type { PairDataset } from "./pairs.ts";
import { PictureCache } from "./picture-cache.ts";
import { openCached } from "./raw-cache.ts";

/** Values 0..1. */
export interface PatchBatch {
  /** [n, 3 (or 1: luma), patch, patch]; the size of `high` if the dataset's inputSize is "high". */
  low: Float32Array;
  /** [n, 3 (or 1), patch * scale, patch * scale] */
  high: Float32Array;
  lowShape: [number, number, number, number];
  highShape: [number, number, number, number];
  /** The n names of the pictures that the patches were cut from. */
  names: string[];
  /** Epoch of the first patch, from 0. */
  epoch: number;
  /** Milliseconds that next() waited for pictures: near 0 if reading keeps up with training. */
  wait: number;
}

/**
 * An endless sequence of training batches: random, aligned patches of LR and HR pictures, flipped and turned.
 * Every epoch uses every picture once, in a new order; a batch may begin in one epoch and end in the next.
 * Where the dataset has a degradation, it is drawn anew for each patch, and LR is made of the part of HR around
 * it.
 *
 * Worker threads decode files, shrink them where needed, and cut the patches, 2 to 8 batches ahead. Whatever
 * their timing and number, and however many pictures are kept in memory, batches depend on the dataset,
 * `batch`, `patch` and `seed` alone: all randomness of patch k of epoch e comes from (seed, e, k). So
 * training can also be resumed exactly, with state() and restore().
 *
 * The first picture that cannot be read ends the loader: the next() that needs it, and every later one,
 * rejects with its DataError. Call close() when done (or use `await using`); an idle loader does not keep the
 * process alive.
 */
export class PatchLoader {
  readonly #dataset: PairDataset;
  readonly #settings: LoaderSettings;
  readonly #pool: DecodePool;
  readonly #pictures: PictureCache;
  readonly #format: BatchFormat;
  readonly #ahead: number;
  /** Batches that have been started, with the states after them. */
  readonly #queue: { batch: Promise<PatchBatch>; after: LoaderState }[] = [];
  /** State after the batches that next() has returned. */
  #state: LoaderState;
  /** State after the batches in the queue. */
  #planned: LoaderState;
  /** The draws of the epoch that is planned. */
  #draws: readonly Draw[];
  #failure: unknown;
  /** Those that end the waiting of next(). */
  readonly #waiting = new Set<(failure: unknown) => void>();

  constructor(dataset: PairDataset, options: LoaderOptions) {
    this.#settings = settingsFor(dataset, options);
    this.#dataset = dataset;
    const { batch, patch, seed, workers, cacheBytes, cacheFolder } = this.#settings;
    const { scale, colors, inputSize, length, files } = dataset;
    this.#format = { colors, patch, zooms: { low: inputSize === "high" ? scale : 1, high: scale } };
    const { low, high } = lengthsOf(this.#format);
    // Two are enough where a batch is degraded, which keeps all threads busy: more at a time would only make the
    // first one late. And where the dataset has a load() of its own: that opens all pictures of a batch at once, and
    // those of more batches would take much memory.
    const twoSuffice = files === undefined || files.some(({ drawnFrom }) => drawnFrom);
    this.#ahead = twoSuffice ? 2 : batchesAhead(batch * (low + high) * Float32Array.BYTES_PER_ELEMENT);
    this.#state = this.#planned = { seed, epoch: 0, position: 0, pictures: length };
    this.#draws = drawsOf(this.#state);
    this.#pool = new DecodePool(workers);
    const limit = cacheFolder === undefined ? cacheBytes : Infinity;
    this.#pictures = new PictureCache((index) => this.#open(index), limit);
  }

  /** The next batch; rejects with a DataError if one of its pictures cannot be read. */
  async next(): Promise<PatchBatch> {
    if (this.#failure !== undefined) throw this.#failure;
    while (this.#queue.length <= this.#ahead) this.#startBatch();
    const { batch, after } = this.#queue.shift()!;
    this.#state = after;
    const start = performance.now();
    try {
      const ready = await this.#untilClosed(batch);
      return { ...ready, wait: performance.now() - start };
    } catch (error) {
      // If the loader was closed meanwhile, the error is of a thread that was ended, and no picture's fault.
      this.#failure ??= error;
      void this.#pool.close();
      throw this.#failure;
    }
  }

  /**
   * Reads the rest of the epoch's pictures in the order of their use, until the memory is full: for a program that
   * has other things to do before it needs the first batches. Batches are the same with and without it, and next()
   * reports what cannot be read.
   */
  start(): void {
    const order = this.#draws.slice(this.#state.position);
    let next = 0;
    const isUseful = () => this.#failure === undefined && !this.#pictures.full && next < order.length;
    const work = async (): Promise<void> => {
      while (isUseful()) await this.#pictures.get(order[next++].picture);
    };
    for (let thread = 0; thread < this.#pool.size; thread++) work().catch(() => {});
  }

  /** Whether some pictures do not fit into `cacheBytes`: these are decoded again for every patch. */
  get memoryIsFull(): boolean {
    return this.#pictures.full;
  }

  /**
   * Decodes all pictures that `cacheFolder` lacks, so that even the first epoch does not wait for decoding.
   *
   * @throws DataError for the first picture that cannot be read; the signal's reason if it is aborted. RangeError if
   *   the loader has no `cacheFolder`.
   */
  async prepare(
    options: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void } = {},
  ): Promise<void> {
    checkOptions("PatchLoader.prepare", options, { signal: aSignal, onProgress: aFunction });
    const { signal, onProgress } = options;
    if (this.#settings.cacheFolder === undefined) {
      throw new ArgumentError("PatchLoader.prepare", "this loader has no cacheFolder to fill.");
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
    await Promise.all(Array.from({ length: this.#pool.size }, work));
  }

  /**
   * Where the next batch starts. A loader with the same dataset and options can restore it to go on from
   * there.
   */
  state(): LoaderState {
    return { ...this.#state };
  }

  /** Goes to the place that state() returned, whatever this loader's own seed and place. */
  restore(state: LoaderState): void {
    checkState(state, this.#dataset);
    this.#draws = drawsOf(state);
    this.#state = this.#planned = { ...state };
    this.#queue.length = 0;
  }

  /** Ends the threads. next() rejects from now on, and so do those calls that wait. */
  async close(): Promise<void> {
    this.#failure ??= new DataError("the loader was closed, and next() has no more batches.", {
      caller: "PatchLoader",
    });
    this.#queue.length = 0;
    for (const reject of this.#waiting) reject(this.#failure);
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

  /** The batch, or close()'s error if that comes first: what a dataset's own load() waits for may never come. */
  #untilClosed(batch: Promise<PatchBatch>): Promise<PatchBatch> {
    // A race() with one promise for the whole loader would keep all batches in memory.
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      void batch.then(resolve, reject).finally(() => this.#waiting.delete(reject));
    });
  }

  async #open(index: number): Promise<OpenPair> {
    const dataset = this.#dataset;
    const { cacheFolder } = this.#settings;
    const files = dataset.files?.[index];
    const format = files?.drawnFrom ? undefined : dataset;
    if (files && cacheFolder !== undefined) return openCached(cacheFolder, files, format, this.#pool);
    // A picture used once is not put into a SharedArrayBuffer: such memory is freed late.
    const shared = files !== undefined && !this.#pictures.full;
    const pair = files ? await this.#pool.load(files, format, shared) : await dataset.load(index);
    if (!files) checkPair("PatchLoader", dataset, index, pair);
    const { low, high } = pair;
    return { low, high, pictures: { low, high }, shared };
  }

  /** Puts one more batch into the queue. */
  #startBatch(): void {
    const { names } = this.#dataset;
    const { batch: n } = this.#settings;
    const { colors, patch, zooms } = this.#format;
    const { epoch } = this.#planned;
    const draws = Array.from({ length: n }, () => this.#nextDraw());
    const shapeOf = (which: "low" | "high") => {
      const side = patch * zooms[which];
      return [n, planeCount(colors), side, side] as PatchBatch["lowShape"];
    };
    const batch = this.#cut(draws).then((patches) => ({
      ...patches,
      lowShape: shapeOf("low"),
      highShape: shapeOf("high"),
      names: draws.map(({ picture }) => names[picture]),
      epoch,
      wait: 0,
    }));
    batch.catch(() => {}); // the next() that reaches this batch reports it; until then it is not "unhandled"
    this.#queue.push({ batch, after: this.#planned });
  }

  /** Patches are cut on a worker's thread. If that would need copies of whole pictures, they are cut here. */
  async #cut(draws: readonly Draw[]): Promise<Patches> {
    const cuts = await Promise.all(draws.map((draw) => this.#place(draw)));
    if (cuts.some(({ degraded }) => degraded)) return this.#degrade(cuts);
    const everywhere = cuts.every(({ pair }) => "raw" in pair || pair.shared);
    return everywhere ? this.#pool.cut(cuts, this.#format) : cutBatch(cuts, this.#format);
  }

  /** Draws where a patch is cut, and what makes its LR if that is to be drawn. */
  async #place({ picture, seed }: Draw): Promise<Cut> {
    const format = this.#format;
    const pair = await this.#pictures.get(picture);
    const files = this.#dataset.files?.[picture];
    const label = files?.high ?? this.#dataset.names[picture];
    const { low, high } = format.zooms;
    const random = new Random(seed);
    try {
      if (files?.drawnFrom) {
        const size = (side: number) => Math.floor(side / high);
        const small = { width: size(pair.high.width), height: size(pair.high.height) };
        const place = randomPlace(random, small, format.patch);
        const window = randomWindow(random, place, format.patch, small);
        const degradation = drawForPatch(files.drawnFrom, random.next(), high);
        return { pair, label, place, degraded: { window, degradation } };
      }
      checkPairSizes(pair.low, pair.high, high / low);
      const channels = planeCount(format.colors);
      if (pair.high.channels !== channels) {
        const { name, colors } = this.#dataset;
        throw new DataError(
          `the picture has ${pair.high.channels} channels, but the dataset ${name} says ` +
            `colors: "${colors}", which means ${channels}.`,
        );
      }
      const small = { width: pair.low.width / low, height: pair.low.height / low };
      return { pair, label, place: randomPlace(random, small, format.patch) };
    } catch (cause) {
      throw new DataError(`${label}: ${(cause as Error).message}`, { cause });
    }
  }

  /** Every patch by itself, since degrading takes much longer than cutting: so all threads share the work. */
  async #degrade(cuts: readonly Cut[]): Promise<Patches> {
    const format = this.#format;
    const lengths = lengthsOf(format);
    const batch = {
      low: new Float32Array(cuts.length * lengths.low),
      high: new Float32Array(cuts.length * lengths.high),
    };
    await Promise.all(
      cuts.map(async (cut, slot) => {
        const patch = await this.#pool.cut([trimCut(cut, format.zooms.high)], format);
        for (const which of ["low", "high"] as const) batch[which].set(patch[which], slot * lengths[which]);
      }),
    );
    return batch;
  }

  #nextDraw(): Draw {
    const { epoch, position, pictures } = this.#planned;
    const draw = this.#draws[position];
    this.#planned = { ...this.#planned, position: position + 1 };
    if (position + 1 === pictures) {
      this.#planned = { ...this.#planned, epoch: epoch + 1, position: 0 };
      this.#draws = drawsOf(this.#planned);
    }
    return draw;
  }
}
