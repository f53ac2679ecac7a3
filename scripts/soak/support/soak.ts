/** What a module of this folder is, and what it is given. README.md has an example. */
import { Random } from "../../../src/tensor/random.ts";

/** One kind of trouble, made again and again. A module exports one as `soak`. */
export interface Soak {
  /** What is tried, as the first column of the table: "Training killed and resumed". */
  readonly what: string;
  /** How many tries, unless --tries or --seconds say otherwise. */
  readonly tries: number;
  /**
   * Makes the tries, one round of `soak.tries()` each. Returns further figures for the table, by name, such as
   * `{ "largest RSS": "180 MB" }`. An error that leaves it counts as one more failure, and ends the module.
   */
  run(soak: SoakRun): Promise<Figures | undefined>;
}

export type Figures = Readonly<Record<string, string | number>>;

/** One try. */
export interface Try {
  readonly index: number;
  /**
   * From --seed and the index alone. So `--seed S --from INDEX --tries 1` makes this try again, unless it also depends
   * on those before, as the inputs of fuzz.ts do.
   */
  readonly random: Random;
}

export interface SoakLimits {
  /** The number of tries; Infinity where only time counts. */
  readonly tries: number;
  /** The module begins no further try after this many seconds. */
  readonly seconds: number;
  readonly seed: number;
  /** The index of the first try. */
  readonly from: number;
  readonly adapter: string;
}

/** A run of one module: its limits, its tries and its failures. */
export class SoakRun {
  readonly limits: SoakLimits;
  /** An empty folder, which is removed when the module has ended. */
  readonly folder: string;
  /** Descriptions of what went wrong. */
  readonly failures: string[] = [];
  /** How many tries were begun. */
  count = 0;
  #progress: (line: string) => void;
  #begin = performance.now();

  constructor(limits: SoakLimits, folder: string, progress: (line: string) => void) {
    this.limits = limits;
    this.folder = folder;
    this.#progress = progress;
  }

  /** The adapter to use, for --adapter flags and PIXELGRAD_ADAPTER (which is set to it). */
  get adapter(): string {
    return this.limits.adapter;
  }

  /** The tries, until there were enough or the time is up. */
  *tries(): Generator<Try> {
    const { tries, seconds, seed, from } = this.limits;
    let reported = performance.now();
    while (this.count < tries && performance.now() - this.#begin < 1000 * seconds) {
      const index = from + this.count++;
      // 53 bits: beyond them, a sum would forget the index, and many tries would be the same.
      yield { index, random: new Random((seed % 2 ** 21) * 2 ** 32 + (index % 2 ** 32)) };
      if (performance.now() - reported < 5000) continue;
      reported = performance.now();
      this.say(`${this.count} tries, ${this.failures.length} failures`);
    }
  }

  /**
   * Runs one try, or a part of one. What it throws is a failure; the next try goes on. `label` says what was
   * tried, in case it fails.
   */
  async attempt(label: string, body: () => unknown): Promise<void> {
    try {
      await body();
    } catch (error) {
      this.fail(`${label}: ${error instanceof Error ? error.stack : error}`);
    }
  }

  /** Counts a failure. */
  fail(description: string): void {
    this.failures.push(description);
    this.say(`FAILED ${description}`);
  }

  /** A line of progress for the terminal. It also says that the module has not hung. */
  say(line: string): void {
    this.#progress(line);
  }
}
