/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Enlarges pictures in a worker, so that the page reacts meanwhile: the package's entry `pixelgrad/worker`, for
 * browsers. This side has little code; the networks are in the worker.
 */
import type { DeviceLostError } from "../device/device.ts";
import type { InitOptions } from "../device/open.ts";
import type {} from "../device/webgpu-types.ts";
import {
  ArgumentError,
  aFunction,
  checkArguments,
  checkOptions,
  isObject,
  optional,
  type Wanted,
} from "../options/arguments.ts";
import { isBytes, isOfClass } from "../options/classes.ts";
import { quote } from "../options/kinds.ts";
import { DataError } from "../picture/errors.ts";
import type { Image, Samples } from "../picture/image.ts";
import type { FinishedTile, PictureSource, Upscaled, UpscalePictureOptions } from "../upscale/index.ts";
import { bitmapOf, type Drawable, isDrawable, unreadable } from "../upscale/source-browser.ts";
import { checkUpscaleOptions } from "../upscale/upscale-options.ts";
import { unpackError } from "./errors.ts";
import type { FromWorker, Task, Tasks, ToWorker } from "./messages.ts";

export interface UpscaleWorkerOptions {
  /**
   * A worker that imports `pixelgrad/worker/thread`, or the address of that file (dist/worker/thread.js, or
   * dist/browser/thread.js), which may lie on another server. Default: see {@link UpscaleWorker}.
   */
  readonly worker?: Worker | string | URL;
  /**
   * Called when the worker's GPU device is lost. `upscale` opens a new one and goes on, so this is for pages that
   * want to say so.
   */
  readonly onDeviceLost?: (error: DeviceLostError) => void;
}

/** The options of `upscale`, whose method is a name or the bytes of a weight file. */
export interface UpscaleInWorkerOptions extends UpscalePictureOptions {
  /**
   * Whether the picture's memory moves to the worker instead of being copied. Afterwards it is empty here: for
   * an image or bytes that you do not need again, or for an `ImageBitmap` or a `VideoFrame`. Default false.
   */
  readonly transfer?: boolean;
}

/** For a worker's first word, in seconds. Its script may have far to come, and the machine much to do. */
const PATIENCE = 60;

const aWorker: Wanted = {
  wants: "a Worker or the address of one",
  fits: (value): value is unknown => typeof value === "string" || isOfClass(value, "Worker", "URL"),
};

/** What a page waits for. */
interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
  readonly onProgress?: UpscalePictureOptions["onProgress"];
  readonly onTile?: (tile: FinishedTile) => void;
}

/**
 * A worker that enlarges pictures, with the options, results and errors of `upscale`:
 *
 *     import { UpscaleWorker } from "pixelgrad/worker";
 *
 *     const worker = new UpscaleWorker();
 *     const { image } = await worker.upscale(file, { scale: 2, signal, onProgress, onTile });
 *     context.putImageData(toImageData(image), 0, 0);
 *
 * **How it finds its file.** `new UpscaleWorker()` contains `new Worker(new URL("./thread.js", import.meta.url),
 * { type: "module" })`, the form that Vite, webpack 5, Parcel and Rollup's plugins look for: they bundle the
 * worker as a file of its own. Without a bundler it is the file beside this one. For anything else, write a
 * worker file of one line, `import "pixelgrad/worker/thread"`, start it as your tools want it, and pass it:
 *
 *     const own = new Worker(new URL("./own-worker.js", import.meta.url), { type: "module" });
 *     const worker = new UpscaleWorker({ worker: own });
 *
 * Pictures are enlarged one after the other; results and tiles are not copied on their way. What a worker cannot
 * have (an <img>, a canvas) goes there as an ImageBitmap.
 */
export class UpscaleWorker {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #onDeviceLost: UpscaleWorkerOptions["onDeviceLost"];
  #count = 0;
  /** Set with the first task, and stopped by the worker's first word: without one, nothing in it listens. */
  #silence: ReturnType<typeof setInterval> | undefined;
  /** Why it does nothing any more. */
  #failure: Error | undefined;

