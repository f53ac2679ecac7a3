/** What the page and its worker say to each other about video. */
import type { VideoCodec } from "mediabunny";
import type { Overview } from "../overview.ts";
import type { Enlargement, Run } from "../runs.ts";
import type { Size } from "../size.ts";

/** What the page shows of a video before anything is computed. */
export interface VideoFacts extends Size {
  /** When its first track begins, in seconds; the result begins at 0. */
  readonly begin: number;
  /** From there, in seconds. */
  readonly duration: number;
  /** Frames a second, on average. */
  readonly rate: number;
  /** Every frame is on show as long as any other. */
  readonly isSteady: boolean;
  /** How many frames there are, about. */
  readonly frames: number;
  /** Of the file: "MP4". */
  readonly format: string;
  readonly codec: string;
  /** Codecs of the sound; none if the video is silent. */
  readonly sound: readonly string[];
  /** What will be lost, in sentences. */
  readonly notes: readonly string[];
}

export type Container = "mp4" | "webm";

/** How large the file may be. */
export type FileSize = "small" | "medium" | "large";

/** Its packets are copied; it is encoded anew; or it is left out. */
export type SoundFate = "copy" | "encode" | "none";

/** One of the files that a video can become. */
export interface OutputChoice {
  readonly container: Container;
  readonly codec: VideoCodec;
  readonly codecName: string;
  /** Bits a second of the frames. */
  readonly bitrate: number;
  /** Of the whole file, about. */
  readonly bytes: number;
  readonly sound: readonly { readonly codec: string; readonly way: SoundFate }[];
}

export interface OpenVideo extends VideoFacts {
  readonly id: number;
  readonly name: string;
}

/** The file to write. */
export type OutputRequest = Pick<OutputChoice, "container" | "codec" | "bitrate">;

/** A frame, and what became of it. */
export interface FramePair {
  readonly before: Overview;
  readonly after: Overview;
}

export interface FrameTrial extends FramePair {
  /** A frame takes so long, in milliseconds. */
  readonly ms: number;
  /** With the methods that the frame has chosen, if that was left to it. */
  readonly runs: readonly Run[];
  /** Only the middle of a frame was enlarged, and the time is an estimate from that. */
  readonly isPart: boolean;
}

export interface ConversionEvent {
  /** Of the video, 0 to 1. */
  readonly share: number;
  readonly frames: number;
  readonly pair?: FramePair;
}

export interface Conversion {
  readonly frames: number;
  /** Of what is in the file, in seconds. */
  readonly length: number;
  readonly isWhole: boolean;
  /** Where the video could not be decoded, in seconds. */
  readonly damage?: { readonly at: number; readonly reason: string };
  /** What else ended it early, in a sentence. */
  readonly failure?: string;
  readonly bytes: number;
  /** The file, unless it went into the user's own. */
  readonly file?: Blob;
  readonly ms: number;
}

export interface VideoTaskTable {
  openVideo: { input: { file: Blob; name: string }; event: never; result: OpenVideo };
  closeVideo: { input: { video: number }; event: never; result: Record<string, never> };
  /** The files that it can become; empty if this browser encodes no video of that size. */
  videoOutputs: {
    input: { video: number; size: Size; fileSize: FileSize };
    event: never;
    result: readonly OutputChoice[];
  };
  /** Enlarges a frame, or a part of it, to see what that does and how long it takes. */
  tryVideo: {
    input: Enlargement & { video: number; output: OutputRequest };
    event: never;
    result: FrameTrial;
  };
  /** `file`: the user's own, to be written. An abort ends nothing: `steerVideo` does. */
  convertVideo: {
    input: Enlargement & { video: number; output: OutputRequest; file?: FileSystemFileHandle };
    event: ConversionEvent;
    result: Conversion;
  };
  steerVideo: {
    input: { video: number; action: "pause" | "resume" | "finish" };
    event: never;
    result: Record<string, never>;
  };
  /** A frame that is on show. The worker closes its copy. */
  enlargeFrame: {
    input: Enlargement & { frame: VideoFrame };
    event: never;
    result: { bitmap: ImageBitmap; ms: number; runs: readonly Run[] };
  };
}
