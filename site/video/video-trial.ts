/** Measures what the form for video asks for: which files it can become, and how fast a frame is enlarged. */
import type { Engine } from "../engine.ts";
import type { Enlargement } from "../runs.ts";
import type { Size } from "../size.ts";
import type { FileSize, FramePair, FrameTrial, OpenVideo, OutputChoice } from "./messages.ts";

/** A change of the form is measured when nothing else has changed for so long, in milliseconds. */
const STILL = 250;

/** What the form asks for. */
export interface VideoPlan {
  readonly frames: Enlargement;
  /** Of the frames before encoding, and in the file: encoders take even sides. */
  readonly becomes: Size;
  readonly size: Size;
}

/** The form at present. */
export interface VideoForm {
  readonly video: OpenVideo | undefined;
  /** Undefined if the form makes no sense. */
  readonly plan: VideoPlan | undefined;
  readonly fileSize: FileSize;
  /** Of the file, as far as one is chosen. */
  readonly container: string;
  /** Then nothing is measured. */
  readonly isConverting: boolean;
}

export interface VideoTrialEvents {
  /** The files that the video can become are known. */
  onOutputs(): void;
  /** A frame was enlarged, or could not be. */
  onAttempt(attempt: Attempt): void;
  onError(error: Error): void;
}

/** What became of a frame by some settings, or why nothing did. */
export interface Attempt {
  readonly settings: string;
  readonly trial?: FrameTrial;
  readonly error?: Error;
}

export class VideoTrial {
  readonly #engine: Engine;
  readonly #form: () => VideoForm;
  readonly #events: VideoTrialEvents;
  #outputs: readonly OutputChoice[] | undefined;
  #lastAttempt: Attempt | undefined;
  #trying: AbortController | undefined;
  #stillness: ReturnType<typeof setTimeout> | undefined;

  constructor(engine: Engine, form: () => VideoForm, events: VideoTrialEvents) {
    this.#engine = engine;
    this.#form = form;
    this.#events = events;
  }

  /** The files that the video can become, by the settings; undefined until that is known. */
  get outputs(): readonly OutputChoice[] | undefined {
    return this.#outputs;
  }

  /** The one that is chosen, or the first. */
  get output(): OutputChoice | undefined {
    const chosen = this.#form().container;
    return this.#outputs?.find(({ container }) => container === chosen) ?? this.#outputs?.[0];
  }

  /** That by the present settings. */
  get attempt(): Attempt | undefined {
    const { video, plan } = this.#form();
    if (!video || !plan || this.#lastAttempt?.settings !== settingsOf(video, plan.frames)) return undefined;
    return this.#lastAttempt;
  }

  /** Something in the form is another; soon that is measured. */
  changed(wait = STILL): void {
    clearTimeout(this.#stillness);
    this.#stillness = setTimeout(() => void this.#measure(), wait);
  }

  /** Ends a measurement. */
  stop(): void {
    this.#trying?.abort();
  }

  /** Another video is there. */
  forget(): void {
    [this.#outputs, this.#lastAttempt] = [undefined, undefined];
  }

  async #measure(): Promise<void> {
    const { video, plan, fileSize, isConverting } = this.#form();
    if (isConverting) return;
    this.stop();
    const trying = new AbortController();
    this.#trying = trying;
    if (!video || !plan) return;
    try {
      const outputs = await this.#engine.run("videoOutputs", { video: video.id, size: plan.size, fileSize });
      if (trying.signal.aborted) return;
      this.#outputs = outputs;
      this.#events.onOutputs();
      if (!this.attempt && this.output) await this.#try(video, plan.frames, this.output, trying.signal);
    } catch (error) {
      if (!trying.signal.aborted) this.#events.onError(error as Error);
    }
  }

  /** Enlarges a frame. */
  async #try(
    video: OpenVideo,
    frames: Enlargement,
    output: OutputChoice,
    signal: AbortSignal,
  ): Promise<void> {
    const settings = settingsOf(video, frames);
    const input = { video: video.id, output, ...frames };
    try {
      const trial = await this.#engine.run("tryVideo", input, { signal, onLate: closeFrames });
      this.#lastAttempt = { settings, trial };
    } catch (error) {
      if (signal.aborted) return;
      this.#lastAttempt = { settings, error: error as Error };
    }
    this.#events.onAttempt(this.#lastAttempt);
  }
}

function settingsOf({ id }: OpenVideo, frames: Enlargement): string {
  return JSON.stringify([id, frames]);
}

export function closeFrames({ result }: { readonly result?: FramePair }): void {
  result?.before.bitmap.close();
  result?.after.bitmap.close();
}
