/**
 * A file that keeps others out of a place while a process works there, and that means nothing once the process is
 * gone, however it ended. It says which process that is (process-id.ts). Where that does not decide the matter, as on
 * another machine, the file's date does: whoever works there renews it every few seconds.
 */
import { randomUUID } from "node:crypto";
import { closeSync, openSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { setTimeout } from "node:timers/promises";
import { DataError } from "../picture/errors.ts";
import { writeError } from "./image-files.ts";
import { isRunning, ownProcess, type ProcessId } from "./process-id.ts";

/** What a lock keeps for one process. */
export interface Place {
  /** A file or a folder. */
  readonly path: string;
  /** The lock's own file. */
  readonly lock: string;
  /** What a process does there, to follow "another process is": "training there". */
  readonly doing: string;
  /** Sentences for those who have to stay out. */
  readonly advice: string;
}

/** How long to wait where only time can tell. */
export interface Patience {
  /** Milliseconds without a sign of life after which a process is taken for dead. Default 12,000. */
  readonly patience?: number;
  readonly signal?: AbortSignal;
}

/** Milliseconds between two signs of life. */
const BEAT = 2_000;

/** What a lock file says, as JSON. */
interface Owner {
  /** What tells this lock from all that have ever been. */
  readonly token: string;
  readonly process: ProcessId;
  /** The machine's name, for messages. */
  readonly host: string;
  /** When the lock was taken, ISO 8601. */
  readonly since: string;
}

/** Keeps a place for one process, until it is released or the process ends. */
export class Lock {
  readonly #place: Place;
  readonly #owner: Owner;
  readonly #timer: NodeJS.Timeout;
  readonly #atExit = () => this.release();

  private constructor(place: Place, owner: Owner) {
    this.#place = place;
    this.#owner = owner;
    this.#timer = setInterval(() => {
      const now = new Date();
      try {
        utimesSync(place.lock, now, now);
      } catch {
        // Writing will say what is wrong there.
      }
    }, BEAT).unref();
    process.on("exit", this.#atExit);
  }

  /**
   * Locks a place. A lock that a dead process has left is replaced; where only time can tell whether it is
   * dead, that takes as long as `patience`, and `onMessage` says so.
   *
   * @throws DataError if another process works there, or nothing can be written there; the signal's reason if it is
   *   aborted meanwhile.
   */
  static async acquire(
    place: Place,
    onMessage: (line: string) => void,
    options: Patience = {},
  ): Promise<Lock> {
    for (let attempt = 0; ; attempt++) {
      try {
        return Lock.create(place);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw writeError(place.path, error);
      }
      const old = read(place);
      // Several processes may find the same dead lock; one of them wins the next round.
      if (attempt === 3 || (await isHeld(place, old, onMessage, options))) throw refusal(place, old?.owner);
      if (read(place)?.text === old?.text) rmSync(place.lock, { force: true });
    }
  }

  /** Locks a place that has no lock. @throws EEXIST, as Node does, if it has one */
  static create(place: Place): Lock {
    const since = new Date().toISOString();
    const owner: Owner = { token: randomUUID(), process: ownProcess(), host: hostname(), since };
    const file = openSync(place.lock, "wx");
    try {
      writeFileSync(file, `${JSON.stringify(owner)}\n`);
    } catch (error) {
      rmSync(place.lock, { force: true }); // an empty one would keep others waiting
      throw error;
    } finally {
      closeSync(file);
    }
    return new Lock(place, owner);
  }

  /** The lock of the place to which its own has been moved. */
  moved(place: Place): Lock {
    this.#letGo();
    return new Lock(place, this.#owner);
  }

  /** Call it before writing. @throws DataError if another process has taken this one for dead */
  check(): void {
    const { owner } = read(this.#place) ?? {};
    if (owner && owner.token !== this.#owner.token) throw refusal(this.#place, owner);
  }

  release(): void {
    this.#letGo();
    if (read(this.#place)?.owner?.token !== this.#owner.token) return;
    rmSync(this.#place.lock, { force: true });
  }

  #letGo(): void {
    clearInterval(this.#timer);
    process.off("exit", this.#atExit);
  }
}

/** Throws a DataError if a process that is known to be alive works there. */
export function refuseLocked(place: Place): void {
  const { owner } = read(place) ?? {};
  if (owner && isRunning(owner.process)) throw refusal(place, owner);
}

function refusal({ path, doing, advice }: Place, owner: Owner | undefined): DataError {
  const who = owner
    ? `: process ${owner.process.pid} on ${owner.host} has been doing so since ${owner.since}`
    : "";
  return new DataError(`${path}: another process is ${doing}${who}. ${advice}`);
}

interface LockFile {
  readonly text: string;
  readonly modified: number;
  /** The owner; undefined if the file was being written when the machine lost its power. */
  readonly owner: Owner | undefined;
}

function read({ lock }: Place): LockFile | undefined {
  try {
    const text = readFileSync(lock, "utf8");
    return { text, modified: statSync(lock).mtimeMs, owner: ownerOf(text) };
  } catch {
    return undefined;
  }
}

function ownerOf(text: string): Owner | undefined {
  try {
    const owner = JSON.parse(text);
    return typeof owner?.token === "string" && Number.isInteger(owner.process?.pid) ? owner : undefined;
  } catch {
    return undefined;
  }
}

/** Does a process hold this lock? If its kernel cannot tell, a lock that stays as it is for long has none. */
async function isHeld(
  place: Place,
  lock: LockFile | undefined,
  onMessage: (line: string) => void,
  { patience = 12_000, signal }: Patience,
): Promise<boolean> {
  if (lock === undefined) return false;
  const { owner } = lock;
  const runs = owner && isRunning(owner.process);
  if (runs !== undefined) return runs;
  const who = owner ? `process ${owner.process.pid} on ${owner.host}` : "another process";
  onMessage(
    `${place.path}: ${who} was ${place.doing}; waiting ${patience / 1000} seconds for a sign ` +
      `that it still does`,
  );
  for (let waited = 0; waited < patience; waited += 250) {
    await setTimeout(250, undefined, { signal }).catch(() => signal?.throwIfAborted());
    const now = read(place);
    if (now === undefined) return false;
    if (now.text !== lock.text || now.modified !== lock.modified) return true;
  }
  return false;
}
