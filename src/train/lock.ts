/**
 * A file that keeps others out of a run folder while a process trains there, and that means nothing once the
 * process is gone, however it ended. A process' number alone would not tell: after a restart, or in another
 * container, the same number is another process. So the file also says when its process started and on which
 * boot of which kernel, which decides the matter at once on Linux. Elsewhere, and for other machines, its
 * date does: whoever trains renews it every few seconds.
 */
import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { diskFullError } from "../data/files.ts";
import { DataError } from "../data/index.ts";

export const lockFile = "run.lock";

/** Milliseconds between two signs of life. */
const beat = 2_000;

/** What a lock file says, as JSON. */
interface Owner {
  /** Of this lock, among all that have ever been. */
  readonly token: string;
  readonly pid: number;
  readonly host: string;
  /** When the lock was taken, ISO 8601. */
  readonly since: string;
  /** On Linux. */
  readonly process?: ProcessId;
}

/** One process among all that have ever run on a Linux kernel. */
interface ProcessId {
  /** Differs after every restart of the machine. */
  readonly boot: string;
  /** Where process numbers are counted, as containers count their own. */
  readonly namespace: string;
  /** As /proc counts. */
  readonly pid: number;
  /** Clock ticks from the start of the machine to that of the process. */
  readonly start: string;
}

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
    }, beat).unref();
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
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw notWritten(folder, error);
      }
      const old = read(folder);
      // Several processes may find the same dead lock; one of them wins the next round.
      if (attempt === 3 || (await isHeld(folder, old, onMessage, patience))) throw held(folder, old?.owner);
      if (read(folder)?.text === old?.text) rmSync(join(folder, lockFile), { force: true });
    }
  }

  /** Locks a folder that has no lock. @throws EEXIST, as Node does, if it has one */
  static create(folder: string): Lock {
    const owner: Owner = {
      ...{ token: randomUUID(), pid: process.pid, host: hostname(), since: new Date().toISOString() },
      process: ownProcess(),
    };
    writeFileSync(join(folder, lockFile), `${JSON.stringify(owner)}\n`, { flag: "wx" });
    return new Lock(folder, owner);
  }

  /** The lock at the place to which its folder has been moved. */
  moved(folder: string): Lock {
    this.#letGo();
    return new Lock(folder, this.#owner);
  }

  /** To be called before writing. @throws DataError if another process has taken this one for dead */
  check(): void {
    const { owner } = read(this.#folder) ?? {};
    if (owner && owner.token !== this.#owner.token) throw held(this.#folder, owner);
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
  if (owner && isAlive(owner) === true) throw held(folder, owner);
}

function held(folder: string, owner: Owner | undefined): DataError {
  const who = owner ? `process ${owner.pid} on ${owner.host} has been doing so since ${owner.since}` : "";
  return new DataError(
    `${folder}: another process is training there${who && `: ${who}`}. Wait for its end or stop it first ` +
      `(Ctrl-C saves what it has learned); a folder takes one run at a time.`,
  );
}

export function notWritten(path: string, cause: unknown): DataError {
  if (cause instanceof DataError) return cause;
  const reason = `${(cause as Error).message}. Does the folder exist, and may you write there?`;
  return diskFullError(path, cause) ?? new DataError(`${path}: cannot be written: ${reason}`, { cause });
}

interface LockFile {
  readonly text: string;
  readonly modified: number;
  /** Undefined if the file was being written when the machine lost its power. */
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
    return typeof owner?.token === "string" && Number.isInteger(owner.pid) ? owner : undefined;
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
  const alive = lock.owner && isAlive(lock.owner);
  if (alive !== undefined) return alive;
  const { pid, host } = lock.owner ?? { pid: "unknown", host: "an unknown machine" };
  onMessage(
    `${folder}: process ${pid} on ${host} was training there; waiting ${patience / 1000} seconds for a sign ` +
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

/** Undefined where this process cannot tell: on another machine, in another container, or not on Linux. */
function isAlive({ pid, host, process: theirs }: Owner): boolean | undefined {
  const own = ownProcess();
  if (own && theirs) {
    if (own.boot !== theirs.boot || own.namespace !== theirs.namespace) return undefined;
    return startOf(theirs.pid) === theirs.start;
  }
  if (own || theirs || host !== hostname() || process.platform === "linux") return undefined;
  try {
    process.kill(pid, 0); // sends nothing
    return undefined; // this process, or a later one of that number
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH" ? false : undefined;
  }
}

/** Undefined where there is no /proc. */
function ownProcess(): ProcessId | undefined {
  try {
    const pid = Number(readlinkSync("/proc/self"));
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const start = startOf(pid);
    return start === undefined
      ? undefined
      : { boot, namespace: readlinkSync("/proc/self/ns/pid"), pid, start };
  } catch {
    return undefined;
  }
}

/** When a process started; undefined if there is none, or it is dead and its parent has not noticed yet. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Behind the name, which stands in parentheses and may hold anything: the state is field 3, the start 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return ["Z", "X"].includes(fields[0]) ? undefined : fields[22 - 3];
  } catch {
    return undefined;
  }
}
