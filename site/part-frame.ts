/**
 * A frame over a picture that says which part of it to try. It is a button: Enter or a click tries that part;
 * dragging, the arrow keys, or a click elsewhere in the picture move it.
 */
import { writeFixedTexts } from "./language.ts";
import type { Part } from "./pictures/show.ts";
import type { Size } from "./size.ts";
import type { View } from "./view.ts";

/** How far an arrow key moves the frame, in its own sides. */
const KEY_STEP = 1 / 4;

/** A pointer that moves less is a click, in CSS pixels. */
const CLICK = 5;

export class PartFrame {
  readonly #button: HTMLButtonElement;
  readonly #onTry: (part: Part) => void;
  #picture: Size = { width: 1, height: 1 };
  #side = 1;
  /** Pixels of the picture. */
  #left = 0;
  #top = 0;
  #view: View = { zoom: 1, x: 0, y: 0 };

  /** `onTry` is called with the part that the user has chosen. */
  constructor(window: HTMLElement, onTry: (part: Part) => void) {
    this.#onTry = onTry;
    this.#button = document.createElement("button");
    this.#button.type = "button";
    this.#button.className = "part";
    this.#button.hidden = true;
    this.#button.innerHTML = `<span data-text="tryPart"></span>`;
    this.#button.dataset.title = "partHint";
    window.append(this.#button);
    writeFixedTexts(window);
    this.#listen();
  }

  /** Offers parts of a picture, as large as `side` allows: in the middle to begin with. Undefined: none. */
  offer(picture: Size | undefined, side: number): void {
    this.#button.hidden = picture === undefined;
    if (!picture) return;
    this.#picture = picture;
    this.#side = side;
    const { width, height } = this.#part;
    this.#moveTo((picture.width - width) / 2, (picture.height - height) / 2);
  }

  /** Where the picture lies in its window. */
  render(view: View): void {
    this.#view = view;
    const { left, top, width, height } = this.#part;
    const { zoom, x, y } = view;
    Object.assign(this.#button.style, {
      left: `${x + left * zoom}px`,
      top: `${y + top * zoom}px`,
      width: `${width * zoom}px`,
      height: `${height * zoom}px`,
    });
  }

  /** Puts its middle where the user has pointed, in CSS pixels of the window. */
  centerAt([x, y]: readonly [number, number]): void {
    const { width, height } = this.#part;
    const { zoom } = this.#view;
    this.#moveTo((x - this.#view.x) / zoom - width / 2, (y - this.#view.y) / zoom - height / 2);
  }

  get isOffered(): boolean {
    return !this.#button.hidden;
  }

  get #part(): Part {
    return {
      left: Math.round(this.#left),
      top: Math.round(this.#top),
      width: Math.min(this.#side, this.#picture.width),
      height: Math.min(this.#side, this.#picture.height),
    };
  }

  #moveTo(left: number, top: number): void {
    const { width, height } = this.#part;
    this.#left = Math.min(this.#picture.width - width, Math.max(0, left));
    this.#top = Math.min(this.#picture.height - height, Math.max(0, top));
    this.render(this.#view);
  }

  #listen(): void {
    const button = this.#button;
    let from:
      | { readonly x: number; readonly y: number; readonly left: number; readonly top: number }
      | undefined;
    let isDragged = false;
    button.addEventListener("pointerdown", (event) => {
      event.stopPropagation(); // the picture stays where it is
      button.setPointerCapture(event.pointerId);
      from = { x: event.clientX, y: event.clientY, left: this.#left, top: this.#top };
      isDragged = false;
    });
    button.addEventListener("pointermove", ({ clientX, clientY }) => {
      if (!from) return;
      const [dx, dy] = [clientX - from.x, clientY - from.y];
      isDragged ||= Math.hypot(dx, dy) >= CLICK;
      if (isDragged) this.#moveTo(from.left + dx / this.#view.zoom, from.top + dy / this.#view.zoom);
    });
    for (const end of ["pointerup", "pointercancel"] as const) {
      button.addEventListener(end, () => {
        from = undefined;
      });
    }
    button.addEventListener("click", () => {
      if (!isDragged) this.#onTry(this.#part);
      isDragged = false;
    });
    button.addEventListener("keydown", (event) => {
      const [dx, dy] =
        { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [];
      if (dx === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      const step = KEY_STEP * this.#side;
      this.#moveTo(this.#left + dx * step, this.#top + dy! * step);
    });
  }
}
