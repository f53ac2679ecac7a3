/** The command that is printed to be typed. */
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { asCalled, quotedPath, quoteForShell } from "../../src/cli/as-called.ts";

const [before, argv, execArgv] = [process.cwd(), process.argv, process.execArgv];
let here: string;
let main: string;
beforeEach(() => {
  here = realpathSync(mkdtempSync(join(tmpdir(), "pixelgrad-called-")));
  main = join(here, "lib", "main.js");
  mkdirSync(join(here, "lib"));
  mkdirSync(join(here, "work", "deep"), { recursive: true });
  writeFileSync(main, "");
  process.chdir(join(here, "work", "deep"));
  process.argv = [process.execPath, main];
  process.execArgv = [];
  vi.stubEnv("PATH", [join(here, "bin"), join(here, "work", "node_modules", ".bin")].join(":"));
});
afterEach(() => {
  process.chdir(before);
  [process.argv, process.execArgv] = [argv, execArgv];
  vi.unstubAllEnvs();
  rmSync(here, { recursive: true, force: true });
});

/** A name in a folder that leads to the program, or to another one. */
function link(folder: string, name: string, to = main): void {
  mkdirSync(folder, { recursive: true });
  symlinkSync(to, join(folder, name));
}

const called = () => asCalled("pixelgrad train edsr");
const byFile = () => `${process.execPath} ${main} train edsr`;

test("pixelgrad, where the shell finds it", () => {
  expect(called()).toBe(byFile());
  link(join(here, "bin"), "pixelgrad");
  expect(called()).toBe("pixelgrad train edsr");
});

test("not another program of that name, nor what npm alone has on its path", () => {
  writeFileSync(join(here, "other"), "");
  chmodSync(join(here, "other"), 0o755);
  link(join(here, "bin"), "pixelgrad", join(here, "other"));
  expect(called()).toBe(byFile());
});

test("npx, where a package above this folder has it, or npx has downloaded it", () => {
  link(join(here, "work", "node_modules", ".bin"), "pixelgrad");
  expect(called()).toBe("npx pixelgrad train edsr");
  rmSync(join(here, "work", "node_modules"), { recursive: true });
  process.argv[1] = join(here, "_npx", "node_modules", ".bin", "pixelgrad");
  expect(called()).toBe("npx pixelgrad train edsr");
});

test("npm run, in the folder whose package has such a script", () => {
  const example = join(here, "work", "deep", "train-edsr.ts");
  writeFileSync(example, "");
  process.argv[1] = example;
  const program = "npm run train:edsr --";
  expect(asCalled(program)).toBe(`${process.execPath} ${example}`);
  const scripts = { "train:edsr": "tsx train-edsr.ts", pixelgrad: "tsx train-edsr.ts" };
  writeFileSync("package.json", JSON.stringify({ scripts }));
  expect(asCalled(program)).toBe(program);
  expect(called()).toBe("npm run pixelgrad -- train edsr");
  writeFileSync("package.json", "{");
  expect(asCalled(program)).toBe(`${process.execPath} ${example}`);
});

test("node with its flags, by its name if the shell finds this one", () => {
  process.execArgv = ["--import", "a loader.mjs"];
  link(join(here, "bin"), "node", process.execPath);
  expect(called()).toBe(`node --import 'a loader.mjs' ${main} train edsr`);
});

test("paths are quoted for the shell, and are no flags", () => {
  expect(quoteForShell("runs/a-b_1.2")).toBe("runs/a-b_1.2");
  expect(quoteForShell("it's $HOME")).toBe("'it'\\''s $HOME'");
  expect(quoteForShell("")).toBe("''");
  expect(quotedPath("-x")).toBe("./-x");
  expect(quotedPath("runs/é")).toBe("'runs/é'");
});
