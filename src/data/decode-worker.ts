/** The program of a worker thread: reads one pair per message and hands its memory over without copying. */
import { parentPort } from "node:worker_threads";
import { loadPair, type Pair, type PairFiles, type PairFormat } from "./pairs.ts";

export interface DecodeRequest {
  files: PairFiles;
  format: PairFormat;
}

/** An error travels as its text: classes do not survive the way between threads. */
export type DecodeAnswer = { pair: Pair } | { error: string };

const port = parentPort!;

port.on("message", async (request: DecodeRequest | "close") => {
  if (request === "close") {
    port.close(); // nothing keeps the thread alive any more, so it ends by itself
    return;
  }
  try {
    const pair = await loadPair(request.files, request.format);
    const answer: DecodeAnswer = { pair };
    port.postMessage(answer, [pair.lr.data.buffer as ArrayBuffer, pair.hr.data.buffer as ArrayBuffer]);
  } catch (error) {
    const answer: DecodeAnswer = { error: (error as Error).message };
    port.postMessage(answer);
  }
});
