/**
 * A window for one picture, or for two of the same size with a divider between them. Works with mouse, touch
 * and keyboard: the divider is an ARIA slider, the window zooms and moves.
 */
import type { Image } from "../src/picture/index.ts";
import { draw } from "./picture.ts";
import { fitted, moved, type Size, type View, zoomed } from "./view.ts";

export interface Labelled {
  readonly image: Image;
  readonly label: string;
}

const template = `
  <div class="window" tabindex="0" role="group"
    aria-label="Picture: plus and minus zoom, 0 fits, 1 shows actual pixels, arrows move">
    <div class="layer"><canvas></canvas></div>
    <div class="layer"><canvas></canvas></div>
    <span class="caption before"></span>
    <span class="caption after"></span>
    <div class="divider" role="slider" tabindex="0" aria-label="Share of the left picture"
      aria-valuemin="0" aria-valuemax="100">
      <span class="grip" aria-hidden="true"></span>
    </div>
  </div>
  <div class="tools" role="toolbar" aria-label="Zoom">
    <button type="button" data-zoom="out" aria-label="Zoom out">−</button>
    <output aria-label="Zoom"></output>
    <button type="button" data-zoom="in" aria-label="Zoom in">+</button>
    <button type="button" data-zoom="fit">Fit</button>
    <button type="button" data-zoom="actual" title="Every pixel is one of the screen">1:1</button>
  </div>`;

export class Compare {
  readonly #root: HTMLElement;
  readonly #window: HTMLElement;
  readonly #divider: HTMLElement;
  readonly #layers: HTMLElement[];
  readonly #canvases: HTMLCanvasElement[];
  #picture: Size = { width: 1, height: 1 };
  /** Undefined while the whole picture is visible, at any size of the window. */
  #view: View | undefined;
  #labels: readonly string[] = [];
  /** The divider's place, in percent of the window's width. */
  #percent = 50;

  constructor(root: HTMLElement) {
    this.#root = root;
    root.classList.add("compare", "empty");
    root.innerHTML = template;
    this.#window = root.querySelector(".window")!;
    this.#divider = root.querySelector(".divider")!;
    this.#layers = [...root.querySelectorAll<HTMLElement>(".layer")];
    this.#canvases = [...root.querySelectorAll("canvas")];
    this.#listen();
    new ResizeObserver(() => this.#render()).observe(this.#window);
  }

  /** Shows one picture, or two side by side. The zoom stays if the size does. */
  show(left: Labelled, right?: Labelled): void {
    const { width, height } = left.image;
    if (width !== this.#picture.width || height !== this.#picture.height) this.#view = undefined;
    this.#picture = { width, height };
    this.#labels = right ? [left.label, right.label] : [left.label];
    draw(this.#canvases[0], left.image);
    if (right) draw(this.#canvases[1], right.image);
    this.#root.classList.remove("empty");
    this.#root.classList.toggle("single", !right);
    for (const [i, caption] of [...this.#root.querySelectorAll(".caption")].entries()) {
      caption.textContent = this.#labels[i] ?? "";
    }
    this.#render();
  }

  get #size(): Size {
    return { width: this.#window.clientWidth, height: this.#window.clientHeight };
  }

  #currentView(): View {
    return this.#view ?? fitted(this.#picture, this.#size);
  }

  #render(): void {
    const view = this.#currentView();
    for (const canvas of this.#canvases) {
      canvas.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.zoom})`;
      canvas.classList.toggle("pixels", view.zoom >= 3);
    }
    // The left picture lies below; the right one is clipped at the divider.
    this.#layers[1].style.clipPath = `inset(0 0 0 ${this.#percent}%)`;
    this.#divider.style.left = `${this.#percent}%`;
    this.#divider.setAttribute("aria-valuenow", `${Math.round(this.#percent)}`);
    const [left, right] = this.#labels;
    this.#divider.setAttribute("aria-valuetext", `${Math.round(this.#percent)} % ${left}, the rest ${right}`);
    this.#window.classList.toggle("fits", this.#view === undefined);
    this.#root.querySelector("output")!.textContent = `${Math.round(view.zoom * 100)} %`;
  }

  #divide(percent: number): void {
    this.#percent = Math.min(100, Math.max(0, percent));
    this.#render();
  }

  #zoom(factor: number, at?: readonly [number, number]): void {
    const { width, height } = this.#size;
    this.#view = zoomed(
      this.#currentView(),
      factor,
      at ?? [width / 2, height / 2],
      this.#picture,
      this.#size,
    );
    const fit = fitted(this.#picture, this.#size).zoom;
    if (fit <= 1 && this.#view.zoom <= fit) this.#view = undefined;
    this.#render();
  }

  #move(dx: number, dy: number): void {
    if (!this.#view) return;
    this.#view = moved(this.#view, dx, dy, this.#picture, this.#size);
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
    "1": () => this.#zoom(1 / this.#currentView().zoom),
    ArrowLeft: () => this.#move(40, 0),
    ArrowRight: () => this.#move(-40, 0),
    ArrowUp: () => this.#move(0, 40),
    ArrowDown: () => this.#move(0, -40),
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
      if (zoom === "actual") this.#zoom(1 / this.#currentView().zoom);
    });
    this.#listenToPointers();
  }

  /** One finger moves the divider, or the picture once it is zoomed; two fingers zoom. */
  #listenToPointers(): void {
    const down = new Map<number, readonly [number, number]>();
    let divides = false;
    this.#window.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      down.set(event.pointerId, this.#at(event));
      this.#window.setPointerCapture(event.pointerId);
      divides = this.#divider.contains(event.target as Node) || this.#view === undefined;
      if (divides && this.#view === undefined) this.#divideAt(event);
    });
    this.#window.addEventListener("pointermove", (event) => {
      const before = down.get(event.pointerId);
      if (!before) return;
      const now = this.#at(event);
      down.set(event.pointerId, now);
      const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
      if (other) this.#zoom(distance(now, other) / distance(before, other), other);
      else if (divides) this.#divideAt(event);
      else this.#move(now[0] - before[0], now[1] - before[1]);
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
