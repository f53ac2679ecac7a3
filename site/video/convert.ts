/**
 * A video becomes a larger one: each frame is decoded, enlarged and encoded; the sound goes along. Frames that are
 * decoded and not yet encoded are few: the decoder and the encoder have short queues, and each waits for the next.
 */
import {
  type AudioSample,
  AudioSampleSink,
  AudioSampleSource,
  EncodedAudioPacketSource,
  type EncodedPacket,
  EncodedPacketSink,
  Output,
  Quality,
  type Target,
  type VideoSample,
  VideoSampleSource,
} from "mediabunny";
import type { Image } from "../../src/picture/index.ts";
import { frameOf, type Timing, takeImage } from "./frames.ts";
import type { OutputRequest } from "./messages.ts";
import { OpaqueSampleSink } from "./opaque-sink.ts";
import { formatOf, SOUND_BITRATE, type SoundWay, soundWays } from "./outputs.ts";
import type { VideoSource } from "./source.ts";

export interface ConvertOptions {
  readonly source: VideoSource;
  readonly output: OutputRequest;
  readonly target: Target;
  readonly enlarge: (frame: Image) => Promise<Image>;
  readonly steering?: Steering;
  /** Where to begin, in seconds; default: the beginning. */
  readonly from?: number;
  /** Without sound, for measuring. Default: with it. */
  readonly isSilent?: boolean;
  readonly onFrame?: (done: FrameDone) => void | Promise<void>;
}

export interface FrameDone {
  /** Of the video, 0 to 1. */
  readonly share: number;
  /** How many are done. */
  readonly frames: number;
  readonly before: Image;
  readonly after: Image;
}

export interface ConversionOutcome {
  readonly frames: number;
  /** Of what is in the file, in seconds. */
  readonly length: number;
  /** All frames are in the file. */
  readonly isWhole: boolean;
  /** What ended the video early, other than the user: a place that cannot be decoded, or that is missing. */
  readonly damage?: { readonly at: number; readonly reason: string };
  /** What else ended it early, such as an encoder. */
  readonly failure?: Error;
}

/** The last frame may end so much before the video does, in seconds. */
const TOLERANCE = 0.1;

/** What a browser could not do: read and decode the video, or encode the result. */
export class CodecError extends Error {
  readonly step: "decode" | "encode";
  readonly reason: Error;

  constructor(step: CodecError["step"], reason: Error) {
    super(reason.message);
    this.step = step;
    this.reason = reason;
  }
}

/** For `catch`: names the step that has failed. */
function failing(step: CodecError["step"]): (reason: Error) => never {
  return (reason) => {
    throw new CodecError(step, reason);
  };
}

/** Lets somebody else pause a conversion, let it go on, or have it end with what is done. */
export class Steering {
  #gate: { readonly opening: Promise<void>; readonly open: () => void } | undefined;
  #isFinishing = false;

  pause(): void {
    let open = () => {};
    const opening = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.#gate ??= { opening, open };
  }

  resume(): void {
    this.#gate?.open();
    this.#gate = undefined;
  }

  finish(): void {
    this.#isFinishing = true;
    this.resume();
  }

  get isFinishing(): boolean {
    return this.#isFinishing;
  }

  /** Resolves when the next frame may begin: to false if none should. */
  async proceed(): Promise<boolean> {
    await this.#gate?.opening;
    return !this.#isFinishing;
  }
}

/**
 * What fails after some frames ends the file with these.
 *
 * @throws CodecError and others, of the network or the target; then there is no file
 */
