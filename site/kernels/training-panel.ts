/** The second lesson: a network learns, and everything that it computes is drawn. */
import type { Image } from "../../src/picture/index.ts";
import { find, make } from "./dom.ts";
import type { Engine } from "./engine.ts";
import type { Maps, TrainStep } from "./messages.ts";
import { gray, type Painted, paint, rgb, signed, signedColor } from "./paint.ts";
import { readOwn, samples } from "./samples.ts";

export class TrainingPanel {
  readonly #engine: Engine;
  readonly #form = find<HTMLFormElement>("#train-form");
  readonly #playButton = find<HTMLButtonElement>("#train-form [type=submit]");
  readonly #singleButton = find<HTMLButtonElement>("#train-form [name=single]");
  readonly #restartButton = find<HTMLButtonElement>("#train-form [name=restart]");
  readonly #rate = find<HTMLInputElement>("#train-form [name=lr]");
  readonly #every = find<HTMLSelectElement>("#train-form [name=every]");
  readonly #status = find<HTMLElement>("#train-status");
  readonly #plot = new LossPlot(find<SVGSVGElement>("#stage-output .plot"));
  readonly #pictures = new Map<string, { canvas: HTMLCanvasElement; caption: HTMLElement }>();
  #picture: Image | undefined;
  #firstWeights: Maps | undefined;
  /** The next step begins anew with the picture. */
  #fresh = true;
  #playing = false;
  #busy = false;
  #usable = false;

