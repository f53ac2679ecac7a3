/** What a page and its worker say to each other. */
import type { InitOptions } from "../device/open.ts";
import type { Samples } from "../picture/image.ts";
import type {
  FinishedTile,
  PictureSource,
  Progress,
  Upscaled,
  UpscalePictureOptions,
} from "../upscale/index.ts";

/** What a worker does: what each task is given, and its result. */
export interface Tasks {
  init: { readonly input: InitOptions; readonly result: { readonly name: string } };
  upscale: { readonly input: UpscaleInput; readonly result: Upscaled<Samples> };
}

export interface UpscaleInput {
  readonly picture: PictureSource;
  readonly options: Omit<UpscalePictureOptions, "signal" | "onProgress" | "onTile">;
  /** What the page wants to hear meanwhile. */
  readonly tells: { readonly progress: boolean; readonly tiles: boolean };
}

export type Task = {
  readonly [T in keyof Tasks]: { readonly id: number; readonly task: T; readonly input: Tasks[T]["input"] };
}[keyof Tasks];

export type ToWorker = Task | { readonly abort: number };

export type FromWorker =
  /** A task has arrived, and may wait. */
  | { readonly heard: true }
  | { readonly lost: ErrorParts }
  | ({ readonly id: number } & (
      | { readonly result: Tasks[keyof Tasks]["result"] }
      | { readonly error: ErrorParts }
      | { readonly progress: Progress }
      | { readonly tile: FinishedTile }
    ));

/** What of an error can be sent. (A copied object has no class of this library.) */
export interface ErrorParts {
  readonly name: string;
  readonly message: string;
  /** The message without the function that it begins with, if it does. */
  readonly text: string;
  /** What programs tell errors of one class apart by. */
  readonly code?: string;
  readonly stack?: string;
}
