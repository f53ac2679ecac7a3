/** How much of the machine a loader takes unless it is told. None of it changes what a batch holds. */
import { availableParallelism, freemem, totalmem } from "node:os";
import { workerData } from "node:worker_threads";

const MIB = 2 ** 20;

/**
 * Threads that read pictures: all cores but one, which computes; of more than four, all but two, as a GPU's driver
 * needs one as well. More than 32 would wait for the disk.
 */
export function threadsForPictures(cores: number = availableParallelism()): number {
  return Math.max(1, Math.min(32, cores > 4 ? cores - 2 : cores - 1));
}

/**
 * sharp decodes in Node's pool of threads, which all of a process share, worker threads included: beyond the size of
 * the pool, more of them are no faster. Node reads its size from the environment before a program can change it.
 */
export function sharpSuffices(
  threads: number = threadsAtWork(),
  pool: number = Number(process.env.UV_THREADPOOL_SIZE) || 4,
): boolean {
  return threads <= pool;
}

/** What a loader's threads get as their workerData. */
export interface ThreadData {
  /** How many of them there are. */
  readonly pictureThreads: number;
}

function threadsAtWork(): number {
  const data = workerData as Partial<ThreadData> | null | undefined;
  return data?.pictureThreads ?? threadsForPictures();
}

/**
 * Bytes of decoded pictures to keep: half of the memory that nobody uses, but at least 512 MiB or, in a
 * container, a quarter of its memory. There, files that were read or written count as memory in use, though
 * they give way when it is needed: after a data set was unpacked, next to nothing seems to be left.
 *
 * @param available bytes; default: of this computer, or of its part that the process may use.
 * @param limit bytes of that part. Without one, Node says 0 or more than the computer has.
 */
export function memoryForPictures(
  available: number = availableMemory(),
  limit: number = process.constrainedMemory?.() ?? 0,
  total: number = totalmem(),
): number {
  const least = limit > 0 && limit <= total ? limit / 4 : 512 * MIB;
  return Math.max(least, available / 2);
}

function availableMemory(): number {
  // macOS keeps files in nearly all memory, and calls only the rest free.
  if (process.platform === "darwin") return totalmem() / 2;
  // Node 20.10 to 20.12 do not have the first one, which knows of containers and what they use.
  return process.availableMemory?.() ?? Math.min(freemem(), process.constrainedMemory?.() || Infinity);
}

/**
 * Batches to prepare while one is in use: 8, so that a thread that takes long with one holds up nothing; but at
 * least 2, and of large batches no more than fit into 128 MiB.
 */
export function batchesAhead(bytesPerBatch: number): number {
  return Math.max(2, Math.min(8, Math.floor((128 * MIB) / bytesPerBatch)));
}
