/** The worker: everything that computes. Tasks come from engine.ts and run one after the other. */
import { init, upscale } from "../src/index.ts";
import { fineTune } from "./fine-tune.ts";
import type { FromWorker, Tasks, ToWorker } from "./messages.ts";
import { Methods } from "./methods.ts";

interface Context<T extends keyof Tasks> {
  readonly signal: AbortSignal;
  readonly report: (event: Tasks[T]["event"]) => void;
  /** The next task waits for this one's leftovers. The result does not: Stop must not wait for the GPU. */
  readonly leave: (leftover: Promise<unknown>) => void;
}

type TaskTable = {
  [T in keyof Tasks]: (input: Tasks[T]["input"], context: Context<T>) => Promise<Tasks[T]["result"]>;
};

/** Memory for one tile. It is half of the library's default because Stop waits for the end of a tile. */
const TILE_BYTES = 256 * 2 ** 20;

const methods = new Methods();

const tasks: TaskTable = {
  async open() {
    const { name } = await init();
    return { adapter: name };
  },

  loadedFiles: async () => performance.getEntriesByType("resource").map(({ name }) => name),

  methods: async () => methods.list(),

  addWeights: async ({ name, bytes }) => methods.addWeights(name, bytes),

  async upscale({ image, method, scale }, { signal, report }) {
    const upscaler = await methods.upscaler(method, scale);
    const large = await upscale(image, {
      method: upscaler,
      maxMemory: TILE_BYTES,
      signal,
      onProgress: report,
    });
    const { image: bicubic } = await upscale(image, { method: "bicubic", scale });
    return { ...large, bicubic };
  },

  async removeWeights({ id }) {
    await methods.remove(id);
    return {};
  },

  renameWeights: async ({ id, name }) => methods.rename(id, name),

  weights: async ({ id }) => methods.weightsOf(id),

  fineTune: (input, context) => fineTune(() => methods.copyOf(input.start, input.scale), input, context),
};

const running = new Map<number, AbortController>();
/** Resolves when all tasks so far have ended. Scopes of tensors allow only one at a time. */
let last: Promise<void> = Promise.resolve();

self.addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
  if ("abort" in data) {
    running.get(data.abort)?.abort();
    return;
  }
  running.set(data.id, new AbortController());
  last = last.then(() => perform(data));
});

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
      report: (event) => say({ id, event }),
      leave: (leftover) => leftovers.push(leftover),
    });
    say({ id, result });
  } catch (error) {
    const { name, message } = error as Error;
    say({ id, error: { name, message } });
  } finally {
    running.delete(id);
    await Promise.allSettled(leftovers);
  }
}

function say(message: FromWorker): void {
  postMessage(message);
}
