/** The part of the form that hands results out: format, quality, download, clipboard, other programs, archive. */

import { download } from "./download.ts";
import type { Engine } from "./engine.ts";
import { uniqueNames } from "./file-names.ts";
import { bytesText, say } from "./language.ts";
import { loadPagePart } from "./load-page-part.ts";
import { extensionOf, isLossy } from "./pictures/file-kinds.ts";
import type { OutputFormat } from "./pictures/formats.ts";
import { notesOfFile } from "./pictures/note-texts.ts";
import type { Result } from "./queue.ts";
import type { Folder, Saving } from "./save-all.ts";

export interface OutputEvents {
  /** Results of all pictures that have one. */
  results(): readonly Result[];
  say(text: string): void;
  complain(error: Error): void;
}

export class Output {
  readonly #engine: Engine;
  readonly #events: OutputEvents;
  readonly #root: HTMLElement;
  readonly #format: HTMLSelectElement;
  readonly #quality: HTMLInputElement;
  readonly #download: HTMLButtonElement;
  readonly #copy: HTMLButtonElement;
  /** To another program, such as messages, where the browser lets a page do that. */
  readonly #share: HTMLButtonElement;
  readonly #zip: HTMLButtonElement;
  /** Where the browser lets a page write into a folder. */
  readonly #folder: HTMLButtonElement;
  #result: Result | undefined;
  #areFormatsKnown = false;
  /** A file that took so long to write that the browser wants another click before it is shared. */
  #toShare:
    | {
        readonly file: File;
        readonly notes: Promise<string>;
        readonly of: Result;
        readonly settings: string;
      }
    | undefined;

  constructor(root: HTMLElement, engine: Engine, events: OutputEvents) {
    this.#root = root;
    this.#engine = engine;
    this.#events = events;
    this.#format = root.querySelector("[name=format]")!;
    this.#quality = root.querySelector("[name=jpeg-quality]")!;
    this.#download = root.querySelector("[name=download]")!;
    this.#copy = root.querySelector("[name=copy]")!;
    this.#share = root.querySelector("[name=share]")!;
    this.#zip = root.querySelector("[name=zip]")!;
    this.#folder = root.querySelector("[name=folder]")!;
    this.#format.addEventListener("change", () => this.#render());
    this.#quality.addEventListener("input", () => this.#render());
    this.#download.addEventListener("click", () => this.#busy(() => this.#save()));
    this.#copy.addEventListener("click", () => this.#busy(() => this.#toClipboard()));
    this.#share.addEventListener("click", () => this.#busy(() => this.#shareFile()));
    this.#share.hidden = !canShareFiles();
    this.#zip.addEventListener("click", () => this.#busy(() => this.#saveArchive()));
    this.#folder.addEventListener("click", () => this.#busy(() => this.#saveIntoFolder()));
    this.#render();
  }

  /** In the page's language. */
  writeAgain(): void {
    this.#render();
  }

  /** The result on the stage. */
  set result(result: Result | undefined) {
    this.#result = result;
    this.#render();
    if (result) this.#offerFormats().catch((error) => this.#events.complain(error));
  }

