/** What commands refuse to write over. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import {
  checkOutputs,
  inputsOf,
  isStandardOutput,
  jsonOutput,
  profileOutput,
} from "../../src/cli/outputs.ts";
import { standardStreamOf } from "../../src/files/same-file.ts";
import { temporaryFolder } from "../data/support.ts";

const folder = temporaryFolder();
const path = (...parts: string[]) => join(folder, ...parts);

describe("the files that a method is read from are inputs", () => {
  const refuses = (method: string, output: string) => () =>
    checkOutputs([profileOutput(output)], inputsOf([], [method]));

  test("by their URL, too", () => {
    const weights = path("own.safetensors");
    writeFileSync(weights, "weights");
    const message = "own.safetensors is an input; --profile must name another place";
    expect(refuses(weights, weights)).toThrow(message);
    expect(refuses(pathToFileURL(weights).href, weights)).toThrow(message);
  });

  test("both of ncnn's, whichever is named, in upper case or in lower case", () => {
    mkdirSync(path("ncnn"));
    const [text, weights] = ["net.param", "NET.BIN"].map((name) => path("ncnn", name));
    for (const file of [text, weights]) writeFileSync(file, "");
    for (const method of [text, weights]) {
      for (const output of [text, weights]) expect(refuses(method, output)).toThrow("is an input");
    }
  });

  test("a name is no file", () => {
    expect(inputsOf([], ["wren", "bicubic", undefined])).toEqual(new Set());
  });
});

describe.runIf(process.platform !== "win32")("standard output has several names", () => {
  const names = [
    "/dev/stdout",
    "/dev/fd/1",
    "/proc/self/fd/1",
    `/proc/${process.pid}/fd/1`,
    "/dev/../dev/fd/1",
  ];

  test.each(names)("%s", (name) => {
    expect(standardStreamOf(name)).toBe(1);
    expect(isStandardOutput(name)).toBe(true);
    const both = () => checkOutputs([{ flag: "--output", path: name }, jsonOutput("-")], new Set());
    expect(both).toThrow("--output and --json cannot both be standard output");
    const text = () => checkOutputs([jsonOutput("-"), profileOutput(name)], new Set());
    expect(text).toThrow("--json and --profile cannot both be standard output");
  });

  test("and so have the other two streams", () => {
    expect(["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].map(standardStreamOf)).toEqual([0, 0, 0]);
    expect(["/dev/stderr", "/dev/fd/2"].map(standardStreamOf)).toEqual([2, 2]);
    const others = ["-", "stdout", "/dev/fd/11", "/dev/fd/3", `/proc/${process.pid + 1}/fd/1`];
    for (const name of others) expect(standardStreamOf(name), name).toBe(undefined);
  });
});
