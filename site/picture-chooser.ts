/** Where pictures, weights and videos come from: the file dialog, dropping, pasting, or the samples. */
import { browserAccepts } from "../src/picture/index.ts";
import { say } from "./language.ts";
import { loadPagePart } from "./load-page-part.ts";
import { weightFileName } from "./messages.ts";
import { isVideo } from "./pictures/file-kinds.ts";
import { nameOfSample, readSample, samples } from "./samples.ts";

export interface ChooserEvents {
  /** The user chooses something. All else comes later. */
  onChoice(): void;
  /** Files that may be pictures. `isSample`: the page's own. False: none could be read, and what was there stays. */
  onFiles(files: readonly File[], isSample: boolean): Promise<boolean>;
  /** A file that is named like weights. */
  onWeights(file: File): void;
  onVideo(file: File): void;
  onError(error: Error): void;
}

async function rasterized(drawing: File): Promise<File> {
  const { rasterize } = await loadPagePart(import("./rasterize.ts"));
  return rasterize(drawing);
}

export class PictureChooser {
  readonly #events: ChooserEvents;
  readonly #root: HTMLElement;
  /** Counts choices: a slow one must not overwrite a later one. */
  #choice = 0;
  /** The sample on show, if it is one. */
  #sample: number | undefined;

  constructor(root: HTMLElement, events: ChooserEvents) {
    this.#root = root;
    this.#events = events;
    const input = root.querySelector<HTMLInputElement>("input[type=file]")!;
    input.accept = `${browserAccepts},image/*,video/*,.mkv,.safetensors,.pth,.pt`;
    input.addEventListener("change", () => {
      void this.#take([...(input.files ?? [])]);
      input.value = ""; // else choosing the same file again is no change
    });
    document.addEventListener("paste", ({ clipboardData }) => {
      if (clipboardData?.files.length) void this.#take([...clipboardData.files]);
    });
    this.#listenToDrops();
    this.#addSamples(root.querySelector(".samples")!);
  }

  async chooseSample(index: number): Promise<void> {
    const choice = this.#begin();
    try {
      const file = await readSample(samples[index]);
      if (choice !== this.#choice) return;
      this.#press(index);
      await this.#events.onFiles([file], true);
    } catch (error) {
      this.#events.onError(error as Error);
    }
  }

  /** Returns the number of a new choice. */
  #begin(): number {
    this.#events.onChoice();
    return ++this.#choice;
  }

  /** Marks the sample on show. */
  #press(index: number | undefined): void {
    this.#sample = index;
    const buttons = this.#root.querySelectorAll(".samples button");
    for (const [i, button] of [...buttons].entries()) button.setAttribute("aria-pressed", `${i === index}`);
  }

  async #take(files: readonly File[]): Promise<void> {
    const choice = this.#begin();
    for (const file of files) if (weightFileName.test(file.name)) this.#events.onWeights(file);
    const videos = files.filter(isVideo);
    if (videos.length > 0) this.#events.onVideo(videos[0]);
    if (videos.length > 1) this.#events.onError(new Error(say.oneVideo(videos[0].name)));
    const pictures: File[] = [];
    for (const file of files) {
      if (weightFileName.test(file.name) || isVideo(file)) continue;
      try {
        const isDrawing = file.type === "image/svg+xml" || /\.svg$/i.test(file.name);
        pictures.push(isDrawing ? await rasterized(file) : file);
      } catch (error) {
        this.#events.onError(error as Error);
      }
    }
    if (pictures.length === 0 || choice !== this.#choice) return;
    const sample = this.#sample;
    this.#press(undefined);
    const isShown = await this.#events.onFiles(pictures, false);
    if (!isShown && choice === this.#choice) this.#press(sample);
  }

  async #takeFolders(entries: readonly FileSystemEntry[]): Promise<void> {
    const choice = this.#begin();
    try {
      const { filesOf } = await loadPagePart(import("./dropped-folders.ts"));
      const { files, errors } = await filesOf(entries);
      if (choice !== this.#choice) return;
      const taking = this.#take(files);
      for (const error of errors) this.#events.onError(error);
      await taking;
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
      const files = [...(event.dataTransfer?.files ?? [])];
      const entries = [...(event.dataTransfer?.items ?? [])].flatMap((item) => item.webkitGetAsEntry() ?? []);
      if (entries.some(({ isDirectory }) => isDirectory)) void this.#takeFolders(entries);
      else if (files.length > 0) void this.#take(files);
      else this.#events.onError(new Error(say.noFile));
    });
  }

  #addSamples(list: HTMLElement): void {
    for (const [i, { thumbnail }] of samples.entries()) {
      const button = document.createElement("button");
      button.type = "button";
      const picture = document.createElement("img");
      picture.src = thumbnail;
      button.append(picture);
      button.addEventListener("click", () => this.chooseSample(i));
      list.append(button);
    }
    this.nameSamples();
  }

  /** In the page's language. */
  nameSamples(): void {
    for (const [i, button] of this.#root.querySelectorAll<HTMLElement>(".samples button").entries()) {
      button.title = say.sample(nameOfSample(samples[i]));
      button.querySelector("img")!.alt = button.title;
    }
  }
}
