/** One line above the tabs for what concerns the whole page: errors of files, above all. */

export class MessageLine {
  readonly #root: HTMLElement;
  readonly #text: HTMLElement;

  constructor(root: HTMLElement) {
    this.#root = root;
    this.#text = root.querySelector("p")!;
    root.querySelector("button")!.addEventListener("click", () => this.clear());
  }

  show(text: string): void {
    this.#text.textContent = text;
    this.#root.hidden = false;
  }

  clear(): void {
    this.#text.textContent = "";
    this.#root.hidden = true;
  }
}
