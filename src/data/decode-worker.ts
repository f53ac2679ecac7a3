/**
 * The program of a worker thread: reads one pair per message, and hands its memory over without copying, or writes it
 * into a raw file.
 */
import { parentPort } from "node:worker_threads";
import { loadPair, type Pair, type PairFiles, type PairFormat } from "./pairs.ts";
import { writeRaw } from "./raw-file.ts";

export interface DecodeRequest {
  files: PairFiles;
  format: PairFormat;
  /** Where to write the pair; see writeRaw. */
  raw?: RawTarget;
}

export interface RawTarget {
  path: string;
  source: string;
}

/** An error travels as its text: classes do not survive the way between threads. */
export type DecodeAnswer = { pair: Pair } | { saved: true } | { error: string };

const port = parentPort!;

port.on("message", async (request: DecodeRequest | "close") => {
  if (request === "close") {
    port.close(); // nothing keeps the thread alive any more, so it ends by itself
    return;
  }
  try {
    const pair = await loadPair(request.files, request.format);
    if (request.raw) {
      await writeRaw(request.raw.path, request.raw.source, pair);
      const answer: DecodeAnswer = { saved: true };
      port.postMessage(answer);
    } else {
      const answer: DecodeAnswer = { pair };
      port.postMessage(answer, [pair.low.data.buffer as ArrayBuffer, pair.high.data.buffer as ArrayBuffer]);
    }
  } catch (error) {
    const answer: DecodeAnswer = { error: (error as Error).message };
    port.postMessage(answer);
  }
});
