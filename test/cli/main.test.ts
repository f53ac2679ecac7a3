/** The program as a user starts it, in a process of its own. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { compareCommand } from "../../src/cli/compare.ts";
import { convertCommand } from "../../src/cli/convert.ts";
import { evaluateCommand } from "../../src/cli/evaluate.ts";
import type { Command } from "../../src/cli/flags.ts";
import { infoCommand } from "../../src/cli/info.ts";
import { trainCommand } from "../../src/cli/train.ts";
import { upscaleCommand } from "../../src/cli/upscale.ts";
import { architectureOf } from "../../src/node.ts";
import { root, runProgram } from "../support/run.ts";

const pixelgrad = (...args: string[]) => runProgram(args);
const trained = ["SRCNN", "ESPCN", "FSRCNN", "EDSR"].map(
  (name) => [`train ${name.toLowerCase()}`, trainCommand(architectureOf(name))] as const,
);
const commands = [
  ["compare", compareCommand as Command],
  ["convert", convertCommand as Command],
  ["evaluate", evaluateCommand as Command],
  ["info", infoCommand as Command],
  ["upscale", upscaleCommand as Command],
  ...trained,
] as const;

test("--help names the commands, and so does a call without any, which is a mistake", async () => {
  const asked = await pixelgrad("--help");
  expect(asked).toMatchObject({ code: 0, stderr: "" });
  for (const name of ["compare", "convert", "evaluate", "info", "train", "upscale"]) {
    expect(asked.stdout).toMatch(new RegExp(`^ {2}${name} +[a-z]`, "m"));
  }
  expect(await pixelgrad()).toEqual({ ...asked, code: 2 });
});

test.each(commands)("%s --help explains every flag, with examples", async (name, { flags, examples }) => {
  const { code, stdout } = await pixelgrad(...name.split(" "), "--help");
  expect(code).toBe(0);
  for (const flag of Object.keys(flags)) expect(stdout).toMatch(new RegExp(`^ .{4} --${flag}\\b`, "m"));
  for (const [args, what] of examples) {
    expect(stdout).toContain(`${`  pixelgrad ${name} ${args}`.trimEnd()}\n      ${what}`);
  }
  for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
});

test("--version is the package's", async () => {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  expect(await pixelgrad("--version")).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: "" });
});

describe("a wrong command line ends with one paragraph and exit code 2", () => {
  test.each([
    [
      ["enlarge"],
      /there is no command "enlarge"; commands are compare, convert, evaluate, export, info, train or upscale/,
    ],
    [["--scale", "2"], /a command comes before flags such as "--scale"; commands are/],
    [["constructor"], /there is no command "constructor"/],
    [
      ["evaluate", "--hr", "x", "--scale", "5", "--method", "bicubic"],
      /--scale wants 1, 2, 3, 4 or 8, got "5"/,
    ],
    [["evaluate", "--hr", "x", "--scale", "2"], /--method METHOD is missing/],
    [["evaluate", "--zoom", "2"], /Unknown option '--zoom'/],
  ])("%j", async (args, message) => {
    const { code, stdout, stderr } = await pixelgrad(...args);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^pixelgrad.* "pixelgrad( evaluate)? --help" explains\.$/);
    expect(stdout).toBe("");
    expect(code).toBe(2);
  });
});

test("a failure is one paragraph and exit code 1; PIXELGRAD_DEBUG adds the stack", async () => {
  const args = ["evaluate", "--hr", "no/such/folder", "--scale", "2", "--method", "bicubic"];
  const plain = await pixelgrad(...args);
  expect(plain.code).toBe(1);
  expect(plain.stderr).toBe("pixelgrad evaluate: no/such/folder: there is no such folder. Check the path.");
  const debug = await runProgram(args, { env: { PIXELGRAD_DEBUG: "1" } });
  expect(debug.code).toBe(1);
  expect(debug.stderr).toMatch(/^DataError: no\/such\/folder: .*\n {4}at /);
});
