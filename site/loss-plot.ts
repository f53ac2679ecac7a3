/** A loss over training steps, drawn during training: every value, the running mean, and a line at 100 %. */

const [WIDTH, HEIGHT] = [320, 150];
const margin = { top: 12, right: 10, bottom: 26, left: 46 };
/** How slowly the running mean forgets. */
const MEMORY = 0.9;

export class LossPlot {
  readonly #svg: SVGSVGElement;
  #losses: number[] = [];
  #means: number[] = [];
  #steps = 1;

  constructor(svg: SVGSVGElement) {
    this.#svg = svg;
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.#render();
  }

  start(steps: number): void {
    [this.#losses, this.#means, this.#steps] = [[], [], steps];
    this.#render();
  }

  /** The loss of the next step, in percent. */
  add(loss: number): void {
    const mean = this.#means.at(-1) ?? loss;
    this.#losses.push(loss);
    this.#means.push(MEMORY * mean + (1 - MEMORY) * loss);
    this.#render();
  }

  #render(): void {
    const bottom = 20 * Math.floor(Math.min(80, ...this.#losses) / 20);
    const top = 20 * Math.ceil(Math.max(120, ...this.#losses) / 20);
    const x = (step: number) => margin.left + (step / this.#steps) * (WIDTH - margin.left - margin.right);
    const y = (loss: number) =>
      HEIGHT - margin.bottom - ((loss - bottom) / (top - bottom)) * (HEIGHT - margin.top - margin.bottom);
    const line = (values: number[]) =>
      values.map((value, i) => `${x(i + 1).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
    const [left, right] = [x(0), x(this.#steps)];
    const rows = [bottom, 100, top].map(
      (loss) =>
        `<line class="${loss === 100 ? "level" : "grid"}" x1="${left}" x2="${right}" ` +
        `y1="${y(loss)}" y2="${y(loss)}"/>` +
        `<text x="${left - 6}" y="${y(loss) + 4}" text-anchor="end">${loss} %</text>`,
    );
    this.#svg.innerHTML =
      `${rows.join("")}` +
      `<polyline class="values" points="${line(this.#losses)}"/>` +
      `<polyline class="mean" points="${line(this.#means)}"/>` +
      `<text x="${left}" y="${HEIGHT - 8}">0</text>` +
      `<text x="${right}" y="${HEIGHT - 8}" text-anchor="end">${this.#steps} steps</text>`;
    const last = this.#means.at(-1);
    this.#svg.setAttribute(
      "aria-label",
      last === undefined
        ? "Loss: no steps yet"
        : `Loss after ${this.#losses.length} steps: ${last.toFixed(1)} % of bicubic's`,
    );
  }
}
