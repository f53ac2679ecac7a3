import { open, readFile, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { diskFullError, makeFolder, writeWhole } from "../files/image-files.ts";
import { Lock } from "../files/lock.ts";
import { isObject, type Wanted } from "../options/arguments.ts";
import { excerpt } from "../options/printable.ts";
import { DataError } from "../picture/errors.ts";

export interface DownloadOptions {
  /** Stops the download; what has been downloaded stays, and the next call goes on from there. */
  signal?: AbortSignal;
  /** Called with the bytes on disk so far, and with their total if the server has sent it. */
  onProgress?: (done: number, total: number | undefined) => void;
  /** Called with a line for people if it has to wait, as for a process of another machine that may be gone. */
  onMessage?: (line: string) => void;
  /** How many connections in a row may fail without bringing anything new. Default 5. */
  retries?: number;
  /** Milliseconds before the first new attempt, doubled before each further one. Default 1000. */
  backoff?: number;
  /** A server that sends nothing for so many milliseconds counts as a failed connection. Default 60,000. */
  silence?: number;
  /** The largest file that is fetched, in bytes. Default 64 GiB; the largest of DIV2K has 3.5 GB. */
  maxBytes?: number;
  /** The bytes that the file has to begin with, as formats have them, and what it is: "a zip archive". */
  signature?: { readonly bytes: readonly number[]; readonly of: string };
}

export const anAddress: Wanted<string> = {
  wants: 'an address that begins with "https://"',
  fits: (value): value is string =>
    typeof value === "string" && /^https?:/i.test(value) && URL.canParse(value),
};

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
 * again. `path`.part.lock keeps other processes from the same file.
 *
 * The address may begin with https: or http:. An encrypted one is not left for one that is not, wherever the
 * server redirects to.
 *
 * @throws DataError if the server refuses, keeps failing or sends something else, the disk is full, or another
 *   process downloads the same file; the signal's reason if it is aborted.
 */
export async function download(url: string, path: string, options: DownloadOptions = {}): Promise<void> {
  if (!anAddress.fits(url)) {
    throw new DataError(`${excerpt(url)}: this is not an address that begins with "https://".`);
  }
  const { signal, onMessage = () => {} } = options;
  signal?.throwIfAborted();
  makeFolder(dirname(path));
  const part = `${path}.part`;
  const lock = await Lock.acquire(
    { path, lock: `${part}.lock`, doing: "downloading it", advice: "Wait for its end or stop it first." },
    onMessage,
    { signal },
  );
  try {
    await fetchAll(url, part, options);
    await rename(part, path);
    await rm(infoFile(part), { force: true });
  } finally {
    lock.release();
  }
}

/** As many connections as it takes. */
async function fetchAll(url: string, part: string, options: DownloadOptions): Promise<void> {
  const { signal, retries = 5, backoff = 1000 } = options;
  let failures = 0;
  let furthest = await sizeOf(part);
  for (;;) {
    try {
      return await attempt(url, part, options);
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
}

/** One connection. Throws a DataError where another one would not help. */
async function attempt(url: string, part: string, options: DownloadOptions): Promise<void> {
  const { silence = 60_000, maxBytes = 2 ** 36, signal } = options;
  using watch = new Silence(silence, signal);
  const info = await readInfo(part);
  const received = info ? await sizeOf(part) : 0;
  if (received > 0 && received === info?.size) return;

  const response = await fetchSafely(url, { headers: headersFor(received, info), signal: watch.signal });
  const range = rangeOf(response);
  if (response.status === 416 && range.total === received) {
    await response.body?.cancel(); // its size was not known, and all of it is here
    return;
  }
  const isRest = range.start === received && (info?.size ?? range.total) === range.total;
  await checkStatus(response, { url, part, received, isRest });

  const done = response.status === 206 ? received : 0;
  const size = range.total ?? wholeSizeOf(response, done);
  const refuse = async (what: string): Promise<never> => {
    await response.body?.cancel().catch(() => {});
    await rm(part, { force: true });
    await rm(infoFile(part), { force: true });
    throw new DataError(`${url}: cannot be downloaded: ${what}. Is the address right?`);
  };
  const encoding = response.headers.get("content-encoding") ?? "identity";
  if (encoding !== "identity") await refuse(`the server sends it in the encoding ${excerpt(encoding)}`);
  await requireSpace(part, size === undefined ? 0 : size - done);
  if (size !== undefined && size > maxBytes) await refuse(tooLarge(maxBytes));
  if (response.status === 200) {
    // Emptied first, so that the description of this file never lies beside bytes of another one.
    await rm(part, { force: true });
    await writeWhole(infoFile(part), JSON.stringify({ validator: validatorOf(response), size }));
  }
  const end = await appendBody(response, part, { ...options, maxBytes, done, size, watch, refuse });
  if (end !== (size ?? end)) throw new Error(`the connection ended after ${end} of ${size} bytes`);
}

/** They ask for the rest, if something has been received. */
function headersFor(received: number, info: PartInfo | undefined): Record<string, string> {
  const whole = { "accept-encoding": "identity" };
  if (received === 0) return whole;
  const range = { ...whole, range: `bytes=${received}-` };
  return info?.validator ? { ...range, "if-range": info.validator } : range;
}

/** Where the answer begins within the file, and the file's size, as far as the server says so. */
function rangeOf({ headers }: Response): { start?: number; total?: number } {
  const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(headers.get("content-range") ?? "");
  if (!range) return {};
  const [, start, total] = range;
  return {
    start: start === undefined ? undefined : Number(start),
    total: total === "*" ? undefined : Number(total),
  };
}

/** The whole file's size, from the length of what follows the bytes that are there. */
function wholeSizeOf({ headers }: Response, done: number): number | undefined {
  const length = /^\d+$/.exec(headers.get("content-length") ?? "")?.[0];
  return length === undefined ? undefined : done + Number(length);
}

/** Throws unless the server sends the whole file, or the rest that was asked for. */
async function checkStatus(
  { status, statusText, body }: Response,
  {
    url,
    part,
    received,
    isRest,
  }: { readonly url: string; readonly part: string; readonly received: number; readonly isRest: boolean },
): Promise<void> {
  if (status === 206 && received === 0) {
    await body?.cancel();
    throw new DataError(
      `${url}: cannot be downloaded: the server answered with a part (206), though the whole was asked for. Is ` +
        "the address right?",
    );
  }
  if (status === 416 || (status === 206 && !isRest)) {
    await body?.cancel();
    await rm(part, { force: true });
    throw new Error(`the server's file is not the one whose first ${received} bytes are here`);
  }
  if (status === 200 || status === 206) return;
  await body?.cancel();
  const message = `the server answered ${status} ${statusText}`.trimEnd();
  const isTemporary = status >= 500 || status === 408 || status === 429;
  if (isTemporary) throw new Error(message);
  throw new DataError(`${url}: cannot be downloaded: ${message}. Is the address right?`);
}

interface Transfer extends Pick<DownloadOptions, "signature" | "onProgress"> {
  readonly maxBytes: number;
  /** Bytes of the file that are there before. */
  readonly done: number;
  readonly size: number | undefined;
  readonly watch: Silence;
  /** Ends everything, and removes what is there. */
  readonly refuse: (what: string) => Promise<never>;
}

/** Writes what arrives behind what is there, and returns how many bytes there are then. */
async function appendBody(
  { headers, body }: Response,
  part: string,
  { signature, onProgress, maxBytes, size, watch, refuse, ...transfer }: Transfer,
): Promise<number> {
  let { done } = transfer;
  const file = await open(part, "a");
  try {
    onProgress?.(done, size);
    for await (const chunk of body ?? []) {
      watch.heard();
      const expected = signature?.bytes.slice(done) ?? [];
      if (signature && expected.some((byte, i) => byte !== (chunk[i] ?? byte))) {
        const type = headers.get("content-type") ?? "something else";
        await refuse(`this is not ${signature.of}; the server sends ${excerpt(type)}`);
      }
      await file.appendFile(chunk).catch((cause) => {
        throw diskFullError(part, cause) ?? cause;
      });
      done += chunk.length;
      if (done > maxBytes) await refuse(tooLarge(maxBytes));
      onProgress?.(done, size);
    }
  } finally {
    await file.close();
  }
  return done;
}

function tooLarge(maxBytes: number): string {
  return `it is larger than ${(maxBytes / 2 ** 30).toFixed(1)} GiB`;
}

/** Ends a connection on which nothing arrives any more. */
class Silence {
  readonly #milliseconds: number;
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  /** Aborted after the silence, or by the caller's signal. */
  readonly signal = this.#controller.signal;
  readonly #forget: () => void;

  constructor(milliseconds: number, signal: AbortSignal | undefined) {
    this.#milliseconds = milliseconds;
    // AbortSignal.any() would never hear of one of another realm.
    const abort = () => this.#controller.abort(signal!.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort);
    this.#forget = () => signal?.removeEventListener("abort", abort);
    this.heard();
  }

  /** Something has arrived. */
  heard(): void {
    clearTimeout(this.#timer);
    const silent = () =>
      this.#controller.abort(new Error(`the server sent nothing for ${this.#milliseconds / 1000} s`));
    this.#timer = setTimeout(silent, this.#milliseconds);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#forget();
  }
}

const MAX_REDIRECTS = 10;

/** Fetches, and follows no redirect from https to http, as fetch itself would. */
async function fetchSafely(url: string, init: RequestInit): Promise<Response> {
  let address = new URL(url);
  for (let redirects = 0; ; redirects++) {
    const response = await fetch(address, { ...init, redirect: "manual" });
    const location = response.headers.get("location");
    if (location === null || ![301, 302, 303, 307, 308].includes(response.status)) return response;
    await response.body?.cancel();
    const next = URL.canParse(location, address) ? new URL(location, address) : undefined;
    const secure =
      next?.protocol === "https:" || (next?.protocol === "http:" && address.protocol === "http:");
    if (!next || !secure || redirects === MAX_REDIRECTS) {
      const fault = redirects === MAX_REDIRECTS ? `more than ${MAX_REDIRECTS} times` : "to no safe address";
      throw new DataError(
        `${url}: cannot be downloaded: the server redirects ${fault} (${excerpt(location)}). Ask whoever ` +
          "runs it for another address.",
      );
    }
    address = next;
  }
}

/** What If-Range may ask by. A weak ETag will not do: files that are merely alike share it. */
function validatorOf({ headers }: Response): string | undefined {
  const etag = headers.get("etag");
  return etag && !etag.startsWith("W/") ? etag : (headers.get("last-modified") ?? undefined);
}

const infoFile = (part: string) => `${part}.json`;

async function readInfo(part: string): Promise<PartInfo | undefined> {
  try {
    const info: unknown = JSON.parse(await readFile(infoFile(part), "utf8"));
    if (!isObject(info)) return undefined;
    const { validator, size } = info;
    const known = validator === undefined || typeof validator === "string";
    return known && (size === undefined || Number.isSafeInteger(size)) ? (info as PartInfo) : undefined;
  } catch {
    return undefined; // there is none, or it is damaged: what has been downloaded cannot be used
  }
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
