/** Where pictures and weights come from: the file dialog, dropping, pasting, or the samples. */
import { browserAccepts, type Image } from "../src/picture/index.ts";
import { weightFileName } from "./messages.ts";
import { readPicture } from "./picture.ts";
import { readSample, samples } from "./samples.ts";

export interface Chosen {
  readonly image: Image;
  readonly name: string;
}

export interface ChooserEvents {
  onPicture(chosen: Chosen): void;
  /** A file that is named like weights. */
  onWeights(file: File): void;
  onError(error: Error): void;
}

export class PictureChooser {
  readonly #events: ChooserEvents;
  readonly #root: HTMLElement;
  /** Counts choices: a slow one must not overwrite a later one. */
  #choice = 0;

  constructor(root: HTMLElement, events: ChooserEvents) {
    this.#root = root;
    this.#events = events;
    const input = root.querySelector<HTMLInputElement>("input[type=file]")!;
    input.accept = `${browserAccepts},.safetensors,.pth,.pt`;
    input.addEventListener("change", () => {
      this.#take(input.files);
      input.value = ""; // else choosing the same file again is no change
    });
    document.addEventListener("paste", ({ clipboardData }) => this.#take(clipboardData?.files));
    this.#listenToDrops();
    this.#addSamples(root.querySelector(".samples")!);
  }

  async chooseSample(index: number): Promise<void> {
    const sample = samples[index];
    await this.#choose(sample.name, () => readSample(sample));
    const buttons = this.#root.querySelectorAll(".samples button");
    for (const [i, button] of [...buttons].entries()) button.setAttribute("aria-pressed", `${i === index}`);
  }

  #take(files: FileList | null | undefined): void {
    for (const file of files ?? []) {
      if (weightFileName.test(file.name)) {
        this.#events.onWeights(file);
        continue;
      }
      for (const button of this.#root.querySelectorAll(".samples button"))
        button.setAttribute("aria-pressed", "false");
      void this.#choose(file.name, () => readPicture(file, file.name));
    }
  }

  async #choose(name: string, read: () => Promise<Image>): Promise<void> {
    const choice = ++this.#choice;
    try {
      const image = await read();
      if (choice === this.#choice) this.#events.onPicture({ image, name });
    } catch (error) {
      this.#events.onError(error as Error);
    }
  }

  /** Files may be dropped anywhere on the page. */
  #listenToDrops(): void {
    const over = (isOver: boolean) => document.body.classList.toggle("dropping", isOver);
    document.addEventListener("dragover", (event) => {
      event.preventDefault();
      over(true);
    });
    document.addEventListener("dragleave", ({ relatedTarget }) => over(relatedTarget !== null));
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      over(false);
      this.#take(event.dataTransfer?.files);
    });
  }

  #addSamples(list: HTMLElement): void {
    for (const [i, { name, url }] of samples.entries()) {
      const button = document.createElement("button");
      button.type = "button";
      button.title = `Sample: ${name}`;
      const thumbnail = document.createElement("img");
      thumbnail.src = url;
      thumbnail.alt = `Sample: ${name}`;
      button.append(thumbnail);
      button.addEventListener("click", () => this.chooseSample(i));
      list.append(button);
    }
  }
}
