/** Weight files of Keras, as safetensors: read in a worker thread, by the optional package h5wasm. */
import { Worker } from "node:worker_threads";
import { threadProgram } from "../files/thread-program.ts";
import type { NamedArray } from "../nn/module.ts";
import { IncompleteError, isMissingProgram, missingProgram } from "../options/incomplete.ts";
import { excerpt } from "../options/printable.ts";
import { DataError } from "../picture/errors.ts";
import { serializeSafetensors } from "../weights/safetensors.ts";
import { looksLikeZip, readStoredZip, ZipError } from "../weights/stored-zip.ts";
import type { KerasAnswer, KerasContents } from "./keras-worker.ts";

/** Longer than a file of so many bytes takes on a slow machine, in milliseconds. Damaged ones can take forever. */
function limitFor(bytes: number): number {
  return 20_000 + bytes / 5000;
}

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
const WEIGHTS_OF_ARCHIVE = "model.weights.h5";

/** Is it an HDF5 file, or Keras' archive (`.keras`) with one in it? */
export function looksLikeKeras(bytes: Uint8Array): boolean {
  return isHdf5(bytes) || partsOfArchive(bytes) !== undefined;
}

function isHdf5(bytes: Uint8Array): boolean {
  return SIGNATURE.every((byte, i) => bytes[i] === byte);
}

/** The parts of an archive of Keras. PyTorch's are zip archives as well. */
function partsOfArchive(bytes: Uint8Array): { weights: Uint8Array; config?: string } | undefined {
  if (!looksLikeZip(bytes)) return undefined;
  try {
    const entries = readStoredZip(bytes);
    const weights = entries.get(WEIGHTS_OF_ARCHIVE);
    const config = entries.get("config.json");
    return weights && { weights, config: config && new TextDecoder().decode(config) };
  } catch (error) {
    if (error instanceof ZipError) return undefined;
    throw error;
  }
}

/**
 * The weights as a safetensors file, with tensors LAYER.0, LAYER.1 and so on in the layers' order. Its metadata have
 * `format: "keras"`, and as `config` the layers' settings if the file has them.
 *
 * @throws DataError if it cannot be read, or the package h5wasm is not installed. Errors call the file `name`.
 */
export async function fromKeras(bytes: Uint8Array, name: string): Promise<Uint8Array> {
  const reader = new KerasReader();
  try {
    return await reader.read(bytes, name);
  } finally {
    reader.close();
  }
}

/**
 * Reads one file after the other in one thread, until a file makes it fail. Only tests read several: a damaged file
 * may leave the library in a state in which it reads the next one wrongly, or never.
 */
export class KerasReader {
  readonly #limitFor: (bytes: number) => number;
  #worker: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** @param limit how long a file of so many bytes may take, in milliseconds; only tests pass another one. */
  constructor(limit = limitFor) {
    this.#limitFor = limit;
  }

  async read(bytes: Uint8Array, name: string): Promise<Uint8Array> {
    const archive = partsOfArchive(bytes);
    const reply = this.#last.then(() => this.#ask(archive?.weights ?? bytes));
    this.#last = reply;
    const answer = await reply.catch((cause) => {
      if (!(cause instanceof IncompleteError)) throw cause;
      throw new DataError(
        `${name}: this is a weight file of Keras, and what reads such files is not here. ${cause.message}`,
        { cause },
      );
    });
    if ("missing" in answer) {
      throw new DataError(
        `${name}: this is a weight file of Keras, and the package that reads such files, h5wasm, is not installed. ` +
          "Install it beside pixelgrad: npm install h5wasm.",
      );
    }
    if ("error" in answer) {
      if (answer.broken) this.close();
      throw new DataError(
        `${name}: this HDF5 file cannot be read as weights of Keras: ${excerpt(answer.error)}. Download it again, or ` +
          'save the weights anew in Python: model.save_weights("net.weights.h5").',
      );
    }
    return serializeSafetensors(tensorsOf(answer), metadataOf(answer, archive?.config));
  }

  close(): void {
    void this.#worker?.terminate();
    this.#worker = undefined;
  }

  #ask(bytes: Uint8Array): Promise<KerasAnswer> {
    // Its output would be that of the HDF5 library about errors.
    this.#worker ??= new Worker(
      threadProgram(() => new URL("./keras-worker.js", import.meta.url)),
      {
        stdout: true,
        stderr: true,
      },
    );
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        worker.off("message", settle).off("error", onError).off("exit", onExit);
      };
      const settle = (answer: KerasAnswer) => {
        leave();
        resolve(answer);
      };
      const fail = (error: string) => settle({ error, broken: true });
      const onError = (error: Error) => {
        if (!isMissingProgram(error)) return fail(error.message);
        leave();
        reject(missingProgram(error));
      };
      const onExit = () => fail("the thread that was reading it ended");
      const limit = this.#limitFor(bytes.length);
      const timer = setTimeout(fail, limit, `reading it takes more than ${Math.round(limit / 1000)} s`);
      worker.on("message", settle).on("error", onError).on("exit", onExit);
      worker.postMessage(bytes);
    });
  }
}

function tensorsOf({ layers }: KerasContents): Map<string, NamedArray> {
  return new Map(
    layers.flatMap(({ name, weights }) =>
      weights.map((weight, i): [string, NamedArray] => [`${name}.${i}`, weight]),
    ),
  );
}

function metadataOf({ config }: KerasContents, ofArchive: string | undefined): Record<string, string> {
  const settings = ofArchive ?? config;
  return settings === undefined ? { format: "keras" } : { format: "keras", config: settings };
}
