/** The second lesson: a network learns, and everything that it computes is drawn. */
import type { Image } from "../../src/picture/index.ts";
import { find, make } from "./dom.ts";
import type { Engine } from "./engine.ts";
import { numbers } from "./format.ts";
import { say, write } from "./language.ts";
import { Line } from "./line.ts";
import type { Maps, TrainStep } from "./messages.ts";
import { gray, type Pictures, paint, rgb, signed, signedColor } from "./paint.ts";
import { readOwn, samples } from "./samples.ts";

export class TrainingPanel {
  readonly #engine: Engine;
  readonly #form = find<HTMLFormElement>("#train-form");
  readonly #playButton = find<HTMLButtonElement>("#train-form [type=submit]");
  readonly #singleButton = find<HTMLButtonElement>("#train-form [name=single]");
  readonly #restartButton = find<HTMLButtonElement>("#train-form [name=restart]");
  readonly #rate = find<HTMLInputElement>("#train-form [name=lr]");
  readonly #every = find<HTMLSelectElement>("#train-form [name=every]");
  readonly #status = new Line(find("#train-status"));
  readonly #plot = new LossPlot(find<SVGSVGElement>("#stage-output .plot"));
  readonly #pictures = new Map<string, { canvas: HTMLCanvasElement; caption: HTMLElement }>();
  /** What it learns from. */
  #picture: () => Image = samples[0].draw;
  /** What is drawn. */
  #drawn: TrainStep | undefined;
  #firstWeights: Maps | undefined;
  /** The next step begins anew with the picture. */
  #fresh = true;
  #playing = false;
  /** The loop that plays ends only after its step: who plays again before goes on with it. */
  #looping = false;
  #busy = false;
  /** A single step is to follow the one that is being computed. */
  #single = false;
  #usable = false;

