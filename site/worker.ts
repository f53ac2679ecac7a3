/**
 * The worker: everything that computes. Tasks come from engine.ts. Those that work with tensors run one after the
 * other, and the others beside them.
 *
 *     task.ts             the form of a task
 *     picture-tasks.ts    files in and out, and what the page shows
 *     network-tasks.ts    enlarging and training; methods.ts and networks.ts have what they work with
 *     video/video-tasks.ts      video
 */
import { init } from "../src/index.ts";
import type { LanguageCode } from "./language.ts";
import type { Tasks } from "./messages.ts";
import { Methods } from "./methods.ts";
import { pictureTasks } from "./picture-tasks.ts";
import { inWords, POOL_BYTES, type TaskTable, transfersOf } from "./task.ts";
import type { FromWorker, ToWorker } from "./task-engine.ts";
import { code, loadLanguage } from "./worker-language.ts";

const methods = new Methods();

/** Calls `load` when it is first needed. After a failure, the next call tries again. */
function later<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => {
    loaded ??= load().catch((error) => {
      loaded = undefined;
      throw error;
    });
    return loaded;
  };
}

const networkTasks = later(async () => (await import("./network-tasks.ts")).networkTasks(methods));

/** Once it is there, it speaks the page's language. */
let speakOfVideo: ((code: LanguageCode) => Promise<unknown>) | undefined;

const videoTasks = later(async () => {
  const [{ networks }, video] = await Promise.all([networkTasks(), import("./video/video-tasks.ts")]);
  speakOfVideo = async (chosen) => {
    const sentences = await video.loadVideoSentences(chosen);
    if (chosen === code) video.useVideoSentences(sentences);
  };
  await speakOfVideo(code);
  return video.videoTasks(networks);
});

// A visitor on a slow line sees the picture, and has the buttons, before this is there.
networkTasks().catch(() => undefined);

const tasks: TaskTable = {
  ...pictureTasks,

  async language({ code }) {
    await loadLanguage(code);
    await speakOfVideo?.(code);
    return {};
  },

  async open() {
    const { name } = await init({ poolBytes: POOL_BYTES });
    return { adapter: name };
  },

  loadedFiles: async () => performance.getEntriesByType("resource").map(({ name }) => name),

  methods: async () => methods.list(),

  renameWeights: async ({ id, name }) => methods.rename(id, name),

  weights: async ({ id }) => methods.weightsOf(id)!,

  addWeights: async (...task) => (await networkTasks()).addWeights(...task),

  removeWeights: async (...task) => (await networkTasks()).removeWeights(...task),

  upscale: async (...task) => (await networkTasks()).upscale(...task),

  fineTune: async (...task) => (await networkTasks()).fineTune(...task),

  openVideo: async (...task) => (await videoTasks()).openVideo(...task),

  closeVideo: async (...task) => (await videoTasks()).closeVideo(...task),

  videoOutputs: async (...task) => (await videoTasks()).videoOutputs(...task),

  tryVideo: async (...task) => (await videoTasks()).tryVideo(...task),

  convertVideo: async (...task) => (await videoTasks()).convertVideo(...task),

  steerVideo: async (...task) => (await videoTasks()).steerVideo(...task),

  enlargeFrame: async (...task) => (await videoTasks()).enlargeFrame(...task),
};

/** Tasks that work with tensors: scopes allow only one of them at a time. */
const exclusive: ReadonlySet<keyof Tasks> = new Set([
  "open",
  "addWeights",
  "removeWeights",
  "renameWeights",
  "upscale",
  "fineTune",
]);

// ---- Messages

const running = new Map<number, AbortController>();
/** Resolves when all exclusive tasks so far have ended. */
let last: Promise<void> = Promise.resolve();

self.addEventListener("message", ({ data }: MessageEvent<ToWorker<Tasks>>) => {
  if ("abort" in data) {
    running.get(data.abort)?.abort();
    return;
  }
  running.set(data.id, new AbortController());
  if (exclusive.has(data.task)) last = last.then(() => perform(data));
  else void perform(data);
});

/** A long task that is not exclusive lets others in between two pieces of its work. */
function inTurn<R>(work: () => Promise<R>): Promise<R> {
  const result = last.then(work);
  last = result.then(
    () => undefined,
    () => undefined,
  );
  return result;
}

async function perform<T extends keyof Tasks>(message: {
  id: number;
  task: T;
  input: Tasks[T]["input"];
}): Promise<void> {
  const { id, task, input } = message;
  const { signal } = running.get(id)!;
  const leftovers: Promise<unknown>[] = [];
  try {
    const result = await tasks[task](input, {
      signal,
      report: (event) => send({ id, event }, event),
      leave: (leftover) => leftovers.push(leftover),
      inTurn,
    });
    send({ id, result }, result);
  } catch (error) {
    send({ id, error: described(error as Error, signal) });
  } finally {
    running.delete(id);
    await Promise.allSettled(leftovers);
  }
}

/** Only the user's own abort is called one. */
function described({ name, message }: Error, signal: AbortSignal): { name: string; message: string } {
  return signal.aborted ? { name: "AbortError", message } : inWords({ name, message });
}

function send(message: FromWorker, content?: object): void {
  postMessage(message, { transfer: transfersOf(content) });
}
