/**
 * A file that keeps others out of a run folder while a process trains there, and that means nothing once the
 * process is gone, however it ended. It says which process that is (files/process-id.ts). Where that does not
 * decide the matter, as on another machine, the file's date does: whoever trains renews it every few seconds.
 */
import { randomUUID } from "node:crypto";
import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { DataError } from "../data/index.ts";
import { writeError } from "../files/image-files.ts";
import { isRunning, ownProcess, type ProcessId } from "../files/process-id.ts";

export const lockFile = "run.lock";

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

/** Keeps a run's folder for one process, until it is released or the process ends. */
export class Lock {
  readonly #folder: string;
  readonly #owner: Owner;
  readonly #timer: NodeJS.Timeout;
  readonly #atExit = () => this.release();

  private constructor(folder: string, owner: Owner) {
    this.#folder = folder;
    this.#owner = owner;
    this.#timer = setInterval(() => {
      const now = new Date();
      try {
        utimesSync(join(folder, lockFile), now, now);
      } catch {
        // Saving will say what is wrong with the folder.
      }
    }, BEAT).unref();
    process.on("exit", this.#atExit);
  }

  /**
   * Locks a folder. A lock that a dead process has left is replaced; where only time can tell whether it is
   * dead, that takes as long as `patience`, and `onMessage` says so.
   *
   * @param patience milliseconds without a sign of life after which a process is taken for dead.
   * @throws DataError if another process trains there, or nothing can be written there.
   */
  static async acquire(folder: string, onMessage: (line: string) => void, patience = 12_000): Promise<Lock> {
    for (let attempt = 0; ; attempt++) {
      try {
        return Lock.create(folder);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw writeError(folder, error);
      }
      const old = read(folder);
      // Several processes may find the same dead lock; one of them wins the next round.
      if (attempt === 3 || (await isHeld(folder, old, onMessage, patience)))
        throw refusal(folder, old?.owner);
      if (read(folder)?.text === old?.text) rmSync(join(folder, lockFile), { force: true });
    }
  }

  /** Locks a folder that has no lock. @throws EEXIST, as Node does, if it has one */
  static create(folder: string): Lock {
    const since = new Date().toISOString();
    const owner: Owner = { token: randomUUID(), process: ownProcess(), host: hostname(), since };
    writeFileSync(join(folder, lockFile), `${JSON.stringify(owner)}\n`, { flag: "wx" });
    return new Lock(folder, owner);
  }

  /** The lock at the place to which its folder has been moved. */
  moved(folder: string): Lock {
    this.#letGo();
    return new Lock(folder, this.#owner);
  }

  /** Call it before writing. @throws DataError if another process has taken this one for dead */
  check(): void {
    const { owner } = read(this.#folder) ?? {};
    if (owner && owner.token !== this.#owner.token) throw refusal(this.#folder, owner);
  }

  release(): void {
    this.#letGo();
    if (read(this.#folder)?.owner?.token !== this.#owner.token) return;
    rmSync(join(this.#folder, lockFile), { force: true });
  }

  #letGo(): void {
    clearInterval(this.#timer);
    process.off("exit", this.#atExit);
  }
}

/** Throws a DataError if a process that is known to be alive trains in the folder. */
export function refuseLocked(folder: string): void {
  const { owner } = read(folder) ?? {};
  if (owner && isRunning(owner.process)) throw refusal(folder, owner);
}

function refusal(folder: string, owner: Owner | undefined): DataError {
  const who = owner
    ? `process ${owner.process.pid} on ${owner.host} has been doing so since ${owner.since}`
    : "";
  return new DataError(
    `${folder}: another process is training there${who && `: ${who}`}. Wait for its end or stop it first ` +
      `(Ctrl-C saves what it has learned); a folder takes one run at a time.`,
  );
}

interface LockFile {
  readonly text: string;
  readonly modified: number;
  /** The owner; undefined if the file was being written when the machine lost its power. */
  readonly owner: Owner | undefined;
}

function read(folder: string): LockFile | undefined {
  const path = join(folder, lockFile);
  try {
    const text = readFileSync(path, "utf8");
    return { text, modified: statSync(path).mtimeMs, owner: ownerOf(text) };
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
  folder: string,
  lock: LockFile | undefined,
  onMessage: (line: string) => void,
  patience: number,
): Promise<boolean> {
  if (lock === undefined) return false;
  const { owner } = lock;
  const runs = owner && isRunning(owner.process);
  if (runs !== undefined) return runs;
  const who = owner ? `process ${owner.process.pid} on ${owner.host}` : "another process";
  onMessage(
    `${folder}: ${who} was training there; waiting ${patience / 1000} seconds for a sign ` +
      `that it still does`,
  );
  for (let waited = 0; waited < patience; waited += 250) {
    await setTimeout(250);
    const now = read(folder);
    if (now === undefined) return false;
    if (now.text !== lock.text || now.modified !== lock.modified) return true;
  }
  return false;
}
