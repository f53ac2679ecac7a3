/**
 * The program of a worker thread: for each message it reads one pair, and transfers it or writes a raw file.
 */
import { parentPort } from "node:worker_threads";
import { loadPair, type Pair, type PairFiles, type PairFormat } from "./pairs.ts";
import { writeRaw } from "./raw-file.ts";

export interface DecodeRequest {
  files: PairFiles;
  format: PairFormat;
  /** Where to write the pair; see writeRaw. */
  raw?: { path: string; source: string };
}

/** The pair, unless it was written. An error as its text: classes do not survive the way between threads. */
export interface DecodeAnswer {
  pair?: Pair;
  error?: string;
}

const port = parentPort!;

port.on("message", async (request: DecodeRequest | "close") => {
  if (request === "close") {
    port.close(); // nothing keeps the thread alive any more, so it ends by itself
    return;
  }
  const { files, format, raw } = request;
  try {
    const pair = await loadPair(files, format);
    if (raw) {
      await writeRaw(raw.path, raw.source, pair);
      port.postMessage({} satisfies DecodeAnswer);
    } else {
      const buffers = [pair.low, pair.high].map(({ data }) => data.buffer as ArrayBuffer);
      port.postMessage({ pair } satisfies DecodeAnswer, buffers);
    }
  } catch (error) {
    port.postMessage({ error: (error as Error).message } satisfies DecodeAnswer);
  }
});
