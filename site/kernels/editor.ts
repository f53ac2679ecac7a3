/** A field for WGSL: a textarea whose text is invisible, over the same text in colours, beside the lines' numbers. */
import { make } from "./dom.ts";
import { tokens } from "./highlight.ts";

export class Editor {
  readonly element: HTMLElement;
  readonly #area: HTMLElement;
  readonly #colors = make("pre", { "aria-hidden": "true" });
  readonly #numbers = make("div", { class: "line-numbers", "aria-hidden": "true" });
  readonly #original: string;
  /** Undefined until the text can be edited. */
  #field: HTMLTextAreaElement | undefined;
  #label: string;
  #wrong: ReadonlySet<number> = new Set();
  /** Called after each change. */
  onChange: () => void = () => {};

  constructor(text: string, label: string) {
    [this.#original, this.#label] = [text, label];
    this.#area = make("div", { class: "area" }, this.#colors);
    this.element = make("div", { class: "editor" }, this.#numbers, this.#area);
    this.#render();
  }

  /**
   * Lets the text be edited. Not at once: for each new field, Chrome's autofill has everything laid out that is
   * around it, also what is far below the window, and for all fields in one piece.
   */
  open(): void {
    if (this.#field) return;
    this.#field = make("textarea", {
      ...{
        "aria-label": this.#label,
        spellcheck: "false",
        autocomplete: "off",
        autocapitalize: "off",
        wrap: "off",
      },
    });
    this.#field.value = this.#original;
    this.#area.append(this.#field);
    this.#field.addEventListener("input", () => this.#changed());
  }

  get isOpen(): boolean {
    return this.#field !== undefined;
  }

  set label(label: string) {
    this.#label = label;
    this.#field?.setAttribute("aria-label", label);
  }

  get text(): string {
    return this.#field?.value ?? this.#original;
  }

  get edited(): boolean {
    return this.text !== this.#original;
  }

  reset(): void {
    if (this.#field) this.#field.value = this.#original;
    this.#changed();
  }

  #changed(): void {
    this.#wrong = new Set();
    this.#render();
    this.onChange();
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
    this.#field?.focus();
    this.#field?.setSelectionRange(start + text.length - text.trimStart().length, start + text.length);
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
