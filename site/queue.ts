/** The pictures to enlarge: what has become of each, and a list to choose from where there are several. */
import { say } from "./language.ts";
import type { PictureInfo } from "./messages.ts";

export interface Result extends PictureInfo {
  /** What it was made by, and when it would be the same again. */
  readonly label: string;
  readonly settings: string;
  /** Of its file, without an extension. */
  readonly name: string;
  /** In the language of the page. */
  facts(): Readonly<Record<string, string>>;
}

export interface Entry {
  readonly file: File;
  readonly name: string;
  readonly isSample: boolean;
  state: "waiting" | "working" | "done" | "failed";
  result?: Result;
  /** Why it failed. */
  error?: string;
  /** It is no picture: there is nothing to try again. */
  isUnreadable?: boolean;
}

const signs = { waiting: "", working: "…", done: "✓", failed: "!" };

export interface QueueEvents {
  /** The user is about to select or remove a picture. */
  onChoice(): void;
  /** By the user or by the page. */
  onSelect(entry: Entry): void;
  onRemove(entry: Entry): void;
  /** What has the focus when the list that had it is no longer there. */
  readonly afterList: HTMLElement;
}

export class Queue {
  readonly #list: HTMLElement;
  readonly #events: QueueEvents;
  #entries: Entry[] = [];
  #selected: Entry | undefined;
  /** What the list was rendered with. */
  #shown: readonly Entry[] = [];
  /** What made way for the latest pictures, until one of them was read. */
  #before: { readonly entries: readonly Entry[]; readonly selected: Entry | undefined } | undefined;

  constructor(list: HTMLElement, events: QueueEvents) {
    this.#list = list;
    this.#events = events;
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  get selected(): Entry | undefined {
    return this.#selected;
  }

  /**
   * Selects the first of the new pictures. They come behind those that are still to be enlarged. A single one, the
   * page's sample, and those that are done make way.
   */
  add(files: readonly File[], isSample: boolean): void {
    const isOver = this.#entries.length === 1 || this.#entries.every(({ state }) => state === "done");
    const makesWay = ({ state, isSample }: Entry) =>
      state !== "working" && (isOver || isSample || state === "failed");
    this.settle();
    this.#before = { entries: this.#entries.filter(makesWay), selected: this.#selected };
    const added = files.map((file): Entry => ({ file, name: file.name, isSample, state: "waiting" }));
    this.#entries = [...this.#entries.filter((entry) => !makesWay(entry)), ...added];
    this.select(added[0]);
  }

  /** What made way is gone for good. */
  settle(): void {
    for (const entry of this.#before?.entries ?? []) this.#events.onRemove(entry);
    this.#before = undefined;
  }

  /** If all pictures are none, what made way for them comes back, if there was anything. A single one is not listed. */
  takeBack(): Entry | undefined {
    const { entries = [], selected } = this.#before ?? {};
    if (!selected || this.#entries.some(({ state }) => state !== "failed")) return undefined;
    this.#before = undefined;
    this.#entries = this.#entries.length === 1 ? [...entries] : [...entries, ...this.#entries];
    this.#selected = selected;
    this.render();
    return selected;
  }

  select(entry: Entry): void {
    this.#selected = entry;
    this.render();
    this.#events.onSelect(entry);
  }

  #remove(entry: Entry): void {
    const at = this.#entries.indexOf(entry);
    this.#entries.splice(at, 1);
    this.#events.onRemove(entry);
    if (this.#selected === entry) this.select(this.#entries[Math.min(at, this.#entries.length - 1)]);
    else this.render();
  }

  /** Shows the list as it is; a single picture needs none. */
  render(): void {
    const focused = document.activeElement;
    const at = [...this.#list.children].findIndex((item) => item.contains(focused));
    this.#list.hidden = this.#entries.length < 2;
    this.#list.replaceChildren(...this.#entries.map((entry) => this.#item(entry)));
    if (at >= 0) this.#focusAgain(at, focused!.className);
    this.#shown = [...this.#entries];
  }

  /**
   * The focus stays at its picture; if that is gone, it goes to the one in its place, and without a list to what
   * enlarges. The page stays where it was scrolled to: nobody has pressed a key, perhaps.
   */
  #focusAgain(at: number, button: string): void {
    const now = this.#entries.indexOf(this.#shown[at]);
    const item = this.#list.children[now < 0 ? Math.min(at, this.#entries.length - 1) : now];
    const [choose, remove] = item.querySelectorAll("button");
    const isGone = now < 0 || remove.disabled || remove.className !== button;
    const target = this.#list.hidden ? this.#events.afterList : isGone ? choose : remove;
    target.focus({ preventScroll: true });
  }

  #item(entry: Entry): HTMLElement {
    const { name, state, error } = entry;
    const item = document.createElement("li");
    item.dataset.state = state;
    const choose = document.createElement("button");
    choose.type = "button";
    choose.setAttribute("aria-current", `${entry === this.#selected}`);
    choose.title = error ?? name;
    const sign = document.createElement("span");
    sign.className = "sign";
    sign.textContent = signs[state];
    sign.ariaHidden = "true";
    const label = document.createElement("span");
    label.className = "name";
    label.textContent = name;
    const word = document.createElement("span");
    word.className = "unseen";
    word.textContent = `, ${error ?? say.states[state]}`;
    choose.append(sign, label, word);
    choose.addEventListener("click", () => {
      this.#events.onChoice();
      this.select(entry);
    });
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "remove";
    remove.textContent = "×";
    remove.ariaLabel = say.removeFromList(name);
    remove.disabled = state === "working" || this.#entries.length === 1;
    remove.addEventListener("click", () => {
      this.#events.onChoice();
      this.#remove(entry);
    });
    item.append(choose, remove);
    return item;
  }
}
