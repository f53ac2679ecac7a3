/** The tab for video: what a file becomes and how long that takes, the conversion, and watching it meanwhile. */
import { Compare } from "../compare.ts";
import { download } from "../download.ts";
import type { Engine } from "../engine.ts";
import { showFacts } from "../facts.ts";
import { resultName } from "../file-names.ts";
import { addSentences, writeFixedTexts } from "../language.ts";
import type { MethodInfo } from "../messages.ts";
import { FAST, MethodChoice, methodName, planFor } from "../method-choice.ts";
import type { Enlargement } from "../runs.ts";
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
import type { FileSize, FramePair, FrameTrial, OpenVideo, OutputChoice } from "./messages.ts";
import { Player } from "./player.ts";
import { chooseFile } from "./save-file.ts";
import { Stopwatch } from "./stopwatch.ts";
import { lengthText, rateText } from "./texts.ts";
import html from "./video-panel.html?raw";
import "./style.css";

/** A change of the form is measured when nothing else has changed for so long, in milliseconds. */
const STILL = 250;

export interface VideoPanelEvents {
  onRemoveMethod(method: MethodInfo): void;
  /** What is not about the task that runs. */
  onError(error: Error): void;
}

/** What the form asks for. */
interface VideoPlan {
  readonly frames: Enlargement;
  /** Of the frames before encoding, and in the file: encoders take even sides. */
  readonly becomes: Size;
  readonly size: Size;
}

/** What became of a frame by some settings, or why nothing did. */
interface Attempt {
  readonly settings: string;
  readonly trial?: FrameTrial;
  readonly error?: Error;
}

