/**
 * The program of a worker thread. For each message it reads one pair and shares or transfers it, or writes
 * a raw file; or it cuts a batch out of pairs that are shared or in raw files.
 */
import { parentPort } from "node:worker_threads";
import { IncompleteError } from "../options/incomplete.ts";
import { DataError } from "../picture/errors.ts";
import type { Image } from "../picture/image.ts";
import { type BatchFormat, type Cut, cutBatch, type Patches } from "./cut.ts";
import { loadHigh, loadPair, type Pair, type PairFiles, type PairFormat } from "./pairs.ts";
import { writeRaw } from "./raw-file.ts";

export interface DecodeRequest {
  files: PairFiles;
  /** Without one, HR alone is read: see loadHigh. */
  format?: PairFormat;
  /** Into memory that all threads see. */
  shared?: boolean;
  /** Where to write the pair; see writeRaw. */
  raw?: { path: string; source: string };
}

export interface CutRequest {
  cuts: readonly Cut[];
  format: BatchFormat;
}

/**
 * The pair, unless it was written, or the batch. An error as its text: classes do not survive the way between
 * threads.
 */
export interface DecodeAnswer {
  pair?: Pair;
  patches?: Patches;
  error?: string;
  /** The error is an IncompleteError. */
  incomplete?: boolean;
}

const port = parentPort!;

port.on("message", async (request: DecodeRequest | CutRequest | "close") => {
  if (request === "close") {
    port.unref(); // nothing keeps the thread alive any more, so it ends by itself; Deno has no close()
    return;
  }
  try {
    const answer = await answerTo(request);
    port.postMessage(answer, memoryOf(answer));
  } catch (error) {
    const incomplete = error instanceof IncompleteError;
    port.postMessage({ error: describe(error as Error, request), incomplete } satisfies DecodeAnswer);
  }
});

async function answerTo(request: DecodeRequest | CutRequest): Promise<DecodeAnswer> {
  if ("cuts" in request) return { patches: await cutBatch(request.cuts, request.format) };
  const { files, format, shared, raw } = request;
  const pair = await (format ? loadPair(files, format) : loadHigh(files));
  if (!raw) return { pair: shared ? { ...pair, low: share(pair.low), high: share(pair.high) } : pair };
  await writeRaw(raw.path, raw.source, pair);
  return {};
}

/** What can be transferred of an answer. LR and HR may be one picture, which is transferred once. */
function memoryOf({ pair, patches }: DecodeAnswer): ArrayBuffer[] {
  const arrays = [pair?.low.data, pair?.high.data, patches?.low, patches?.high];
  const buffers = new Set(arrays.map((array) => array?.buffer));
  return [...buffers].filter((buffer) => buffer instanceof ArrayBuffer);
}

/** A DataError names its file, and an IncompleteError has none. Others, such as of memory that ran out, do not. */
function describe(error: Error, request: DecodeRequest | CutRequest): string {
  if (error instanceof DataError || error instanceof IncompleteError) return error.message;
  const label = "cuts" in request ? "a batch of patches" : request.files.high;
  return `${label}: ${error.message || error.name}`;
}

/** A copy that another thread can read without getting one of its own. */
function share(image: Image): Image {
  const data = new Uint8Array(new SharedArrayBuffer(image.data.length));
  data.set(image.data);
  return { ...image, data };
}
