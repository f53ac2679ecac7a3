/** Where the pictures for training come from: the one on show, or files and folders of the user. */
import { browserAccepts } from "../src/picture/index.ts";
import { say } from "./language.ts";
import { isPicture } from "./pictures/file-kinds.ts";

export interface NamedFile {
  readonly name: string;
  readonly source: File;
}

export class TrainingFiles {
  readonly #select: HTMLSelectElement;
  readonly #count: HTMLElement;
  #files: readonly File[] = [];

  constructor(root: HTMLElement) {
    this.#select = root.querySelector("select")!;
    this.#count = root.querySelector(".count")!;
    const pickers = root.querySelector<HTMLElement>(".pickers")!;
    this.#select.addEventListener("change", () => {
      pickers.hidden = !this.isChosen;
    });
    for (const input of root.querySelectorAll<HTMLInputElement>("input[type=file]")) {
      input.accept = browserAccepts;
      input.addEventListener("change", () => {
        // A folder has other files, too.
        this.#files = [...input.files!].filter(isPicture);
        this.#count.textContent = say.filesChosen(this.#files.length);
        input.value = ""; // else choosing the same files again is no change
      });
    }
  }

  /** Whether the user wants to learn from files, instead of the picture on show. */
  get isChosen(): boolean {
    return this.#select.value === "files";
  }

  /** Undefined: learn from the picture on show. */
  get chosen(): readonly NamedFile[] | undefined {
    return this.isChosen ? this.#files.map((file) => ({ name: file.name, source: file })) : undefined;
  }
}
