/** The command that starts this program again, for people to type in the same folder. */
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { delimiter, dirname, join, relative } from "node:path";

/**
 * How to call a program again: "pixelgrad train edsr" as such where the shell finds `pixelgrad`, else by npx,
 * by a script of the package in this folder, or by node and the program's file. The variables that npm sets
 * do not tell which: every process that npm ever started inherits them.
 *
 * @param program as help texts call it: "pixelgrad train edsr", or "npm run train:edsr --".
 */
export function asCalled(program: string): string {
  const own = realpathOf(process.argv[1]);
  const [name, ...rest] = program.split(" ");
  if (name === "pixelgrad") {
    if (isLocalBin(name, own)) return `npx ${program}`;
    if (process.argv[1].split(/[\\/]/).includes("_npx")) return `npx ${program}`; // npx has downloaded it
    if (isOnPath(name, own)) return program;
    if (hasScript(name, own)) return `npm run ${name} -- ${rest.join(" ")}`;
  } else {
    const [, , script, , ...others] = program.split(" ");
    if (hasScript(script, own)) return program;
    rest.splice(0, rest.length, ...others);
  }
  const node = isOnPath("node", realpathOf(process.execPath)) ? "node" : process.execPath;
  return [node, ...process.execArgv, process.argv[1], ...rest].map(quoteForShell).join(" ");
}

/** A text as an argument for the user's shell. */
export function quoteForShell(text: string): string {
  if (/^[\w./:@=+-]+$/.test(text)) return text;
  return process.platform === "win32" ? `"${text}"` : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A path as an argument for the user's shell. One that begins with a hyphen would be taken for a flag. */
export function quotedPath(path: string): string {
  return quoteForShell(path.startsWith("-") ? `./${path}` : path);
}

function realpathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Would npx find it from here? */
function isLocalBin(name: string, file: string): boolean {
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    if (leadsTo(join(folder, "node_modules", ".bin", name), file)) return true;
    if (folder === dirname(folder)) return false;
  }
}

/** Does the user's shell find it? npm adds folders to the PATH that the shell does not have. */
function isOnPath(name: string, file: string): boolean {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const first = folders
    .filter((folder) => !/node_modules[\\/]\.bin[\\/]?$/.test(folder))
    .find((folder) => existsSync(join(folder, name)) || existsSync(join(folder, `${name}.cmd`)));
  return first !== undefined && leadsTo(join(first, name), file);
}

/** Whether a path starts the file. On Windows it may be a small script, which names the file that it starts. */
function leadsTo(path: string, file: string): boolean {
  if (realpathOf(path) === file || realpathOf(`${path}.exe`) === file) return true;
  if (process.platform !== "win32" || !existsSync(`${path}.cmd`)) return false;
  return readFileSync(`${path}.cmd`, "utf8").includes(join("pixelgrad", "dist", "cli", "main.js"));
}

/** Does the package in this folder have a script of this name that starts the file? */
function hasScript(name: string, file: string): boolean {
  try {
    const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
    return scripts[name].split(" ").includes(relative(process.cwd(), file).replaceAll("\\", "/"));
  } catch {
    return false;
  }
}
