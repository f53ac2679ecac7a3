/** What the page and its worker say to each other. */
import type { Choice } from "../src/index.ts";
import type { Image } from "../src/picture/index.ts";
import type { LanguageCode } from "./language.ts";
import type { Overview } from "./overview.ts";
import type { OutputFormat } from "./pictures/formats.ts";
import type { ResultNote } from "./pictures/picture-file.ts";
import type { Part } from "./pictures/show.ts";
import type { Enlargement } from "./runs.ts";
import type { Size } from "./size.ts";
import type { VideoTaskTable } from "./video/messages.ts";

export type { Overview };

/** Names that weight files have: pixelgrad's, and PyTorch's. */
export const weightFileName = /\.(?:safetensors|pth|pt)$/i;

/** A method that the user can choose. */
export interface MethodInfo {
  readonly id: string;
  readonly label: string;
  readonly kind: "interpolation" | "network";
  /** The scales that it has. */
  readonly scales: readonly number[];
  /** The user brought it, or made it here. */
  readonly isOwn: boolean;
  /** Of the user's networks: whether it is there the next time, too. */
  readonly isKept?: boolean;
}

/** The id of the choice that leaves it to the picture: the network for clean ones, or that for damaged ones. */
export const automatic = "automatic";

/** What a network of the user's is called in lists. */
export function labelOf(name: string, scale: number): string {
  return `${name} ×${scale}`;
}

/** The other way round. */
export function ownNameOf({ label, scales }: Pick<MethodInfo, "label" | "scales">): string {
  return label.slice(0, -labelOf("", scales[0]).length);
}

/** A picture in the worker. */
export interface PictureInfo extends Size {
  readonly id: number;
  readonly channels: 1 | 2 | 3 | 4;
  readonly depth: 8 | 16;
}

export interface ReadPicture extends PictureInfo {
  /** Of the file: "JPEG". */
  readonly format: string;
  /** What was odd about the file. */
  readonly notes: readonly ResultNote[];
  readonly overview: Overview;
}

export interface UpscaleEvent {
  /** Of the whole work, 0 to 1; undefined while the network is loaded. */
  readonly share?: number;
  /** A part of the result that is done, in its pixels. */
  readonly tile?: Part & { readonly bitmap: ImageBitmap };
}

export interface UpscaleResult extends PictureInfo {
  /** What enlarged it, if that was left to the picture, and why. */
  readonly choice?: Choice;
  readonly overview: Overview;
  readonly adapter: string;
  readonly tiles: number;
  readonly ms: number;
}

/** What has become of one of several files. */
export interface Outcome {
  readonly name: string;
  /** What it lacks of the original. */
  readonly notes: readonly ResultNote[];
  /** Why it was not written. */
  readonly error?: string;
}

/** Every task of the worker: its input, the events that it reports on the way, and its result. */
export interface Tasks extends VideoTaskTable {
  /** In which language errors are. */
  language: { input: { code: LanguageCode }; event: never; result: Record<string, never> };
  /** Opens the GPU. Fails where there is none. */
  open: { input: Record<string, never>; event: never; result: { adapter: string } };
  /** Addresses of the files that the worker has loaded. */
  loadedFiles: { input: Record<string, never>; event: never; result: readonly string[] };
  methods: { input: Record<string, never>; event: never; result: readonly MethodInfo[] };
  /** Ends when the networks of former visits are in the list, however long the browser's database takes. */
  restored: {
    input: Record<string, never>;
    event: never;
    /** The list has been told without them. */
    result: { wasLate: boolean };
  };
  /** A weight file becomes one more method. */
  addWeights: { input: { name: string; bytes: Uint8Array }; event: never; result: MethodInfo };
  removeWeights: { input: { id: string }; event: never; result: Record<string, never> };
  renameWeights: { input: { id: string; name: string }; event: never; result: MethodInfo };
  /** The file of one of the user's networks. */
  weights: { input: { id: string }; event: never; result: Uint8Array };
  read: { input: { file: Blob; name: string }; event: never; result: ReadPicture };
  /** A part of a picture as a picture of its own. */
  crop: {
    input: { picture: number; part: Part };
    event: never;
    result: PictureInfo & { overview: Overview };
  };
  /** `isPart`: it is so small that tiles would only cost time, for their margins. */
  upscale: {
    input: Enlargement & { picture: number; isPart?: boolean };
    event: UpscaleEvent;
    result: UpscaleResult;
  };
  /** The picture enlarged by bicubic interpolation, to compare with. */
  bicubic: { input: { picture: number; size: Size }; event: never; result: Overview };
  /** A picture once more, such as a result. */
  show: { input: { picture: number }; event: never; result: Overview };
  /** A part of a picture, or of the picture enlarged by bicubic interpolation. */
  detail: { input: DetailInput; event: never; result: ImageBitmap };
  /** What this browser can write. */
  formats: { input: Record<string, never>; event: never; result: readonly OutputFormat[] };
  /** A picture file, with what the original said besides samples. */
  write: {
    input: { picture: number; format: OutputFormat; quality: number };
    event: never;
    result: { file: Blob; notes: readonly ResultNote[] };
  };
  /** Several picture files in an archive, without those that cannot be written. */
  zip: {
    input: { files: readonly { picture: number; name: string }[]; format: OutputFormat; quality: number };
    event: { done: number };
    result: { file: Blob; outcomes: readonly Outcome[] };
  };
  forget: { input: { pictures: readonly number[] }; event: never; result: Record<string, never> };
  /** Fails with an error of one of the names in `TrainingFault`, among others. */
  fineTune: { input: FineTuneRequest; event: FineTuneEvent; result: FineTuneResult };
}

