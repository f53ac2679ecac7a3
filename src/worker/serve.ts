/** The worker's side: does the tasks that an `UpscaleWorker` sends. */
import { init, whenOpened } from "../device/open.ts";
import type { Image, Samples } from "../picture/image.ts";
import { upscale } from "../upscale/upscale.ts";
import { packError } from "./errors.ts";
import type { FromWorker, Task, Tasks, ToWorker, UpscaleInput } from "./messages.ts";

/** Listens to the page for as long as the worker lives. */
export function serve(): void {
  // Also of devices that upscale() opens by itself.
  whenOpened(({ lost }) => lost.then((error) => say({ lost: packError(error) })));
  const controllers = new Map<number, AbortController>();
  /** Resolves when all tasks so far have ended: two at once would need twice the memory. */
  let last = Promise.resolve();
  globalThis.addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
    if ("abort" in data) {
      controllers.get(data.abort)?.abort();
      return;
    }
    say({ heard: true });
    const controller = new AbortController();
    controllers.set(data.id, controller);
    last = last.then(async () => {
      await perform(data, controller.signal);
      controllers.delete(data.id);
    });
  });
}

async function perform(message: Task, signal: AbortSignal): Promise<void> {
  const { id } = message;
  try {
    signal.throwIfAborted();
    if (message.task === "init") {
      const { name } = await init(message.input);
      say({ id, result: { name } });
    } else {
      const result = await enlarge(id, message.input, signal);
      say({ id, result }, result.image);
    }
  } catch (error) {
    say({ id, error: packError(error) });
  }
}

function enlarge(
  id: number,
  { picture, options, tells }: UpscaleInput,
  signal: AbortSignal,
): Promise<Tasks["upscale"]["result"]> {
  return upscale(picture, {
    ...options,
    signal,
    onProgress: tells.progress ? (progress) => say({ id, progress }) : undefined,
    onTile: tells.tiles ? (tile) => say({ id, tile }, tile.image) : undefined,
  });
}

/** The pixels of `image` are not copied on their way. */
function say(message: FromWorker, image?: Image<Samples>): void {
  const transfer = image ? [image.data.buffer as ArrayBuffer] : [];
  globalThis.postMessage(message, { transfer });
}
