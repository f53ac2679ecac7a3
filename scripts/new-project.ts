/** What the checks of the package share: it is packed, and programs run in new projects in temporary folders. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const repository = fileURLToPath(new URL("..", import.meta.url));
/** How a command that npm installs is called on this system: Windows has scripts in its place. */
export const command = (name: string) => (process.platform === "win32" ? `${name}.cmd` : name);
export const npm = command("npm");
export const npx = command("npx");

export interface Tarball {
  path: string;
  /** Bytes. */
  size: number;
  unpackedSize: number;
  /** Paths of its files in the package. */
  files: string[];
}

/** Packs the package whose root is `root` into `folder`. */
export async function pack(root: string, folder: string): Promise<Tarball> {
  const list = await run(npm, ["pack", "--json", "--pack-destination", folder], root);
  // npm prints the output of the script `prepare` before the JSON.
  const [{ filename, size, unpackedSize, files }] = JSON.parse(list.slice(list.search(/^\[/m)));
  const paths = files.map((file: { path: string }) => file.path);
  return { path: join(folder, filename), size, unpackedSize, files: paths };
}

/** `timeout`: milliseconds, after which the program is ended, and has failed. */
export interface RunOptions {
  environment?: NodeJS.ProcessEnv;
  timeout?: number;
}

/** The standard output of a program. Throws an error with all of its output if it fails. */
export async function run(
  program: string,
  args: readonly string[],
  cwd: string,
  { environment, timeout }: RunOptions = {},
): Promise<string> {
  const env = { ...process.env, ...environment };
  const shell = program.endsWith(".cmd");
  const options = { cwd, env, shell, timeout, maxBuffer: 2 ** 26 };
  try {
    return (await promisify(execFile)(program, [...args], options)).stdout;
  } catch (error) {
    const { stdout, stderr, killed } = error as { stdout?: string; stderr?: string; killed?: boolean };
    const how = killed && timeout ? `did not end in ${timeout / 1000} s` : "failed";
    throw new Error(`${program} ${args.join(" ")} ${how}:\n${stdout ?? ""}${stderr || error}`, {
      cause: error,
    });
  }
}

export function check(condition: boolean, complaint: string): asserts condition {
  if (!condition) throw new Error(complaint);
}

export function manifestOf(name: string, folder: string): { version: string; dependencies?: object } {
  return JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8"));
}

export function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
