/** An empty folder and a shell in which `pixelgrad` and `npx pixelgrad` are this repository's program. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { compiledProgram } from "./program.ts";

export interface ShellResult {
  /** 128 and the signal's number if a signal ended the shell, too, as Ctrl-C does. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ShellOptions {
  /** Added to this process' environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called with both outputs so far whenever more arrives; `interrupt` is Ctrl-C. */
  readonly onOutput?: (text: string, interrupt: () => void) => void;
  /** Milliseconds after which it is killed. Default 150,000. */
  readonly timeout?: number;
}

/**
 * @param bin where the programs are put.
 * @returns a function that runs a line as if it had been typed in a folder.
 */
export function shellWith(bin: string) {
  mkdirSync(bin, { recursive: true });
  const script = (name: string, line: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  script("pixelgrad", `exec "${process.execPath}" "${compiledProgram()}" "$@"`);
  script("npx", 'exec "$@"');

  return (folder: string, line: string, options: ShellOptions = {}): Promise<ShellResult> => {
    const { PATH, ...rest } = process.env;
    // Under npm, messages name the program as npm users call it.
    const env = Object.fromEntries(Object.entries(rest).filter(([name]) => !name.startsWith("npm_")));
    const child: ChildProcess = spawn("/bin/sh", ["-c", line], {
      cwd: folder,
      env: { ...env, PATH: `${bin}:${PATH}`, ...options.env },
      detached: true, // a process group, as a terminal makes one for a line that is typed
      stdio: ["ignore", "pipe", "pipe"],
    });
    const signal = (name: NodeJS.Signals) => process.kill(-child.pid!, name);
    const timer = setTimeout(() => signal("SIGKILL"), options.timeout ?? 150_000);
    let [stdout, stderr] = ["", ""];
    const arrived = () => options.onOutput?.(stdout + stderr, () => signal("SIGINT"));
    child.stdout!.on("data", (data) => {
      stdout += data;
      arrived();
    });
    child.stderr!.on("data", (data) => {
      stderr += data;
      arrived();
    });
    return new Promise((resolve) =>
      child.once("close", (code, name) => {
        clearTimeout(timer);
        resolve({ code: code ?? 128 + constants.signals[name!], stdout, stderr });
      }),
    );
  };
}
