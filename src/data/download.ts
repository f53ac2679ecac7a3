import { mkdir, open, readFile, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DataError } from "../picture/errors.ts";
import { diskFullError, writeWhole } from "./files.ts";

export interface DownloadOptions {
  /** Stops the download; what has been downloaded stays, and the next call goes on from there. */
  signal?: AbortSignal;
  /** Called with the bytes on disk so far, and with their total if the server has sent it. */
  onProgress?: (done: number, total: number | undefined) => void;
  /** How many connections in a row may fail without bringing anything new. Default 5. */
  retries?: number;
  /** Milliseconds before the first new attempt, doubled before each further one. Default 1000. */
  backoff?: number;
}

/** What the server said about the file whose first part is on disk. */
interface PartInfo {
  /** ETag or date of the last change, by which the server knows whether the file is still the same. */
  validator?: string;
  size?: number;
}

/**
 * Fetches a file by HTTP as a whole or not at all. Until it is complete it is `path`.part, and
 * `path`.part.json says which file it belongs to. After a cut connection, or in a later call, only the rest
 * is requested (Range, If-Range); a server that knows no ranges, or whose file has changed, sends everything
 * again.
 *
 * @throws DataError if the server refuses or keeps failing, or the disk is full; the signal's reason if it is
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
      const received = await sizeOf(part);
      failures = received > furthest ? 1 : failures + 1;
      furthest = Math.max(furthest, received);
      if (failures > retries) {
        const { message, cause } = error as Error; // fetch() hides what happened in the cause
        const reason = cause instanceof Error && cause.message !== "" ? cause.message : message;
        throw new DataError(
          `${url}: cannot be downloaded: ${reason}, ${failures} times in a row. What has been downloaded ` +
            `(${received} bytes) is kept in ${part}; call again to go on from there.`,
          { cause: error },
        );
      }
      await sleep(backoff * 2 ** (failures - 1), undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
  }
  await rename(part, path);
  await rm(infoFile(part), { force: true });
}

/** One connection. Throws a DataError where another one would not help. */
async function attempt(url: string, part: string, { signal, onProgress }: DownloadOptions): Promise<void> {
  const info = await readInfo(part);
  const received = info ? await sizeOf(part) : 0;
  if (received > 0 && received === info?.size) return;

  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (received > 0) {
    headers.range = `bytes=${received}-`;
    if (info?.validator) headers["if-range"] = info.validator;
  }
  const response = await fetch(url, { headers, signal });
  const { status, statusText, body } = response;
  const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "");
  const total = range && range[2] !== "*" ? Number(range[2]) : undefined;
  if (status === 416 && total === received) return; // its size was not known, and all of it is here
  const fits = Number(range?.[1]) === received && (info?.size ?? total) === total;
  if (status === 416 || (status === 206 && !fits)) {
    await body?.cancel();
    await rm(part, { force: true });
    throw new Error(`the server's file is not the one whose first ${received} bytes are here`);
  }
  if (status !== 200 && status !== 206) {
    await body?.cancel();
    const message = `the server answered ${status} ${statusText}`.trimEnd();
    const isTemporary = status >= 500 || status === 408 || status === 429;
    if (isTemporary) throw new Error(message);
    throw new DataError(`${url}: cannot be downloaded: ${message}. Is the address right?`);
  }

  let done = status === 206 ? received : 0;
  const length = response.headers.get("content-length");
  const size = total ?? (length === null ? undefined : done + Number(length));
  await requireSpace(part, size === undefined ? 0 : size - done);
  if (status === 200) {
    // Emptied first, so that the description of this file never lies beside bytes of another one.
    await rm(part, { force: true });
    await writeWhole(infoFile(part), JSON.stringify({ validator: validatorOf(response), size }));
  }
  const file = await open(part, "a");
  try {
    onProgress?.(done, size);
    for await (const chunk of body ?? []) {
      await file.appendFile(chunk).catch((cause) => {
        throw diskFullError(part, cause) ?? cause;
      });
      done += chunk.length;
      onProgress?.(done, size);
    }
  } finally {
    await file.close();
  }
  if (done !== (size ?? done)) throw new Error(`the connection ended after ${done} of ${size} bytes`);
}

/** What If-Range may ask by. A weak ETag will not do: files that are merely alike share it. */
function validatorOf({ headers }: Response): string | undefined {
  const etag = headers.get("etag");
  return etag && !etag.startsWith("W/") ? etag : (headers.get("last-modified") ?? undefined);
}

const infoFile = (part: string) => `${part}.json`;

async function readInfo(part: string): Promise<PartInfo | undefined> {
  const text = await readFile(infoFile(part), "utf8").catch(() => undefined);
  return text === undefined ? undefined : JSON.parse(text);
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

/** Throws a DataError if the disk has no room for that many more bytes. */
async function requireSpace(path: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(path));
  if (bavail * bsize >= bytes) return;
  const [needed, free] = [bytes, bavail * bsize].map((count) => `${(count / 1e9).toFixed(2)} GB`);
  throw new DataError(
    `${path}: ${needed} more are needed, and the disk has ${free} left. ` +
      "Make room, or choose another folder; what has been downloaded is kept.",
  );
}
