/** The worker's tasks with video. They load when the tab for video opens. */
import { NullTarget, StreamTarget, type StreamTargetChunk, VideoSample } from "mediabunny";
import { crop, type Image } from "../../src/picture/index.ts";
import { chooseMethods, enlargeInRuns } from "../enlarge-in-runs.ts";
import { newIds } from "../ids.ts";
import type { Networks } from "../networks.ts";
import type { Overview } from "../overview.ts";
import { bitmapOf, reductionFor } from "../pictures/show.ts";
import type { Enlargement } from "../runs.ts";
import { type Context, handOver } from "../serve-tasks.ts";
import { inWords, type TaskTable } from "../task.ts";
import { CodecError, type ConvertOptions, convert, type FrameDone, Steering } from "./convert.ts";
import { takeImage } from "./frames.ts";
import { say } from "./language.ts";
import { OpaqueSampleSink } from "./opaque-sink.ts";
import { outputsFor } from "./outputs.ts";
import { paceDecoders } from "./paced-decoder.ts";
import { PartsTarget } from "./parts-target.ts";
import { dataError, openSource, type VideoSource } from "./source.ts";

export { loadVideoSentences, useVideoSentences } from "./language.ts";

export type VideoTasks = TaskTable<
  "openVideo" | "closeVideo" | "videoOutputs" | "tryVideo" | "convertVideo" | "steerVideo" | "enlargeFrame"
>;

type InTurn = Context<never>["inTurn"];

/** The page shows a new pair of frames so often, in milliseconds. */
const PREVIEW_EVERY = 1000;

/** So long a measurement may take, in milliseconds, if a frame is quick. */
const MEASURE_FOR = 1500;

/** The side of the part that is measured first: software, too, enlarges it in a second or two. */
const PART_SIDE = 96;

export function videoTasks(networks: Pick<Networks, "upscaler">): VideoTasks {
  paceDecoders();
  const open = new Map<number, VideoSource>();
  const steerings = new Map<number, Steering>();
  const newId = newIds();

  const sourceOf = (id: number): VideoSource => {
    const source = open.get(id);
    if (!source) throw new Error(say.gone);
    return source;
  };

  /** A function that enlarges frames; other tasks may have their turn between two of them. */
  const enlarger = (enlargement: Enlargement, inTurn: InTurn, signal?: AbortSignal) => {
    const enlarge = async (frame: Image): Promise<Image> => {
      const { image } = await enlargeInRuns(frame, enlargement, networks, { depth: 8, signal });
      return image as Image;
    };
    return (frame: Image) => inTurn(() => enlarge(frame));
  };

  return {
    async openVideo({ file, name }) {
      const source = await openSource(file, name);
      const id = newId();
      open.set(id, source);
      return { id, name, ...source.facts };
    },

    async closeVideo({ video }) {
      open.get(video)?.input.dispose();
      open.delete(video);
      return {};
    },

    async videoOutputs({ video, size, fileSize }) {
      return outputsFor(sourceOf(video), size, fileSize);
    },

    async tryVideo({ video, output, size, ...request }, { signal, inTurn }) {
      const source = sourceOf(video);
      const frame = await middleFrame(source);
      const { runs } = chooseMethods(request.runs, { image: frame });
      const part = middlePart(frame);
      const enlargePart = enlarger({ runs }, inTurn, signal);
      const small = await enlargePart(part); // compiles kernels, too
      const start = performance.now();
      await enlargePart(part);
      const share = (part.width * part.height) / (frame.width * frame.height);
      let ms = (performance.now() - start) / share;
      let [before, after, isPart] = [part, small, share < 1];
      if (ms < MEASURE_FOR) {
        const enlarge = enlarger({ runs, size }, inTurn, signal);
        [before, after, isPart] = [frame, await enlarge(frame), false];
        ms = (await measure({ source, output, enlarge }, signal)) ?? ms;
      }
      signal.throwIfAborted();
      const [left, right] = [await overviewOf(before), await overviewOf(after)];
      return handOver({ ms, runs, before: left, after: right, isPart }, [left.bitmap, right.bitmap]);
    },

    async convertVideo({ video, output, file, ...request }, context) {
      const source = sourceOf(video);
      const steering = new Steering();
      steerings.set(video, steering);
      const parts = file ? undefined : new PartsTarget();
      let stream: FileSystemWritableFileStream | undefined;
      const start = performance.now();
      let last = Number.NEGATIVE_INFINITY;
      try {
        stream = await file?.createWritable();
        const { failure, ...converted } = await convert({
          ...{ source, output, steering, enlarge: enlarger(request, context.inTurn) },
          target: parts?.target ?? intoFile(stream!),
          async onFrame({ share, frames, before, after }) {
            const now = performance.now();
            if (now - last < PREVIEW_EVERY) return context.report({ share, frames });
            last = now;
            const pair = { before: await overviewOf(before), after: await overviewOf(after) };
            context.report(handOver({ share, frames, pair }, [pair.before.bitmap, pair.after.bitmap]));
          },
        });
        const { frames } = converted;
        // Only then does the user's file become another one.
        await (frames > 0 ? stream?.close() : stream?.abort());
        const blob = frames > 0 ? parts?.file(`video/${output.container}`) : undefined;
        const bytes = blob?.size ?? (frames > 0 && file ? (await file.getFile()).size : 0);
        const why = failure && inWords(describe(failure, source)).message;
        return { ...converted, failure: why, bytes, file: blob, ms: performance.now() - start };
      } catch (error) {
        await stream?.abort().catch(() => undefined); // it may have failed itself
        throw describe(error as Error, source);
      } finally {
        steerings.delete(video);
      }
    },

    async steerVideo({ video, action }) {
      steerings.get(video)?.[action]();
      return {};
    },

    async enlargeFrame({ frame, size, ...request }, { inTurn }) {
      const start = performance.now();
      const image = await takeImage(new VideoSample(frame));
      const { runs } = chooseMethods(request.runs, { image });
      const bitmap = await bitmapOf(await enlarger({ runs, size }, inTurn)(image), {});
      return handOver({ bitmap, runs, ms: performance.now() - start }, [bitmap]);
    },
  };
}

