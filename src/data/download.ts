import { mkdir, open, readFile, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DataError } from "../picture/errors.ts";
import { diskFullError, writeWhole } from "./files.ts";

export interface DownloadOptions {
  /** Stops the download; what has come so far stays, and the next call goes on from there. */
  signal?: AbortSignal;
  /** Bytes that are on disk so far, and of how many if the server has said so. */
  onProgress?: (done: number, total: number | undefined) => void;
  /** How often in a row a connection may fail without bringing anything new. Default 5. */
  retries?: number;
  /** Milliseconds before the first new attempt, doubled before each further one. Default 1000. */
  backoff?: number;
}

/** What the server said of the file of which the first part is on disk. */
interface Known {
  /** ETag or date of last change, by which it can tell whether the file is still the same. */
  validator?: string;
  size?: number;
}

/**
 * Fetches a file by HTTP as a whole or not at all: until it is complete it is `path`.part, beside which
 * `path`.part.json says what file it belongs to. After a cut connection, or in a later call, the rest alone
 * is asked for (Range, If-Range); a server that does not know ranges, or whose file has changed, sends
 * everything again.
 *
 * @throws DataError if the server refuses, keeps failing, or the disk is full; the signal's reason if it is
 *   aborted.
 */
export async function download(url: string, path: string, options: DownloadOptions = {}): Promise<void> {
  const { signal, retries = 5, backoff = 1000 } = options;
  const part = `${path}.part`;
  if (!URL.canParse(url)) throw new DataError(`${url}: this is not an address; it begins with "https://".`);
  await mkdir(dirname(path), { recursive: true });
  let failures = 0;
  let furthest = await sizeOf(part);
  for (;;) {
    try {
      await attempt(url, part, options);
      break;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof DataError) throw error;
      const have = await sizeOf(part);
      failures = have > furthest ? 1 : failures + 1;
      furthest = Math.max(furthest, have);
      if (failures > retries) {
        throw new DataError(
          `${url}: cannot be downloaded: ${reasonOf(error)}, ${failures} times in a row. What has come so far ` +
            `(${have} bytes) is kept in ${part}; call again to go on from there.`,
          { cause: error },
        );
      }
      await sleep(backoff * 2 ** (failures - 1), undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
  }
  await rename(part, path);
  await rm(knownFile(part), { force: true });
}

/** One connection. Throws a DataError where another one would not help. */
async function attempt(url: string, part: string, { signal, onProgress }: DownloadOptions): Promise<void> {
  const known = await readKnown(part);
  const have = known ? await sizeOf(part) : 0;
  if (have > 0 && have === known?.size) return;

  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (have > 0) {
    headers.range = `bytes=${have}-`;
    if (known?.validator) headers["if-range"] = known.validator;
  }
  const response = await fetch(url, { headers, signal });
  const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "");
  const total = range && range[2] !== "*" ? Number(range[2]) : undefined;
  if (response.status === 416 && total === have) return; // its size was not known, and all of it is here
  const misfit = response.status === 206 && (Number(range?.[1]) !== have || (known?.size ?? total) !== total);
  if (response.status === 416 || misfit) {
    await response.body?.cancel();
    await rm(part, { force: true });
    throw new Error(`the server's file is not the one whose first ${have} bytes are here`);
  }
  if (response.status !== 200 && response.status !== 206) {
    await response.body?.cancel();
    const message = `the server answered ${response.status} ${response.statusText}`.trimEnd();
    const passing = response.status >= 500 || response.status === 408 || response.status === 429;
    if (passing) throw new Error(message);
    throw new DataError(`${url}: cannot be downloaded: ${message}. Is the address right?`);
  }

  const start = response.status === 206 ? have : 0;
  const length = response.headers.get("content-length");
  const size = total ?? (length === null ? undefined : start + Number(length));
  await requireSpace(part, size === undefined ? 0 : size - start);
  if (response.status === 200) {
    // Emptied first: bytes of another file must never be found beside the description of this one.
    await rm(part, { force: true });
    await writeWhole(knownFile(part), JSON.stringify({ validator: validatorOf(response), size }));
  }
  const done = await append(response, part, start, (count) => onProgress?.(count, size));
  if (size !== undefined && done !== size)
    throw new Error(`the connection ended after ${done} of ${size} bytes`);
}

/** Writes the answer's bytes at the end of the file; returns its size. */
async function append(
  response: Response,
  part: string,
  start: number,
  onProgress: (done: number) => void,
): Promise<number> {
  const file = await open(part, "a");
  let done = start;
  try {
    onProgress(done);
    for await (const chunk of response.body ?? []) {
      await file.appendFile(chunk).catch((cause) => {
        throw diskFullError(part, cause) ?? cause;
      });
      done += chunk.length;
      onProgress(done);
    }
  } finally {
    await file.close();
  }
  return done;
}

/** By what If-Range may ask: a weak ETag stands for files that are merely alike. */
function validatorOf({ headers }: Response): string | undefined {
  const etag = headers.get("etag");
  return etag && !etag.startsWith("W/") ? etag : (headers.get("last-modified") ?? undefined);
}

const knownFile = (part: string) => `${part}.json`;

async function readKnown(part: string): Promise<Known | undefined> {
  const text = await readFile(knownFile(part), "utf8").catch(() => undefined);
  return text === undefined ? undefined : JSON.parse(text);
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

/** Throws a DataError if the disk has no room for so many more bytes. */
async function requireSpace(path: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(path));
  if (bavail * bsize < bytes) {
    throw new DataError(
      `${path}: ${gigabytes(bytes)} more are needed, and the disk has ${gigabytes(bavail * bsize)} left. ` +
        "Make room, or choose another folder; what has come so far is kept.",
    );
  }
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;

/** fetch() hides what happened in its error's cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== "" ? cause.message : message;
}