export async function convert({
  source,
  output: { container, codec, bitrate },
  target,
  enlarge,
  steering = new Steering(),
  from = source.facts.begin,
  isSilent = false,
  onFrame = () => {},
}: ConvertOptions): Promise<ConversionOutcome> {
  const output = new Output({ format: formatOf(container), target });
  const video = new VideoSampleSource({
    codec,
    quality: new Quality({ bitrate }),
    sizeChangeBehavior: "contain",
  });
  output.addVideoTrack(video);
  const ways = isSilent ? [] : await soundWays(source, container);
  const sounds: Sound[] = [];
  for (const way of ways) if (way.way !== "none") sounds.push(await soundOf(way, output, from));
  const { raw: _, ...tags } = await source.input.getMetadataTags();
  output.setMetadataTags(tags);

  const { begin: first, duration } = source.facts;
  const samples = new OpaqueSampleSink(source.video).samples(from);
  let [frames, end] = [0, from];
  const finish = async ({ timestamp, duration: length, before, after: enlarging }: Work) => {
    const after = await enlarging;
    await nextTurn(); // the next frame is on its way to the GPU, while this one is converted and encoded
    for (const sound of sounds) await sound.until(timestamp);
    using large = frameOf(after, { timestamp: Math.max(0, timestamp - from), duration: length });
    await video.add(large).catch(failing("encode"));
    frames++;
    end = timestamp + length;
    await onFrame({ share: Math.min(1, (end - first) / duration), frames, before, after });
  };
  const nextWork = async () => {
    const next = await nextOf(samples);
    return next && (await start(next, source, enlarge));
  };
  let failure: Error | undefined;
  let isWhole = false;
  try {
    await output.start();
    try {
      let work: Work | undefined;
      do {
        const previous = work;
        work = undefined;
        if (await steering.proceed()) {
          work = await nextWork().catch((error: Error) => {
            if (!previous) failing("decode")(error);
            failure = new CodecError("decode", error);
            return undefined;
          });
          isWhole = !work && failure === undefined;
        }
        if (previous) await finish(previous);
      } while (work);
    } catch (error) {
      if (frames === 0) throw error;
      failure ??= error as Error;
      isWhole = false;
    }
    if (frames === 0) {
      await output.cancel();
      return { frames, length: 0, isWhole };
    }
    const soundEnd = isWhole ? Number.POSITIVE_INFINITY : end;
    for (const sound of sounds) {
      await sound.until(soundEnd).catch((error: Error) => {
        failure ??= error;
        isWhole = false;
      });
    }
    await output.finalize().catch((error: Error) => {
      throw failure ?? new CodecError("encode", error);
    });
    if (isWhole && (source.isCutOff || first + duration - end > TOLERANCE)) {
      isWhole = false;
      failure = new CodecError("decode", new Error("the end of the file is missing"));
    }
  } catch (error) {
    // A target that has failed refuses to close, too.
    if (output.state !== "finalized" && output.state !== "canceled") await output.cancel().catch(() => {});
    throw error;
  } finally {
    await samples.return();
    for (const sound of sounds) await sound.close();
  }
  return { frames, length: end - from, isWhole, ...reasonOf(failure, end) };
}

function reasonOf(failure: Error | undefined, at: number): Pick<ConversionOutcome, "damage" | "failure"> {
  const isOfFile = failure instanceof CodecError && failure.step === "decode";
  if (isOfFile) return { damage: { at, reason: failure.message } };
  return failure ? { failure } : {};
}

/** A frame that is being enlarged. */
interface Work extends Timing {
  readonly before: Image;
  readonly after: Promise<Image>;
}

async function start(
  sample: VideoSample,
  { assumedMatrix }: VideoSource,
  enlarge: ConvertOptions["enlarge"],
): Promise<Work> {
  const { timestamp, duration } = sample;
  const before = await takeImage(sample, assumedMatrix);
  const after = enlarge(before);
  after.catch(() => undefined); // said when it is awaited
  return { timestamp, duration, before, after };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** The next frame that is meant to be seen; undefined at the end. */
async function nextOf(samples: AsyncGenerator<VideoSample>): Promise<VideoSample | undefined> {
  for (;;) {
    const { value, done } = await samples.next();
    if (done) return undefined;
    if (value.timestamp + value.duration > 0) return value;
    value.close();
  }
}

/** In seconds. */
const PRE_ROLL = 0.1;

/** One track of sound, on its way into the file. */
interface Sound {
  /** What begins before a time, in seconds. */
  until(time: number): Promise<void>;
  close(): Promise<void>;
}

async function soundOf(
  way: Exclude<SoundWay, { way: "none" }>,
  output: Output,
  from: number,
): Promise<Sound> {
  const { track, codec } = way;
  const metadata = {
    languageCode: await track.getLanguageCode(),
    name: (await track.getName()) ?? undefined,
    disposition: await track.getDisposition(),
  };
  if (way.way === "copy") {
    const to = new EncodedAudioPacketSource(codec);
    output.addAudioTrack(to, metadata);
    const decoderConfig = (await track.getDecoderConfig()) ?? undefined;
    const add = async (packet: EncodedPacket) => {
      const timestamp = packet.timestamp - from;
      // Decoders want a little of what comes before, and no one hears it.
      if (timestamp < -PRE_ROLL) return;
      await to.add(from === 0 ? packet : packet.clone({ timestamp }), { decoderConfig });
    };
    return inOrder(new EncodedPacketSink(track).packets(), add);
  }
  const to = new AudioSampleSource({ codec, quality: new Quality({ bitrate: SOUND_BITRATE }) });
  output.addAudioTrack(to, metadata);
  return inOrder(new AudioSampleSink(track).samples(), async (sample: AudioSample) => {
    try {
      sample.setTimestamp(sample.timestamp - from);
      if (sample.timestamp + sample.duration > 0) await to.add(sample);
    } finally {
      sample.close();
    }
  });
}

function inOrder<T extends { readonly timestamp: number }>(
  pieces: AsyncGenerator<T>,
  add: (piece: T) => Promise<void>,
): Sound {
  let next: T | undefined;
  let hasEnded = false;
  return {
    async until(time) {
      while (!hasEnded) {
        if (!next) {
          const { value, done } = await pieces.next().catch(failing("decode"));
          hasEnded = done === true;
          if (!done) next = value;
        }
        if (!next || next.timestamp >= time) return;
        const piece = next;
        next = undefined;
        await add(piece).catch(failing("encode"));
      }
    },
    async close() {
      if (next && "close" in next) (next as T & { close(): void }).close();
      await pieces.return(undefined);
    },
  };
}
