/**
 * The worker: everything that computes. Tasks come from engine.ts. Those that work with tensors run one after the
 * other, and the others beside them.
 */
import "./pictures/buffer.ts";
import {
  type Choice,
  defaultDevice,
  defaultMethod,
  type FinishedTile,
  init,
  upscaleBands,
} from "../src/index.ts";
import { crop, type Image, imresize, imresizePart, type Samples, sizeWithin } from "../src/picture/index.ts";
import {
  automatic,
  type FineTuneRequest,
  type Overview,
  type PictureInfo,
  type Size,
  type Tasks,
} from "./messages.ts";
import { Methods } from "./methods.ts";
import { bitmapOf, reductionFor } from "./pictures/show.ts";
import { PictureStore, type StoredPicture } from "./pictures/store.ts";
import type { FromWorker, ToWorker } from "./task-engine.ts";
import { loadLanguage, say } from "./worker-language.ts";

interface Context<T extends keyof Tasks> {
  readonly signal: AbortSignal;
  readonly report: (event: Tasks[T]["event"]) => void;
  /** The next task waits for this one's leftovers. The result does not: Stop must not wait for the GPU. */
  readonly leave: (leftover: Promise<unknown>) => void;
}

type TaskTable = {
  [T in keyof Tasks]: (input: Tasks[T]["input"], context: Context<T>) => Promise<Tasks[T]["result"]>;
};

/** So long a tile should take, in milliseconds: progress is told as often, and a stopped task ends soon. */
const TILE_TIME = 400;

/** Memory for one tile. */
const TILE_BYTES = 256 * 2 ** 20;

/** The most bytes of a result's samples. */
const MAX_RESULT = 2 ** 30;

/** Unused buffers of the device. Tiles of many sizes would leave many. */
const POOL_BYTES = 256 * 2 ** 20;

const methods = new Methods();

const pictures = new PictureStore(async (picture) => {
  const { encodePng } = await import("./pictures/encode-png.ts");
  const file = await encodePng(picture.image);
  return async () => {
    const { decodePng } = await import("./pictures/decode-png.ts");
    const { image } = await decodePng(new Uint8Array(await file.arrayBuffer()));
    return { ...picture, image };
  };
});

