/**
 * The worker's tasks with networks. Most of the library is for them: their file loads while the visitor looks at
 * the page.
 */
import {
  type Choice,
  chooseMethod,
  defaultDevice,
  defaultMethod,
  type FinishedTile,
  init,
  upscaleBands,
} from "../src/index.ts";
import { type Image, type Samples, sizeWithin } from "../src/picture/index.ts";
import { automatic, type FineTuneRequest, type Size } from "./messages.ts";
import type { Methods } from "./methods.ts";
import { Networks } from "./networks.ts";
import { infoOf, pictures, show, withEightBits } from "./picture-tasks.ts";
import { bitmapOf, reductionFor } from "./pictures/show.ts";
import type { StoredPicture } from "./pictures/store.ts";
import { handOver } from "./serve-tasks.ts";
import { POOL_BYTES, type TaskTable } from "./task.ts";
import { say } from "./worker-language.ts";

/** So long a tile should take, in milliseconds: progress is told as often, and a stopped task ends soon. */
const TILE_TIME = 400;

/** Memory for one tile. */
const TILE_BYTES = 256 * 2 ** 20;

/** The most bytes of a result's samples. */
const MAX_RESULT = 2 ** 30;

export type NetworkTasks = TaskTable<"addWeights" | "removeWeights" | "upscale" | "fineTune">;

export function networkTasks(methods: Methods): NetworkTasks & { readonly networks: Networks } {
  const networks = new Networks(methods);
  return {
    networks,

    addWeights: async ({ name, bytes }) => networks.add(name, bytes),

    async removeWeights({ id }) {
      await networks.remove(id);
      return {};
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
          if (i === 0) choice = chooseMethod(picture, step);
          name = (i === 0 && choice?.method) || defaultMethod(step)!;
        }
        const share = workOf(steps.slice(0, i + 1)) / total - done;
        const bands = await upscaleBands(image, {
          method: await networks.upscaler(name, step),
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

    async fineTune(input, context) {
      if (defaultDevice().failure) await init({ poolBytes: POOL_BYTES }); // it was lost since
      const { fineTune } = await import("./fine-tune.ts");
      const open = () => networks.copyOf(input.start, input.scale);
      return fineTune(open, { ...input, pictures: await Promise.all(input.pictures.map(material)) }, context);
    },
  };
}

async function material({ name, source }: FineTuneRequest["pictures"][number]) {
  if (source instanceof Blob) return { name, image: source };
  return { name, image: withEightBits((await pictures.get(source)).image) };
}

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