  /**
   * Only what this browser writes: not every one writes WebP, and none writes AVIF yet. Once; after a failure, the next
   * result tries again.
   */
  async #offerFormats(): Promise<void> {
    if (this.#areFormatsKnown) return;
    this.#areFormatsKnown = true;
    const formats = await this.#engine.run("formats", {}).catch((error) => {
      this.#areFormatsKnown = false;
      throw error;
    });
    for (const option of [...this.#format.options])
      if (!formats.includes(option.value as OutputFormat)) option.remove();
    if (formats.includes("avif")) this.#format.add(new Option("AVIF", "avif"));
    this.#render();
  }

  get #settings(): { format: OutputFormat; quality: number } {
    return { format: this.#format.value as OutputFormat, quality: this.#quality.valueAsNumber };
  }

  #render(): void {
    const count = this.#events.results().length;
    this.#root.hidden = count === 0;
    for (const button of [this.#download, this.#copy, this.#share]) {
      button.disabled = this.#result === undefined;
    }
    this.#zip.hidden = count < 2;
    this.#zip.textContent = say.downloadAll(count);
    this.#folder.hidden = count < 2 || !("showDirectoryPicker" in window);
    this.#folder.textContent = say.saveAll(count);
    const { format, quality } = this.#settings;
    this.#quality.closest("label")!.hidden = !isLossy(format);
    this.#root.querySelector("output")!.textContent = `${quality}`;
  }

  async #busy(work: () => Promise<void>): Promise<void> {
    for (const button of [this.#download, this.#copy, this.#share, this.#zip, this.#folder]) {
      button.disabled = true;
    }
    try {
      await work();
    } catch (error) {
      this.#events.complain(error as Error);
    } finally {
      this.#zip.disabled = this.#folder.disabled = false;
      this.#render();
    }
  }

  async #save(): Promise<void> {
    const result = this.#result!;
    const name = this.#fileName(result);
    this.#events.say(say.writing);
    const { file, notes } = await this.#engine.run("write", { picture: result.id, ...this.#settings });
    download(file, name);
    const lacks = await notesOfFile(notes);
    this.#events.say(`${say.saved(bytesText(file.size))} ${lacks}`.trim());
  }

  /** Browsers take PNG there. */
  async #toClipboard(): Promise<void> {
    const { id } = this.#result!;
    const file = this.#engine.run("write", { picture: id, format: "png", quality: 100 });
    // The clipboard takes a promise, since it must be asked while the click is fresh.
    await navigator.clipboard.write([new ClipboardItem({ "image/png": file.then(({ file }) => file) })]);
    this.#events.say(say.copied);
  }

  async #shareFile(): Promise<void> {
    const result = this.#result!;
    const name = this.#fileName(result);
    const settings = JSON.stringify(this.#settings);
    const isReady = this.#toShare?.of === result && this.#toShare.settings === settings;
    if (!isReady) {
      this.#events.say(say.writing);
      const { file, notes } = await this.#engine.run("write", { picture: result.id, ...this.#settings });
      const ready = new File([file], name, { type: file.type });
      this.#toShare = { file: ready, notes: notesOfFile(notes), of: result, settings };
    }
    try {
      await navigator.share({ files: [this.#toShare!.file] });
      this.#events.say(await this.#toShare!.notes);
    } catch (error) {
      if ((error as Error).name === "NotAllowedError") this.#events.say(say.shareAgain);
      else if ((error as Error).name === "AbortError") this.#events.say("");
      else throw error;
    }
  }

  #fileName({ name }: Result): string {
    return name + extensionOf(this.#settings.format);
  }

  /** All results with the names of their files, no two of which are the same. */
  #named(): { picture: number; name: string }[] {
    const results = this.#events.results();
    const names = uniqueNames(results.map((result) => this.#fileName(result)));
    return results.map(({ id }, i) => ({ picture: id, name: names[i] }));
  }

  get #saving(): Saving {
    const say = (text: string) => this.#events.say(text);
    return { engine: this.#engine, files: this.#named(), ...this.#settings, say };
  }

  async #saveArchive(): Promise<void> {
    const saving = this.#saving;
    const { saveArchive } = await loadPagePart(import("./save-all.ts"));
    this.#events.say(await saveArchive(saving));
  }

  async #saveIntoFolder(): Promise<void> {
    const folder = await chosenFolder(); // first of all, while the click is fresh
    if (!folder) return;
    const saving = this.#saving;
    const { saveIntoFolder } = await loadPagePart(import("./save-all.ts"));
    this.#events.say(await saveIntoFolder(folder, saving));
  }
}

function canShareFiles(): boolean {
  const file = new File([], "picture.png", { type: "image/png" });
  return "canShare" in navigator && navigator.canShare({ files: [file] });
}

/** Undefined if the user chooses none. */
async function chosenFolder(): Promise<Folder | undefined> {
  const picker = window as Window & { showDirectoryPicker?(options: object): Promise<Folder> };
  try {
    return await picker.showDirectoryPicker!({ id: "results", mode: "readwrite" });
  } catch (error) {
    if ((error as Error).name === "AbortError") return undefined;
    throw error;
  }
}
