/** The tab that trains a network on the user's pictures, and shows how it learns. */
import { Compare } from "./compare.ts";
import type { Engine } from "./engine.ts";
import { showFacts } from "./facts.ts";
import { stemOf } from "./file-names.ts";
import { fixed, say } from "./language.ts";
import { LossPlot } from "./loss-plot.ts";
import {
  automatic,
  type FineTuneEvent,
  type FineTuneRequest,
  type FineTuneResult,
  type MethodInfo,
  ownNameOf,
  type Quality,
  type TrainingFault,
} from "./messages.ts";
import type { OwnNetworks } from "./own-networks.ts";
import type { StagePicture } from "./stage.ts";
import { duration, TaskControl } from "./task-control.ts";
import { TrainingFiles } from "./training-files.ts";

/** The scales that this tab offers. */
const SCALES = [2, 3, 4];
/** LR pixels below which a picture has little to teach. */
const FEW_PIXELS = 48 * 48;

export class TrainPanel {
  readonly #engine: Engine;
  readonly #own: OwnNetworks;
  readonly #compare: Compare;
  readonly #figure: HTMLElement;
  readonly #plot: LossPlot;
  readonly #task: TaskControl;
  readonly #files: TrainingFiles;
  readonly #start: HTMLSelectElement;
  readonly #scale: HTMLSelectElement;
  readonly #steps: HTMLInputElement;
  readonly #facts: HTMLElement;
  readonly #notes: HTMLElement;
  readonly #result: HTMLElement;
  readonly #verdict: HTMLElement;
  #networks: readonly MethodInfo[] = [];
  #picture: StagePicture | undefined;
  /** Undefined until that is known. */
  #hasGpu: boolean | undefined;
  /** If there is none. */
  #whyNot: (() => string) | undefined;
  #isRenderedBySoftware = false;
  /** The network of the last training run. */
  #tuned: MethodInfo | undefined;

  /** `onUse` is called when the user wants to enlarge with a network. */
  constructor(
    root: HTMLElement,
    engine: Engine,
    own: OwnNetworks,
    { onUse }: { onUse(method: MethodInfo): void },
  ) {
    this.#engine = engine;
    this.#own = own;
    this.#compare = new Compare(root.querySelector(".viewer")!);
    this.#figure = root.querySelector("figure")!;
    this.#plot = new LossPlot(root.querySelector<SVGSVGElement>(".plot")!);
    this.#files = new TrainingFiles(root.querySelector(".sources")!);
    this.#start = root.querySelector("[name=start]")!;
    this.#scale = root.querySelector("[name=scale]")!;
    this.#steps = root.querySelector("[name=steps]")!;
    this.#facts = root.querySelector(".facts")!;
    this.#notes = root.querySelector(".notes")!;
    this.#result = root.querySelector(".result")!;
    this.#verdict = root.querySelector(".verdict")!;
    this.#task = new TaskControl(root.querySelector(".task")!, (signal) => this.#train(signal));
    this.setMethods([]);
    this.#start.addEventListener("change", () => this.#offerScales());
    root.querySelector("[name=use]")!.addEventListener("click", () => onUse(this.#tuned!));
    root
      .querySelector("[name=download]")!
      .addEventListener("click", () =>
        this.#own.save(this.#tuned!).catch((error) => this.#task.complain(error)),
      );
  }

  /** What is said of the picture before no longer holds, unless a training run is at work, which goes on. */
  setPicture(picture: StagePicture): void {
    this.#picture = picture;
    this.#enable();
    // What it learns from is still there: files, or the picture that was on show when it began.
    if (this.#files.isChosen || this.#task.isRunning) return;
    this.#forget();
    this.#sayWhyNot();
    this.#show(picture);
  }

  #show({ overview }: StagePicture): void {
    this.#compare.show({ overview, label: say.yourPicture });
  }

  /** Training needs a GPU, or software that renders in its place. `whyNot`: what to say as long as there is none. */
  setGpu(gpu: { readonly isSoftware: boolean } | undefined, whyNot?: () => string): void {
    this.#hasGpu = gpu !== undefined;
    this.#whyNot = whyNot;
    this.#isRenderedBySoftware = gpu?.isSoftware ?? false;
    this.#enable();
    this.#sayWhyNot();
  }

  /** In place of what was said before. */
  #sayWhyNot(): void {
    this.#task.say(this.#whyNot?.() ?? "");
  }

  /** Once more, in the page's language. */
  writeAgain(): void {
    if (this.#whyNot) this.#sayWhyNot();
  }

  setMethods(methods: readonly MethodInfo[]): void {
    this.#networks = methods.filter(
      ({ id, kind, scales }) =>
        id !== automatic && kind === "network" && scales.some((scale) => SCALES.includes(scale)),
    );
    const { value: before, options } = this.#start;
    const isNewChosen = before === "" && options.length > 1; // and not merely all that there was
    this.#start.replaceChildren(
      ...this.#networks.map(({ id, label }) => new Option(label, id)),
      new Option(say.newNetwork, ""),
    );
    // The best one of the library comes after the user's own.
    const best = this.#networks.find(({ isOwn }) => !isOwn)?.id ?? "";
    const isThere = isNewChosen || this.#networks.some(({ id }) => id === before);
    this.#start.value = isThere ? before : best;
    this.#offerScales();
    this.#enable();
  }

