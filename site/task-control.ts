/** The button that starts and stops a task, its progress bar, and its line of status. */

export class TaskControl {
  readonly #button: HTMLButtonElement;
  readonly #progress: HTMLProgressElement;
  readonly #status: HTMLElement;
  #startLabel: string;
  #running: AbortController | undefined;
  /** The first report of progress. Work before it, such as compiling kernels, says nothing about speed. */
  #first: { readonly time: number; readonly done: number } | undefined;

  /** Each start calls `perform`, which reports through `progress` and `say`, and ends at the signal. */
  constructor(root: HTMLElement, perform: (signal: AbortSignal) => Promise<void>) {
    this.#button = root.querySelector("button")!;
    this.#progress = root.querySelector("progress")!;
    this.#status = root.querySelector("[role=status]")!;
    this.#startLabel = this.#button.textContent!;
    this.#button.addEventListener("click", () => (this.#running ? this.stop() : this.#start(perform)));
    document.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.stop();
    });
  }

  set enabled(enabled: boolean) {
    this.#button.disabled = !enabled;
  }

  /** What the button says while no task is running. */
  set label(label: string) {
    this.#startLabel = label;
    if (!this.#running) this.#button.textContent = label;
  }

  /** Ends the task, if one is running. */
  stop(): void {
    if (!this.#running) return;
    this.#running.abort();
    this.say("Stopping…");
  }

  say(text: string): void {
    this.#status.classList.remove("error");
    this.#status.textContent = text;
  }

  complain(error: Error): void {
    this.#status.classList.add("error");
    this.#status.textContent = error.message;
  }

  progress(done: number, total: number, what: string): void {
    this.#advance(done, total, `${what} ${done} of ${total}`);
  }

  /** The share of the work that is done, 0 to 1. `prefix` comes before it. */
  share(share: number, prefix = ""): void {
    this.#advance(share, 1, `${prefix}${Math.floor(share * 100)} %`);
  }

  #advance(done: number, total: number, text: string): void {
    this.#progress.max = total;
    this.#progress.value = done;
    const now = performance.now();
    this.#first ??= { time: now, done };
    const left = ((now - this.#first.time) / (done - this.#first.done)) * (total - done);
    const soon = done > this.#first.done && done < total ? `, about ${duration(left)} left` : "";
    if (!this.#running?.signal.aborted) this.say(`${text}${soon}`);
  }

  async #start(perform: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.#running = new AbortController();
    this.#first = undefined;
    this.#button.textContent = "Stop";
    this.#button.classList.add("stop");
    this.#progress.removeAttribute("value"); // the bar moves until the first number
    this.#progress.hidden = false;
    this.say("Starting…");
    try {
      await perform(this.#running.signal);
    } catch (error) {
      if ((error as Error).name === "AbortError") this.say("Stopped.");
      else this.complain(error as Error);
    } finally {
      this.#running = undefined;
      this.#button.textContent = this.#startLabel;
      this.#button.classList.remove("stop");
      this.#progress.hidden = true;
    }
  }
}

/** A length of time for people. */
export function duration(ms: number): string {
  if (ms > 120_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}
