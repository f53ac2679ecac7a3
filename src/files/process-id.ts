/**
 * Which process has made a file, and whether it still runs: for locks, and for files that were being written.
 * A process' number alone does not tell: after a restart, or in another container, the same number is another
 * process. On Linux, the boot of the kernel, the container's own count of numbers and the moment of the start
 * decide the matter. Elsewhere it often stays open, and the age of the file must decide.
 */
import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** One process among all that have ever run. */
export interface ProcessId {
  /** Numbers of processes mean the same wherever this text is the same: eight hexadecimal digits. */
  readonly place: string;
  readonly pid: number;
  /** When it started, as the kernel counts, in digits of base 36; "0" where the kernel does not say. */
  readonly start: string;
}

let own: ProcessId | undefined;

/** This process. */
export function ownProcess(): ProcessId {
  own ??= readOwn();
  return own;
}

function readOwn(): ProcessId {
  try {
    const pid = Number(readlinkSync("/proc/self")); // as /proc counts, which is not always as this process does
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8");
    const place = hashOf(boot + readlinkSync("/proc/self/ns/pid"));
    return { place, pid, start: startOf(pid) ?? "0" };
  } catch {
    return { place: hashOf(hostname()), pid: process.pid, start: "0" }; // there is no /proc
  }
}

/** Eight hexadecimal digits of a text. */
export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/** Whether a process runs. Undefined where this one cannot tell: on another machine, or outside Linux. */
export function isRunning({ place, pid, start }: ProcessId): boolean | undefined {
  const here = ownProcess();
  if (place !== here.place) return undefined;
  if (here.start !== "0") return startOf(pid) === start;
  if (process.platform === "linux") return undefined; // containers may share a host's name
  try {
    process.kill(pid, 0); // sends nothing
    return undefined; // that process, or a later one of the same number
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH" ? false : undefined;
  }
}

/** When a process started; undefined if there is none, or it is dead and its parent has not noticed yet. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Behind the name, which stands in parentheses and may hold anything: the state is field 3, the start 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return ["Z", "X"].includes(fields[0]) ? undefined : Number(fields[22 - 3]).toString(36);
  } catch {
    return undefined;
  }
}