/** Errors of a training run that the page has sentences for. The message of "OtherScale" is the pairs' scale. */
export type TrainingFault = "NothingToLearnFrom" | "OtherScale";

export interface DetailInput {
  readonly picture: number;
  readonly part: Part;
  /** One pixel stands for so many of the part, along each side. */
  readonly reduction: number;
  /** The size of what bicubic interpolation makes of the picture: the part is one of that. */
  readonly bicubic?: Size;
}

export interface FineTuneRequest {
  /** What to learn from: pictures in the worker, or files. */
  readonly pictures: readonly { readonly name: string; readonly source: number | Blob }[];
  /** Id of the network to begin with; undefined: a new one. */
  readonly start?: string;
  /** That of the network, if it has only one. */
  readonly scale: number;
  readonly steps: number;
}

export interface FineTuneInput extends Omit<FineTuneRequest, "pictures"> {
  /** Files may be pairs of low and high: material.ts says how it knows them. */
  readonly pictures: readonly { readonly name: string; readonly image: Image | Blob }[];
}

export type FineTuneEvent =
  | ({ readonly kind: "material" } & MaterialFacts)
  | {
      readonly kind: "step";
      /** Finished steps. */
      readonly step: number;
      /** Mean absolute difference between the network's result and the original, on the step's patches. */
      readonly loss: number;
      /** That of bicubic interpolation on the same patches: some are harder than others, for both. */
      readonly bicubicLoss: number;
    }
  | {
      readonly kind: "measured";
      readonly step: number;
      readonly quality: Quality;
      /** The first part that is held out, enlarged before training and now. */
      readonly preview: { readonly before: Image; readonly now: Image };
    }
  /** The graphics device was lost, and training goes on from this step on a new one. */
  | { readonly kind: "reopened"; readonly step: number };

/** What a training run learns from. */
export interface MaterialFacts {
  /** Pairs of low and high. */
  readonly pairs: number;
  /** Pictures without a partner, which are made small. */
  readonly singles: number;
  /** Names of files that are no pictures, or too small, or too many, or smaller versions of a pair's original. */
  readonly leftOut: readonly string[];
  /** LR pixels to learn from. */
  readonly pixels: number;
}

/**
 * How well parts are restored that no step learns from: decibels of luma, more is better. Infinity where
 * nothing differs.
 */
export interface Quality {
  readonly bicubic: number;
  readonly before: number;
  readonly now: number;
  /** The best so far, and its step; 0 if none was better than the beginning. */
  readonly best: number;
  readonly bestStep: number;
}

export interface FineTuneResult {
  /** The safetensors file of the network at its best step; undefined if no step was better than the beginning. */
  readonly weights?: Uint8Array;
  readonly quality: Quality;
  readonly steps: number;
  readonly ms: number;
}
