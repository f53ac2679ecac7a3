/** One of the two pictures of compare.ts: all of it on a canvas, and over that the part that the window shows. */
import type { Image } from "../src/picture/index.ts";
import type { LoupePicture } from "./loupe.ts";
import type { Overview } from "./messages.ts";
import { draw } from "./picture.ts";
import type { Part } from "./pictures/show.ts";
import type { Size } from "./size.ts";
import { type View, visiblePart } from "./view.ts";

/** A picture that is still empty, and painted part by part. */
export interface Blank extends Size {
  readonly wideGamut: boolean;
}

/** A picture in any form, and what to call it. */
export interface Side {
  readonly label: string;
  readonly image?: Image;
  readonly overview?: Overview;
  readonly blank?: Blank;
  /** Gets a part of a picture that is shown in less pixels than it has. */
  readonly detail?: (part: Part, reduction: number) => Promise<ImageBitmap>;
}

/** The canvases of unpainted pictures have at most so many pixels: a large one takes long to paint on. */
const MAX_CANVAS = 2 ** 21;

/** From this zoom on, in pixels of the screen, those of the picture are squares. */
const SQUARES = 3;

export class Layer implements LoupePicture {
  readonly root: HTMLElement;
  canvas: HTMLCanvasElement;
  size: Size = { width: 1, height: 1 };
  getDetail: Side["detail"];
  readonly #detail: HTMLCanvasElement;
  readonly #onDetail: () => void;
  /** What the canvas shows. */
  #bitmap: ImageBitmap | undefined;
  /** The part that `#detail` shows, and in which reduction. */
  #part: (Part & { readonly reduction: number }) | undefined;

  /** `onDetail`: a part has come, which `place` has not put anywhere yet. */
  constructor(root: HTMLElement, onDetail: () => void) {
    this.root = root;
    this.canvas = root.querySelector("canvas")!;
    this.#detail = root.querySelector<HTMLCanvasElement>(".detail")!;
    this.#onDetail = onDetail;
  }

  /** Shows another picture. */
  fill(side: Side): void {
    const { image, overview, blank } = side;
    this.size = sizeOf(side);
    this.getDetail = side.detail;
    this.#forgetDetail();
    if (overview && overview.bitmap === this.#bitmap) return;
    this.#bitmap = overview?.bitmap;
    // The colour space of a canvas is fixed when it is first drawn on.
    const canvas = document.createElement("canvas");
    this.canvas.replaceWith(canvas);
    this.canvas = canvas;
    const wide = (overview ?? blank)?.wideGamut === true;
    const context = canvas.getContext("2d", wide ? { colorSpace: "display-p3" } : undefined)!;
    if (overview) {
      [canvas.width, canvas.height] = [overview.bitmap.width, overview.bitmap.height];
      context.drawImage(overview.bitmap, 0, 0);
    } else if (image) {
      draw(canvas, image);
    } else {
      const { width, height } = this.size;
      const scale = Math.min(1, Math.sqrt(MAX_CANVAS / (width * height)));
      [canvas.width, canvas.height] = [Math.ceil(width * scale), Math.ceil(height * scale)];
    }
  }

  /** Paints a part of the picture. */
  paint(bitmap: ImageBitmap, { left, top, width, height }: Part): void {
    const scale = this.canvas.width / this.size.width;
    const context = this.canvas.getContext("2d")!;
    context.drawImage(bitmap, left * scale, top * scale, width * scale, height * scale);
    bitmap.close();
  }

  /** Puts the picture where the view has it, as large as `picture`, whose pixels the view counts in. */
  place(view: View, picture: Size): void {
    const { x, y } = view;
    const across = (view.zoom * picture.width) / this.canvas.width;
    const down = (view.zoom * picture.height) / this.canvas.height;
    const isSquares = view.zoom * window.devicePixelRatio >= SQUARES;
    this.canvas.style.transform = `translate(${x}px, ${y}px) scale(${across}, ${down})`;
    this.canvas.classList.toggle("pixels", isSquares);
    if (!this.#part) return;
    const zoom = this.#zoomIn(view, picture);
    const [left, top] = [x + this.#part.left * zoom, y + this.#part.top * zoom];
    this.#detail.style.transform = `translate(${left}px, ${top}px) scale(${zoom * this.#part.reduction})`;
    this.#detail.classList.toggle("pixels", isSquares);
  }

  /** If the picture has more pixels than its canvas, and a window of the size `room` could show more of them. */
  askForDetail(view: View, picture: Size, room: Size): void {
    const { size, getDetail } = this;
    const zoom = this.#zoomIn(view, picture);
    const screen = zoom * window.devicePixelRatio;
    if (!getDetail || room.width === 0 || screen * (size.width / this.canvas.width) <= 1) {
      this.#forgetDetail();
      return;
    }
    const reduction = Math.max(1, Math.floor(1 / screen));
    const part = { ...visiblePart({ ...view, zoom }, size, room), reduction };
    if (this.#part && sameAs(this.#part, part)) return;
    getDetail(part, reduction).then(
      (bitmap) => {
        if (this.getDetail === getDetail) {
          [this.#detail.width, this.#detail.height] = [bitmap.width, bitmap.height];
          this.#detail.getContext("2d")!.drawImage(bitmap, 0, 0);
          this.#detail.hidden = false;
          this.#part = part;
          this.#onDetail();
        }
        bitmap.close();
      },
      () => {}, // the picture is gone; the canvas shows it well enough
    );
  }

  /** CSS pixels for one of this picture, which may be smaller than the one that the view counts in. */
  #zoomIn({ zoom }: View, picture: Size): number {
    return (zoom * picture.width) / this.size.width;
  }

  #forgetDetail(): void {
    this.#part = undefined;
    this.#detail.hidden = true;
  }
}

export function sizeOf({ image, overview, blank }: Side): Size {
  const { width, height } = image ?? overview ?? blank!;
  return { width, height };
}

function sameAs(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
