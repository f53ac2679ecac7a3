/** Makes videos, and reads them again. */
import {
  ALL_FORMATS,
  AudioSample,
  AudioSampleSource,
  BlobSource,
  BufferTarget,
  EncodedPacketSink,
  Input,
  type InputTrack,
  Mp4OutputFormat,
  Output,
  Quality,
  TextSubtitleSource,
  type VideoCodec,
  VideoSample,
  VideoSampleSink,
  VideoSampleSource,
  WebMOutputFormat,
} from "mediabunny";
import { imageOf } from "../../site/video/frames.ts";
import type { Image } from "../../src/picture/index.ts";
import { drawn } from "../support/drawn.ts";

export interface TestVideo {
  readonly container?: "webm" | "mp4";
  readonly codec?: VideoCodec;
  readonly width?: number;
  readonly height?: number;
  /** When each frame begins, in seconds. */
  readonly times?: readonly number[];
  readonly hasSound?: boolean;
  /** The last is the one that players begin with. */
  readonly soundTracks?: number;
  readonly hasPictures?: boolean;
  readonly hasSubtitles?: boolean;
  /** Of pictures, beside the first. */
  readonly otherTracks?: number;
  /** Coded by BT.601, without a word about that. */
  readonly isUntagged?: boolean;
  /** Half transparent, everywhere. */
  readonly isTransparent?: boolean;
  /** MP4 with its table in front of the frames. */
  readonly isFastStart?: boolean;
  readonly rotation?: 0 | 90 | 180 | 270;
  readonly picture?: (index: number) => Image;
}

export const evenTimes = (count: number, rate = 25) => Array.from({ length: count }, (_, i) => i / rate);

/** Soft waves that move, so that coding changes little. */
export function movingPicture(width: number, height: number, index: number): Image {
  return drawn(
    width,
    height,
    3,
    (x, y, c) => 128 + 80 * Math.sin((x + 3 * index) / 9 + c) * Math.cos(y / 7 - c),
  );
}

export async function makeVideo({
  container = "webm",
  codec = container === "webm" ? "vp9" : "avc",
  width = 64,
  height = 48,
  times = evenTimes(10),
  hasSound = true,
  soundTracks = hasSound ? 1 : 0,
  hasPictures = true,
  hasSubtitles = false,
  otherTracks = 0,
  isTransparent = false,
  isUntagged = false,
  isFastStart = false,
  rotation = 0,
  picture = (index) => movingPicture(width, height, index),
}: TestVideo = {}): Promise<Blob> {
  const format =
    container === "webm"
      ? new WebMOutputFormat()
      : new Mp4OutputFormat({ fastStart: isFastStart && "in-memory" });
  const output = new Output({ format, target: new BufferTarget() });
  const alpha = isTransparent ? 128 : 255;
  const newTrack = () =>
    new VideoSampleSource({
      codec,
      quality: new Quality({ bitrate: 4_000_000 }),
      alpha: isTransparent ? "keep" : "discard",
    });
  const videos = Array.from({ length: hasPictures ? 1 + otherTracks : 0 }, newTrack);
  const subtitles = new TextSubtitleSource("webvtt");
  const newSound = () => new AudioSampleSource({ codec: "opus", quality: new Quality({ bitrate: 64_000 }) });
  const sounds = Array.from({ length: soundTracks }, newSound);
  for (const video of videos) output.addVideoTrack(video, { rotation });
  if (hasSubtitles) output.addSubtitleTrack(subtitles);
  for (const [i, sound] of sounds.entries())
    output.addAudioTrack(sound, { disposition: { default: i === soundTracks - 1 } });
  await output.start();
  const end = times.at(-1)! + 0.04;
  for (const sound of sounds) {
    const [sampleRate, count] = [48_000, Math.round(48_000 * end)];
    const data = Float32Array.from(
      { length: count },
      (_, i) => Math.sin((i * 440 * 2 * Math.PI) / 48_000) / 4,
    );
    using sample = new AudioSample({ data, format: "f32", numberOfChannels: 1, sampleRate, timestamp: 0 });
    await sound.add(sample);
    sound.close();
  }
  if (hasSubtitles) {
    // Longer than all else.
    await subtitles.add("WEBVTT\n\n00:00.000 --> 00:09.000\nHello\n\n");
    subtitles.close();
  }
  for (const [i, timestamp] of times.entries()) {
    const timing = { timestamp, duration: (times[i + 1] ?? end) - timestamp };
    for (const video of videos) {
      using frame = isUntagged ? untaggedFrame(picture(i), timing) : rgbFrame(picture(i), timing, alpha);
      await video.add(frame);
    }
  }
  await output.finalize();
  return new Blob([output.target.buffer!], { type: `video/${container}` });
}

interface Timing {
  readonly timestamp: number;
  readonly duration: number;
}

function rgbFrame({ width, height, data }: Image, timing: Timing, alpha: number): VideoSample {
  const rgba = new Uint8Array(width * height * 4).fill(alpha);
  for (let i = 0; i < width * height; i++) rgba.set(data.subarray(3 * i, 3 * i + 3), 4 * i);
  return new VideoSample(rgba, { format: "RGBA", codedWidth: width, codedHeight: height, ...timing });
}

/** By the formulas of BT.601, with black at 16; a sample of chroma is that of the first of its pixels. */
function untaggedFrame({ width, height, data }: Image, timing: Timing): VideoSample {
  const planes: number[][] = [[], [], []];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [r, g, b] = data.subarray(3 * (y * width + x));
      planes[0].push(16 + 0.257 * r + 0.504 * g + 0.098 * b);
      if (x % 2 === 1 || y % 2 === 1) continue;
      planes[1].push(128 - 0.148 * r - 0.291 * g + 0.439 * b);
      planes[2].push(128 + 0.439 * r - 0.368 * g - 0.071 * b);
    }
  }
  const yuv = Uint8Array.from(planes.flat(), Math.round);
  return new VideoSample(yuv, { format: "I420", codedWidth: width, codedHeight: height, ...timing });
}

export function openFile(file: Blob): Input {
  return new Input({ formats: ALL_FORMATS, source: new BlobSource(file) });
}

export interface ReadVideo {
  readonly frames: readonly Image[];
  readonly times: readonly number[];
  /** The bytes of each packet of sound, with its time. */
  readonly sound: readonly { readonly time: number; readonly data: Uint8Array }[];
  readonly format: string;
  readonly codec: string | null;
}

export async function readVideo(file: Blob): Promise<ReadVideo> {
  const input = openFile(file);
  const video = (await input.getPrimaryVideoTrack())!;
  const audio = await input.getPrimaryAudioTrack();
  const [frames, times]: [Image[], number[]] = [[], []];
  for await (const sample of new VideoSampleSink(video).samples()) {
    frames.push(await imageOf(sample));
    times.push(sample.timestamp);
    sample.close();
  }
  return {
    ...{ frames, times },
    sound: audio ? await packetsOf(audio) : [],
    format: (await input.getFormat()).name,
    codec: await video.getCodec(),
  };
}

async function packetsOf(track: InputTrack): Promise<{ time: number; data: Uint8Array }[]> {
  const packets: { time: number; data: Uint8Array }[] = [];
  for await (const { timestamp, data } of new EncodedPacketSink(track).packets()) {
    packets.push({ time: timestamp, data });
  }
  return packets;
}
