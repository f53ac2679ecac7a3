/** The first lesson: the ladder, run and drawn. */

import { download } from "../download.ts";
import { onEscape } from "../escape.ts";
import { showUnknownProgress } from "../stillness.ts";
import { betweenTasks, find, make } from "./dom.ts";
import type { Engine } from "./engine.ts";
import { numbers } from "./format.ts";
import { say } from "./language.ts";
import { layerOf, layers } from "./layers.ts";
import { Line } from "./line.ts";
import type { EditResult, Layer, MeasureEvent, Phase, Results, StepResult } from "./messages.ts";
import { firstOf, jsonOf, markdownOf, noteOf } from "./report.ts";
import { StepView } from "./step-view.ts";

/** Chrome's autofill looks at new fields this late, at most, in milliseconds. */
const BETWEEN_EDITORS = 150;

export class LadderPanel {
  readonly #engine: Engine;
  readonly #select = find<HTMLSelectElement>("#run-form [name=layer]");
  readonly #runButton = find<HTMLButtonElement>("#run-form [type=submit]");
  readonly #stopButton = find<HTMLButtonElement>("#run-form [name=stop]");
  readonly #progress = find<HTMLProgressElement>("#run-progress");
  readonly #phase = find<HTMLElement>("#run-phase");
  readonly #status = new Line(find("#run-status"));
  readonly #reportStatus = new Line(find("#report-status"));
  readonly #views: readonly StepView[];
  #results: Results | undefined;
  #running: AbortController | undefined;
  #usable = false;
  /** The device was lost during the measurement that is running. */
  #lost = false;
  /** Called before something is measured: nothing else may compute meanwhile. */
  onStart: () => void = () => {};

  constructor(engine: Engine) {
    this.#engine = engine;
    for (const layer of layers) this.#select.append(new Option(say.layer(layer), layer.id));
    this.#views = [...document.querySelectorAll<HTMLElement>("article.step")].map(
      (article) => new StepView(article, (...edit) => this.#tryEdit(...edit)),
    );
    this.#select.addEventListener("change", () => this.#describe());
    find("#run-form").addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#usable) this.#measure();
    });
    this.#stopButton.addEventListener("click", () => this.#running?.abort());
    onEscape(this.#stopButton, () => this.#running?.abort());
    find("#results [name=copy]").addEventListener("click", () => this.#copy());
    find("#results [name=download]").addEventListener("click", () => {
      const { layer } = this.#results!;
      const text = jsonOf(this.#results!, navigator.userAgent, new Date());
      download(new Blob([text], { type: "application/json" }), `convolution-${layer.id}.json`);
    });
  }

  /** Once more, in the page's language. */
  writeAgain(): void {
    for (const option of this.#select.options) option.text = say.layer(layerOf(option.value));
    for (const view of this.#views) view.writeAgain();
    if (this.#results) this.#showTable(this.#results);
    this.#status.writeAgain();
    this.#reportStatus.writeAgain();
  }

  get #layer(): Layer {
    return layerOf(this.#select.value);
  }

  /** Shows the programs. With `usable`, they can be run. */
  async open(layer: Layer, usable: boolean): Promise<void> {
    this.#select.value = layer.id;
    this.#usable = usable;
    await this.#describe();
    this.#enable(usable);
  }

  /** Chooses a convolution that suits the card, unless the person has begun by then. */
  async suggest(): Promise<void> {
    const before = this.#select.value;
    const layer = await this.#engine.run("suggest", {});
    if (this.#running || this.#results || this.#select.value !== before) return;
    this.#select.value = layer.id;
    await this.#describe();
  }

  complain({ message }: Error): void {
    this.#status.say(() => message, true);
  }

  /** Lets the programs be edited, one after the other: all at once would hold the page up. */
  async openEditors(): Promise<void> {
    for (const view of this.#views) {
      view.open();
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_EDITORS));
    }
  }

  async #describe(): Promise<void> {
    const layer = this.#layer;
    const steps = await this.#engine.run("describe", { layer });
    if (layer.id !== this.#select.value) return;
    if (this.#results?.layer.id !== layer.id) find<HTMLElement>("#results").hidden = true;
    for (const view of this.#views) {
      view.describe(steps.find(({ name }) => name === view.name));
      await betweenTasks(); // all together would hold the page up
      if (layer.id !== this.#select.value) return;
    }
  }

  #enable(enabled: boolean): void {
    this.#runButton.disabled = !enabled;
    this.#select.disabled = this.#usable && !enabled;
    for (const view of this.#views) view.enabled = enabled;
  }

  async #measure(): Promise<void> {
    const layer = this.#layer;
    await this.#whileBusy(async (signal) => {
      this.#stopButton.hidden = false;
      showUnknownProgress(this.#progress);
      this.#progress.hidden = false;
      this.#status.say(() => say.measuring);
      this.#lost = false;
      const onEvent = (event: MeasureEvent) => this.#hear(event);
      const results = await this.#engine.run("measure", { layer }, { signal, onEvent });
      this.#show(results);
    });
  }

  async #whileBusy(body: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.onStart();
    this.#running = new AbortController();
    this.#enable(false);
    try {
      await body(this.#running.signal);
    } catch (error) {
      if ((error as Error).name === "AbortError") this.#status.say(() => say.stopped);
      else this.complain(error as Error);
    } finally {
      this.#running = undefined;
      this.#phase.textContent = "";
      this.#stopButton.hidden = true;
      this.#progress.hidden = true;
      this.#enable(true);
    }
  }

  #hear(event: MeasureEvent): void {
    if (event.kind === "phase") {
      this.#phase.textContent = phaseText(event.phase);
      if (event.total > 0) {
        this.#progress.max = event.total;
        this.#progress.value = Math.min(event.done, event.total);
      } else showUnknownProgress(this.#progress);
    } else if (event.kind === "checked") {
      this.#views.find(({ name }) => name === event.step.name)?.result(event.step);
    } else {
      this.#lost = true;
      this.#status.say(() => say.beginsAgain);
    }
  }

  #show(results: Results): void {
    this.#results = results;
    const { steps } = results;
    for (const step of steps) this.#views.find(({ name }) => name === step.name)?.result(step);
    this.#showTable(results);
    find<HTMLElement>("#results").hidden = false;
    this.#reportStatus.clear();
    const isLost = this.#lost;
    const isWrong = steps.some(({ check }) => check && !check.right);
    this.#status.say(() => outcomeText(steps, isLost), isWrong);
  }

  #showTable(results: Results): void {
    const { steps, layer, card } = results;
    const body = find<HTMLTableSectionElement>("#results-table tbody");
    body.replaceChildren();
    for (const [i, step] of steps.entries()) {
      if (step.name.startsWith("weight-grad") && !steps[i - 1]?.name.startsWith("weight-grad")) {
        body.append(
          make("tr", { class: "group" }, make("th", { colspan: "7", scope: "rowgroup" }, say.wayBack)),
        );
      }
      body.append(rowOf(step, steps));
    }
    find("#results-table caption").textContent = say.onAdapter(say.layer(layer), card.adapter);
    find("#results-note").textContent = noteOf(results);
  }

  async #tryEdit(
    step: string,
    body: string,
    signal: AbortSignal,
    tell: (text: string) => void,
  ): Promise<EditResult> {
    this.onStart();
    this.#enable(false);
    try {
      const onEvent = (event: MeasureEvent) => {
        if (event.kind === "phase") tell(phaseText(event.phase));
      };
      return await this.#engine.run("tryEdit", { layer: this.#layer, step, body }, { signal, onEvent });
    } finally {
      this.#enable(true);
    }
  }

  async #copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(markdownOf(this.#results!, navigator.userAgent, new Date()));
      this.#reportStatus.say(() => say.copied);
    } catch {
      this.#reportStatus.say(() => say.cannotCopy);
    }
  }
}

