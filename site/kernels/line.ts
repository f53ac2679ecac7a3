/** A line that says something, and can say it again in another language. */
export class Line {
  readonly #element: HTMLElement;
  #text: () => string = () => "";

  constructor(element: HTMLElement) {
    this.#element = element;
  }

  say(text: () => string, isBad = false): void {
    this.#text = text;
    this.#element.classList.toggle("bad", isBad);
    this.writeAgain();
  }

  clear(): void {
    this.say(() => "");
  }

  get isBad(): boolean {
    return this.#element.classList.contains("bad");
  }

  writeAgain(): void {
    this.#element.textContent = this.#text();
  }
}
