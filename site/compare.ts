/**
 * A window for one picture, or for two of the same size with a divider between them. Works with mouse, touch
 * and keyboard: the divider is an ARIA slider, the window zooms and moves. A double click, or a double tap, goes to
 * 1:1 and back.
 */
import { Layer, type Side, sizeOf } from "./compare-layer.ts";
import { say, writeFixedTexts } from "./language.ts";
import { Loupe } from "./loupe.ts";
import { PartFrame } from "./part-frame.ts";
import type { Part } from "./pictures/show.ts";
import type { Size } from "./size.ts";
import { fitView, moveView, type View, zoomView } from "./view.ts";

/** Details are asked for when the view has been still for so long, in milliseconds. */
const STILL = 120;

const template = `
  <div class="window" tabindex="0" role="group" data-label="window">
    <div class="layer"><canvas></canvas><canvas class="detail" hidden></canvas></div>
    <div class="layer"><canvas></canvas><canvas class="detail" hidden></canvas></div>
    <span class="caption before"></span>
    <span class="caption after"></span>
    <div class="divider" role="slider" tabindex="0" data-label="divider" aria-valuemin="0" aria-valuemax="100">
      <span class="grip" aria-hidden="true"></span>
    </div>
  </div>
  <div class="tools" role="toolbar" data-label="zoom">
    <button type="button" data-zoom="out" data-label="zoomOut">−</button>
    <output data-label="zoom"></output>
    <button type="button" data-zoom="in" data-label="zoomIn">+</button>
    <button type="button" data-zoom="fit" data-text="fit"></button>
    <button type="button" data-zoom="actual" data-title="actual">1:1</button>
    <button type="button" data-zoom="loupe" data-text="loupe" data-title="loupeHint" aria-pressed="false"></button>
  </div>`;

export class Compare {
  readonly #root: HTMLElement;
  readonly #window: HTMLElement;
  readonly #divider: HTMLElement;
  readonly #layers: readonly Layer[];
  #picture: Size = { width: 1, height: 1 };
  /** Undefined while the whole picture is visible, at any size of the window. */
  #view: View | undefined;
  #labels: readonly string[] = [];
  /** The divider's place, in percent of the window's width. */
  #percent = 50;
  #stillness: ReturnType<typeof setTimeout> | undefined;
  readonly #frame: PartFrame;
  readonly #loupe: Loupe;