const tasks: TaskTable = {
  async language({ code }) {
    await loadLanguage(code);
    return {};
  },

  async open() {
    const { name } = await init({ poolBytes: POOL_BYTES });
    return { adapter: name };
  },

  loadedFiles: async () => performance.getEntriesByType("resource").map(({ name }) => name),

  methods: async () => methods.list(),

  addWeights: async ({ name, bytes }) => methods.addWeights(name, bytes),

  async removeWeights({ id }) {
    await methods.remove(id);
    return {};
  },

  async read({ file, name }) {
    const { readPictureFile } = await import("./pictures/read.ts");
    const read = async (): Promise<StoredPicture> => readPictureFile(file, name);
    const { format, notes, ...picture } = await readPictureFile(file, name);
    const id = pictures.add(picture, read);
    const overview = await show(id, picture);
    return handOver({ ...infoOf(id, picture), format, notes, overview }, [overview.bitmap]);
  },

  async crop({ picture: id, part: { left, top, width, height } }) {
    const { image, ...file } = await pictures.get(id);
    const part = { ...file, image: crop(image, left, top, width, height) };
    const partId = pictures.add(part);
    const overview = await show(partId, part);
    return handOver({ ...infoOf(partId, part), overview }, [overview.bitmap]);
  },

  async upscale({ picture: id, method, steps, size, isPart }, { signal, report }) {
    const picture = await pictures.get(id);
    const start = performance.now();
    const scale = steps.reduce((product, step) => product * step, 1);
    checkSize(picture.image, size ? sizeWithin(picture.image, size) : timesScale(picture.image, scale));
    report({});
    const { icc } = picture.metadata;
    const isDeep = picture.image.data instanceof Uint16Array;
    const total = workOf(steps);
    let { image } = picture;
    let choice: Choice | undefined;
    let [adapter, tiles, done] = ["", 0, 0];
    for (const [i, step] of steps.entries()) {
      const isLast = i === steps.length - 1;
      let name = method;
      if (method === automatic) {
        // What a network has enlarged once is clean.
        if (i === 0) choice = (await import("./choose.ts")).chooseMethod(picture, step);
        name = (i === 0 && choice?.method) || defaultMethod(step)!;
      }
      const share = workOf(steps.slice(0, i + 1)) / total - done;
      const bands = await upscaleBands(image, {
        method: await methods.upscaler(name, step),
        depth: isDeep || !isLast ? 16 : 8,
        size: isLast ? size : undefined,
        tileTime: isPart ? undefined : TILE_TIME,
        maxMemory: TILE_BYTES,
        signal,
        onProgress: (progress) => report({ share: done + share * progress.share }),
        onTile: isLast ? (tile) => void showTile(tile) : undefined,
      });
      const large = timesScale(image, step);
      const reduction = reductionFor(large.width, large.height);
      const showTile = async ({ left, top, image }: FinishedTile) => {
        const { width, height } = image;
        const bitmap = await bitmapOf(image, { reduction, part: { left: 0, top: 0, width, height }, icc });
        if (!signal.aborted) report(handOver({ tile: { left, top, width, height, bitmap } }, [bitmap]));
      };
      image = await bands.image();
      tiles += bands.report.tiles;
      adapter = bands.report.adapter;
      done += share;
    }
    const result: StoredPicture = { ...picture, image, jpegQuality: undefined };
    const resultId = pictures.add(result);
    const ms = performance.now() - start;
    const overview = await show(resultId, result);
    const info = infoOf(resultId, result);
    return handOver({ ...info, choice, overview, adapter, tiles, ms }, [overview.bitmap]);
  },

  async show({ picture }) {
    const overview = await show(picture, await pictures.get(picture));
    return handOver(overview, [overview.bitmap]);
  },

  async bicubic({ picture: id, size: { width, height } }) {
    const { image, metadata } = await pictures.get(id);
    const reduction = reductionFor(width, height);
    const size = { width: Math.ceil(width / reduction), height: Math.ceil(height / reduction) };
    const large = imresize(withEightBits(image), size);
    const { icc } = metadata;
    const bitmap = await bitmapOf(large, { icc });
    return handOver({ bitmap, width, height, wideGamut: icc !== undefined }, [bitmap]);
  },

  async detail({ picture: id, part, reduction, bicubic: size }) {
    const { image, metadata } = await pictures.get(id);
    const { icc } = metadata;
    if (size === undefined) return handOver(await bitmapOf(image, { part, reduction, icc }));
    const large = imresizePart(withEightBits(image), size, part);
    return handOver(await bitmapOf(large, { reduction, icc }));
  },

  async write({ picture, format, quality }) {
    const { writePicture } = await import("./pictures/write.ts");
    const { image, ...original } = await pictures.get(picture);
    return writePicture(image, original, format, quality);
  },

  async zip({ files, format, quality }, { report }) {
    const { zipped } = await import("./pictures/zip.ts");
    const { writePicture } = await import("./pictures/write.ts");
    let done = 0;
    const write = async (picture: number) => {
      const { image, ...original } = await pictures.get(picture);
      const { file } = await writePicture(image, original, format, quality);
      report({ done: ++done });
      return file;
    };
    return { file: await zipped(files.map(({ picture, name }) => ({ name, read: () => write(picture) }))) };
  },

  async forget({ pictures: ids }) {
    for (const id of ids) pictures.forget(id);
    return {};
  },

  renameWeights: async ({ id, name }) => methods.rename(id, name),

  weights: async ({ id }) => methods.weightsOf(id),

  async fineTune(input, context) {
    if (defaultDevice().failure) await init({ poolBytes: POOL_BYTES }); // it was lost since
    const { fineTune } = await import("./fine-tune.ts");
    const open = () => methods.copyOf(input.start, input.scale);
    return fineTune(open, { ...input, pictures: await Promise.all(input.pictures.map(material)) }, context);
  },
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

async function material({ name, source }: FineTuneRequest["pictures"][number]) {
  if (source instanceof Blob) return { name, image: source };
  return { name, image: withEightBits((await pictures.get(source)).image) };
}

function infoOf(id: number, { image }: StoredPicture): PictureInfo {
  const { width, height, channels, data } = image;
  return { id, width, height, channels, depth: data instanceof Uint8Array ? 8 : 16 };
}

async function show(id: number, { image, metadata: { icc } }: StoredPicture): Promise<Overview> {
  const { width, height } = image;
  const bitmap = await bitmapOf(image, { reduction: reductionFor(width, height), icc });
  return { bitmap, width, height, wideGamut: icc !== undefined, id };
}

function withEightBits({ width, height, channels, data }: Image<Samples>): Image {
  const bytes = data instanceof Uint8Array ? data : Uint8Array.from(data, (value) => (value + 128) / 257);
  return { width, height, channels, data: bytes };
}

/** What a method's runs cost, one after the other, in pixels that go in. */
function workOf(steps: readonly number[]): number {
  let [work, pixels] = [0, 1];
  for (const step of steps) {
    work += pixels;
    pixels *= step ** 2;
  }
  return work;
}

function timesScale({ width, height }: Size, scale: number): Size {
  return { width: width * scale, height: height * scale };
}

function checkSize({ channels, data }: Image<Samples>, { width, height }: Size): void {
  if (width * height * channels * data.BYTES_PER_ELEMENT <= MAX_RESULT) return;
  throw new RangeError(say.tooLarge(`${width} × ${height}`));
}

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
    });
    send({ id, result }, result);
  } catch (error) {
    send({ id, error: described(error as Error, signal) });
  } finally {
    running.delete(id);
    await Promise.allSettled(leftovers);
  }
}

/** Only the user's own abort is called one. WebGPU, too, calls its errors so when a device is gone. */
function described({ name, message }: Error, signal: AbortSignal): { name: string; message: string } {
  if (signal.aborted) return { name: "AbortError", message };
  if (name === "AbortError" || name === "DeviceLostError") {
    return { name: "DeviceLostError", message: say.deviceLost };
  }
  return { name, message };
}

/** What goes to the page without a copy, by the result or event that it is a part of. */
const transfers = new WeakMap<object, Transferable[]>();

function handOver<T extends object>(message: T, parts: Transferable[] = [message as Transferable]): T {
  transfers.set(message, parts);
  return message;
}

function send(message: FromWorker, content?: object): void {
  postMessage(message, { transfer: (content && transfers.get(content)) || [] });
}