/** A target that closes leaves the file open: a conversion that has failed closes it, too. */
function intoFile(stream: FileSystemWritableFileStream): StreamTarget {
  const writable = new WritableStream<StreamTargetChunk>({ write: (chunk) => stream.write(chunk) });
  return new StreamTarget(writable, { chunked: true, chunkSize: 2 ** 22 });
}

/**
 * What a frame takes on the way into a file, in milliseconds. The clock starts when the first one is done:
 * decoders and encoders take a while to start. Undefined if no frame was done.
 */
async function measure(
  options: Pick<ConvertOptions, "source" | "output" | "enlarge">,
  signal: AbortSignal,
): Promise<number | undefined> {
  const steering = new Steering();
  const finish = () => steering.finish();
  signal.addEventListener("abort", finish);
  const { begin, duration } = options.source.facts;
  const from = begin + duration / 3;
  const start = performance.now();
  let [first, last] = [start, start];
  const onFrame = ({ frames }: FrameDone) => {
    last = performance.now();
    if (frames > 1) return;
    first = last;
    setTimeout(finish, MEASURE_FOR);
  };
  const target = new NullTarget();
  const { frames } = await convert({ ...options, target, steering, from, isSilent: true, onFrame }).catch(
    (error: Error) => {
      // The video may be damaged there: that a conversion says, with what came before it.
      if (error instanceof CodecError && error.step === "decode") return { frames: 0 };
      throw error;
    },
  );
  if (frames === 0) return undefined;
  return frames === 1 ? last - start : (last - first) / (frames - 1);
}

/** A frame from the first third, as the beginning of many videos is black; else the first. */
async function middleFrame({ video, assumedMatrix, facts: { duration }, name }: VideoSource): Promise<Image> {
  const sink = new OpaqueSampleSink(video);
  const first = await video.getFirstTimestamp();
  let failure: Error | undefined;
  for (const time of [first + duration / 3, first]) {
    try {
      const sample = await sink.getSample(time);
      if (sample) return await takeImage(sample, assumedMatrix);
    } catch (error) {
      failure ??= error as Error; // the video may be damaged there, and not in front
    }
  }
  throw failure ? describe(new CodecError("decode", failure), { name }) : dataError(say.noFrames(name));
}

/** What codecs say is for programmers. */
function describe(error: Error, { name }: Pick<VideoSource, "name">): Error {
  if (!(error instanceof CodecError)) return error;
  const { step, reason } = error;
  if (reason.name !== "EncodingError" && reason.name !== "OperationError") return reason;
  const why = reason.message.replace(/\.$/, "");
  return step === "decode"
    ? dataError(say.undecodable(name, why), reason)
    : new Error(say.unencodable(why), { cause: reason });
}

function middlePart(image: Image): Image {
  const [width, height] = [Math.min(PART_SIDE, image.width), Math.min(PART_SIDE, image.height)];
  return crop(image, (image.width - width) >> 1, (image.height - height) >> 1, width, height);
}

async function overviewOf(image: Image): Promise<Overview> {
  const { width, height } = image;
  const bitmap = await bitmapOf(image, { reduction: reductionFor(width, height) });
  return { bitmap, width, height, wideGamut: false };
}