export class VideoPanel {
  readonly #engine: Engine;
  readonly #events: VideoPanelEvents;
  readonly #compare: Compare;
  readonly #player: Player;
  readonly #choice: MethodChoice;
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
  /** The files that the video can become, by the settings; undefined until that is known. */
  #outputs: readonly OutputChoice[] | undefined;
  #lastAttempt: Attempt | undefined;
  #trying: AbortController | undefined;
  #stillness: ReturnType<typeof setTimeout> | undefined;
  /** The frames on the stage. */
  #pair: FramePair | undefined;
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
    const hasFast = methods.some(({ id }) => id === FAST);
    this.#choice.setMethods(methods, this.#choice.chosen?.method.id ?? (hasFast ? FAST : undefined));
  }

  /** Shows what is in a file, and measures what enlarging it takes. */
  async open(file: File): Promise<void> {
    if (this.#task.isRunning) {
      this.#events.onError(new Error(say.stillConverting));
      return;
    }
    const opening = ++this.#opening;
    this.#trying?.abort();
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
      [this.#outputs, this.#lastAttempt] = [undefined, undefined];
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
    this.#showPair(this.#pair);
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
  #changed(wait = STILL): void {
    this.#render();
    clearTimeout(this.#stillness);
    this.#stillness = setTimeout(() => void this.#measure(), wait);
    const { plan } = this.#plan();
    if (this.#player.isOpen && plan) this.#player.frames = plan.frames;
  }

  async #measure(): Promise<void> {
    if (this.#isConverting) return;
    this.#trying?.abort();
    const trying = new AbortController();
    this.#trying = trying;
    const { plan } = this.#plan();
    const video = this.#video;
    if (!video || !plan) return;
    try {
      const fileSize = this.#fileSize.value as FileSize;
      const outputs = await this.#engine.run("videoOutputs", { video: video.id, size: plan.size, fileSize });
      if (trying.signal.aborted) return;
      this.#outputs = outputs;
      this.#offerContainers();
      this.#render();
      if (this.#attempt || !this.#output) return;
      const settings = settingsOf(video, plan.frames);
      const input = { video: video.id, output: this.#output, ...plan.frames };
      try {
        const { signal } = trying;
        const trial = await this.#engine.run("tryVideo", input, { signal, onLate: closeFrames });
        this.#lastAttempt = { settings, trial };
        this.#showPair(trial);
      } catch (error) {
        if (trying.signal.aborted) return;
        this.#lastAttempt = { settings, error: error as Error };
      }
    } catch (error) {
      if (trying.signal.aborted) return;
      this.#task.complain(error as Error);
    }
    this.#render();
  }

  /** That by the present settings. */
  get #attempt(): Attempt | undefined {
    const { plan } = this.#plan();
    if (!plan || this.#lastAttempt?.settings !== settingsOf(this.#video!, plan.frames)) return undefined;
    return this.#lastAttempt;
  }

  get #output(): OutputChoice | undefined {
    return this.#outputs?.find(({ container }) => container === this.#container.value) ?? this.#outputs?.[0];
  }

  #offerContainers(): void {
    const before = this.#container.value;
    const outputs = this.#outputs ?? [];
    const options = outputs.map((output) => new Option(containerText(output), output.container));
    this.#container.replaceChildren(...options);
    if (outputs.some(({ container }) => container === before)) this.#container.value = before;
  }

  #showPair(pair: FramePair | undefined): void {
    if (!pair) return;
    const { before, after } = pair;
    const method = this.#choice.chosen!.method;
    this.#compare.show(
      { overview: before, label: say.sampleFrame },
      { overview: after, label: say.enlargedFrame(methodName(method)) },
    );
    if (this.#pair && this.#pair.before !== before) {
      closeFrames({ result: this.#pair });
    }
    this.#pair = { before, after };
    this.#showStage();
  }

  #showStage(): void {
    this.#viewer.hidden = this.#player.isOpen || !this.#pair;
    this.#emptyStage.hidden = this.#player.isOpen || this.#pair !== undefined;
  }

  #render(): void {
    const video = this.#video;
    const { plan, error } = this.#plan();
    const output = this.#output;
    const isConverting = this.#isConverting;
    const { trial } = this.#attempt ?? {};
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
    estimate.textContent = plan && this.#outputs?.length !== 0 ? this.#estimateText(video) : "";
    live.textContent = trial ? liveText(trial, video) : "";
    this.#forecast.classList.toggle("long", trial !== undefined && isLong(trial, video));
  }

  #fileText(size: Size): string[] {
    if (this.#output) return fileText(this.#output, this.#outputs!);
    return this.#outputs ? [say.noOutput(dimensions(size))] : [];
  }

  #estimateText(video: OpenVideo): string {
    const { trial, error } = this.#attempt ?? {};
    if (error) return say.notMeasured(error.message);
    return trial ? estimateText(trial, video) : say.measuringSpeed;
  }

  // ---- Converting

  async #convert(signal: AbortSignal): Promise<void> {
    // The button is enabled when all of these are there.
    const [video, output] = [this.#video!, this.#output!];
    const [plan, trial] = [this.#plan().plan!, this.#attempt!.trial!];
    const { method } = this.#choice.chosen!;
    const name = `${resultName(video.name, `${plan.size.height}p`, methodName(method))}.${output.container}`;
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
          this.#showPair(pair);
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
    const runs = this.#attempt?.trial?.runs ?? plan.frames.runs;
    void this.#player.open({ name, rate, source: this.#file! }, { runs, size: plan.frames.size });
    this.#showStage();
  }

  async #watchCamera(): Promise<void> {
    const choice = this.#choice.chosen!; // else the button is disabled
    let source: MediaStream | undefined;
    try {
      const camera = { width: { ideal: 640 }, height: { ideal: 480 } };
      source = await navigator.mediaDevices.getUserMedia({ video: camera });
      const { width = 640, height = 480, frameRate } = source.getVideoTracks()[0].getSettings();
      const { runs, size } = planFor(choice, { width, height });
      await this.#player.open({ name: say.cameraName, source, rate: frameRate }, { runs, size });
      this.#showStage();
    } catch (error) {
      for (const track of source?.getTracks() ?? []) track.stop();
      const { name, message } = error as Error;
      const texts: Readonly<Record<string, string>> = {
        NotAllowedError: say.cameraRefused,
        NotFoundError: say.noCamera,
        RangeError: message,
      };
      this.#task.complain(new Error(texts[name] ?? say.cameraBusy(message)));
    }
  }
}

function settingsOf({ id }: OpenVideo, frames: Enlargement): string {
  return JSON.stringify([id, frames]);
}

function closeFrames({ result }: { readonly result?: FramePair }): void {
  result?.before.bitmap.close();
  result?.after.bitmap.close();
}
