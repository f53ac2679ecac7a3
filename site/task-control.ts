/** The button that starts and stops a task, its progress bar, and its line of status. */
import { onEscape } from "./escape.ts";
import { fixed, say, writeFixedTexts } from "./language.ts";
import { showUnknownProgress } from "./stillness.ts";

/** A screen reader hears news of progress this often at most, in milliseconds. */
const SPEAK_EVERY = 5000;

export class TaskControl {
  /** Those that are running, on the whole page. */
  static readonly #active = new Set<TaskControl>();
  readonly #button: HTMLButtonElement;
  readonly #progress: HTMLProgressElement;
  /** What the eye reads, as often as it changes; the ear gets `#spoken`. */
  readonly #status: HTMLElement;
  readonly #spoken: HTMLElement;
  #lastSpoken = Number.NEGATIVE_INFINITY;
  /** What the button says while no task is running: by a sentence's name, unless a script gives the text. */
  readonly #startText: string | undefined;
  #startLabel: string | undefined;
  #running: AbortController | undefined;
  /** The button, or the field in which Enter was pressed. */
  #startedFrom: Element | undefined;
  /** The first report of progress. Work before it, such as compiling kernels, says nothing about speed. */
  #first: { readonly time: number; readonly done: number } | undefined;

  /** Whether any task of the page is running. */
  static get anyRunning(): boolean {
    return TaskControl.#active.size > 0;
  }

  /**
   * Each start calls `perform`, which reports through `progress` and `say`, and ends at the signal. A task
   * starts by its button or by Enter in a field of its form; the button stops it, and so does Escape while the
   * button can be seen and no other field is being edited.
   */
  constructor(root: HTMLElement, perform: (signal: AbortSignal) => Promise<void>) {
    this.#button = root.querySelector("button")!;
    this.#startText = this.#button.dataset.text;
    this.#progress = root.querySelector("progress")!;
    this.#status = root.querySelector(".status")!;
    this.#spoken = root.querySelector("[role=status]")!;
    root.closest("form")!.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#startedFrom = document.activeElement ?? undefined;
      if (!this.#button.disabled) void this.run(perform);
    });
    this.#button.addEventListener("click", (event) => {
      if (!this.#running) return;
      event.preventDefault(); // it submits nothing now
      this.stop();
    });
    const stop = () => this.stop();
    onEscape(this.#button, stop, () => this.#startedFrom);
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  set enabled(enabled: boolean) {
    this.#button.disabled = !enabled;
  }

  /** What the button says while no task is running. */
  set label(label: string) {
    this.#startLabel = label;
    if (!this.#running) this.#writeStart();
  }

  /** Ends the task, if one is running. */
  stop(): void {
    if (!this.#running || this.#running.signal.aborted) return;
    this.#running.abort();
    this.say(say.stopping);
  }

  say(text: string): void {
    this.#write(text, false);
    this.#speak(text);
  }

  complain(error: Error): void {
    this.#write(error.message, true);
    this.#speak(error.message);
  }

  progress(done: number, total: number, what: string): void {
    this.#advance(done, total, (left) => say.progress(what, done, total, left));
  }

  /** The share of the work that is done, 0 to 1. `prefix` comes before it. */
  share(share: number, prefix = ""): void {
    this.#advance(share, 1, (left) => say.share(prefix, Math.floor(share * 100), left));
  }

  #advance(done: number, total: number, textWith: (left: string | undefined) => string): void {
    this.#progress.max = total;
    this.#progress.value = done;
    const now = performance.now();
    this.#first ??= { time: now, done };
    const left = ((now - this.#first.time) / (done - this.#first.done)) * (total - done);
    const soon = done > this.#first.done && done < total ? duration(left) : undefined;
    if (this.#running?.signal.aborted) return;
    const text = textWith(soon);
    this.#write(text, false);
    if (now - this.#lastSpoken >= SPEAK_EVERY) this.#speak(text);
  }

  /** After a pause, which says nothing about speed. */
  restartClock(): void {
    this.#first = undefined;
  }

  /** For work whose length nobody knows yet. */
  wait(text: string): void {
    showUnknownProgress(this.#progress);
    if (!this.#running?.signal.aborted) this.say(text);
  }

  #write(text: string, isError: boolean): void {
    this.#status.classList.toggle("error", isError);
    this.#status.textContent = text;
  }

  #speak(text: string): void {
    this.#spoken.textContent = text;
    this.#lastSpoken = performance.now();
  }

  #writeStart(): void {
    if (this.#startLabel !== undefined) {
      delete this.#button.dataset.text;
      this.#button.textContent = this.#startLabel;
    } else {
      this.#button.dataset.text = this.#startText;
      writeFixedTexts(this.#button.parentElement!);
    }
  }

  /** Does another task than the button's, in the same way, unless one is running. */
  async run(perform: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (this.#running) return;
    const running = new AbortController();
    this.#running = running;
    TaskControl.#active.add(this);
    this.#first = undefined;
    // Not a submit button meanwhile: Enter in a field must not stop what runs.
    this.#button.type = "button";
    this.#button.dataset.text = "stop"; // also in another language, if that is chosen meanwhile
    this.#button.textContent = say.stop;
    this.#button.classList.add("stop");
    this.#progress.hidden = false;
    this.wait(say.starting);
    try {
      await perform(running.signal);
    } catch (error) {
      // A lost device rejects with an AbortError, too.
      if (running.signal.aborted && (error as Error).name === "AbortError") this.say(say.stopped);
      else this.complain(error as Error);
    } finally {
      this.#running = undefined;
      TaskControl.#active.delete(this);
      this.#button.type = "submit";
      this.#writeStart();
      this.#button.classList.remove("stop");
      this.#progress.hidden = true;
    }
  }
}

/** A length of time for people. */
export function duration(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes >= 120) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  if (ms > 120_000) return `${minutes} min`;
  return ms < 10_000 ? `${fixed(ms / 1000, 1)} s` : `${Math.round(ms / 1000)} s`;
}
