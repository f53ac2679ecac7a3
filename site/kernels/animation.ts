/** Draws a scene on a canvas, frame by frame, with buttons for people who want to look closely. */
import { prefersStillness } from "../stillness.ts";
import { make, onChangedLook } from "./dom.ts";
import { numbers } from "./format.ts";
import { say, write } from "./language.ts";
import { type Frame, type Grid, type Mark, type Scene, totals } from "./scene.ts";

const FRAME_MS = 800;
const TITLE = 18;
const GAP = 24;
const MOST_CELL = 16;
const MOST_HEIGHT = 260;

export class Animation {
  readonly element: HTMLElement;
  readonly #canvas = make("canvas", { role: "img" });
  readonly #caption = make("p", { class: "caption" });
  readonly #count = make("p", { class: "count" });
  readonly #play = write(make("button", { type: "button", class: "small-button" }), "play");
  readonly #who = make("figcaption");
  readonly #legend = make("div", { class: "legend" });
  #scene: Scene;
  #at: number;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#at = prefersStillness() ? scene.frames.length - 1 : 0;
    const turn = (sign: string, key: "previous" | "next") =>
      make(
        "button",
        { type: "button", class: "small-button", "aria-label": say[key], "data-label": key },
        sign,
      );
    const [back, forward] = [turn("‹", "previous"), turn("›", "next")];
    back.addEventListener("click", () => this.#show(this.#at - 1));
    forward.addEventListener("click", () => this.#show(this.#at + 1));
    this.#play.addEventListener("click", () => (this.#timer ? this.#pause() : this.#start()));
    this.element = make(
      "figure",
      { class: "animation" },
      this.#who,
      this.#canvas,
      this.#legend,
      this.#caption,
      make("div", { class: "player" }, this.#play, back, forward, this.#count),
    );
    this.#writeNames();
    this.#describe();
    // Also for the first time: a canvas that is far below the window need not be drawn yet.
    onChangedLook(this.#canvas.parentElement!, () => this.#draw());
    // Once, when it comes into view.
    if (prefersStillness()) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (!entry.isIntersecting) return;
        observer.disconnect();
        this.#start();
      },
      { threshold: 0.6 },
    );
    observer.observe(this.#canvas);
  }

  /** `scene`: the same in the page's language. */
  writeAgain(scene: Scene): void {
    this.#scene = scene;
    this.#writeNames();
    this.#draw();
  }

  #start(): void {
    if (this.#at === this.#scene.frames.length - 1) this.#at = -1;
    write(this.#play, "pause");
    this.#timer = setInterval(() => {
      this.#at++;
      this.#draw();
      if (this.#at >= this.#scene.frames.length - 1) this.#pause();
    }, FRAME_MS);
  }

  #pause(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    write(this.#play, "play");
  }

  #show(frame: number): void {
    this.#pause();
    const { length } = this.#scene.frames;
    this.#at = (frame + length) % length;
    this.#draw();
  }

  /** The frames so far. */
  get #past(): readonly Frame[] {
    return this.#scene.frames.slice(0, Math.max(0, this.#at) + 1);
  }

  #writeNames(): void {
    this.#who.textContent = this.#scene.who;
    this.#legend.replaceChildren(...legend(this.#scene));
  }

  #describe(): void {
    const { frames, who } = this.#scene;
    const at = Math.max(0, this.#at);
    const { caption } = frames[at];
    const { loads, multiplyAdds } = totals(this.#past);
    const ratio = loads > 0 ? numbers.digits(multiplyAdds / loads, 2) : "–";
    this.#caption.textContent = caption;
    const [loaded, computed] = [numbers.integer(Math.round(loads)), numbers.integer(multiplyAdds)];
    this.#count.textContent = say.frameCount(at + 1, frames.length, loaded, computed, ratio);
    this.#canvas.setAttribute("aria-label", `${who}. ${caption} ${this.#count.textContent}`);
  }

  #draw(): void {
    this.#describe();
    const { grids } = this.#scene;
    const width = this.element.clientWidth - 26 || 480;
    const context = this.#canvas.getContext("2d")!;
    const style = getComputedStyle(this.element);
    context.font = `12px ${style.fontFamily}`;
    const { places, height, cell } = layout(grids, width, (title) => context.measureText(title).width);
    const scale = devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * scale);
    this.#canvas.height = Math.round(height * scale);
    this.#canvas.style.height = `${height}px`;
    context.scale(scale, scale);
    context.font = `12px ${style.fontFamily}`; // the change of size forgot it
    const color = (name: string) => style.getPropertyValue(`--${name}`);
    for (const [i, grid] of grids.entries()) {
      drawGrid(context, grid, { ...places[i], cell, color }, this.#past);
    }
  }
}

