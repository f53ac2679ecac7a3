/** Tabs as the ARIA Authoring Practices describe them: arrow keys move between them, Tab leaves them. */
export class Tabs {
  readonly #tabs: HTMLElement[];

  constructor(list: HTMLElement) {
    this.#tabs = [...list.querySelectorAll<HTMLElement>("[role=tab]")];
    for (const [i, tab] of this.#tabs.entries()) tab.addEventListener("click", () => this.select(i));
    list.addEventListener("keydown", ({ key }) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
      if (step === undefined) return;
      const at = this.#tabs.findIndex((tab) => tab.ariaSelected === "true");
      const next = (at + step + this.#tabs.length) % this.#tabs.length;
      this.select(next);
      this.#tabs[next].focus();
    });
    this.select(0);
  }

  select(index: number): void {
    for (const [i, tab] of this.#tabs.entries()) {
      tab.ariaSelected = `${i === index}`;
      tab.tabIndex = i === index ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")!)!.hidden = i !== index;
    }
  }
}
