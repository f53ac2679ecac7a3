import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { resolve as resolvePath } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { compiledProgram } from "./program.ts";

/** The repository's root. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;

export interface RunResult {
  readonly code: number | null;
  readonly stdout: string;
  /** Standard output as bytes. */
  readonly output: Buffer;
  /** Without Dawn's own warnings, which come with every software adapter and without a Vulkan driver. */
  readonly stderr: string;
}

export interface RunOptions {
  /** Added to this process' environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Called with all output so far whenever more arrives; `signal` sends the program a signal. */
  readonly onOutput?: (stdout: string, signal: (name: NodeJS.Signals) => void) => void;
  /** The same for standard error. */
  readonly onError?: (stderr: string, signal: (name: NodeJS.Signals) => void) => void;
  /** Where it runs; by default at the repository's root. */
  readonly cwd?: string;
  /** Standard input; empty by default. */
  readonly input?: Uint8Array;
}

/** Runs the program `pixelgrad`, like {@link runFile}. */
export function runProgram(args: readonly string[], options?: RunOptions): Promise<RunResult> {
  return start([compiledProgram(), ...args], options);
}

/** Runs a JavaScript module, which may import TypeScript (`./src/node.ts`), like {@link runFile}. */
export function runCode(code: string, options?: RunOptions): Promise<RunResult> {
  return runFile("--input-type=module", ["-e", code], options);
}

/** Runs a TypeScript program of the repository in a process of its own. */
export function runFile(
  file: string,
  args: readonly string[] = [],
  options?: RunOptions,
): Promise<RunResult> {
  return start(["--import", tsx, file.startsWith("-") ? file : resolvePath(root, file), ...args], options);
}

function start(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const child = spawn(process.execPath, args, {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
    timeout: 150_000, // less than a test's, so that none is left running
    killSignal: "SIGKILL",
  });
  child.stdin.on("error", () => {}); // a program need not read it
  child.stdin.end(options.input);
  const output: Buffer[] = [];
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (data) => {
    output.push(data);
    stdout += data;
    options.onOutput?.(stdout, (name) => child.kill(name));
  });
  child.stderr.on("data", (data) => {
    stderr += data;
    options.onError?.(stderr, (name) => child.kill(name));
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      // "Warning: …" and, where Dawn says so, a line "    at …" with the place in its source.
      const own = stderr.replaceAll(/^Warning: .*\n(?: {4}at .*\n)*\n*/gm, "");
      resolve({ code, stdout, output: Buffer.concat(output), stderr: own.trim() });
    });
  });
}
