/**
 * The worker: everything that computes. Tasks come from engine.ts. Those that work with tensors run one after the
 * other, and the others beside them.
 *
 *     serve-tasks.ts      messages from the page and to it
 *     task.ts             the form of a task
 *     picture-tasks.ts    files in and out, and what the page shows
 *     network-tasks.ts    enlarging and training; methods.ts and networks.ts have what they work with
 *     video/video-tasks.ts      video
 */

import { init } from "../src/index.ts";
import type { LanguageCode } from "./language.ts";
import { loadPart } from "./load-part.ts";
import type { Tasks } from "./messages.ts";
import { Methods } from "./methods.ts";
import { pictureTasks } from "./picture-tasks.ts";
import { type Performer, serveTasks } from "./serve-tasks.ts";
import { inWords, POOL_BYTES, type TaskTable } from "./task.ts";
import { code, loadLanguage } from "./worker-language.ts";

/** Calls `load` when it is first needed. After a failure, the next call tries again. */
function later<T>(load: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= load().catch((error) => {
      result = undefined;
      throw error;
    });
    return result;
  };
}

/** Tasks whose code is loaded when one of them is first asked for. */
function lazy<Name extends keyof Tasks>(
  load: () => Promise<NoInfer<TaskTable<Name>>>,
  names: readonly Name[],
): TaskTable<Name> {
  const forward = <T extends Name>(name: T): Performer<Tasks[T]> => {
    return async (input, context) => {
      const tasks: TaskTable<Name> = await load();
      return tasks[name](input, context);
    };
  };
  return Object.fromEntries(names.map((name) => [name, forward(name)])) as unknown as TaskTable<Name>;
}

type WithTensors = "open" | "upscale" | "fineTune";

// gpu-probe.ts starts this file a second time, for this question alone.
if (self.name === "probe") {
  const answered = () => postMessage("answered");
  void Promise.resolve(navigator.gpu?.requestAdapter()).then(answered, answered);
} else serve();

function serve(): void {
  const methods = new Methods();

  const networkTasks = later(async () =>
    (await loadPart(import("./network-tasks.ts"))).networkTasks(methods),
  );

  /** Once it is there, it speaks the page's language. */
  let speakOfVideo: ((code: LanguageCode) => Promise<unknown>) | undefined;

  const videoTasks = later(async () => {
    const [{ networks }, video] = await Promise.all([
      networkTasks(),
      loadPart(import("./video/video-tasks.ts")),
    ]);
    speakOfVideo = async (chosen) => {
      const sentences = await video.loadVideoSentences(chosen);
      if (chosen === code) video.useVideoSentences(sentences);
    };
    await speakOfVideo(code);
    return video.videoTasks(networks);
  });

  // A visitor on a slow line sees the picture, and has the buttons, before this is there.
  networkTasks().catch(() => undefined);

  const withTensors: TaskTable<WithTensors> = {
    async open() {
      const { name } = await init({ poolBytes: POOL_BYTES });
      return { adapter: name };
    },

    ...lazy(networkTasks, ["upscale", "fineTune"]),
  };

  const withoutTensors: TaskTable<Exclude<keyof Tasks, WithTensors>> = {
    async language({ code }) {
      await loadLanguage(code);
      await speakOfVideo?.(code);
      return {};
    },

    loadedFiles: async () => performance.getEntriesByType("resource").map(({ name }) => name),

    methods: async () => methods.list(),

    restored: async () => ({ wasLate: await methods.wereLate() }),

    renameWeights: async ({ id, name }) => methods.rename(id, name),

    ...lazy(networkTasks, ["addWeights", "removeWeights"]),

    weights: async ({ id }) => methods.weightsOf(id)!,

    ...pictureTasks,

    // Those that enlarge take turns with the others, frame by frame.
    ...lazy(videoTasks, [
      "openVideo",
      "closeVideo",
      "videoOutputs",
      "tryVideo",
      "convertVideo",
      "steerVideo",
      "enlargeFrame",
    ]),
  };

  serveTasks<Tasks, WithTensors>(withTensors, withoutTensors, inWords);
}
