/** The tab for video: what a file becomes and how long that takes, the conversion, and watching it meanwhile. */
import { Compare } from "../compare.ts";
import { download } from "../download.ts";
import type { Engine } from "../engine.ts";
import { showFacts } from "../facts.ts";
import { resultName } from "../file-names.ts";
import { addSentences, bytesText, writeFixedTexts } from "../language.ts";
import type { MethodInfo } from "../messages.ts";
import { MethodChoice, methodName, planFor } from "../method-choice.ts";
import type { Enlargement } from "../runs.ts";
import { dimensions, type Size } from "../size.ts";
import { duration, TaskControl } from "../task-control.ts";
import { loadVideoSentences, say, useVideoSentences } from "./language.ts";
import type { Conversion, FileSize, FramePair, FrameTrial, OpenVideo, OutputChoice } from "./messages.ts";
import { Player } from "./player.ts";
import { lengthText, rateText } from "./texts.ts";
import html from "./video-panel.html?raw";
import "./style.css";

/** A change of the form is measured when nothing else has changed for so long, in milliseconds. */
const STILL = 250;

/** What takes longer is called long, in milliseconds. */
const LONG = 1_800_000;

const containerNames = { mp4: "MP4", webm: "WebM" };

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
  /** Counts files that were chosen: a slow one must not overwrite a later one. */
  #opening = 0;
  #file: File | undefined;
  #video: OpenVideo | undefined;
  /** The files that the video can become, by the settings; undefined until that is known. */
  #outputs: readonly OutputChoice[] | undefined;
  /** What became of a frame, or why nothing did, and by which settings. */
  #tried: { readonly settings: string; readonly trial: FrameTrial | Error } | undefined;
  #trying: AbortController | undefined;
  #stillness: ReturnType<typeof setTimeout> | undefined;
  /** The frames on the stage. */
  #pair: FramePair | undefined;
  #isPaused = false;
  #pausedAt = 0;
  /** When the conversion began, and how long its pauses were, in milliseconds. */
  #clock = { start: 0, pauses: 0 };
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
    const camera = part("[name=camera]");
    camera.hidden = navigator.mediaDevices === undefined;
    camera.addEventListener("click", () => this.#watchCamera());
    this.#container.addEventListener("change", () => this.#render());
    this.#fileSize.addEventListener("change", () => this.#changed());
    this.#pause.addEventListener("click", () => this.#togglePause());
    this.#download.addEventListener("click", () => download(this.#result!.file, this.#result!.name));
    this.#watch.addEventListener("click", () => this.#watchFile());
    this.#render();
  }

  setMethods(methods: readonly MethodInfo[]): void {
    const hasFast = methods.some(({ id }) => id === "espcn");
    this.#choice.setMethods(methods, this.#choice.chosen?.method.id ?? (hasFast ? "espcn" : undefined));
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
      [this.#outputs, this.#tried] = [undefined, undefined];
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

  /** What the form asks for; undefined without a video, or if it makes no sense. */
  #plan(): { readonly frames: Enlargement; readonly size: Size; readonly becomes: Size } | Error | undefined {
    const choice = this.#choice.chosen;
    if (!this.#video || !choice) return undefined;
    try {
      const { runs, size, becomes } = planFor(choice, this.#video);
      const even = { width: becomes.width & ~1, height: becomes.height & ~1 };
      return { frames: { runs, size }, size: even, becomes };
    } catch (error) {
      return error as Error;
    }
  }

  /** Something in the form is another; soon that is measured. */
  #changed(wait = STILL): void {
    this.#render();
    clearTimeout(this.#stillness);
    this.#stillness = setTimeout(() => void this.#measure(), wait);
    const plan = this.#plan();
    if (this.#player.isOpen && plan && !(plan instanceof Error)) this.#player.frames = plan.frames;
  }

  async #measure(): Promise<void> {
    if (this.#isConverting) return;
    this.#trying?.abort();
    const trying = new AbortController();
    this.#trying = trying;
    const plan = this.#plan();
    const video = this.#video;
    if (!video || !plan || plan instanceof Error) return;
    try {
      const fileSize = this.#fileSize.value as FileSize;
      const outputs = await this.#engine.run("videoOutputs", { video: video.id, size: plan.size, fileSize });
      if (trying.signal.aborted) return;
      this.#outputs = outputs;
      this.#offerContainers();
      this.#render();
      if (this.#trial || !this.#output) return;
      const settings = settingsOf(video, plan.frames);
      const input = { video: video.id, output: this.#output, ...plan.frames };
      try {
        const trial = await this.#engine.run("tryVideo", input, { signal: trying.signal, leaveAtOnce: true });
        this.#tried = { settings, trial };
        this.#showPair(trial);
      } catch (error) {
        if (trying.signal.aborted) return;
        this.#tried = { settings, trial: error as Error };
      }
    } catch (error) {
      if (trying.signal.aborted) return;
      this.#task.complain(error as Error);
    }
    this.#render();
  }

  /** That of the present settings. */
  get #trial(): FrameTrial | Error | undefined {
    const plan = this.#plan();
    if (!plan || plan instanceof Error || !this.#tried) return undefined;
    return this.#tried.settings === settingsOf(this.#video!, plan.frames) ? this.#tried.trial : undefined;
  }

  get #output(): OutputChoice | undefined {
    return this.#outputs?.find(({ container }) => container === this.#container.value) ?? this.#outputs?.[0];
  }

  #offerContainers(): void {
    const before = this.#container.value;
    const outputs = this.#outputs ?? [];
    const options = outputs.map(
      ({ container, codecName }) =>
        new Option(say.container(containerNames[container], codecName), container),
    );
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
      this.#pair.before.bitmap.close();
      this.#pair.after.bitmap.close();
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
    const plan = this.#plan();
    const output = this.#output;
    const isPlanned = plan !== undefined && !(plan instanceof Error);
    const isConverting = this.#isConverting;
    const trial = this.#trial;
    const isTried = trial !== undefined && !(trial instanceof Error);
    this.#task.enabled = isConverting || (isTried && output !== undefined);
    this.#watch.disabled = !isPlanned || isConverting;
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
    becomes.textContent = !plan
      ? ""
      : plan instanceof Error
        ? plan.message
        : [becomesText(video, plan.becomes), ...this.#fileText(plan.size)].join(" ");
    const hasOutput = this.#outputs?.length !== 0;
    estimate.textContent = isPlanned && hasOutput ? estimateText(trial, video) : "";
    live.textContent = isTried ? liveText(trial, video) : "";
    this.#forecast.classList.toggle("long", isTried && video.frames * trial.ms > LONG);
  }

  #fileText(size: Size): string[] {
    const output = this.#output;
    if (!output) return this.#outputs ? [say.noOutput(dimensions(size))] : [];
    const other = this.#outputs!.find(
      (choice) => choice !== output && choice.sound.every(({ way }) => way !== "none"),
    );
    const of = (fate: string) => [
      ...new Set(output.sound.filter(({ way }) => way === fate).map(({ codec }) => codec)),
    ];
    const [copied, encoded, lost] = [of("copy"), of("encode"), of("none")];
    return [
      say.becomesFile(bytesText(output.bytes)),
      ...(canChooseFile() ? [] : [say.inMemory]),
      ...(copied.length > 0 ? [say.soundCopied(copied)] : []),
      ...(encoded.length > 0 ? [say.soundEncoded(encoded)] : []),
      ...(lost.length > 0 ? [say.soundLost(lost, other && containerNames[other.container])] : []),
    ];
  }

  // ---- Converting

  async #convert(signal: AbortSignal): Promise<void> {
    const [video, plan, output, trial] = [this.#video!, this.#plan(), this.#output!, this.#trial];
    if (!plan || plan instanceof Error || !trial || trial instanceof Error) return;
    const { method } = this.#choice.chosen!;
    const name = `${resultName(video.name, `${plan.size.height}p`, methodName(method))}.${output.container}`;
    const chosen = await chosenFile(name, output);
    if (chosen === "none") {
      this.#task.say("");
      return;
    }
    const file = chosen?.handle;
    const steer = (action: "pause" | "resume" | "finish") =>
      void this.#engine.run("steerVideo", { video: video.id, action });
    signal.addEventListener("abort", () => steer("finish"));
    if (signal.aborted) throw new DOMException("The task was stopped.", "AbortError");
    this.#player.close();
    [this.#isPaused, this.#frames, this.#result] = [false, 0, undefined];
    this.#pause.hidden = false;
    this.#labelPause();
    this.#render();
    this.#clock = { start: performance.now(), pauses: 0 };
    try {
      const request = { video: video.id, output, file, runs: trial.runs, size: plan.frames.size };
      const conversion = await this.#engine.run("convertVideo", request, {
        onEvent: ({ share, frames, pair }) => {
          this.#frames = frames;
          const ms = performance.now() - this.#clock.start - this.#clock.pauses;
          const rate = frames > 2 ? rateText((1000 * frames) / ms) : undefined;
          if (!this.#isPaused) this.#task.share(share, say.converting(frames, rate));
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
    this.#isPaused = !this.#isPaused;
    const action = this.#isPaused ? "pause" : "resume";
    void this.#engine.run("steerVideo", { video: this.#video!.id, action });
    this.#labelPause();
    if (this.#isPaused) {
      this.#pausedAt = performance.now();
      this.#task.say(say.paused(this.#frames));
    } else {
      this.#clock.pauses += performance.now() - this.#pausedAt;
      this.#task.restartClock();
    }
  }

  /** By its name, so that it is said in another language, too, once that is chosen. */
  #labelPause(): void {
    const key = this.#isPaused ? "resume" : "pause";
    this.#pause.dataset.text = key;
    this.#pause.textContent = say[key];
  }

  // ---- Watching

  #watchFile(): void {
    const plan = this.#plan();
    if (!plan || plan instanceof Error) return;
    const { name, rate } = this.#video!;
    const trial = this.#trial;
    const runs = trial && !(trial instanceof Error) ? trial.runs : plan.frames.runs;
    void this.#player.open({ name, rate, source: this.#file! }, { runs, size: plan.frames.size });
    this.#showStage();
  }

  async #watchCamera(): Promise<void> {
    const choice = this.#choice.chosen;
    if (!choice) return;
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

// ---- Texts

function becomesText(from: Size, to: Size): string {
  return say.becomesVideo(dimensions(from), dimensions(to), (to.width | to.height) % 2 === 1);
}

function estimateText(trial: FrameTrial | Error | undefined, { frames }: OpenVideo): string {
  if (trial instanceof Error) return say.notMeasured(trial.message);
  if (!trial) return say.measuringSpeed;
  const { ms } = trial;
  const text = say.estimate(duration(frames * ms), rateText(1000 / ms));
  return frames * ms > LONG ? `${text} ${say.isLong}` : text;
}

function liveText({ ms }: FrameTrial, { rate }: OpenVideo): string {
  if (ms > 1000) return say.watchTooSlow;
  if (1000 / ms >= rate) return say.watchable(rateText(rate));
  return say.watchSkips(rateText(1000 / ms), rateText(rate));
}

function conversionText({ frames, isWhole, damage, failure, bytes, ms, length }: Conversion): string {
  if (frames === 0) return say.stoppedBefore;
  if (damage) return say.damagedAt(lengthText(damage.at), frames, bytesText(bytes));
  if (failure) return say.endedEarly(failure.replace(/\.?$/, "."), frames, bytesText(bytes));
  if (isWhole) return say.converted(frames, duration(ms), bytesText(bytes));
  return say.convertedPart(frames, lengthText(length), bytesText(bytes));
}

// ---- Files

/** What TypeScript's library lacks of the File System Access API. */
type SavePicker = (options: object) => Promise<FileSystemFileHandle>;

function savePicker(): SavePicker | undefined {
  return (window as Window & { showSaveFilePicker?: SavePicker }).showSaveFilePicker?.bind(window);
}

function canChooseFile(): boolean {
  return savePicker() !== undefined;
}

/** The file that the user chooses; undefined where a page cannot write one. "none": no file was chosen. */
async function chosenFile(
  suggestedName: string,
  { container }: OutputChoice,
): Promise<{ readonly handle: FileSystemFileHandle } | "none" | undefined> {
  const picker = savePicker();
  if (!picker) return undefined;
  try {
    const types = [{ accept: { [`video/${container}`]: [`.${container}`] } }];
    return { handle: await picker({ id: "videos", startIn: "videos", suggestedName, types }) };
  } catch (error) {
    if ((error as Error).name === "AbortError") return "none";
    if ((error as Error).name === "SecurityError") return undefined; // no click, or forbidden in a frame
    throw error;
  }
}
