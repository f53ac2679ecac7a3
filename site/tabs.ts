/** Tabs as the ARIA Authoring Practices describe them: arrow keys move between them, Tab leaves them. */
export class Tabs {
  readonly #tabs: HTMLElement[];
  readonly #onSelect: (index: number) => void;

  constructor(list: HTMLElement, { onSelect = () => {} }: { onSelect?(index: number): void } = {}) {
    this.#onSelect = onSelect;
    this.#tabs = [...list.querySelectorAll<HTMLElement>("[role=tab]")];
    for (const [i, tab] of this.#tabs.entries()) tab.addEventListener("click", () => this.select(i));
    list.addEventListener("keydown", (event) => {
      const { length } = this.#tabs;
      const at = this.#tabs.findIndex((tab) => tab.ariaSelected === "true");
      const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: length - 1 }[event.key];
      if (next === undefined) return;
      event.preventDefault(); // Home and End would scroll
      this.select((next + length) % length);
      this.focus();
    });
    this.select(0);
  }

  select(index: number): void {
    for (const [i, tab] of this.#tabs.entries()) {
      tab.ariaSelected = `${i === index}`;
      tab.tabIndex = i === index ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")!)!.hidden = i !== index;
    }
    this.#onSelect(index);
  }

  /** Gives the selected tab the keyboard. */
  focus(): void {
    this.#tabs.find((tab) => tab.ariaSelected === "true")!.focus();
  }
}
