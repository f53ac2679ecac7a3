/** A loss over training steps, drawn while it is being computed: every value, their running mean and a level to beat. */

const [WIDTH, HEIGHT] = [320, 150];
const margin = { top: 12, right: 10, bottom: 26, left: 46 };
/** How slowly the running mean forgets. */
const MEMORY = 0.9;

export class LossPlot {
  readonly #svg: SVGSVGElement;
  #losses: number[] = [];
  #means: number[] = [];
  #steps = 1;
  #level: number | undefined;

  constructor(svg: SVGSVGElement) {
    this.#svg = svg;
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.#render();
  }

  start(steps: number): void {
    [this.#losses, this.#means, this.#steps, this.#level] = [[], [], steps, undefined];
    this.#render();
  }

  /** A horizontal line: what the network has to beat. */
  set level(loss: number) {
    this.#level = loss;
    this.#render();
  }

  add(loss: number): void {
    const mean = this.#means.at(-1) ?? loss;
    this.#losses.push(loss);
    this.#means.push(MEMORY * mean + (1 - MEMORY) * loss);
    this.#render();
  }

  #render(): void {
    const top = niceAbove(Math.max(...this.#losses, 1.2 * (this.#level ?? 0), 1e-3));
    const x = (step: number) => margin.left + (step / this.#steps) * (WIDTH - margin.left - margin.right);
    const y = (loss: number) => HEIGHT - margin.bottom - (loss / top) * (HEIGHT - margin.top - margin.bottom);
    const line = (values: number[]) =>
      values.map((v, i) => `${x(i + 1).toFixed(1)},${y(v).toFixed(1)}`).join(" ");
    const [left, right] = [x(0), x(this.#steps)];
    const rows = [0, top / 2, top].map(
      (loss) =>
        `<line class="grid" x1="${left}" x2="${right}" y1="${y(loss)}" y2="${y(loss)}"/>` +
        `<text x="${left - 6}" y="${y(loss) + 4}" text-anchor="end">${Number(loss.toPrecision(2))}</text>`,
    );
    const level =
      this.#level === undefined
        ? ""
        : `<line class="level" x1="${left}" x2="${right}" y1="${y(this.#level)}" y2="${y(this.#level)}"/>`;
    this.#svg.innerHTML =
      `${rows.join("")}${level}` +
      `<polyline class="values" points="${line(this.#losses)}"/><polyline class="mean" points="${line(this.#means)}"/>` +
      `<text x="${left}" y="${HEIGHT - 8}">0</text>` +
      `<text x="${right}" y="${HEIGHT - 8}" text-anchor="end">${this.#steps} steps</text>`;
    const last = this.#means.at(-1);
    this.#svg.setAttribute(
      "aria-label",
      last === undefined
        ? "Loss: no steps yet"
        : `Loss after ${this.#losses.length} steps: ${last.toFixed(4)}`,
    );
  }
}

/** The next of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten. */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((factor) => factor * power).find((nice) => nice >= value)!;
}
