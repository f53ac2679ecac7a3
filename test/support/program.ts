/**
 * The program `pixelgrad` and its worker threads as users start them: JavaScript, made from the sources by the
 * package's own compiler options. Tests start both hundreds of times, and from TypeScript each start takes twice as
 * long and more.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Beside src, as dist is: from its files the way to package.json and to the weights is the same. */
const folder = join(root, "dist-test");
let isChecked = false;

/** The program's path. */
export function compiledProgram(): string {
  return join(compiledFolder(), "cli", "main.js");
}

/** A folder with all of `src`, compiled anew whenever a source has changed. */
export function compiledFolder(): string {
  if (!isChecked) {
    const sources = sourcesAsTheyAre();
    if (compiledFrom() !== sources) compile(sources);
  }
  isChecked = true;
  return folder;
}

/** What Vitest runs before all tests, so that no two of them compile at the same time. */
export function setup(): void {
  compiledFolder();
}

/** Where the folder says what it was compiled from. */
const record = "sources.json";

function compiledFrom(): string | undefined {
  const path = join(folder, record);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

function sourcesAsTheyAre(): string {
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  const paths = files.filter((file) => /\.[cm]?ts$/.test(file)).map((file) => join("src", file));
  const configurations = ["tsconfig.json", "tsconfig.build.json", "package-lock.json"];
  return JSON.stringify(
    [...configurations, ...paths.sort()].map((path) => {
      const { size, mtimeMs } = statSync(join(root, path));
      return [path, size, mtimeMs];
    }),
  );
}

function compile(sources: string): void {
  const part = `${folder}.${process.pid}`;
  const typescript = dirname(createRequire(import.meta.url).resolve("typescript/package.json"));
  const withoutTypes = ["--declaration", "false", "--declarationMap", "false"];
  const options = ["-p", "tsconfig.build.json", "--outDir", part, ...withoutTypes];
  // An error of types harms no test: `npm run types` is there to find it.
  const { stdout, error } = spawnSync(process.execPath, [join(typescript, "bin", "tsc"), ...options], {
    cwd: root,
    encoding: "utf8",
  });
  if (!existsSync(join(part, "cli", "main.js"))) {
    throw new Error(`The program could not be compiled: ${error?.message ?? stdout}`);
  }
  writeFileSync(join(part, record), sources);
  rmSync(folder, { recursive: true, force: true });
  renameSync(part, folder);
}
