/** What commands refuse to write over. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { checkOutputs, inputsOf, profileOutput } from "../../src/cli/outputs.ts";
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
