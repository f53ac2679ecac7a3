/** The tab for video: what a file becomes and how long that takes, the conversion, and watching it meanwhile. */
import { Compare } from "../compare.ts";
import { download } from "../download.ts";
import type { Engine } from "../engine.ts";
import { showFacts } from "../facts.ts";
import { resultName } from "../file-names.ts";
import { addSentences, writeFixedTexts } from "../language.ts";
import { automatic, type MethodInfo } from "../messages.ts";
import { FAST, MethodChoice, planFor } from "../method-choice.ts";
import type { Run } from "../runs.ts";
import { dimensions, type Size } from "../size.ts";
import { TaskControl } from "../task-control.ts";
import {
  becomesText,
  containerText,
  conversionText,
  estimateText,
  fileText,
  isLong,
  liveText,
} from "./forecast.ts";
import { loadVideoSentences, say, useVideoSentences } from "./language.ts";
import type { FileSize, FramePair, OpenVideo } from "./messages.ts";
import { Player } from "./player.ts";
import { chooseFile } from "./save-file.ts";
import { Stopwatch } from "./stopwatch.ts";
import { lengthText, rateText } from "./texts.ts";
import html from "./video-panel.html?raw";
import { closeFrames, type VideoPlan, VideoTrial } from "./video-trial.ts";
import "./style.css";

export interface VideoPanelEvents {
  onRemoveMethod(method: MethodInfo): void;
  /** What is not about the task that runs. */
  onError(error: Error): void;
}

export class VideoPanel {
  readonly #engine: Engine;
  readonly #events: VideoPanelEvents;
  readonly #compare: Compare;
  readonly #player: Player;
  readonly #choice: MethodChoice;
  readonly #trial: VideoTrial;
  readonly #task: TaskControl;
  readonly #emptyStage: HTMLElement;
  readonly #viewer: HTMLElement;
  readonly #intro: HTMLElement;
  readonly #facts: HTMLElement;
  readonly #notes: HTMLElement;
  readonly #fileChoice: HTMLElement;
  readonly #container: HTMLSelectElement;
  readonly #fileSize: HTMLSelectElement;
  readonly #forecast: HTMLElement;
  readonly #pause: HTMLButtonElement;
  readonly #download: HTMLButtonElement;
  readonly #watch: HTMLButtonElement;
  readonly #camera: HTMLButtonElement;
  /** Counts files that were chosen: a slow one must not overwrite a later one. */
  #opening = 0;
  #file: File | undefined;
  #video: OpenVideo | undefined;
  /** The frames on the stage, and what enlarged them. */
  #pair: (FramePair & { readonly method: string }) | undefined;
  /** Of the conversion. */
  #stopwatch = new Stopwatch();
  #frames = 0;
  #result: { readonly file: Blob; readonly name: string } | undefined;

  /** Fills the tab, in the page's language. */
  static async in(root: HTMLElement, engine: Engine, events: VideoPanelEvents): Promise<VideoPanel> {
    await addSentences(loadVideoSentences, useVideoSentences);
    root.innerHTML = html;
    writeFixedTexts(root);
    return new VideoPanel(root, engine, events);
  }

