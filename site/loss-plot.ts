/**
 * A loss over training steps, drawn during training: every value, the running mean, and a line at 100 %, the
 * loss of bicubic interpolation on the same patches.
 */
import { fixed, say } from "./language.ts";

const [WIDTH, HEIGHT] = [320, 168];
const margin = { top: 12, right: 10, bottom: 40, left: 46 };
/** How slowly the running means forget. */
const MEMORY = 0.9;
/** Higher values are drawn at the upper edge, in percent. */
const HIGHEST = 200;

export class LossPlot {
  readonly #svg: SVGSVGElement;
  /** In percent of bicubic's loss. */
  #points: { readonly step: number; readonly loss: number; readonly mean: number }[] = [];
  #mean = 0;
  #bicubicMean = 0;
  #steps = 0;

  constructor(svg: SVGSVGElement) {
    this.#svg = svg;
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.clear();
  }

  clear(): void {
    this.start(0);
  }

  start(steps: number): void {
    [this.#points, this.#mean, this.#bicubicMean, this.#steps] = [[], 0, 0, steps];
    this.#render();
  }

  /**
   * The losses after `step` steps. The means are divided, not the values: on an even patch bicubic
   * interpolation errs by nothing, and a loss is no share of nothing.
   */
  add(step: number, loss: number, bicubicLoss: number): void {
    this.#mean = MEMORY * this.#mean + (1 - MEMORY) * loss;
    this.#bicubicMean = MEMORY * this.#bicubicMean + (1 - MEMORY) * bicubicLoss;
    if (this.#bicubicMean === 0) return; // nothing but even areas so far
    this.#points = this.#points.filter((point) => point.step < step); // a lost device repeats steps
    const percent = (value: number, of: number) => Math.min(HIGHEST, (100 * value) / of);
    const mean = percent(this.#mean, this.#bicubicMean);
    this.#points.push({ step, mean, loss: bicubicLoss > 0 ? percent(loss, bicubicLoss) : mean });
    this.#render();
  }

  #render(): void {
    const values = this.#points.map(({ loss }) => loss);
    const bottom = 20 * Math.floor(Math.min(80, ...values) / 20);
    const top = 20 * Math.ceil(Math.max(120, ...values) / 20);
    const steps = Math.max(1, this.#steps);
    const x = (step: number) => margin.left + (step / steps) * (WIDTH - margin.left - margin.right);
    const y = (loss: number) =>
      HEIGHT - margin.bottom - ((loss - bottom) / (top - bottom)) * (HEIGHT - margin.top - margin.bottom);
    const line = (name: "loss" | "mean") =>
      this.#points.map((point) => `${x(point.step).toFixed(1)},${y(point[name]).toFixed(1)}`).join(" ");
    const [left, right] = [x(0), x(steps)];
    const rows = [bottom, 100, top].map(
      (loss) =>
        `<line class="${loss === 100 ? "level" : "grid"}" x1="${left}" x2="${right}" ` +
        `y1="${y(loss)}" y2="${y(loss)}"/>` +
        `<text x="${left - 6}" y="${y(loss) + 4}" text-anchor="end">${loss} %</text>`,
    );
    this.#svg.innerHTML =
      `${rows.join("")}` +
      `<polyline class="values" points="${line("loss")}"/>` +
      `<polyline class="mean" points="${line("mean")}"/>` +
      `<text x="${left}" y="${HEIGHT - 24}">0</text>` +
      (this.#steps > 0
        ? `<text x="${right}" y="${HEIGHT - 24}" text-anchor="end">${this.#steps}</text>`
        : "") +
      `<text x="${(left + right) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${say.stepsAxis}</text>`;
    const last = this.#points.at(-1);
    this.#svg.setAttribute(
      "aria-label",
      last === undefined ? say.noLossYet : say.lossAfter(last.step, fixed(last.mean, 1)),
    );
  }
}