  constructor(engine: Engine) {
    this.#engine = engine;
    engine.onEnd = () => {
      this.#fresh = true; // another worker knows no picture
    };
    const group = find("#train-form .samples");
    for (const [i, sample] of samples.entries()) {
      const radio = make("input", { type: "radio", name: "sample", value: sample.id, checked: i === 0 });
      radio.addEventListener("change", () => this.#choose(sample.draw));
      group.append(make("label", {}, radio, write(make("span"), sample.id)));
    }
    const own = find<HTMLInputElement>("#train-form [name=own]");
    group.append(own.closest("label")!);
    own.addEventListener("change", async () => {
      const [file] = own.files ?? [];
      if (!file) return;
      try {
        const picture = await readOwn(file);
        this.#choose(() => picture);
        for (const radio of group.querySelectorAll<HTMLInputElement>("[type=radio]")) radio.checked = false;
      } catch {
        this.#status.say(() => say.noPicture(file.name), true);
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
      if (this.#busy) this.#single = true;
      else this.#advance(1);
    });
    this.#restartButton.addEventListener("click", () => this.#restart());
  }

  /** Once more, in the page's language. */
  writeAgain(): void {
    this.#status.writeAgain();
    this.#showRate();
    this.#plot.render();
    if (this.#drawn) this.#drawPictures(this.#drawn);
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
    write(this.#playButton, "play");
  }

  async #play(): Promise<void> {
    this.#playing = true;
    write(this.#playButton, "pause");
    this.#status.clear();
    if (this.#looping) return;
    this.#looping = true;
    while (this.#playing) {
      await this.#advance(Number(this.#every.value));
      // A drawing for each frame of the screen, at most.
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
    this.#looping = false;
  }

  #choose(picture: () => Image): void {
    this.#picture = picture;
    this.#restart();
  }

  #restart(): void {
    this.#fresh = true;
    if (this.#usable && !this.#busy) this.#advance(1);
  }

  /** What was drawn goes, and a new network will learn from the picture. */
  #begin(): Image {
    this.#fresh = false;
    this.#firstWeights = this.#drawn = undefined;
    this.#plot.clear();
    return this.#picture();
  }

  async #advance(steps: number): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    const picture = this.#fresh ? this.#begin() : undefined;
    try {
      const step = await this.#engine.run("train", { picture, lr: this.#lr, steps });
      if (!this.#fresh) this.#draw(step);
    } catch (error) {
      this.pause();
      this.#single = false;
      this.#fresh = true; // the network may be gone
      const { name, message } = error as Error;
      this.#status.say(name === "AbortError" ? () => say.stopped : () => message, true);
      return;
    } finally {
      this.#busy = false;
    }
    // Asked for meanwhile; who plays gets it without that.
    const again = this.#single || this.#fresh;
    this.#single = false;
    if (again && !this.#playing) await this.#advance(1);
  }

  #showRate(): void {
    find("#train-form [name=rate]").textContent = numbers.upTo(this.#lr, 2);
  }

  #draw(step: TrainStep): void {
    if (step.recovered) this.#status.say(() => say.wentOn(step.adapter));
    else if (this.#status.isBad) this.#status.clear();
    this.#plot.add(step.step, step.loss, step.baseline);
    this.#firstWeights ??= step.weights;
    this.#drawn = step;
    this.#drawPictures(step);
  }

  #drawPictures(step: TrainStep): void {
    const { input, target, output, outputGradient, features, featureGradients, weights, weightGradients } =
      step;
    this.#put("input", "input", rgb(input), say.input(input.width, input.height));
    this.#put("input", "target", rgb(target), say.target);
    for (const [i, maps] of features.entries()) {
      this.#put("features", `features ${i}`, gray(maps), say.maps(i + 1, maps.channels));
    }
    this.#put("output", "output", rgb(output), say.output);
    this.#put("output", "difference", signedColor(subtract(output, target)), say.difference);
    this.#put("gradients", "dy", signed(outputGradient), say.gradientOfOutput);
    for (const [i, maps] of [...featureGradients.entries()].reverse()) {
      this.#put("gradients", `gradient ${i}`, signed(maps), say.gradientOfMaps(i + 1));
    }
    this.#put("weights", "weights", signedColor(weights), say.firstWeights, 6);
    this.#put("weights", "weight gradients", signedColor(weightGradients), say.theirGradients, 6);
    const change = signedColor(subtract(weights, this.#firstWeights!));
    this.#put("weights", "change", change, say.change, 6);
  }

  #put(stage: string, name: string, pictures: Pictures, text: string, columns?: number): void {
    let place = this.#pictures.get(name);
    if (!place) {
      const canvas = make("canvas", { role: "img" });
      const caption = make("figcaption");
      find(`#stage-${stage} .pictures`).append(
        make("figure", { class: pictures.count > 1 ? "wide" : "" }, canvas, caption),
      );
      place = { canvas, caption };
      this.#pictures.set(name, place);
    }
    place.canvas.setAttribute("aria-label", text);
    place.caption.textContent =
      pictures.range === undefined ? text : `${text} (±${rangeText(pictures.range)})`;
    paint(place.canvas, pictures, columns);
  }
}

function rangeText(range: number): string {
  return range < 0.001 ? numbers.exponential(range) : numbers.upTo(range, 2);
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
    this.render();
  }

  add(step: number, loss: number, baseline: number): void {
    this.#baseline = baseline;
    this.#points.push({ step, loss });
    // A long training needs no more points than the plot has columns.
    if (this.#points.length > 800) this.#points = this.#points.filter((_, i) => i % 2 === 0 || i > 780);
    this.render();
  }

  render(): void {
    const [width, height] = [320, 120];
    const margin = { left: 8, right: 8, top: 10, bottom: 20 };
    const losses = [...this.#points.map(({ loss }) => loss), this.#baseline].filter((loss) => loss > 0);
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const last = this.#points.at(-1);
    if (!last || losses.length === 0) {
      this.#svg.replaceChildren();
      this.#svg.setAttribute("aria-label", say.noLossYet);
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
      svg("text", { x: `${width - 4}`, y: `${Number(level) - 4}`, "text-anchor": "end" }, say.baseline),
      svg("polyline", { points: points.join(" ") }),
      svg("text", { x: "4", y: `${height - 5}` }, say.stepAndLoss(last.step, numbers.digits(last.loss, 3))),
    );
    this.#svg.setAttribute(
      "aria-label",
      say.lossAfter(last.step, numbers.digits(last.loss, 3), numbers.digits(this.#baseline, 3)),
    );
  }
}

function svg(tag: string, attributes: Readonly<Record<string, string>>, text?: string): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}