  constructor(options: UpscaleWorkerOptions = {}) {
    checkOptions("UpscaleWorker", options, { worker: aWorker, onDeviceLost: aFunction });
    if (typeof Worker === "undefined") {
      throw new Error(
        "UpscaleWorker: there are no web workers here. It is for browsers; in Node, call upscale(), which lets " +
          "other code run while the GPU computes.",
      );
    }
    const { worker, onDeviceLost } = options;
    this.#onDeviceLost = onDeviceLost;
    try {
      this.#worker =
        worker === undefined
          ? new Worker(new URL("./thread.js", import.meta.url), { type: "module" })
          : isOfClass<Worker>(worker, "Worker")
            ? worker
            : startAt(worker);
    } catch (cause) {
      throw new Error(
        `UpscaleWorker: the browser starts no worker (${(cause as Error).message}). ${startItYourself} On a page ` +
          "with Trusted Types, make its address by a policy of yours (docs/browsers.md).",
        { cause },
      );
    }
    this.#worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => this.#receive(data));
    this.#worker.addEventListener("error", (event) => this.#end(notStarted(event)));
  }

  /**
   * Opens the worker's device, which `upscale` otherwise does when it needs one, and says what it is called.
   * Options and errors are those of the library's `init`; `gpu` cannot be sent.
   */
  init(options: InitOptions = {}): Promise<{ readonly name: string }> {
    return this.#send("init", options, [], {}, () => {
      return new ArgumentError("init", `these options cannot be sent to a worker: ${quote(options)}.`);
    });
  }

  /**
   * As the library's `upscale`: with the same sources, options, result and errors. After an abort the promise is
   * rejected at once; the worker ends its tile.
   */
  upscale(
    picture: PictureSource,
    options?: UpscaleInWorkerOptions & { readonly depth?: 8 },
  ): Promise<Upscaled>;
  upscale(
    picture: PictureSource,
    options: UpscaleInWorkerOptions & { readonly depth: 16 },
  ): Promise<Upscaled<Uint16Array>>;
  upscale(picture: PictureSource, options: UpscaleInWorkerOptions): Promise<Upscaled<Samples>>;
  async upscale(picture: PictureSource, options: UpscaleInWorkerOptions = {}): Promise<Upscaled<Samples>> {
    checkUpscaleOptions("upscale", options);
    const { signal, onProgress, onTile, transfer = false, ...others } = options;
    checkArguments("upscale", { onTile: [onTile, optional(aFunction)] });
    checkMethod(others.method);
    signal?.throwIfAborted();
    const { sent, moved } = await forWorker(picture, transfer);
    const tells = { progress: onProgress !== undefined, tiles: onTile !== undefined };
    const input = { picture: sent, options: others, tells };
    return this.#send("upscale", input, moved, { signal, onProgress, onTile }, (cause) =>
      isDrawable(picture)
        ? unreadable(picture, "upscale", cause)
        : new DataError(`${quote(picture)} cannot be sent to a worker (${cause.message}).`, {
            caller: "upscale",
            cause,
          }),
    );
  }

  /** Ends the worker, whatever it does. Promises that wait for it are rejected with an AbortError. */
  terminate(): void {
    this.#end(new DOMException("The worker was terminated.", "AbortError"));
  }

  [Symbol.dispose](): void {
    this.terminate();
  }

  async #send<T extends keyof Tasks>(
    task: T,
    input: Tasks[T]["input"],
    transfer: Transferable[],
    { signal, ...callbacks }: Pick<UpscalePictureOptions, "signal" | "onProgress" | "onTile">,
    /** What to say if the input cannot be copied. */
    refusal: (cause: Error) => Error,
  ): Promise<Tasks[T]["result"]> {
    signal?.throwIfAborted();
    if (this.#failure) throw this.#failure;
    const id = this.#count++;
    try {
      this.#post({ id, task, input } as Task, transfer);
    } catch (error) {
      throw (error as Error).name === "DataCloneError" ? refusal(error as Error) : error;
    }
    // Seconds in which the page ran: one that slept, or stood in a debugger, gets a single tick for all of them.
    let seconds = 0;
    this.#silence ??= setInterval(() => {
      if (++seconds >= PATIENCE) this.#end(silent());
    }, 1000);
    const abort = () => this.#abort(id, signal!.reason);
    signal?.addEventListener("abort", abort);
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject, ...callbacks });
      });
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  #receive(message: FromWorker): void {
    if (!isObject(message)) return; // of a worker that does other things as well
    clearInterval(this.#silence);
    if ("heard" in message) return;
    if ("lost" in message) {
      this.#onDeviceLost?.(unpackError(message.lost) as DeviceLostError);
      return;
    }
    const { id } = message;
    const waiting = this.#waiting.get(id);
    if (!waiting) return; // aborted
    try {
      if ("progress" in message) waiting.onProgress?.(message.progress);
      else if ("tile" in message) waiting.onTile?.(message.tile);
      else {
        this.#waiting.delete(id);
        if ("result" in message) waiting.resolve(message.result as never);
        else waiting.reject(unpackError(message.error));
      }
    } catch (error) {
      this.#abort(id, error); // of a callback
    }
  }

  #abort(id: number, reason: unknown): void {
    this.#waiting.get(id)?.reject(reason);
    this.#waiting.delete(id);
    this.#post({ abort: id });
  }

  #post(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #end(failure: Error): void {
    this.#failure ??= failure;
    clearInterval(this.#silence);
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(failure);
    this.#waiting.clear();
  }
}

