/** The parts of a picture that a method sees at once, cut out of it. */
import { type Image, type Samples, zerosLike } from "../picture/image.ts";
import { type Box, copyBox } from "./box.ts";

/** The parts of a picture that a method sees at once, mirrored beyond the edges. */
export class Windows {
  readonly #image: Image<Samples>;
  /** Memory for so many windows at once, each used again when all of them are. */
  readonly #memory: Samples[];
  #next = 0;

  constructor(image: Image<Samples>, count: number) {
    this.#image = image;
    this.#memory = Array.from({ length: count }, () => zerosLike(image.data, 0));
  }

  cut(box: Box): Image<Samples> {
    const { channels, width: columns, height: rows, data } = this.#image;
    const [width, height] = [box.right - box.left, box.bottom - box.top];
    if (box.top === 0 && box.left === 0 && width === columns && height === rows) return this.#image;
    const length = width * height * channels;
    const at = this.#next++ % this.#memory.length;
    if (this.#memory[at].length < length) this.#memory[at] = zerosLike(data, length);
    const window = { width, height, channels, data: this.#memory[at].subarray(0, length) };
    copyBox(this.#image, box, window.data);
    return window;
  }
}