function phaseText(phase: Phase): string {
  switch (phase.at) {
    case "ceilings":
      return say.findingCeilings;
    case "reference":
      return say.computingReference(say.layer(phase.layer));
    case "step":
      return say.checkingStep(phase.step);
    case "edit":
      return say.checkingEdit;
    case "timing": {
      const program = phase.isEdit ? say.edited(phase.step) : phase.step;
      return phase.turn === 0 ? say.fitting(program) : say.timing(program, phase.turn);
    }
  }
}

/** What a measurement showed, in a few sentences. */
function outcomeText(steps: readonly StepResult[], isLost: boolean): string {
  const wrong = steps.filter(({ check }) => check && !check.right);
  const refused = steps.filter(({ problem }) => problem !== undefined);
  const fastest = steps
    .filter(({ name, times }) => times && !name.startsWith("weight-grad"))
    .reduce<StepResult | undefined>((a, b) => (a && a.times!.ms <= b.times!.ms ? a : b), undefined);
  const first = fastest && firstOf(steps, fastest);
  const sentences = [
    wrong.length > 0 ? say.wrongSteps(namesOf(wrong)) : say.rightSteps(steps.length - refused.length),
  ];
  if (refused.length > 0) sentences.push(say.refusedSteps(namesOf(refused)));
  if (fastest?.times && first?.times) {
    const ratio = numbers.times(first.times.ms / fastest.times.ms);
    sentences.push(say.fastestStep(fastest.name, numbers.ms(fastest.times.ms), ratio, first.name));
  }
  if (isLost) sentences.push(say.wasLost);
  return sentences.join(" ");
}

function namesOf(steps: readonly StepResult[]): string {
  return steps.map(({ name }) => name).join(", ");
}

function rowOf(step: StepResult, steps: readonly StepResult[]): HTMLElement {
  const { name, problem, check, times } = step;
  const link = make("a", { href: `#step-${name}` }, name);
  const result = !check
    ? make("td", { class: "wrong", title: problem ?? "" }, say.doesNotRun)
    : check.right
      ? make("td", { class: "right", title: say.within(numbers.exponential(check.error)) }, say.right)
      : make("td", { class: "wrong" }, say.wrongBy(numbers.percent(check.error)));
  if (!times) {
    const cells = ["bar-column", "gflops", "", "", ""].map((name) =>
      make("td", { class: name }, name ? "" : "–"),
    );
    return make("tr", {}, make("th", { scope: "row" }, link), ...cells, result);
  }
  const bar = (name: string) => {
    const fill = make("div", { class: "bar" });
    fill.style.width = `${Math.min(100, 100 * times.share)}%`;
    return make("div", { class: name }, fill);
  };
  const first = firstOf(steps, step)!.times!;
  return make(
    "tr",
    {},
    make("th", { scope: "row" }, link, bar("track mini")),
    make("td", { class: "bar-column" }, bar("track")),
    make("td", { class: "gflops" }, numbers.significant(times.gflops)),
    make("td", {}, numbers.percent(times.share)),
    make("td", {}, numbers.ms(times.ms)),
    make("td", {}, numbers.times(first.ms / times.ms)),
    result,
  );
}
