/**
 * The program `pixelgrad` as its users start it: JavaScript, made from the sources by the package's own compiler
 * options. Tests start it hundreds of times, and from TypeScript each start takes twice as long.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Beside src, as dist is: from its files the way to package.json and to the weights is the same. */
const folder = join(root, "dist-test");
const main = join(folder, "cli", "main.js");
let isChecked = false;

/** The program's path. It is compiled anew whenever a source has changed. */
export function compiledProgram(): string {
  if (!isChecked) {
    const sources = sourcesAsTheyAre();
    if (compiledFrom() !== sources) compile(sources);
  }
  isChecked = true;
  return main;
}

/** What Vitest runs before all tests, so that no two of them compile at the same time. */
export function setup(): void {
  compiledProgram();
}

/** Where the folder says what it was compiled from. */
const record = "sources.json";

function compiledFrom(): string | undefined {
  const path = join(folder, record);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

function sourcesAsTheyAre(): string {
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  const paths = [...files.filter((file) => /\.[cm]?ts$/.test(file)).map((file) => join("src", file))];
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
  const compiler = join(
    dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
    "bin/tsc",
  );
  const options = [
    "-p",
    "tsconfig.build.json",
    "--outDir",
    part,
    "--declaration",
    "false",
    "--declarationMap",
    "false",
  ];
  // An error of types harms no test: `npm run types` is there to find it.
  const { stdout, error } = spawnSync(process.execPath, [compiler, ...options], {
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
