/** Errors of arguments begin with the function that the program called, and the command line cuts that name. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { writePng } from "../../src/data/index.ts";
import { CpuDevice } from "../../src/device/cpu-device.ts";
import { conditionsOf, evaluate } from "../../src/evaluate/index.ts";
import * as library from "../../src/node.ts";
import { textOf } from "../../src/picture/errors.ts";
import { noise, temporaryFolder } from "../data/support.ts";
import { root, runProgram } from "../support/run.ts";

library.setDefaultDevice(new CpuDevice("float32"));
const image = noise(8, 8, 3);
const bicubic = library.interpolator("bicubic", 2);
const planes = { width: 8, height: 8, channels: 3, data: new Float32Array(192) };
const luma = new Float32Array(64);
const tooLarge = "wren enlarges by 2, 3, 4, not by 8. Train one with that scale, or take an interpolation.";
const unknown =
  `waifu: there is no such method (${library.methodNames.join(", ")}), and as a weight file it cannot be read: ` +
  "there is no such file. Check the name or the path.";
const tooLittle =
  "bicubic looks 2 pixels far, so it works on at least 64 pixels at once here, and that takes 1 MiB; 0 MiB are allowed. " +
  "Allow more memory or take a smaller network.";
const half = "tile must be a whole number of at least 1, or left out, got 1.5.";
const zero = "scale must be a whole number of at least 1, got 0.";
const { interpolator, loadModel, loadPretrained, openMethod, readNetwork, upscale, upscaleBands } = library;

const calls: [caller: string, call: () => unknown, text: string][] = [
  ["openMethod", () => openMethod({ method: "wren", scale: 8 }), tooLarge],
  ["upscale", () => upscale(image, { method: "wren", scale: 8 }), tooLarge],
  ["upscaleBands", () => upscaleBands(image, { method: "wren", scale: 8 }), tooLarge],
  ["loadPretrained", () => loadPretrained("wren", { scale: 8 as 2 }), tooLarge],
  ["openMethod", () => openMethod({ method: "waifu" }), unknown],
  ["upscale", () => upscale(image, { method: "waifu" }), unknown],
  ["upscale", () => upscale(image, { method: "bicubic", maxMemory: 1 }), tooLittle],
  ["upscaleBands", () => upscaleBands(image, { method: "bicubic", maxMemory: 1 }), tooLittle],
  ["upscalePlanes", () => bicubic.upscalePlanes(planes, { maxMemory: 1 }), tooLittle],
  ["upscaleY", () => bicubic.upscaleY(luma, 8, 8, { maxMemory: 1 }), tooLittle],
  ["upscale", () => bicubic.upscale(image, { tile: 1.5 }), half],
  ["upscaleBands", () => upscaleBands(image, { method: "bicubic", tile: 1.5 }), half],
  ["upscalePlanes", () => bicubic.upscalePlanes(planes, { tile: 1.5 }), half],
  ["upscaleY", () => bicubic.upscaleY(luma, 8, 8, { tile: 1.5 }), half],
  ["upscaleBands", () => upscaleBands(image, { depth: 9 as 8 }), "depth must be 8 or 16, got 9."],
  ["interpolator", () => interpolator("bicubic", 7), "scale must be 1, 2, 3, 4 or 8, got 7."],
  ["loadModel", () => loadModel(new Uint8Array(9), "a.pth", { scale: 0 }), zero],
  ["readNetwork", () => readNetwork(new Uint8Array(9), "a.pth", { scale: 0 }), zero],
];

test.each(calls)("%s: a RangeError, %#", async (caller, call, text) => {
  const error = await (async () => call())().catch((reason: Error) => reason);
  expect(error).toBeInstanceOf(RangeError);
  expect(error).toMatchObject({ name: "RangeError", message: `${caller}: ${text}`, text });
});

test("a picture in memory has no file's name, so that its DataError begins with the function", async () => {
  const text = "a picture is { width, height, channels, data }, got 3.";
  await expect(bicubic.upscale(3 as never)).rejects.toMatchObject({ message: `upscale: ${text}`, text });
  const empty = "there are no pictures; name at least one.";
  await expect(evaluate(bicubic, [])).rejects.toMatchObject({ message: `evaluate: ${empty}`, text: empty });
  expect(() => conditionsOf(bicubic, [])).toThrow(`conditionsOf: ${empty}`);
});

test("what is no file of a name, however it looks, keeps its beginning", () => {
  expect(textOf(new library.DataError("upscale: is a strange name of a file"))).toBe(
    "upscale: is a strange name of a file",
  );
});

describe("the command line", () => {
  const folder = temporaryFolder();
  const input = join(folder, "a.png");
  const line = (...args: string[]) => runProgram(args, { env: { PIXELGRAD_ADAPTER: "cpu" } });

  test.each([
    [["-m", "waifu"], unknown],
    [
      ["-m", "bicubic", "-s", "2", "--width", "17"],
      "scale 2 makes 16 x 16 pixels of this picture, fewer than the 17 x 17 of its size. Take a smaller size, or a " +
        "larger scale: bicubic interpolation has up to 8.",
    ],
    [
      ["-m", "nearest", "--width", "65"],
      "scale 8 makes 64 x 64 pixels of this picture, fewer than the 65 x 65 of its size. Take a smaller size.",
    ],
    [
      ["--width", "65"],
      "scale 8 makes 64 x 64 pixels of this picture, fewer than the 65 x 65 of its size. Take a smaller size.",
    ],
  ])("upscale %j", async (flags, text) => {
    await writePng(input, image);
    const result = line("upscale", input, "-o", join(folder, "b.png"), ...flags);
    expect(await result).toMatchObject({ code: 1, stderr: `pixelgrad upscale: ${text}` });
  });
});

test("no RangeError is made with its caller in the text, where the command line could not cut it", () => {
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  const made = sources
    .filter((name) => name.endsWith(".ts"))
    .flatMap((name) => {
      const text = readFileSync(join(root, "src", name), "utf8");
      return [...text.matchAll(/new RangeError\(\s*["`](?:[a-z]\w*|\$\{(?:caller|op|call)\}): .*/g)].map(
        ([call]) => `${name}: ${call}`,
      );
    });
  expect(made).toEqual([]);
});