  constructor(engine: Engine) {
    this.#engine = engine;
    const group = find("#train-form .samples");
    for (const [i, sample] of samples.entries()) {
      const radio = make("input", { type: "radio", name: "sample", value: sample.name, checked: i === 0 });
      radio.addEventListener("change", () => this.#choose(sample.image));
      group.append(make("label", {}, radio, sample.name));
    }
    this.#picture = samples[0].image;
    const own = find<HTMLInputElement>("#train-form [name=own]");
    group.append(own.closest("label")!);
    own.addEventListener("change", async () => {
      const [file] = own.files ?? [];
      if (!file) return;
      try {
        this.#choose(await readOwn(file));
        for (const radio of group.querySelectorAll<HTMLInputElement>("[type=radio]")) radio.checked = false;
      } catch {
        this.#status.textContent = `${file.name} is no picture that this browser can read.`;
        this.#status.classList.add("bad");
      }
      own.value = "";
    });
    this.#rate.addEventListener("input", () => this.#showRate());
    this.#showRate();
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#playing) this.pause();
      else this.#play();
    });
    this.#singleButton.addEventListener("click", () => {
      this.pause();
      this.#advance(1);
    });
    this.#restartButton.addEventListener("click", () => this.#restart());
  }

  get #lr(): number {
    return 10 ** Number(this.#rate.value);
  }

  enable(): void {
    this.#usable = true;
    for (const button of [this.#playButton, this.#singleButton, this.#restartButton]) button.disabled = false;
    if (!find<HTMLElement>("#panel-training").hidden) this.show();
  }

  /** The tab has been opened: one step, so that there is something to see. */
  show(): void {
    if (this.#usable && this.#fresh) this.#advance(1);
  }

  pause(): void {
    this.#playing = false;
    this.#playButton.textContent = "Play";
  }

  async #play(): Promise<void> {
    this.#playing = true;
    this.#playButton.textContent = "Pause";
    this.#status.textContent = "";
    while (this.#playing) {
      await this.#advance(Number(this.#every.value));
      // A drawing for each frame of the screen, at most.
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  }

  #choose(picture: Image): void {
    this.#picture = picture;
    this.#restart();
  }

  #restart(): void {
    this.#fresh = true;
    this.#firstWeights = undefined;
    this.#plot.clear();
    if (this.#usable && !this.#busy) this.#advance(1);
  }

  async #advance(steps: number): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    const picture = this.#fresh ? this.#picture : undefined;
    this.#fresh = false;
    try {
      const step = await this.#engine.run("train", { picture, lr: this.#lr, steps });
      if (!this.#fresh) this.#draw(step);
    } catch (error) {
      this.pause();
      this.#fresh = true; // the network may be gone
      this.#status.textContent = (error as Error).message;
      this.#status.classList.add("bad");
    } finally {
      this.#busy = false;
    }
    // Begun anew meanwhile.
    if (this.#fresh && picture === undefined && !this.#playing && !this.#status.classList.contains("bad")) {
      await this.#advance(1);
    }
  }

  #showRate(): void {
    find("#train-form [name=rate]").textContent = String(Number(this.#lr.toPrecision(2)));
  }

  #draw(step: TrainStep): void {
    this.#status.classList.remove("bad");
    if (step.recovered) {
      this.#status.textContent = `The device was lost. The network went on from its last drawing on ${step.adapter}; Adam's memory began anew.`;
    }
    this.#plot.add(step.step, step.loss, step.baseline);
    const { input, target, output, outputGradient, features, featureGradients, weights, weightGradients } =
      step;
    this.#put("input", "input", rgb(input), `input, ${input.width} × ${input.height}`);
    this.#put("input", "target", rgb(target), "target");
    for (const [i, maps] of features.entries()) {
      this.#put("features", `features ${i}`, gray(maps), `after layer ${i + 1}: ${maps.channels} maps`);
    }
    this.#put("output", "output", rgb(output), "output");
    this.#put("output", "difference", signedColor(subtract(output, target)), "output − target, grey is 0");
    this.#put("gradients", "dy", signed(outputGradient), "by the output's three colours");
    for (const [i, maps] of [...featureGradients.entries()].reverse()) {
      this.#put("gradients", `gradient ${i}`, signed(maps), `by the maps after layer ${i + 1}`);
    }
    this.#put(
      "weights",
      "weights",
      signedColor(weights),
      "first layer's weights: one picture for each of its maps",
      6,
    );
    this.#put("weights", "weight gradients", signedColor(weightGradients), "their gradients", 6);
    this.#firstWeights ??= weights;
    const change = signedColor(subtract(weights, this.#firstWeights));
    this.#put("weights", "change", change, "change since the first drawing", 6);
  }

  #put(stage: string, name: string, painted: Painted, text: string, columns?: number): void {
    let place = this.#pictures.get(name);
    if (!place) {
      const canvas = make("canvas", { role: "img" });
      const caption = make("figcaption");
      find(`#stage-${stage} .pictures`).append(
        make("figure", { class: painted.count > 1 ? "wide" : "" }, canvas, caption),
      );
      place = { canvas, caption };
      this.#pictures.set(name, place);
      place.canvas.setAttribute("aria-label", text);
    }
    place.caption.textContent = painted.range === undefined ? text : `${text} (±${rangeText(painted.range)})`;
    paint(place.canvas, painted, columns);
  }
}

function rangeText(range: number): string {
  return range < 0.001 ? range.toExponential(1) : String(Number(range.toPrecision(2)));
}

function subtract(a: Maps, b: Maps): Maps {
  return { ...a, data: a.data.map((value, i) => value - b.data[i]) };
}

/** The loss on a logarithmic scale, and that of the input itself as a line. */
class LossPlot {
  readonly #svg: SVGSVGElement;
  #points: { step: number; loss: number }[] = [];
  #baseline = 0;

  constructor(svg: SVGSVGElement) {
    this.#svg = svg;
  }

  clear(): void {
    this.#points = [];
    this.#render();
  }

  add(step: number, loss: number, baseline: number): void {
    this.#baseline = baseline;
    this.#points.push({ step, loss });
    // A long training needs no more points than the plot has columns.
    if (this.#points.length > 800) this.#points = this.#points.filter((_, i) => i % 2 === 0 || i > 780);
    this.#render();
  }

  #render(): void {
    const [width, height] = [320, 120];
    const margin = { left: 8, right: 8, top: 10, bottom: 20 };
    const losses = [...this.#points.map(({ loss }) => loss), this.#baseline].filter((loss) => loss > 0);
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const last = this.#points.at(-1);
    if (!last || losses.length === 0) {
      this.#svg.replaceChildren();
      this.#svg.setAttribute("aria-label", "Loss: no steps yet");
      return;
    }
    const [low, high] = [Math.log(Math.min(...losses)) - 0.15, Math.log(Math.max(...losses)) + 0.15];
    const x = (step: number) =>
      margin.left + (step / Math.max(10, last.step)) * (width - margin.left - margin.right);
    const y = (loss: number) =>
      margin.top + ((high - Math.log(loss)) / (high - low)) * (height - margin.top - margin.bottom);
    const points = this.#points
      .filter(({ loss }) => loss > 0)
      .map(({ step, loss }) => `${x(step).toFixed(1)},${y(loss).toFixed(1)}`);
    const level = y(this.#baseline).toFixed(1);
    this.#svg.replaceChildren(
      svg("line", { class: "level", x1: "0", x2: `${width}`, y1: level, y2: level }),
      svg(
        "text",
        { x: `${width - 4}`, y: `${Number(level) - 4}`, "text-anchor": "end" },
        "the input as it is",
      ),
      svg("polyline", { points: points.join(" ") }),
      svg("text", { x: "4", y: `${height - 5}` }, `step ${last.step}, loss ${last.loss.toPrecision(3)}`),
    );
    this.#svg.setAttribute(
      "aria-label",
      `Loss after ${last.step} steps: ${last.loss.toPrecision(3)}; of the input as it is: ${this.#baseline.toPrecision(3)}`,
    );
  }
}

function svg(tag: string, attributes: Readonly<Record<string, string>>, text?: string): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}