/** Puts the grids side by side, in as many rows as they need, with cells as large as fits. */
function layout(grids: readonly Grid[], width: number, widthOf: (title: string) => number) {
  const widest = Math.max(...grids.map(({ columns }) => columns));
  const rows = Math.max(...grids.map((each) => each.rows));
  const cell = Math.max(3, Math.min(MOST_CELL, width / widest, MOST_HEIGHT / rows));
  const places: { left: number; top: number }[] = [];
  let [left, top, bottom] = [0, TITLE, 0];
  for (const grid of grids) {
    const wide = Math.max(grid.columns * cell, widthOf(grid.title));
    if (left > 0 && left + wide > width) [left, top] = [0, bottom + TITLE + 8];
    places.push({ left, top });
    left += wide + GAP;
    bottom = Math.max(bottom, top + grid.rows * cell);
  }
  return { places, cell, height: Math.ceil(bottom) + 1 };
}

interface Place {
  readonly left: number;
  readonly top: number;
  readonly cell: number;
  readonly color: (name: string) => string;
}

function drawGrid(
  context: CanvasRenderingContext2D,
  { name, title, rows, columns }: Grid,
  { left, top, cell, color }: Place,
  frames: readonly Frame[],
): void {
  context.fillStyle = color("soft");
  context.fillText(title, left, top - 7);
  const inset = cell > 6 ? 1 : 0.5;
  const square = ({ row, column }: { row: number; column: number }, fill: string, alpha = 1) => {
    context.globalAlpha = alpha;
    context.fillStyle = fill;
    context.fillRect(left + column * cell, top + row * cell, cell - inset, cell - inset);
    context.globalAlpha = 1;
  };
  const all = (marks: readonly Mark[], kind: Mark["kind"]) =>
    marks.filter((mark) => mark.grid === name && mark.kind === kind);
  const counts = new Float64Array(rows * columns);
  const shared = new Set<number>();
  for (const { marks } of frames) {
    for (const mark of all(marks, "load")) {
      for (const { index } of cellsOf(mark, columns)) counts[index] += mark.times ?? 1;
    }
    for (const mark of all(marks, "shared"))
      for (const { index } of cellsOf(mark, columns)) shared.add(index);
  }
  const maxCount = Math.max(1, ...counts);
  for (let index = 0; index < counts.length; index++) {
    const place = { row: Math.floor(index / columns), column: index % columns };
    square(place, color("cell"));
    // The more often a value has been loaded, the darker it stays.
    if (shared.has(index)) square(place, color("shared"), 0.35);
    else if (counts[index] > 0) square(place, color("load"), 0.15 + 0.3 * (counts[index] / maxCount));
  }
  const { marks } = frames[frames.length - 1];
  for (const kind of ["shared", "load", "read", "compute", "coming"] as const) {
    for (const mark of all(marks, kind)) {
      for (const cell of cellsOf(mark, columns)) {
        const lane = mark.lanes ? (cell.order % mark.lanes) / mark.lanes : 0;
        square(cell, color(kind), kind === "shared" ? 0.4 : kind === "load" ? 0.95 - 0.6 * lane : 0.9);
      }
    }
  }
}

function cellsOf({ row, column, rows, columns, alongRows }: Mark, width: number) {
  return Array.from({ length: rows * columns }, (_, order) => {
    const [across, down] = alongRows
      ? [order % columns, Math.floor(order / columns)]
      : [Math.floor(order / rows), order % rows];
    const place = { row: row + down, column: column + across };
    return { ...place, order, index: place.row * width + place.column };
  });
}

function legend({ frames }: Scene): HTMLElement[] {
  const kinds = new Set(frames.flatMap(({ marks }) => marks.map(({ kind }) => kind)));
  return Object.entries(say.marks)
    .filter(([kind]) => kinds.has(kind as Mark["kind"]))
    .map(([kind, text]) => make("span", { class: `key ${kind}` }, text));
}
