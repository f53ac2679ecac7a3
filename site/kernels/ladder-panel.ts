/** The first lesson: the ladder, run and drawn. */
import { betweenTasks, download, find, make } from "./dom.ts";
import type { Engine } from "./engine.ts";
import { errorText, msText, percentText, significant, timesText } from "./format.ts";
import { describeLayer, layerOf, layers } from "./layers.ts";
import type { EditResult, Layer, MeasureEvent, Results, StepResult } from "./messages.ts";
import { ceilingText, firstOf, jsonOf, markdownOf, methodText } from "./report.ts";
import { StepView } from "./step-view.ts";

export class LadderPanel {
  readonly #engine: Engine;
  readonly #select = find<HTMLSelectElement>("#run-form [name=layer]");
  readonly #runButton = find<HTMLButtonElement>("#run-form [type=submit]");
  readonly #stopButton = find<HTMLButtonElement>("#run-form [name=stop]");
  readonly #progress = find<HTMLProgressElement>("#run-progress");
  readonly #phase = find<HTMLElement>("#run-phase");
  readonly #status = find<HTMLElement>("#run-status");
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
    for (const layer of layers) this.#select.append(new Option(describeLayer(layer), layer.id));
    this.#views = [...document.querySelectorAll<HTMLElement>("article.step")].map(
      (article) => new StepView(article, (...edit) => this.#tryEdit(...edit)),
    );
    this.#select.addEventListener("change", () => this.#describe());
    find("#run-form").addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#usable) this.#measure();
    });
    this.#stopButton.addEventListener("click", () => this.#running?.abort());
    document.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.#running?.abort();
    });
    find("#results [name=copy]").addEventListener("click", () => this.#copy());
    find("#results [name=download]").addEventListener("click", () => {
      const { layer } = this.#results!;
      const text = jsonOf(this.#results!, navigator.userAgent, new Date());
      download(`convolution-${layer.id}.json`, new Blob([text], { type: "application/json" }));
    });
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
      this.#progress.hidden = false;
      this.#status.textContent = "Measuring…";
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
    this.#status.classList.remove("bad");
    try {
      await body(this.#running.signal);
    } catch (error) {
      const stopped = (error as Error).name === "AbortError";
      this.#status.textContent = stopped ? "Stopped." : (error as Error).message;
      this.#status.classList.toggle("bad", !stopped);
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
      this.#phase.textContent = `${event.text}…`;
      if (event.total > 0) {
        this.#progress.max = event.total;
        this.#progress.value = Math.min(event.done, event.total);
      } else this.#progress.removeAttribute("value");
    } else if (event.kind === "checked") {
      this.#views.find(({ name }) => name === event.step.name)?.result(event.step);
    } else {
      this.#lost = true;
      this.#status.textContent = "The device was lost. The measurement begins again on a new one.";
    }
  }

  #show(results: Results): void {
    this.#results = results;
    const { steps, layer, card } = results;
    for (const step of steps) this.#views.find(({ name }) => name === step.name)?.result(step);
    const body = find<HTMLTableSectionElement>("#results-table tbody");
    body.replaceChildren();
    for (const [i, step] of steps.entries()) {
      if (step.name.startsWith("weight-grad") && !steps[i - 1]?.name.startsWith("weight-grad")) {
        body.append(
          make("tr", { class: "group" }, make("th", { colspan: "7", scope: "rowgroup" }, "The way back")),
        );
      }
      body.append(rowOf(step, steps));
    }
    find("#results-table caption").textContent = `${describeLayer(layer)} on ${card.adapter}`;
    find("#results-note").textContent = `${ceilingText(results.ceiling)} ${methodText(results)}`;
    find<HTMLElement>("#results").hidden = false;
    const wrong = steps.filter(({ check }) => check && !check.right);
    const refused = steps.filter(({ problem }) => problem !== undefined);
    const best = (back: boolean) =>
      steps
        .filter(({ name, times }) => times && name.startsWith("weight-grad") === back)
        .reduce<StepResult | undefined>((a, b) => (a && a.times!.ms <= b.times!.ms ? a : b), undefined);
    const forward = best(false);
    const first = forward && firstOf(steps, forward);
    const sentences = [
      wrong.length > 0
        ? `Wrong on this adapter: ${namesOf(wrong)}. That should not be; please report it.`
        : `All ${steps.length - refused.length} steps are right.`,
    ];
    if (refused.length > 0) sentences.push(`This adapter's driver refuses ${namesOf(refused)}.`);
    if (forward?.times && first?.times) {
      sentences.push(
        `The fastest, ${forward.name}, takes ${msText(forward.times.ms)}, ` +
          `${timesText(first.times.ms / forward.times.ms)} as fast as ${first.name}.`,
      );
    }
    if (this.#lost) sentences.push("The device was lost meanwhile, and all this was measured on a new one.");
    this.#status.textContent = sentences.join(" ");
    this.#status.classList.toggle("bad", wrong.length > 0);
  }

  async #tryEdit(
    step: string,
    body: string,
    signal: AbortSignal,
    say: (text: string) => void,
  ): Promise<EditResult> {
    this.onStart();
    this.#enable(false);
    try {
      const onEvent = (event: MeasureEvent) => {
        if (event.kind === "phase") say(`${event.text}…`);
      };
      return await this.#engine.run("tryEdit", { layer: this.#layer, step, body }, { signal, onEvent });
    } finally {
      this.#enable(true);
    }
  }

  async #copy(): Promise<void> {
    const status = find("#report-status");
    try {
      await navigator.clipboard.writeText(markdownOf(this.#results!, navigator.userAgent, new Date()));
      status.textContent = "Copied.";
    } catch {
      status.textContent = "This browser does not let the page copy; take the JSON.";
    }
  }
}

function namesOf(steps: readonly StepResult[]): string {
  return steps.map(({ name }) => name).join(", ");
}

function rowOf(step: StepResult, steps: readonly StepResult[]): HTMLElement {
  const { name, problem, check, times } = step;
  const link = make("a", { href: `#step-${name}` }, name);
  const result = !check
    ? make("td", { class: "wrong", title: problem ?? "" }, "does not run")
    : check.right
      ? make(
          "td",
          { class: "right", title: `within ${errorText(check.error)} of the largest value` },
          "right",
        )
      : make("td", { class: "wrong" }, `wrong by ${percentText(check.error)}`);
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
    make("td", { class: "gflops" }, significant(times.gflops)),
    make("td", {}, percentText(times.share)),
    make("td", {}, msText(times.ms)),
    make("td", {}, timesText(first.ms / times.ms)),
    result,
  );
}
