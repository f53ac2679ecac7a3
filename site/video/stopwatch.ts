/** Measures how long work takes, without its pauses. It runs from the beginning. */
export class Stopwatch {
  readonly #start = performance.now();
  #pausedAt: number | undefined;
  #pauses = 0;

  get isPaused(): boolean {
    return this.#pausedAt !== undefined;
  }

  /** Milliseconds so far. */
  get ms(): number {
    return (this.#pausedAt ?? performance.now()) - this.#start - this.#pauses;
  }

  pause(): void {
    this.#pausedAt ??= performance.now();
  }

  resume(): void {
    if (this.#pausedAt !== undefined) this.#pauses += performance.now() - this.#pausedAt;
    this.#pausedAt = undefined;
  }
}