/** A page may import a module from another server, but start no worker there; a worker may import it, too. */
function startAt(address: string | URL): Worker {
  const { href, origin } = new URL(address, baseUrl());
  if (origin === location.origin) return new Worker(href, { type: "module" });
  const code = new Blob([`import ${JSON.stringify(href)};`], { type: "text/javascript" });
  return new Worker(URL.createObjectURL(code), { type: "module" });
}

/** What addresses are relative to: those of a worker would be to its own file. */
function baseUrl(): string {
  return globalThis.document?.baseURI ?? location.href;
}

const startItYourself =
  'You can start a worker of your own that has the line import "pixelgrad/worker/thread", and pass it: ' +
  "new UpscaleWorker({ worker }).";

function silent(): Error {
  return new Error(
    `UpscaleWorker: the worker has not answered for ${PATIENCE} s. It must import "pixelgrad/worker/thread" ` +
      "(dist/worker/thread.js, or dist/browser/thread.js), and be able to load it.",
  );
}

function notStarted({ message }: ErrorEvent): Error {
  if (message) return new Error(`UpscaleWorker: the worker failed: ${message}`);
  return new Error(
    "UpscaleWorker: the worker could not be started. Its file (thread.js) is missing where the page looks for it, " +
      `or the page's Content-Security-Policy does not allow it (worker-src). ${startItYourself}`,
  );
}

function checkMethod(method: unknown): void {
  if (method === undefined || typeof method === "string" || isBytes(method)) return;
  if (isOfClass(method, "ArrayBuffer")) return;
  throw new ArgumentError(
    "upscale",
    `in a worker, method must be a name or the bytes of a weight file, got ${quote(method)}. Of a network ` +
      "that you have here, pass its bytes: await saveWeights(model).",
  );
}

/** A picture as it can be sent, and what of it moves. What is no picture goes as it is: the worker refuses it. */
async function forWorker(
  picture: PictureSource,
  transfer: boolean,
): Promise<{ sent: PictureSource; moved: Transferable[] }> {
  if (typeof picture === "string" || isOfClass<URL>(picture, "URL")) {
    const sent = URL.canParse(picture, baseUrl()) ? new URL(picture, baseUrl()).href : String(picture);
    return { sent, moved: [] };
  }
  if (isDrawable(picture)) {
    const movable = transfer && isOfClass(picture, "ImageBitmap", "VideoFrame");
    const sent: Drawable = movable ? picture : await bitmapOf(picture, "upscale");
    return { sent, moved: [sent as ImageBitmap] };
  }
  if (isBytes(picture)) {
    const sent = memoryOf(picture, transfer);
    return { sent, moved: [sent.buffer as ArrayBuffer] };
  }
  // An ImageData has no channels, and its size is not copied by a spread.
  const { data, channels } = (picture ?? {}) as { data?: unknown; channels?: unknown };
  if (channels !== undefined && (isBytes(data) || isOfClass<Samples>(data, "Uint16Array"))) {
    const image = picture as Image<Samples>;
    const sent = { ...image, data: memoryOf(data, transfer) };
    return { sent, moved: [sent.data.buffer as ArrayBuffer] };
  }
  const movable = transfer && isOfClass<ArrayBuffer>(picture, "ArrayBuffer");
  return { sent: picture, moved: movable ? [picture] : [] };
}

/** The samples in memory that can move: they themselves, or a copy, which is all that copying costs. */
function memoryOf<S extends Samples>(data: S, transfer: boolean): S {
  const alone = data.byteLength === data.buffer.byteLength && isOfClass(data.buffer, "ArrayBuffer");
  return transfer && alone ? data : (data.slice() as S);
}