  /** Training can begin when all that it needs is there. */
  #enable(): void {
    this.#task.enabled = this.#hasGpu === true && this.#picture !== undefined && this.#networks.length > 0;
  }

  #offerScales(): void {
    const scales = this.#networks.find(({ id }) => id === this.#start.value)?.scales ?? SCALES;
    const options = [...this.#scale.options];
    for (const option of options) option.disabled = !scales.includes(Number(option.value));
    if (options.find(({ value }) => value === this.#scale.value)!.disabled)
      this.#scale.value = options.find(({ disabled }) => !disabled)!.value;
  }

  #forget(): void {
    this.#tuned = undefined;
    this.#figure.hidden = true;
    this.#plot.clear();
    this.#facts.hidden = true;
    this.#result.hidden = true;
    this.#verdict.textContent = "";
    this.#notes.textContent = "";
  }

  async #train(signal: AbortSignal): Promise<void> {
    if (!this.#steps.checkValidity()) throw new RangeError(say.wrongSteps(this.#steps.max));
    const files = this.#files.chosen;
    const picture = this.#picture!;
    if (files?.length === 0) throw new RangeError(say.noFiles);
    const input: FineTuneRequest = {
      pictures: files ?? [{ name: picture.name, source: picture.id }],
      start: this.#start.value || undefined,
      scale: Number(this.#scale.value),
      steps: this.#steps.valueAsNumber,
    };
    this.#forget();
    if (!files) this.#show(picture); // another one may be on show: see setPicture
    this.#figure.hidden = false;
    this.#plot.start(input.steps);
    this.#task.wait(say.measuring);
    const tuned = await this.#engine
      .run("fineTune", input, {
        signal,
        onEvent: (event) => this.#follow(event, input.steps),
      })
      .catch((error: Error) => {
        // The one that was chosen meanwhile takes the place of what came to nothing.
        if (!files && this.#picture !== picture) {
          this.#forget();
          this.#show(this.#picture!);
        }
        throw explain(error, picture, input.scale);
      });
    this.#showQuality(tuned.quality, tuned.quality.best);
    await this.#conclude(tuned, input);
  }

  async #conclude(
    { weights, quality, steps, ms }: FineTuneResult,
    { start, pictures }: FineTuneRequest,
  ): Promise<void> {
    let method: MethodInfo | undefined;
    if (weights) {
      const from = this.#networks.find(({ id }) => id === start);
      const source = pictures.length === 1 ? stemOf(pictures[0].name) : say.ownFiles;
      method = await this.#own.add(
        say.tunedFor(from ? (from.isOwn ? ownNameOf(from) : from.label) : say.newName, source),
        weights,
      );
    }
    this.#task.say(say.trained(steps, duration(ms)));
    this.#tuned = method;
    this.#result.hidden = method === undefined;
    this.#verdict.textContent = method
      ? say.gained(decibels(quality.best - quality.before), quality.bestStep, method.label)
      : quality.before === Number.POSITIVE_INFINITY
        ? say.nothingToGain
        : say.nothingGained;
  }

  #follow(event: FineTuneEvent, steps: number): void {
    switch (event.kind) {
      case "material":
        this.#notes.textContent = [
          this.#files.isChosen && say.learnsFrom(event.pairs, event.singles),
          event.leftOut.length > 0 && say.leftOut(event.leftOut),
          event.pixels < FEW_PIXELS && say.fewPixels,
          this.#isRenderedBySoftware && say.slowTraining,
        ]
          .filter(Boolean)
          .join(" ");
        break;
      case "step":
        this.#plot.add(event.step, event.loss, event.bicubicLoss);
        this.#task.progress(event.step, steps, say.step);
        break;
      case "measured":
        this.#showQuality(event.quality, event.quality.now);
        this.#compare.show(
          { image: event.preview.before, label: say.before },
          { image: event.preview.now, label: event.step === 0 ? say.before : say.afterSteps(event.step) },
        );
        break;
      case "reopened":
        this.#notes.textContent = say.reopened(event.step);
    }
  }

  #showQuality({ bicubic, before }: Quality, now: number): void {
    showFacts(this.#facts, {
      [say.bicubic]: decibels(bicubic),
      [say.before]: decibels(before),
      [say.after]: decibels(now),
    });
  }
}

/** No error at all is infinitely many decibels. */
function decibels(value: number): string {
  return Number.isFinite(value) ? `${fixed(value, 2)} dB` : say.noError;
}

/** Faults that the worker has names for, in the words of the page. */
function explain(error: Error, { width, height }: StagePicture, scale: number): Error {
  const sentences: Record<TrainingFault, () => string> = {
    NothingToLearnFrom: () => say.nothingToLearnFrom(width, height, scale),
    OtherScale: () => say.otherScale(Number(error.message), scale),
  };
  const sentence = sentences[error.name as TrainingFault]?.();
  return sentence ? new Error(sentence) : error;
}
