/** A field for WGSL: a textarea whose text is invisible, over the same text in colours, beside the lines' numbers. */
import { make } from "./dom.ts";
import { tokens } from "./highlight.ts";

export class Editor {
  readonly element: HTMLElement;
  readonly #field: HTMLTextAreaElement;
  readonly #colors: HTMLElement;
  readonly #numbers: HTMLElement;
  readonly #original: string;
  #wrong: ReadonlySet<number> = new Set();
  /** Called after each change. */
  onChange: () => void = () => {};

  constructor(text: string, label: string) {
    this.#original = text;
    this.#field = make("textarea", {
      ...{
        "aria-label": label,
        spellcheck: "false",
        autocomplete: "off",
        autocapitalize: "off",
        wrap: "off",
      },
    });
    this.#field.value = text;
    this.#colors = make("pre", { "aria-hidden": "true" });
    this.#numbers = make("div", { class: "line-numbers", "aria-hidden": "true" });
    const area = make("div", { class: "area" }, this.#colors, this.#field);
    this.element = make("div", { class: "editor" }, this.#numbers, area);
    this.#field.addEventListener("input", () => {
      this.#wrong = new Set();
      this.#render();
      this.onChange();
    });
    this.#render();
  }

  set label(label: string) {
    this.#field.setAttribute("aria-label", label);
  }

  get text(): string {
    return this.#field.value;
  }

  set text(text: string) {
    this.#field.value = text;
    this.#wrong = new Set();
    this.#render();
    this.onChange();
  }

  get edited(): boolean {
    return this.text !== this.#original;
  }

  reset(): void {
    this.text = this.#original;
  }

  /** Marks lines, counted from 1. */
  mark(lines: Iterable<number>): void {
    this.#wrong = new Set(lines);
    this.#render();
  }

  /** Puts the cursor there. */
  goTo(line: number): void {
    const before = this.text.split("\n").slice(0, line - 1);
    const start = before.reduce((length, each) => length + each.length + 1, 0);
    const [text = ""] = this.text.slice(start).split("\n");
    this.#field.focus();
    this.#field.setSelectionRange(start + text.length - text.trimStart().length, start + text.length);
    this.#numbers.children[line - 1]?.scrollIntoView({ block: "nearest" });
  }

  #render(): void {
    const { text } = this;
    this.#colors.replaceChildren(
      ...tokens(text).map((piece) =>
        piece.kind ? make("span", { class: piece.kind }, piece.text) : piece.text,
      ),
      "\n", // a last line that is empty is seen, too
    );
    const count = text.split("\n").length;
    this.#numbers.replaceChildren(
      ...Array.from({ length: count }, (_, i) =>
        make("span", { class: this.#wrong.has(i + 1) ? "wrong" : "" }, `${i + 1}`),
      ),
    );
  }
}
