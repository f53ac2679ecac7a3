/**
 * The worker's tasks with networks. Most of the library is for them: their file loads while the visitor looks at
 * the page.
 */

import { defaultDevice, type FinishedTile, init } from "../src/index.ts";
import { chooseMethods, enlargeInRuns } from "./enlarge-in-runs.ts";
import { loadPart } from "./load-part.ts";
import type { FineTuneRequest } from "./messages.ts";
import type { Methods } from "./methods.ts";
import { ensureGpu, hasDevice, Networks } from "./networks.ts";
import { keep, pictures } from "./picture-tasks.ts";
import { withEightBits } from "./pictures/eight-bits.ts";
import { bitmapOf, colorsFor, reductionFor } from "./pictures/show.ts";
import type { StoredPicture } from "./pictures/store.ts";
import { checkResultSize } from "./result-size.ts";
import { handOver } from "./serve-tasks.ts";
import { timesScale } from "./size.ts";
import { POOL_BYTES, type TaskTable } from "./task.ts";

/** So long a tile should take, in milliseconds: progress is told as often, and a stopped task ends soon. */
const TILE_TIME = 400;

export type NetworkTasks = TaskTable<"addWeights" | "removeWeights" | "upscale" | "fineTune">;

export function networkTasks(methods: Methods): NetworkTasks & { readonly networks: Networks } {
  const networks = new Networks(methods);
  return {
    networks,

    // These two do not wait for the end of a training run.
    async addWeights({ name, bytes }, { inTurn }) {
      if (!hasDevice()) await inTurn(ensureGpu); // it was lost: the page begins only once it has a GPU
      return networks.add(name, bytes);
    },

    async removeWeights({ id }, { inTurn }) {
      await methods.remove(id);
      // Not under a task that is using it. A long one that goes on, such as a video, opens it again for its next frame;
      // then it stays open as long as the page.
      inTurn(() => networks.close(id)).catch(() => undefined);
      return {};
    },

    async upscale({ picture: id, size, isPart, ...request }, { signal, report }) {
      const picture = await pictures.get(id);
      const start = performance.now();
      const scale = request.runs.reduce((product, run) => product * run.scale, 1);
      const large = timesScale(picture.image, scale);
      checkResultSize(picture.image, scale, size);
      report({});
      const { runs, choice } = chooseMethods(request.runs, picture);
      const colors = await colorsFor(picture.metadata);
      const reduction = reductionFor(large.width, large.height);
      const showTile = async ({ left, top, image }: FinishedTile) => {
        const { width, height } = image;
        const bitmap = await bitmapOf(image, { reduction, part: { left: 0, top: 0, width, height }, colors });
        if (!signal.aborted) report(handOver({ tile: { left, top, width, height, bitmap } }, [bitmap]));
      };
      const { image, adapter, tiles } = await enlargeInRuns(picture.image, { runs, size }, networks, {
        depth: picture.image.data instanceof Uint16Array ? 16 : 8,
        tileTime: isPart ? undefined : TILE_TIME,
        signal,
        onShare: (share) => report({ share }),
        onTile: (tile) => void showTile(tile),
      });
      const result: StoredPicture = { ...picture, image, jpegQuality: undefined };
      const ms = performance.now() - start;
      const { info, overview } = await keep(result);
      return handOver({ ...info, choice, overview, adapter, tiles, ms }, [overview.bitmap]);
    },

    async fineTune(input, context) {
      const learnFrom = await Promise.all(input.pictures.map(material)); // at once: the page may forget them soon
      if (defaultDevice().failure) await init({ poolBytes: POOL_BYTES }); // it was lost since
      const { fineTune } = await loadPart(import("./fine-tune.ts"));
      const open = () => networks.copyOf(input.start, input.scale);
      return fineTune(open, { ...input, pictures: learnFrom }, context);
    },
  };
}

async function material({ name, source }: FineTuneRequest["pictures"][number]) {
  if (source instanceof Blob) return { name, image: source };
  return { name, image: withEightBits((await pictures.get(source)).image) };
}
