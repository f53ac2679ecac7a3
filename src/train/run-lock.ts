/** What keeps a run's folder for one process: see files/lock.ts. */
import { join } from "node:path";
import type { Place } from "../files/lock.ts";

export const lockFile = "run.lock";

export function runPlace(folder: string): Place {
  return {
    path: folder,
    lock: join(folder, lockFile),
    doing: "training there",
    advice:
      "Wait for its end or stop it first (Ctrl-C saves what it has learned); a folder takes one run at a time.",
  };
}
