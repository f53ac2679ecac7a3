import { readdirSync } from "node:fs";
import type { Figures, SoakRun } from "./soak.ts";

interface Use {
  readonly threads: number;
  readonly files: number;
  readonly megabytes: number;
}

/** What this process uses. Threads and files are known on Linux alone. */
function use(): Use {
  const count = (folder: string) => {
    try {
      return readdirSync(`/proc/self/${folder}`).length;
    } catch {
      return 0;
    }
  };
  return { threads: count("task"), files: count("fd"), megabytes: process.memoryUsage.rss() / 2 ** 20 };
}

/** Whether a process uses more and more. The first looks do not count: whatever is needed once is made then. */
export class Growth {
  #toCome: number;
  #first: Use | undefined;
  #last = use();

  constructor(uncounted: number) {
    this.#toCome = uncounted;
  }

  look(): void {
    this.#last = use();
    if (--this.#toCome <= 0) this.#first ??= this.#last;
  }

  /** Fails if something has grown by more than it may. Returns figures for the table. */
  check(soak: SoakRun, may: Use): Figures {
    const [first, last] = [this.#first ?? this.#last, this.#last];
    for (const what of ["threads", "files", "megabytes"] as const) {
      const by = last[what] - first[what];
      if (by > may[what]) soak.fail(`${what} grew by ${by.toFixed(0)}, from ${first[what].toFixed(0)}`);
    }
    return {
      threads: `${first.threads} to ${last.threads}`,
      files: `${first.files} to ${last.files}`,
      memory: `${first.megabytes.toFixed(0)} to ${last.megabytes.toFixed(0)} MB`,
    };
  }
}
