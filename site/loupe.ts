/**
 * A loupe over the window of compare.ts: the place under the pointer, larger, in both pictures side by side. A button
 * turns it on. Without a pointer it is in the middle, and the arrow keys move it.
 */
import type { Part } from "./pictures/show.ts";
import type { Size } from "./size.ts";
import type { View } from "./view.ts";

/** What the loupe looks at: a picture of the window. */
export interface LoupePicture {
  /** The whole picture, perhaps in less pixels than it has. */
  readonly canvas: HTMLCanvasElement;
  /** Pixels of the picture. */
  readonly size: Size;
  /** Gets a part of the picture with all its pixels. */
  readonly getDetail: ((part: Part, reduction: number) => Promise<ImageBitmap>) | undefined;
}

/** What the window shows. */
export interface Scene {
  readonly view: View;
  /** The pixels that the view counts in. */
  readonly picture: Size;
  /** One or two. */
  readonly pictures: readonly LoupePicture[];
}

/** Width and height of what it shows of each picture, in CSS pixels. */
const SIDE = 150;

/** So much larger than in the window, or more: each pixel of the picture is at least one of the screen. */
const TIMES = 3;

/** Between the loupe and the place that it shows, in CSS pixels. */
const DISTANCE = 24;

/** How far an arrow key moves it, in CSS pixels. */
const KEY_STEP = 8;

/** Pixels of a picture are shown as squares from this size on, in pixels of the screen. */
const SQUARES = 3;

export class Loupe {
  readonly #window: HTMLElement;
  readonly #scene: () => Scene;
  readonly #root = document.createElement("div");
  readonly #canvases = [0, 1].map(() => document.createElement("canvas"));
  /** The place in the window that it shows. */
  #at: readonly [number, number] = [0, 0];
  #isOn = false;
  /** A drawing waits for pixels from the worker, and what it draws is no longer wanted. */
  #isDrawing = false;
  #isStale = false;

  constructor(window: HTMLElement, scene: () => Scene) {
    this.#window = window;
    this.#scene = scene;
    this.#root.className = "loupe";
    this.#root.ariaHidden = "true"; // it is for eyes alone
    this.#root.append(...this.#canvases);
    const follow = ({ clientX, clientY }: PointerEvent) => {
      const { left, top } = window.getBoundingClientRect();
      this.#moveTo(clientX - left, clientY - top);
    };
    window.addEventListener("pointermove", follow);
    window.addEventListener("pointerdown", follow);
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  set isOn(isOn: boolean) {
    this.#isOn = isOn;
    if (!isOn) {
      this.#root.remove();
      return;
    }
    this.#window.append(this.#root);
    this.#moveTo(this.#window.clientWidth / 2, this.#window.clientHeight / 2);
  }

  /** By arrow keys: so many steps to the right and down. */
  step(right: number, down: number): void {
    this.#moveTo(this.#at[0] + KEY_STEP * right, this.#at[1] + KEY_STEP * down);
  }

  #moveTo(x: number, y: number): void {
    const { clientWidth, clientHeight } = this.#window;
    this.#at = [Math.min(clientWidth, Math.max(0, x)), Math.min(clientHeight, Math.max(0, y))];
    this.render();
  }

  /** Where it is, and what it shows of the scene as that is now. */
  render(): void {
    if (!this.#isOn) return;
    const { pictures } = this.#scene();
    this.#canvases[1].hidden = pictures.length < 2;
    const [x, y] = this.#at;
    const { offsetWidth: width, offsetHeight: height } = this.#root;
    const left = Math.min(this.#window.clientWidth - width, Math.max(0, x - width / 2));
    const above = y - DISTANCE - height;
    this.#root.style.translate = `${left}px ${above >= 0 ? above : y + DISTANCE}px`;
    void this.#draw();
  }

  /** One drawing at a time: a pointer moves faster than pixels come. */
  async #draw(): Promise<void> {
    this.#isStale = true;
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    try {
      while (this.#isStale && this.#isOn) {
        this.#isStale = false;
        const { pictures } = this.#scene();
        await Promise.all(pictures.map((picture, i) => this.#drawOne(this.#canvases[i], picture)));
      }
    } catch {
      // The picture is gone. What comes in its place draws again.
    } finally {
      this.#isDrawing = false;
    }
  }

  async #drawOne(canvas: HTMLCanvasElement, { canvas: whole, size, getDetail }: LoupePicture): Promise<void> {
    const { view, picture } = this.#scene();
    const { devicePixelRatio } = window;
    const pixels = Math.round(SIDE * devicePixelRatio);
    const inWindow = (view.zoom * picture.width) / size.width;
    const finest = (Math.max(TIMES * view.zoom, 1 / devicePixelRatio) * picture.width) / size.width;
    const zoom = finest * devicePixelRatio;
    // In pixels of this picture.
    const left = (this.#at[0] - view.x) / inWindow - pixels / zoom / 2;
    const top = (this.#at[1] - view.y) / inWindow - pixels / zoom / 2;
    const part = within({ left, top, width: pixels / zoom, height: pixels / zoom }, size);
    const isReduced = whole.width < size.width && getDetail !== undefined;
    const source = part && isReduced ? await getDetail(part, 1) : whole;
    [canvas.width, canvas.height] = [pixels, pixels];
    if (!part) return;
    const scale = isReduced ? 1 : whole.width / size.width;
    const context = canvas.getContext("2d")!;
    context.imageSmoothingEnabled = zoom < SQUARES;
    context.drawImage(
      source,
      isReduced ? 0 : part.left * scale,
      isReduced ? 0 : part.top * scale,
      part.width * scale,
      part.height * scale,
      (part.left - left) * zoom,
      (part.top - top) * zoom,
      part.width * zoom,
      part.height * zoom,
    );
    if (source instanceof ImageBitmap) source.close();
  }
}

/** Whole pixels of the picture; undefined if none of them lies in the part. */
function within({ left, top, width, height }: Part, size: Size): Part | undefined {
  const [x, y] = [Math.max(0, Math.floor(left)), Math.max(0, Math.floor(top))];
  const [right, bottom] = [
    Math.min(size.width, Math.ceil(left + width)),
    Math.min(size.height, Math.ceil(top + height)),
  ];
  if (right <= x || bottom <= y) return undefined;
  return { left: x, top: y, width: right - x, height: bottom - y };
}
