/** The tab that enlarges: a method, a scale, the result beside bicubic interpolation. */
import type { Image } from "../src/picture/index.ts";
import { Compare } from "./compare.ts";
import type { Engine } from "./engine.ts";
import { showFacts } from "./facts.ts";
import type { MethodInfo } from "./messages.ts";
import { download, toPng } from "./picture.ts";
import type { Chosen } from "./picture-chooser.ts";
import { duration, TaskControl } from "./task-control.ts";

/** The largest canvas that works in every browser. */
const MAX_MEGAPIXELS = 64;

export class UpscalePanel {
  readonly #engine: Engine;
  readonly #compare: Compare;
  readonly #task: TaskControl;
  readonly #method: HTMLSelectElement;
  readonly #scales: HTMLInputElement[];
  readonly #facts: HTMLElement;
  readonly #download: HTMLButtonElement;
  #methods: readonly MethodInfo[] = [];
  #picture: Chosen | undefined;
  #result: { image: Image; name: string } | undefined;

  constructor(root: HTMLElement, engine: Engine) {
    this.#engine = engine;
    this.#compare = new Compare(root.querySelector(".viewer")!);
    this.#method = root.querySelector("[name=method]")!;
    this.#scales = [...root.querySelectorAll<HTMLInputElement>("[name=scale]")];
    this.#facts = root.querySelector(".facts")!;
    this.#download = root.querySelector("[name=download]")!;
    this.#task = new TaskControl(root.querySelector(".task")!, (signal) => this.#upscale(signal));
    this.#task.enabled = false;
    this.#method.addEventListener("change", () => this.#offerScales());
    this.#download.addEventListener("click", () => this.#save());
  }

  setPicture(picture: Chosen): void {
    this.#picture = picture;
    this.#forget();
    this.#compare.show({ image: picture.image, label: "your picture" });
    this.#task.say("");
    this.#task.stop();
    this.#task.enabled = true;
  }

  /** Selects the method with the id `selected`; by default the selection stays, or begins with the first. */
  setMethods(methods: readonly MethodInfo[], selected = this.#method.value || methods[0].id): void {
    this.#methods = methods;
    this.#method.replaceChildren(...methods.map(({ id, label }) => new Option(label, id)));
    // A network may have been removed.
    this.#method.value = methods.some(({ id }) => id === selected) ? selected : methods[0].id;
    this.#offerScales();
  }

  complain(error: Error): void {
    this.#task.complain(error);
  }

  /** The user's networks have one scale each. */
  #offerScales(): void {
    const { scales } = this.#chosenMethod();
    for (const input of this.#scales) input.disabled = !scales.includes(Number(input.value));
    const checked = this.#scales.find((input) => input.checked)!;
    if (checked.disabled) this.#scales.find((input) => !input.disabled)!.checked = true;
  }

  #chosenMethod(): MethodInfo {
    return this.#methods.find(({ id }) => id === this.#method.value)!;
  }

  #forget(): void {
    this.#result = undefined;
    this.#download.disabled = true;
    this.#facts.hidden = true;
  }

  async #upscale(signal: AbortSignal): Promise<void> {
    const { image, name } = this.#picture!;
    const method = this.#chosenMethod();
    const scale = Number(this.#scales.find((input) => input.checked)!.value);
    const [width, height] = [image.width * scale, image.height * scale];
    if (width * height > MAX_MEGAPIXELS * 1e6) {
      throw new RangeError(
        `The result would have ${width}×${height} pixels, and this page shows at most ${MAX_MEGAPIXELS} ` +
          "megapixels. Choose a smaller scale or picture, or use the command line.",
      );
    }
    const result = await this.#engine.run(
      "upscale",
      { image, method: method.id, scale },
      { signal, onEvent: ({ done, total }) => this.#task.progress(done, total, "Tile") },
    );
    signal.throwIfAborted(); // the worker may have been done before it was stopped
    this.#result = { image: result.image, name: `${name.replace(/\.[^.]*$/, "")}-x${scale}.png` };
    this.#download.disabled = false;
    this.#compare.show(
      { image: result.bicubic, label: "bicubic" },
      { image: result.image, label: method.label },
    );
    this.#task.say(`Done in ${duration(result.ms)}.`);
    showFacts(this.#facts, {
      From: `${image.width} × ${image.height}`,
      To: `${width} × ${height}`,
      By: method.label,
      Time: duration(result.ms),
      Tiles: `${result.tiles}`,
      On: result.adapter,
    });
  }

  async #save(): Promise<void> {
    const { image, name } = this.#result!;
    try {
      download(await toPng(image), name);
    } catch (error) {
      this.complain(error as Error);
    }
  }
}