  /** `onTry`: the user wants to see what becomes of a part of the only picture on show. */
  constructor(root: HTMLElement, { onTry = () => {} }: { onTry?(part: Part): void } = {}) {
    this.#root = root;
    root.classList.add("compare", "empty");
    root.innerHTML = template;
    writeFixedTexts(root);
    this.#window = root.querySelector(".window")!;
    this.#divider = root.querySelector(".divider")!;
    this.#layers = [...root.querySelectorAll<HTMLElement>(".layer")].map(
      (layer) => new Layer(layer, () => this.#render()),
    );
    this.#frame = new PartFrame(this.#window, onTry);
    this.#loupe = new Loupe(this.#window, () => ({
      view: this.#currentView(),
      picture: this.#picture,
      pictures: this.#layers.slice(0, this.#labels.length),
    }));
    this.#listen();
    this.#watchPixelRatio();
    new ResizeObserver(() => this.#render()).observe(this.#window);
  }

  /**
   * Shows one picture, or two side by side, of which the left one may be smaller: it is shown as large as the right
   * one. What the window shows stays in place.
   */
  show(left: Side, right?: Side): void {
    const size = sizeOf(right ?? left);
    const [before, ratio] = [this.#picture, size.width / this.#picture.width];
    if (Math.abs(size.height / before.height / ratio - 1) > 0.01) this.#view = undefined;
    else if (this.#view) this.#view = { ...this.#view, zoom: this.#view.zoom / ratio };
    this.#picture = size;
    this.#labels = right ? [left.label, right.label] : [left.label];
    this.#layers[0].fill(left);
    if (right) this.#layers[1].fill(right);
    this.#frame.offer(undefined, 0);
    this.#root.classList.remove("empty");
    this.#root.classList.toggle("single", !right);
    for (const [i, caption] of [...this.#root.querySelectorAll(".caption")].entries()) {
      caption.textContent = this.#labels[i] ?? "";
    }
    this.#render();
  }

  /** Lets the user choose a part of the only picture on show, at most `side` pixels wide and high. */
  offerPart(side: number): void {
    this.#frame.offer(this.#picture, side);
    this.#render();
  }

  /** Exchanges the left picture alone. */
  showLeft(left: Side): void {
    this.#layers[0].fill(left);
    this.#labels = [left.label, ...this.#labels.slice(1)];
    this.#root.querySelector(".before")!.textContent = left.label;
    this.#render();
  }

  /** Paints a part of the right picture. */
  paint(bitmap: ImageBitmap, part: Part): void {
    this.#layers[1].paint(bitmap, part);
  }

  get #size(): Size {
    return { width: this.#window.clientWidth, height: this.#window.clientHeight };
  }

  #currentView(): View {
    return this.#view ?? fitView(this.#picture, this.#size);
  }

  #render(): void {
    const view = this.#currentView();
    const { devicePixelRatio } = window;
    // By whole pixels of the screen, so that 1:1 is sharp. (Browsers put the window itself on such.)
    const snapped = (at: number) => Math.round(at * devicePixelRatio) / devicePixelRatio;
    const [x, y] = [snapped(view.x), snapped(view.y)];
    for (const layer of this.#layers) layer.place({ ...view, x, y }, this.#picture);
    this.#frame.render({ ...view, x, y });
    this.#loupe.render();
    clearTimeout(this.#stillness);
    this.#stillness = setTimeout(() => this.#askForDetails(), STILL);
    // The left picture lies below; the right one is clipped at the divider.
    this.#layers[1].root.style.clipPath = `inset(0 0 0 ${this.#percent}%)`;
    this.#divider.style.left = `${this.#percent}%`;
    this.#divider.setAttribute("aria-valuenow", `${Math.round(this.#percent)}`);
    const [left, right] = this.#labels;
    this.#divider.setAttribute("aria-valuetext", say.dividerAt(Math.round(this.#percent), left, right));
    this.#window.classList.toggle("fits", this.#view === undefined);
    const percent = `${Math.round(view.zoom * devicePixelRatio * 100)} %`;
    this.#root.querySelector("output")!.textContent = this.#labels.length > 0 ? percent : "";
  }

  /** For pictures that have more pixels than their canvas, where the window could show more of them. */
  #askForDetails(): void {
    const view = this.#currentView();
    for (const layer of this.#layers) layer.askForDetail(view, this.#picture, this.#size);
  }

  #divide(percent: number): void {
    this.#percent = Math.min(100, Math.max(0, percent));
    this.#render();
  }

  #zoom(factor: number, at?: readonly [number, number]): void {
    const { width, height } = this.#size;
    this.#view = zoomView(
      this.#currentView(),
      factor,
      at ?? [width / 2, height / 2],
      this.#picture,
      this.#size,
    );
    const fit = fitView(this.#picture, this.#size).zoom;
    if (fit <= 1 && this.#view.zoom <= fit) this.#view = undefined;
    this.#render();
  }

  #zoomToPixels(at?: readonly [number, number]): void {
    this.#zoom(1 / window.devicePixelRatio / this.#currentView().zoom, at);
  }

  /** By arrow keys, which move the loupe if there is one. */
  #step(right: number, down: number): void {
    if (this.#loupe.isOn) this.#loupe.step(right, down);
    else this.#move(-40 * right, -40 * down);
  }

  #move(dx: number, dy: number): void {
    if (!this.#view) return;
    this.#view = moveView(this.#view, dx, dy, this.#picture, this.#size);
    this.#render();
  }

  #fit(): void {
    this.#view = undefined;
    this.#render();
  }

  /** What the keys do: on the divider, and anywhere in the window. */
  readonly #dividerKeys: Record<string, () => void> = {
    ArrowLeft: () => this.#divide(this.#percent - 2),
    ArrowDown: () => this.#divide(this.#percent - 2),
    ArrowRight: () => this.#divide(this.#percent + 2),
    ArrowUp: () => this.#divide(this.#percent + 2),
    PageDown: () => this.#divide(this.#percent - 10),
    PageUp: () => this.#divide(this.#percent + 10),
    Home: () => this.#divide(0),
    End: () => this.#divide(100),
  };
  readonly #windowKeys: Record<string, () => void> = {
    "+": () => this.#zoom(1.25),
    "=": () => this.#zoom(1.25),
    "-": () => this.#zoom(0.8),
    "0": () => this.#fit(),
    "1": () => this.#zoomToPixels(),
    ArrowLeft: () => this.#step(-1, 0),
    ArrowRight: () => this.#step(1, 0),
    ArrowUp: () => this.#step(0, -1),
    ArrowDown: () => this.#step(0, 1),
    l: () => this.#toggleLoupe(),
  };

  #listen(): void {
    this.#window.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const onDivider = event.target === this.#divider ? this.#dividerKeys[event.key] : undefined;
      const action = onDivider ?? this.#windowKeys[event.key];
      if (!action) return;
      event.preventDefault();
      action();
    });
    this.#window.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        this.#zoom(Math.exp(-event.deltaY / 400), this.#at(event));
      },
      { passive: false },
    );
    this.#root.querySelector(".tools")!.addEventListener("click", (event) => {
      const { zoom } = (event.target as HTMLElement).dataset;
      if (zoom === "in") this.#zoom(1.5);
      if (zoom === "out") this.#zoom(1 / 1.5);
      if (zoom === "fit") this.#fit();
      if (zoom === "actual") this.#zoomToPixels();
      if (zoom === "loupe") this.#toggleLoupe();
    });
    this.#window.addEventListener("dblclick", (event) => {
      if (
        event.target !== this.#window &&
        !this.#layers.some(({ root }) => root.contains(event.target as Node))
      )
        return;
      if (this.#view) this.#fit();
      else this.#zoomToPixels(this.#at(event));
    });
    this.#listenToPointers();
  }

  #toggleLoupe(): void {
    this.#loupe.isOn = !this.#loupe.isOn;
    this.#root.querySelector("[data-zoom=loupe]")!.ariaPressed = `${this.#loupe.isOn}`;
  }

  /** 1:1 is another zoom when the window goes to another screen. */
  #watchPixelRatio(): void {
    const query = matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    query.addEventListener(
      "change",
      () => {
        this.#render();
        this.#watchPixelRatio();
      },
      { once: true },
    );
  }

  /** One finger moves the divider, or the loupe, or the picture once it is zoomed; two fingers zoom. */
  #listenToPointers(): void {
    const down = new Map<number, readonly [number, number]>();
    let divides = false;
    this.#window.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      down.set(event.pointerId, this.#at(event));
      this.#window.setPointerCapture(event.pointerId);
      const isFree = this.#view === undefined && !this.#loupe.isOn;
      divides = this.#divider.contains(event.target as Node) || isFree;
      if (divides && this.#view === undefined) this.#divideAt(event);
      if (this.#frame.isOffered && this.#view === undefined) this.#frame.centerAt(this.#at(event));
    });
    this.#window.addEventListener("pointermove", (event) => {
      const before = down.get(event.pointerId);
      if (!before) return;
      const now = this.#at(event);
      down.set(event.pointerId, now);
      const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
      if (other) this.#zoom(distance(now, other) / distance(before, other), other);
      else if (divides) this.#divideAt(event);
      else if (!this.#loupe.isOn) this.#move(now[0] - before[0], now[1] - before[1]);
    });
    for (const end of ["pointerup", "pointercancel"] as const) {
      this.#window.addEventListener(end, (event) => down.delete(event.pointerId));
    }
  }

  #divideAt(event: MouseEvent): void {
    this.#divide((this.#at(event)[0] / this.#size.width) * 100);
  }

  #at({ clientX, clientY }: MouseEvent): readonly [number, number] {
    const { left, top } = this.#window.getBoundingClientRect();
    return [clientX - left, clientY - top];
  }
}

function distance([ax, ay]: readonly [number, number], [bx, by]: readonly [number, number]): number {
  return Math.max(1, Math.hypot(ax - bx, ay - by));
}
