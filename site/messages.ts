/** What the page and its worker say to each other. */
import type { Image } from "../src/picture/index.ts";

/** Names that weight files have: pixelgrad's, and PyTorch's. */
export const weightFileName = /\.(?:safetensors|pth|pt)$/i;

/** A method that the user can choose. */
export interface MethodInfo {
  readonly id: string;
  readonly label: string;
  readonly kind: "interpolation" | "network";
  /** The scales that it has. */
  readonly scales: readonly number[];
}

/** Every task of the worker: its input, the events that it reports on the way, and its result. */
export interface Tasks {
  /** Opens the GPU. Fails where there is none. */
  open: { input: Record<string, never>; event: never; result: { adapter: string } };
  methods: { input: Record<string, never>; event: never; result: readonly MethodInfo[] };
  /** A weight file becomes one more method. */
  addWeights: { input: { name: string; bytes: Uint8Array }; event: never; result: MethodInfo };
  upscale: {
    input: { image: Image; method: string; scale: number };
    event: { done: number; total: number };
    result: { image: Image; bicubic: Image; adapter: string; tiles: number; ms: number };
  };
  /** An abort ends it early, and what it has learned so far is the result. */
  fineTune: { input: FineTuneInput; event: FineTuneEvent; result: FineTuned };
}

export interface FineTuneInput {
  readonly image: Image;
  /** Id of the network to begin with; undefined: a new one. */
  readonly start?: string;
  /** That of the network, if it has only one. */
  readonly scale: number;
  readonly steps: number;
}

export interface FineTuneEvent {
  /** Finished steps. */
  readonly step: number;
  /**
   * The network's mean absolute difference on the step's patches, divided by that of bicubic interpolation on
   * the same patches: some are harder than others, for both.
   */
  readonly relativeLoss?: number;
  /** Now and then. */
  readonly preview?: Preview;
}

/** The picture made small and enlarged again, so that it can be compared with the original. */
export interface Preview {
  readonly bicubic: Image;
  readonly network: Image;
  /** Decibels of luma; more is better. */
  readonly bicubicPsnr: number;
  readonly networkPsnr: number;
}

export interface FineTuned {
  /** The network as a new method. */
  readonly method: MethodInfo;
  /** Its safetensors file. */
  readonly weights: Uint8Array;
  readonly steps: number;
  readonly ms: number;
}

/** A task for the worker, or a request to end one. */
export type ToWorker =
  | { [T in keyof Tasks]: { id: number; task: T; input: Tasks[T]["input"] } }[keyof Tasks]
  | { abort: number };

export type FromWorker = { id: number } & (
  | { event: unknown }
  | { result: unknown }
  | { error: { name: string; message: string } }
);