  private constructor(root: HTMLElement, engine: Engine, events: VideoPanelEvents) {
    this.#engine = engine;
    this.#events = events;
    const part = <E extends HTMLElement>(selector: string) => root.querySelector<E>(selector)!;
    this.#viewer = part(".viewer");
    this.#viewer.hidden = true;
    this.#emptyStage = part(".empty-stage");
    this.#intro = part(".intro");
    this.#facts = part(".about");
    this.#notes = part(".about-notes");
    this.#fileChoice = part(".file-choice");
    this.#container = part("[name=container]");
    this.#fileSize = part("[name=file-size]");
    this.#forecast = part(".forecast");
    this.#pause = part("[name=pause]");
    this.#download = part("[name=download]");
    this.#watch = part("[name=watch]");
    this.#camera = part("[name=camera]");
    this.#compare = new Compare(this.#viewer);
    this.#player = new Player(part(".player"), engine, {
      onEnd: () => this.#showStage(),
      onError: (error) => this.#task.complain(error),
    });
    this.#task = new TaskControl(part(".task"), (signal) => this.#convert(signal));
    this.#choice = new MethodChoice(part(".controls"), {
      onChange: () => this.#changed(),
      onRemove: (method) => events.onRemoveMethod(method),
    });
    this.#trial = new VideoTrial(
      engine,
      () => ({
        video: this.#video,
        plan: this.#plan().plan,
        fileSize: this.#fileSize.value as FileSize,
        container: this.#container.value,
        isConverting: this.#isConverting,
      }),
      {
        onOutputs: () => {
          this.#offerContainers();
          this.#render();
        },
        onAttempt: ({ trial }) => {
          if (trial) this.#showPair(trial, this.#methodOf(trial.runs));
          this.#render();
        },
        onError: (error) => {
          this.#task.complain(error);
          this.#render();
        },
      },
    );
    const input = part<HTMLInputElement>("[name=video]");
    input.addEventListener("change", () => {
      const [file] = input.files ?? [];
      if (file) void this.open(file);
      input.value = ""; // else choosing the same file again is no change
    });
    this.#camera.hidden = navigator.mediaDevices === undefined;
    this.#camera.addEventListener("click", () => this.#watchCamera());
    this.#container.addEventListener("change", () => this.#render());
    this.#fileSize.addEventListener("change", () => this.#changed());
    this.#pause.addEventListener("click", () => this.#togglePause());
    this.#download.addEventListener("click", () => download(this.#result!.file, this.#result!.name));
    this.#watch.addEventListener("click", () => this.#watchFile());
    this.#render();
  }

  setMethods(methods: readonly MethodInfo[]): void {
    this.#choice.setMethods(methods, undefined, FAST);
  }

  /** Shows what is in a file, and measures what enlarging it takes. */
  async open(file: File): Promise<void> {
    if (this.#task.isRunning) {
      this.#events.onError(new Error(say.stillConverting));
      return;
    }
    const opening = ++this.#opening;
    this.#trial.stop();
    this.#player.close();
    this.#task.say(say.openingVideo(file.name));
    try {
      const video = await this.#engine.run("openVideo", { file, name: file.name });
      if (opening !== this.#opening || this.#task.isRunning) {
        void this.#engine.run("closeVideo", { video: video.id });
        if (opening === this.#opening) this.#events.onError(new Error(say.stillConverting));
        return;
      }
      if (this.#video) void this.#engine.run("closeVideo", { video: this.#video.id });
      [this.#file, this.#video, this.#result] = [file, video, undefined];
      this.#trial.forget();
      this.#container.replaceChildren(); // the file that is most like this one comes first
      this.#task.say("");
      this.#changed(0);
    } catch (error) {
      if (opening !== this.#opening) return;
      if (this.#task.isRunning) this.#events.onError(error as Error);
      else this.#task.complain(error as Error);
      this.#changed(0); // of the video before, which stays
    }
  }

  /** Once more, in the page's language. */
  writeAgain(): void {
    this.#player.writeAgain();
    if (!this.#isConverting) this.#task.say("");
    this.#offerContainers();
    if (this.#pair) this.#showPair(this.#pair, this.#pair.method);
    this.#changed();
  }

  get #isConverting(): boolean {
    return !this.#pause.hidden;
  }

  // ---- What it becomes, and how long that takes

  /** What the form asks for, or why that makes no sense; neither without a video. */
  #plan(): { readonly plan?: VideoPlan; readonly error?: Error } {
    const choice = this.#choice.chosen;
    if (!this.#video || !choice) return {};
    try {
      const { runs, size, becomes } = planFor(choice, this.#video);
      const even = { width: becomes.width & ~1, height: becomes.height & ~1 };
      return { plan: { frames: { runs, size }, becomes, size: even } };
    } catch (error) {
      return { error: error as Error };
    }
  }

  /** Something in the form is another; soon that is measured. */
  #changed(wait?: number): void {
    this.#render();
    this.#trial.changed(wait);
    const { plan } = this.#plan();
    if (this.#player.isOpen && plan) this.#player.frames = plan.frames;
  }

  #offerContainers(): void {
    const before = this.#container.value;
    const outputs = this.#trial.outputs ?? [];
    const options = outputs.map((output) => new Option(containerText(output), output.container));
    this.#container.replaceChildren(...options);
    if (outputs.some(({ container }) => container === before)) this.#container.value = before;
  }

  /** What enlarges by these runs: the method that was chosen, or the one that a frame has chosen. */
  #methodOf([first]: readonly Run[]): string {
    const { id, label } = this.#choice.chosen!.method;
    return id === automatic ? first.method : label;
  }

  #showPair({ before, after }: FramePair, method: string): void {
    this.#compare.show(
      { overview: before, label: say.sampleFrame },
      { overview: after, label: say.enlargedFrame(method) },
    );
    if (this.#pair && this.#pair.before !== before) {
      closeFrames({ result: this.#pair });
    }
    this.#pair = { before, after, method };
    this.#showStage();
  }

  #showStage(): void {
    this.#viewer.hidden = this.#player.isOpen || !this.#pair;
    this.#emptyStage.hidden = this.#player.isOpen || this.#pair !== undefined;
  }

  #render(): void {
    const video = this.#video;
    const { plan, error } = this.#plan();
    const { attempt, outputs, output } = this.#trial;
    const isConverting = this.#isConverting;
    const trial = attempt?.trial;
    this.#task.enabled = isConverting || (trial !== undefined && output !== undefined);
    this.#watch.disabled = !plan || isConverting;
    this.#camera.disabled = !this.#choice.chosen || isConverting;
    this.#download.hidden = this.#result === undefined || isConverting;
    this.#fileChoice.hidden = !video || output === undefined;
    this.#forecast.hidden = !video;
    if (!video) return;
    this.#intro.hidden = true;
    showFacts(this.#facts, {
      [say.size]: dimensions(video),
      [say.length]: lengthText(video.duration),
      [say.frameRate]: say.perSecond(rateText(video.rate), video.isSteady),
      [say.coded]: say.codecOf(video.codec, video.format),
      [say.soundOf]: video.sound.join(", ") || say.silent,
    });
    this.#notes.hidden = video.notes.length === 0;
    this.#notes.textContent = video.notes.join(" ");
    const [becomes, estimate, live] = this.#forecast.querySelectorAll("p");
    becomes.textContent = plan
      ? [becomesText(video, plan.becomes), ...this.#fileText(plan.size)].join(" ")
      : (error?.message ?? "");
    estimate.textContent = plan && outputs?.length !== 0 ? this.#estimateText(video) : "";
    live.textContent = trial ? liveText(trial, video) : "";
    this.#forecast.classList.toggle("long", trial !== undefined && isLong(trial, video));
  }

  #fileText(size: Size): string[] {
    const { output, outputs } = this.#trial;
    if (output) return fileText(output, outputs!);
    return outputs ? [say.noOutput(dimensions(size))] : [];
  }

  #estimateText(video: OpenVideo): string {
    const { trial, error } = this.#trial.attempt ?? {};
    if (error) return say.notMeasured(error.message);
    return trial ? estimateText(trial, video) : say.measuringSpeed;
  }

  // ---- Converting

  async #convert(signal: AbortSignal): Promise<void> {
    // The button is enabled when all of these are there.
    const [video, output] = [this.#video!, this.#trial.output!];
    const [plan, trial] = [this.#plan().plan!, this.#trial.attempt!.trial!];
    const method = this.#methodOf(trial.runs);
    const name = `${resultName(video.name, `${plan.size.height}p`, method)}.${output.container}`;
    const { handle: file, isCancelled } = await chooseFile(name, output.container);
    if (isCancelled) {
      this.#task.say("");
      return;
    }
    const steer = (action: "pause" | "resume" | "finish") =>
      void this.#engine.run("steerVideo", { video: video.id, action });
    signal.addEventListener("abort", () => steer("finish"));
    if (signal.aborted) throw new DOMException("The task was stopped.", "AbortError");
    this.#player.close();
    [this.#stopwatch, this.#frames, this.#result] = [new Stopwatch(), 0, undefined];
    this.#pause.hidden = false;
    this.#labelPause();
    this.#render();
    try {
      const request = { video: video.id, output, file, runs: trial.runs, size: plan.frames.size };
      const conversion = await this.#engine.run("convertVideo", request, {
        onEvent: ({ share, frames, pair }) => {
          this.#frames = frames;
          const { isPaused, ms } = this.#stopwatch;
          const rate = frames > 2 ? rateText((1000 * frames) / ms) : undefined;
          if (!isPaused) this.#task.share(share, say.converting(frames, rate));
          if (pair) this.#showPair(pair, method);
        },
      });
      if (conversion.file) this.#result = { file: conversion.file, name };
      const text = [conversionText(conversion), ...(file ? [say.savedAs(file.name)] : [])];
      this.#task.say(conversion.frames === 0 ? text[0] : text.join(" "));
    } finally {
      this.#pause.hidden = true;
      // When the button is the form's again. What was changed meanwhile has not been measured.
      queueMicrotask(() => this.#changed(0));
    }
  }

  #togglePause(): void {
    const action = this.#stopwatch.isPaused ? "resume" : "pause";
    this.#stopwatch[action]();
    void this.#engine.run("steerVideo", { video: this.#video!.id, action });
    this.#labelPause();
    if (action === "pause") this.#task.say(say.paused(this.#frames));
    else this.#task.restartClock();
  }

  /** By its name, so that it is said in another language, too, once that is chosen. */
  #labelPause(): void {
    const key = this.#stopwatch.isPaused ? "resume" : "pause";
    this.#pause.dataset.text = key;
    this.#pause.textContent = say[key];
  }

  // ---- Watching

  #watchFile(): void {
    const { plan } = this.#plan();
    if (!plan) return;
    const { name, rate } = this.#video!;
    const runs = this.#trial.attempt?.trial?.runs ?? plan.frames.runs;
    void this.#player.open({ name, rate, source: this.#file! }, { runs, size: plan.frames.size });
    this.#showStage();
  }

  async #watchCamera(): Promise<void> {
    const choice = this.#choice.chosen!; // else the button is disabled
    try {
      await this.#player.openCamera((size) => planFor(choice, size));
      this.#showStage();
    } catch (error) {
      this.#task.complain(error as Error);
    }
  }
}
