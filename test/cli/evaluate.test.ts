/** `pixelgrad evaluate` and `pixelgrad compare` as a user runs them. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { compareCommand } from "../../src/cli/compare.ts";
import { evaluateCommand } from "../../src/cli/evaluate.ts";
import { type Command, type Flags, parseFlags, UsageError } from "../../src/cli/flags.ts";
import { readImage, writePng } from "../../src/files/image-files.ts";
import { EDSR, ESPCN, saveWeights, setDefaultDevice } from "../../src/index.ts";
import { textOf } from "../../src/picture/errors.ts";
import { crop } from "../../src/picture/image.ts";
import { imresize } from "../../src/picture/imresize.ts";
import { Random } from "../../src/tensor/random.ts";
import { methodNames, scalesOf } from "../../src/upscale/method-names.ts";
import { drawn, noise, temporaryFolder, testData } from "../data/support.ts";
import { float32Device } from "../support/devices.ts";
import { runProgram } from "../support/run.ts";

const folder = temporaryFolder();
const path = (...parts: string[]) => join(folder, ...parts);
const pixelgrad = (...args: string[]) => runProgram(args);
let edsrParameters = 0;

/** Runs a command in this process. */
async function runHere<F extends Flags>(command: Command<F>, args: readonly string[]): Promise<void> {
  const signal = new AbortController().signal;
  await command.run(parseFlags(command, args), { program: "pixelgrad", signal });
}

/** What a command, run in this process, fails with; main.test.ts shows how that ends the program. */
async function failure<F extends Flags>(command: Command<F>, args: readonly string[]): Promise<Error> {
  return runHere(command, args).then(
    () => expect.unreachable("the command did not fail"),
    (error) => error,
  );
}

const bicubic = ["--scale", "2", "--method", "bicubic"];

beforeAll(async () => {
  for (const name of ["hr", "lr", "flat", "mixed"]) mkdirSync(path(name));
  await writePng(path("hr", "a.png"), noise(30, 24, 3, 1));
  await writePng(path("hr", "b.png"), noise(28, 33, 3, 2));
  await writePng(path("lr", "ax2.png"), noise(15, 12, 3, 3));
  await writePng(path("lr", "bx2.png"), noise(14, 16, 3, 4));
  await writePng(
    path("flat", "flat.png"),
    drawn(24, 24, 3, () => 90),
  );
  mkdirSync(path("large"));
  for (const name of ["a", "b"]) await writePng(path("large", `${name}.png`), noise(30, 24, 3, 1));
  await writePng(path("mixed", "a.png"), noise(30, 24, 3, 1));
  await writePng(path("mixed", "b.png"), noise(30, 24, 4, 1));
  setDefaultDevice(float32Device());
  const random = new Random(1);
  const edsr = new EDSR({ scale: 2, blocks: 1, channels: 4, random });
  edsrParameters = edsr.parameterCount();
  writeFileSync(path("edsr.safetensors"), await saveWeights(edsr));
  writeFileSync(path("espcn.safetensors"), await saveWeights(new ESPCN({ scale: 2, random })));
  writeFileSync(path("espcn3.safetensors"), await saveWeights(new ESPCN({ scale: 3, random })));
});

describe("evaluate", () => {
  test("prints each picture, the mean and the protocol, and writes the same as JSON", async () => {
    const json = path("bicubic.json");
    const { code, stdout, stderr } = await pixelgrad(
      "evaluate",
      "--hr",
      path("hr"),
      ...bicubic,
      "--json",
      json,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const result = JSON.parse(readFileSync(json, "utf8"));
    expect(result).toMatchObject({
      protocol: "y",
      method: "bicubic",
      scale: 2,
      border: 2,
      adapter: "JavaScript",
    });
    expect(result).toMatchObject({ parameters: 0, weights: null, lowSource: "made" });
    expect(result.images.map(({ name }: { name: string }) => name)).toEqual(["a", "b"]);
    for (const figures of [...result.images, result.mean]) {
      for (const key of ["psnr", "ssim", "ms"]) expect(figures[key]).toEqual(expect.any(Number));
    }
    const lines = stdout.split("\n");
    const row = (name: string, { psnr, ssim }: { psnr: number; ssim: number }) =>
      expect(lines).toContainEqual(
        expect.stringMatching(`^${name} +${psnr.toFixed(2)} +${ssim.toFixed(4)} +[\\d.]+$`),
      );
    row("a", result.images[0]);
    row("b", result.images[1]);
    row("mean", result.mean);
    expect(stdout).toContain(`bicubic x2: ${result.conditions}. Times: JavaScript`);
  });

  test("--json tells what could not be measured, also if that is all, and replaces older figures", async () => {
    mkdirSync(path("only-bad"));
    writeFileSync(path("only-bad", "a.png"), readFileSync(path("hr", "a.png")).subarray(0, 300));
    const json = path("only-bad.json");
    await runHere(evaluateCommand, ["--hr", path("hr"), ...bicubic, "--json", json]);
    const args = ["--hr", path("only-bad"), ...bicubic, "--json", json];
    expect((await failure(evaluateCommand, args)).message).toContain(
      "None of the pictures could be measured",
    );
    const failures = [{ name: "a", error: expect.stringContaining("a.png") }];
    expect(JSON.parse(readFileSync(json, "utf8"))).toEqual({
      ...{ method: "bicubic", scale: 2, images: [], failures, notes: [], leftOut: [] },
      ...{ ensemble: false, half: false, parameters: 0, weights: null, adapter: "JavaScript" },
    });
  });

  test("--json of a command that is stopped before the first picture says so", async () => {
    const json = path("stopped-at-once.json");
    await runHere(evaluateCommand, ["--hr", path("hr"), ...bicubic, "--json", json]);
    const values = parseFlags(evaluateCommand, ["--hr", path("hr"), ...bicubic, "--json", json]);
    const stopped = evaluateCommand.run(values, { program: "pixelgrad", signal: AbortSignal.abort() });
    await expect(stopped).rejects.toThrow("abort");
    expect(JSON.parse(readFileSync(json, "utf8"))).toMatchObject({ images: [], stopped: { of: 2 } });
  });

  test("networks", async () => {
    const json = path("network.json");
    const args = ["--hr", path("hr"), "--lr", path("lr"), "--scale", "2", "--adapter", "cpu", "--json", json];
    const run = (method: string, ...more: string[]) => pixelgrad("evaluate", ...args, "-m", method, ...more);
    expect(await run(path("espcn.safetensors"))).toMatchObject({ code: 0, stderr: "" });
    const espcn = JSON.parse(readFileSync(json, "utf8"));
    expect(espcn).toMatchObject({
      ...{ method: "ESPCN", adapter: "cpu", colors: "y", lowSource: "files" },
      weights: path("espcn.safetensors"),
    });
    expect(await run(path("edsr.safetensors"), "--protocol", "rgb", "--border", "3")).toMatchObject({
      code: 0,
    });
    const edsr = JSON.parse(readFileSync(json, "utf8"));
    expect(edsr).toMatchObject({
      ...{ method: "EDSR", protocol: "rgb", border: 3, colors: "rgb" },
      parameters: edsrParameters,
    });
    const { code, stdout } = await run("espcn", "--ensemble");
    expect(code).toBe(0);
    expect(stdout).toContain("\nespcn+ x2: ");
    const shipped = JSON.parse(readFileSync(json, "utf8"));
    expect(shipped).toMatchObject({ method: "espcn+", weights: "pretrained", ensemble: true, half: false });
    const inHalf = await run(path("edsr.safetensors"), "--protocol", "rgb", "--border", "3", "--half");
    expect(inHalf.code).toBe(0);
    expect(inHalf.stdout).toContain("Weights and feature maps as float16.");
    const half = JSON.parse(readFileSync(json, "utf8"));
    expect(half).toMatchObject({ method: "EDSR", half: true });
    expect(half.mean.psnr).not.toBe(edsr.mean.psnr);
    expect(Math.abs(half.mean.psnr - edsr.mean.psnr)).toBeLessThan(0.01);
  });

  test("a weight file knows its scale", async () => {
    const args = ["evaluate", "--hr", path("hr"), "--method", path("espcn3.safetensors"), "--adapter", "cpu"];
    const { code, stdout } = await pixelgrad(...args);
    expect(code).toBe(0);
    expect(stdout).toContain("\nESPCN x3: ");
    const other = await pixelgrad(...args, "--scale", "2");
    expect(other.code).toBe(1);
    expect(other.stderr).toMatch(/espcn3\.safetensors enlarges by 3, but scale 2 was asked for/);
  });

  test("equal pictures have an infinite PSNR, which is null in JSON", async () => {
    const json = path("flat.json");
    const { code, stdout } = await pixelgrad("evaluate", "--hr", path("flat"), ...bicubic, "--json", json);
    expect(stdout).toContain("All pictures are without any error, so there is no finite mean PSNR");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^flat +Infinity +1\.0000/m);
    expect(JSON.parse(readFileSync(json, "utf8")).mean).toMatchObject({ psnr: null, ssim: 1 });
  });

  test.each<[string, string[], RegExp]>([
    ["transparency", ["--hr", "mixed"], /mixed.b\.png: it has 4 channels/],
    [
      "too wide a border",
      ["--hr", "hr", "--border", "8"],
      /a\.png: SSIM needs at least 11x11 pixels, and a border of 8 leaves 14x8 of/,
    ],
  ])("%s of one picture does not stop the others", async (_, [hr, folder, ...others], message) => {
    const json = path("partly.json");
    const args = [hr, path(folder), ...others, ...bicubic, "--json", json];
    const { code, stdout, stderr } = await pixelgrad("evaluate", ...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/: not measured, for the reasons above\. All others were\.$/m);
    expect(stdout).toMatch(/^mean /m);
    const { images, failures, mean } = JSON.parse(readFileSync(json, "utf8"));
    expect(images).toHaveLength(1);
    expect(failures).toEqual([{ name: expect.any(String), error: expect.stringMatching(message) }]);
    expect(mean.psnr).toBe(images[0].psnr);
  });

  test("HR without LR is told and left out; the others are measured, with exit code 1", async () => {
    for (const name of ["gap-hr", "gap-lr"]) mkdirSync(path(name));
    for (const name of ["a", "b", "c"]) await writePng(path("gap-hr", `${name}.png`), noise(30, 24, 3, 1));
    for (const name of ["a", "c"]) await writePng(path("gap-lr", `${name}x2.png`), noise(15, 12, 3, 1));
    const [json, out] = [path("gap.json"), path("gap-out")];
    const flags = ["--hr", path("gap-hr"), "--lr", path("gap-lr"), "--scale", "2"];
    const message = /gap-hr.b\.png has no small version in .*gap-lr/;
    const check = ({ images, failures }: { images: { name: string }[]; failures: unknown }) => {
      expect(images.map(({ name }) => name)).toEqual(["a", "c"]);
      expect(failures).toEqual([{ name: "b", error: expect.stringMatching(message) }]);
    };
    const evaluated = await pixelgrad("evaluate", ...flags, "-m", "bicubic", "--json", json);
    expect(evaluated.code).toBe(1);
    expect(evaluated.stderr).toMatch(message);
    expect(evaluated.stderr).toMatch(/ b: not measured, for the reasons above\. All others were\.$/m);
    expect(evaluated.stdout).toMatch(/^mean /m);
    check(JSON.parse(readFileSync(json, "utf8")));
    const compared = await pixelgrad("compare", ...flags, "-m", "bicubic,nearest", "--out", out);
    expect(compared.code).toBe(1);
    expect(compared.stderr).toMatch(/ b: not measured, for the reasons above\. All others were\.$/m);
    for (const result of JSON.parse(readFileSync(join(out, "compare.json"), "utf8")).methods) check(result);
  });

  test.each<[string, string[], RegExp, RegExp]>([
    [
      "too small",
      ["--hr", "tiny"],
      /[tu]\.png: SSIM needs at least 11x11 pixels, and a border of 2 leaves 8x8 of/,
      /given\.$/,
    ],
    [
      "without partners",
      ["--hr", "hr", "--lr", "flat"],
      /[ab]\.png has no small version in .*flat: /,
      /hr has a small version of its own in .*flat, for the reasons above\.$/,
    ],
    [
      "of sizes that do not fit",
      ["--hr", "hr", "--lr", "large"],
      /[ab]\.png is 30x24, but at scale 2 .*must be (15x12|14x16)/,
      /given\.$/,
    ],
  ])("if all are %s, each reason is printed once", async (_, args, reason, end) => {
    mkdirSync(path("tiny"), { recursive: true });
    for (const name of ["t", "u"]) await writePng(path("tiny", `${name}.png`), noise(12, 12, 3, 1));
    const json = path("nothing.json");
    rmSync(json, { force: true });
    const given = args.map((arg) => (arg.startsWith("--") ? arg : path(arg)));
    const { code, stderr } = await pixelgrad("evaluate", ...given, ...bicubic, "--json", json);
    expect(code).toBe(1);
    const lines = stderr.trimEnd().split("\n");
    expect(lines).toEqual([reason, reason, end].map((line) => expect.stringMatching(line)));
    expect(lines[2]).toMatch(/^pixelgrad evaluate: None of the pictures /);
    const failures = lines.slice(0, 2).map((error) => ({ name: expect.any(String), error }));
    expect(JSON.parse(readFileSync(json, "utf8"))).toMatchObject({ images: [], failures, notes: [] });
  });

  test("--json - is standard output, where the JSON stands alone", async () => {
    const { code, stdout, stderr } = await pixelgrad(
      "evaluate",
      "--hr",
      path("hr"),
      ...bicubic,
      "--json",
      "-",
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout).images).toHaveLength(2);
    expect(stderr).toMatch(/^picture .*\nmean /ms);
    expect(existsSync("-")).toBe(false);
    const picture = path("hr", "a.png");
    const enlarged = path("enlarged.png");
    const args = ["upscale", picture, "-m", "bicubic", "--json", "-", "-o"];
    expect(JSON.parse((await pixelgrad(...args, enlarged)).stdout)).toMatchObject([{ output: enlarged }]);
    expect((await pixelgrad(...args, "/dev/stdout")).stderr).toContain(
      "--output and --json cannot both be standard output",
    );
    const { stderr: refused } = await pixelgrad(
      "upscale",
      picture,
      "-o",
      path("other.png"),
      "--profile",
      "-",
    );
    expect(refused).toContain("--profile - would be standard output, which is for video and --json");
  });

  test("LR made from HR that had been cut to a multiple of 12; what was cut is told", async () => {
    const json = path("cropped.json");
    for (const name of ["cut-hr", "cut-lr"]) mkdirSync(path(name));
    const high = noise(65, 52, 3, 5);
    await writePng(path("cut-hr", "p.png"), high);
    await writePng(path("cut-lr", "p_LRBI_x2.png"), imresize(crop(high, 0, 0, 60, 48), 0.5));
    const args = ["evaluate", "--hr", path("cut-hr"), ...bicubic, "--protocol", "rgb", "--json", json];
    const { code, stdout, stderr } = await pixelgrad(...args, "--lr", path("cut-lr"));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.match(/Cropped to fit: p \(HR 65x52 to 60x48\)\./g)).toHaveLength(1);
    const { images, mean } = JSON.parse(readFileSync(json, "utf8"));
    expect(images[0].cropped).toEqual({
      high: { from: { width: 65, height: 52 }, to: { width: 60, height: 48 } },
    });
    // The same as HR that was cut before.
    await writePng(path("cut-hr", "p.png"), crop(high, 0, 0, 60, 48));
    await pixelgrad(...args);
    const whole = JSON.parse(readFileSync(json, "utf8"));
    expect(whole.mean.psnr).toBe(mean.psnr);
    expect(whole.images[0].cropped).toBeUndefined();
  });

  test("--padding says what networks see beyond the edges; both are measured", async () => {
    const json = path("padding.json");
    const args = ["--hr", path("hr"), "-m", path("espcn.safetensors"), "--border", "0", "--json", json];
    const run = async (...more: string[]) => {
      await runHere(evaluateCommand, [...args, ...more]);
      return JSON.parse(readFileSync(json, "utf8"));
    };
    const [usual, none, mirror] = [
      await run(),
      await run("--padding", "none"),
      await run("--padding", "mirror"),
    ];
    expect(usual).toMatchObject({ padding: "none", mean: { psnr: none.mean.psnr } });
    expect(mirror).toMatchObject({ padding: "mirror" });
    expect(mirror.conditions).toContain("border 0, padding mirror; LR:");
    expect(mirror.mean.psnr).not.toBe(none.mean.psnr);
  });

  test("JSON is not written over a picture", async () => {
    const before = readFileSync(path("hr", "a.png"));
    const json = ["--json", path("hr", "..", "hr", "a.png")];
    const error = await failure(evaluateCommand, ["--hr", path("hr"), ...bicubic, ...json]);
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toMatch(/a\.png is an input; --json must name another place/);
    expect(readFileSync(path("hr", "a.png"))).toEqual(before);
  });

  test.each([
    [
      "small versions that are there and made",
      ["--hr", "hr", "--lr", "lr", "--degradation", "jpeg:60"],
      2,
      /--lr names small versions, and --degradation makes them/,
    ],
    ["an adapter for interpolation", ["--hr", "hr", "--adapter", "cpu"], 2, /--adapter is for networks/],
    [
      "an architecture that no network of the package is called",
      ["--hr", "hr", "--method", "edsr"],
      1,
      /edsr: there is no such method \(wren, .*edsr-small, .*\), and as a weight file it cannot be read/,
    ],
    [
      "a scale that a network lacks",
      ["--hr", "hr", "--method", "espcn", "--scale", "8"],
      2,
      /and --scale is 8/,
    ],
    ["the old flag for weights", ["--hr", "hr", "--weights", "x"], 2, /Unknown option '--weights'/],
    [
      "weights that are none",
      ["--hr", "hr", "--method", "hr/a.png", "--adapter", "cpu"],
      1,
      /a\.png: this is a picture, and a weight file \(safetensors, or PyTorch.s \.pth\) was wanted/,
    ],
  ])("%s is refused with one paragraph, and no JSON", async (_, args, code, message) => {
    const json = path("bad.json");
    const given = args.map((arg) => (existsSync(path(arg)) ? path(arg) : arg));
    const method = args.includes("--method") ? [] : bicubic;
    const error = await failure(evaluateCommand, [...given, ...method, "--json", json]);
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain("\n");
    expect(error instanceof UsageError ? 2 : 1).toBe(code);
    expect(existsSync(json)).toBe(false);
  });

  test("a folder for the JSON that is missing is noticed before anything is measured", async () => {
    const json = path("no", "folder.json");
    const { code, stdout, stderr } = await pixelgrad(
      "evaluate",
      "--hr",
      path("hr"),
      ...bicubic,
      "--json",
      json,
    );
    expect(stderr).toMatch(/folder\.json: cannot be written: there is no folder/);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  });

  test("Ctrl-C stops it with exit code 130; the text and JSON say of how many pictures they are", async () => {
    const many = path("many");
    mkdirSync(many);
    for (let i = 100; i < 200; i++) await writePng(path("many", `${i}.png`), noise(200, 200, 3, i));
    const json = path("stopped.json");
    let sent = false;
    const { code, stdout, stderr } = await runProgram(
      ["evaluate", "--hr", many, ...bicubic, "--json", json],
      {
        onOutput: (_, signal) => {
          if (!sent) signal("SIGINT"); // a second one would end the program at once
          sent = true;
        },
      },
    );
    expect({ code, stderr }).toEqual({ code: 130, stderr: "Stopped." });
    const { images, stopped } = JSON.parse(readFileSync(json, "utf8"));
    expect(stopped).toEqual({ of: 100 });
    expect(images.length).toBeLessThan(100);
    expect(stdout).toContain(`Stopped after ${images.length} of 100 pictures.`);
  });
});

describe("compare", () => {
  test("writes a table, a plot and details for all methods", async () => {
    const out = path("compared", "here");
    const files = [path("edsr.safetensors"), path("espcn.safetensors")];
    const methods = ["nearest", "bilinear", "bicubic", ...files].join(",");
    const args = ["--hr", path("hr"), "-m", methods, "--out", out, "--adapter", "cpu"];
    const { code, stdout } = await pixelgrad("compare", ...args);
    expect(code).toBe(0);
    expect(readdirSync(out).sort()).toEqual([
      "compare.json",
      "compare.md",
      "details.png",
      "quality-speed.png",
      "quality-speed.svg",
    ]);
    const results = JSON.parse(readFileSync(join(out, "compare.json"), "utf8")).methods;
    const names = ["nearest", "bilinear", "bicubic", "EDSR", "ESPCN"];
    expect(results.map(({ method }: { method: string }) => method)).toEqual(names);
    const page = readFileSync(join(out, "compare.md"), "utf8");
    const plot = readFileSync(join(out, "quality-speed.svg"), "utf8");
    for (const { method, mean, conditions } of results) {
      const figures = [mean.psnr.toFixed(2), mean.ssim.toFixed(4)];
      expect(page).toContain(`| ${method} | ${figures.join(" | ")} |`);
      expect(stdout).toMatch(new RegExp(`^${method} +${figures.join(" +")} `, "m"));
      expect(page).toContain(conditions);
      expect(stdout).toContain(conditions);
      expect(plot).toContain(`aria-label="${method}"`);
    }
    // A row of seven panels for each of two pictures.
    const { width, height } = await readImage(join(out, "details.png"));
    expect(width).toBeGreaterThan(7 * 100);
    expect(height).toBeGreaterThan(2 * 100);
  });

  test("replaces files of a comparison, and no others", async () => {
    const out = path("foreign");
    mkdirSync(out);
    for (const name of ["compare.md", "details.png", "notes.txt"]) writeFileSync(join(out, name), "mine");
    const args = ["--hr", path("flat"), "--scale", "2", "--methods", "bicubic", "--out", out];
    await expect(runHere(compareCommand, args)).rejects.toThrow(
      /already holds files called compare\.md and details\.png, of no comparison/,
    );
    writeFileSync(join(out, "compare.json"), '{"mine": 1}');
    await expect(runHere(compareCommand, args)).rejects.toThrow("compare.json");
    for (const name of ["compare.md", "details.png"])
      expect(readFileSync(join(out, name), "utf8")).toBe("mine");
    for (const name of ["compare.md", "compare.json", "details.png"]) rmSync(join(out, name));
    await runHere(compareCommand, args);
    await runHere(compareCommand, args);
    expect(readFileSync(join(out, "compare.md"), "utf8")).toContain("bicubic");
  });

  test("pictures without any error have no place in a plot", async () => {
    const out = path("perfect");
    const args = ["--hr", path("flat"), "--scale", "2", "--methods", "bicubic,bicubic", "--out", out];
    await runHere(compareCommand, args);
    expect(readdirSync(out).sort()).toEqual(["compare.json", "compare.md", "details.png"]);
    expect(JSON.parse(readFileSync(join(out, "compare.json"), "utf8")).methods).toHaveLength(1);
    expect(readFileSync(join(out, "compare.md"), "utf8")).not.toContain("quality-speed");
  });

  test("a folder that was made for nothing goes again", async () => {
    mkdirSync(path("all-bad"));
    writeFileSync(path("all-bad", "a.png"), readFileSync(path("hr", "a.png")).subarray(0, 300));
    const out = path("around", "nothing");
    const args = ["--hr", path("all-bad"), "-s", "2", "-m", "bicubic", "--out", out];
    expect((await failure(compareCommand, args)).message).toContain(
      "no picture that all methods could measure",
    );
    expect(existsSync(path("around"))).toBe(false);
  });

  test("new figures are not beside drawings of an earlier comparison", async () => {
    const out = path("drawn-before");
    const compare = (set: string, ...more: string[]) =>
      runHere(compareCommand, ["--hr", path(set), "-s", "2", "-m", "bicubic", "--out", out, ...more]);
    const figures = ["compare.json", "compare.md"];
    await compare("hr");
    expect(readdirSync(out)).toHaveLength(5);
    await compare("flat");
    expect(readdirSync(out).sort()).toEqual([...figures, "details.png"]);
    await compare("flat", "--details", "0");
    expect(readdirSync(out).sort()).toEqual(figures);
  });

  test("methods: spaces behind commas, a flag for each, and a file with a comma in its name", async () => {
    const file = path("with, comma.safetensors");
    copyFileSync(path("espcn.safetensors"), file);
    const args = ["--hr", path("hr"), "--scale", "2", "--details", "0", "--border", "0"];
    const methodsOf = async (...names: string[]) => {
      const out = path(`listed-${names.length}`);
      await runHere(compareCommand, [...args, "--out", out, ...names.flatMap((name) => ["-m", name])]);
      const { methods } = JSON.parse(readFileSync(join(out, "compare.json"), "utf8"));
      return methods.map(({ method }: { method: string }) => method);
    };
    expect(await methodsOf("bicubic, nearest")).toEqual(["bicubic", "nearest"]);
    expect(await methodsOf("nearest,bicubic", "bicubic", file)).toEqual(["nearest", "bicubic", "ESPCN"]);
  });

  test("what the files have is the same for all methods, whatever fails", async () => {
    const [out, set] = [path("counted"), path("counted-hr")];
    mkdirSync(set);
    await writePng(join(set, "a.png"), noise(30, 24, 3, 1));
    await writePng(join(set, "small.png"), noise(12, 12, 3, 1));
    const deep = Uint16Array.from({ length: 3 * 30 * 24 }, (_, i) => 50 * (i % 1000));
    const picture = sharp(deep, { raw: { width: 30, height: 24, channels: 3 } }).toColourspace("rgb16");
    await picture.png().toFile(join(set, "deep.png"));
    await pixelgrad("compare", "--hr", set, "--scale", "2", "-m", "bicubic,nearest", "--out", out);
    const { methods } = JSON.parse(readFileSync(join(out, "compare.json"), "utf8"));
    const text = "1 of 3 files has 16 bits per sample, of which the upper 8 are used: deep.png";
    expect(methods.map(({ notes }: { notes: unknown }) => notes)).toEqual([
      [{ kind: "depth", text }],
      [{ kind: "depth", text }],
    ]);
  });

  test("--out that is a file, and a method that is none, in words", async () => {
    const args = ["--hr", path("hr"), "--scale", "2", "-m"];
    const error = await failure(compareCommand, [...args, "bicubic", "--out", path("espcn.safetensors")]);
    expect(error.message).toBe(
      `${path("espcn.safetensors")}: this folder cannot be made: there is a file of this name. Name another one with --out.`,
    );
    const within = join(path("espcn.safetensors"), "x");
    const below = await failure(compareCommand, [...args, "bicubic", "--out", within]);
    expect(below.message).toContain("this folder cannot be made: a part of its path is a file.");
    const unknown = await failure(compareCommand, [...args, "nope", "--out", path("none")]);
    expect(textOf(unknown)).toMatch(
      /^nope: there is no such method \(.*cannot be read: there is no such file\. Check/,
    );
  });

  test("bad pictures and a network that has diverged do not stop the others", async () => {
    const [out, set] = [path("partly"), path("partly-hr")];
    mkdirSync(set);
    await writePng(join(set, "a.png"), noise(30, 24, 3, 1));
    await writePng(join(set, "a.webp.png"), noise(31, 24, 3, 1));
    await writePng(join(set, "small.png"), noise(12, 12, 3, 1));
    writeFileSync(join(set, "damaged.png"), readFileSync(join(set, "a.png")).subarray(0, 300));
    mkdirSync(join(set, "d.png"));
    const flat = drawn(24, 24, 3, () => 90);
    await writePng(join(set, "flat.png"), flat);
    setDefaultDevice(float32Device());
    const random = new Random(1);
    const broken = new EDSR({ scale: 2, blocks: 1, channels: 2, random });
    for (const parameter of broken.parameters()) {
      parameter.assign(Float32Array.from({ length: parameter.size }, (_, i) => (i % 2 ? 1e30 : -1e30)));
    }
    writeFileSync(path("diverged.safetensors"), await saveWeights(broken));
    const methods = ["bicubic", path("diverged.safetensors"), path("espcn.safetensors")].join(",");
    const args = ["compare", "--hr", set, "-m", methods, "--out", out, "--adapter", "cpu"];
    const { code, stderr } = await pixelgrad(...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(/small\.png: SSIM needs at least 11x11 pixels, and a border of 2 leaves 8x8 of/);
    expect(stderr).toMatch(/damaged\.png: .* cannot be decoded/);
    expect(stderr).toMatch(/partly-hr.a\.png: .*has diverged/);
    expect(stderr).toMatch(/ EDSR, small, damaged: not measured/);
    const results = JSON.parse(readFileSync(join(out, "compare.json"), "utf8")).methods;
    expect(results.map(({ method }: { method: string }) => method)).toEqual(["bicubic", "ESPCN"]);
    for (const { images, failures, exact, mean, leftOut } of results) {
      expect(leftOut).toEqual([expect.stringMatching(/: left out d\.png \(a folder\)$/)]);
      expect(images.map(({ name }: { name: string }) => name)).toEqual(["a", "a.webp", "flat"]);
      expect(failures.map(({ name }: { name: string }) => name)).toEqual(["small", "damaged"]);
      // Bicubic enlarges it without error, so it is in no mean, as the means would not compare.
      expect(exact).toEqual(["flat"]);
      expect(mean.psnr).toBeCloseTo((images[0].psnr + images[1].psnr) / 2, 12);
    }
    expect(readFileSync(join(out, "compare.md"), "utf8")).toContain("Not measured: small, damaged");
  });

  test("pictures that differ by their extension alone have names of their own", async () => {
    const [out, set] = [path("twins"), path("twins-hr")];
    mkdirSync(set);
    await writePng(join(set, "a.png"), noise(30, 24, 3, 1));
    await writePng(path("other.png"), noise(30, 24, 3, 2));
    renameSync(path("other.png"), join(set, "a.jpg")); // its bytes say what it is
    await runHere(compareCommand, ["--hr", set, "--scale", "2", "-m", "nearest,bicubic", "--out", out]);
    const results = JSON.parse(readFileSync(join(out, "compare.json"), "utf8")).methods;
    for (const { images } of results) {
      expect(images.map(({ name }: { name: string }) => name)).toEqual(["a.jpg", "a.png"]);
      expect(images[0].psnr).not.toBe(images[1].psnr);
    }
  });

  test("the same network twice is told apart by its files; details can be left out", async () => {
    const out = path("twice");
    writeFileSync(path("other.safetensors"), readFileSync(path("edsr.safetensors")));
    const chosen = ["bicubic", path("edsr.safetensors"), path("other.safetensors")].join(",");
    const args = ["--hr", path("hr"), "--out", out, "--adapter", "cpu", "--methods", chosen];
    const { code } = await pixelgrad("compare", ...args, "--ensemble", "--details", "0");
    expect(code).toBe(0);
    const { methods } = JSON.parse(readFileSync(join(out, "compare.json"), "utf8"));
    expect(methods.map(({ method }: { method: string }) => method)).toEqual([
      "bicubic",
      "EDSR (edsr)",
      "EDSR (edsr)+",
      "EDSR (other)",
      "EDSR (other)+",
    ]);
    const [, one, averaged, same] = methods;
    expect(one.mean.psnr).toBe(same.mean.psnr);
    expect(averaged.mean.psnr).not.toBe(one.mean.psnr);
    expect(existsSync(join(out, "details.png"))).toBe(false);
    expect(readFileSync(join(out, "compare.md"), "utf8")).not.toContain("details.png");
  });

  test("--half measures each network a second time, stored as float16", async () => {
    const args = ["--hr", path("hr"), "--out", path("halves"), "--details", "0", "-g", "cpu", "--half", "-x"];
    await runHere(compareCommand, [...args, "-m", `bicubic,${path("edsr.safetensors")}`]);
    const { methods } = JSON.parse(readFileSync(path("halves", "compare.json"), "utf8"));
    const list = methods.map(({ method, half, ensemble }: Record<string, unknown>) => [
      method,
      half,
      ensemble,
    ]);
    expect(list).toEqual([
      ["bicubic", false, false],
      ["EDSR", false, false],
      ["EDSR+", false, true],
      ["EDSR (half)", true, false],
      ["EDSR (half)+", true, true],
    ]);
    const [, full, , half] = methods;
    expect(half.mean.psnr).not.toBe(full.mean.psnr);
    expect(Math.abs(half.mean.psnr - full.mean.psnr)).toBeLessThan(0.01);
    expect(readFileSync(path("halves", "compare.md"), "utf8")).toContain("| EDSR (half) |");
  });

  test("names follow the scale of a file, and are told from it by its name, else by its path", async () => {
    const run = async (methods: string[], ...more: string[]) => {
      const args = ["--hr", path("hr"), "--out", path("named"), "--details", "0", "-g", "cpu", ...more];
      await runHere(compareCommand, [...args, "-m", methods.join(",")]);
      const { methods: results } = JSON.parse(readFileSync(path("named", "compare.json"), "utf8"));
      return results.map(({ method, scale }: { method: string; scale: number }) => `${method} x${scale}`);
    };
    const file = path("espcn3.safetensors");
    expect(await run(["bicubic", file])).toEqual(["bicubic x3", "ESPCN x3"]);
    expect(await run(["espcn", file])).toEqual(["espcn (pretrained) x3", "ESPCN (espcn3) x3"]);
    const twin = path("twin", "espcn3.safetensors");
    mkdirSync(path("twin"));
    writeFileSync(twin, readFileSync(file));
    expect(await run([file, twin])).toEqual([`ESPCN (${file}) x3`, `ESPCN (${twin}) x3`]);
  });

  test("by default all methods that have the scale", async () => {
    const out = path("all");
    const args = ["--hr", path("hr"), "--out", out, "--details", "0"];
    for (const [scale, names] of [
      ["8", ["nearest", "bilinear", "bicubic"]],
      ["4", methodNames.filter((name) => scalesOf(name).includes(4)).reverse()],
    ] as const) {
      await runHere(compareCommand, [...args, "--scale", scale, "--border", "0"]);
      const { methods } = JSON.parse(readFileSync(join(out, "compare.json"), "utf8"));
      expect(methods.map(({ method }: { method: string }) => method)).toEqual(names);
    }
  });

  test.each([
    [
      ["--methods", "bicubic,sinc"],
      1,
      /sinc: there is no such method \(wren, .*edsr-small, .*it cannot be read/,
    ],
    [["--methods", ","], 2, /--methods wants methods, separated by commas/],
    [["--methods", "bicubic", "--adapter", "cpu"], 2, /--adapter is for networks/],
    [["--methods", "bicubic", "--ensemble"], 2, /--ensemble is for networks/],
    [["--methods", "bicubic,nearest", "--half"], 2, /--half is for networks, and bicubic, nearest/],
    [["--weights", "edsr=x"], 2, /Unknown option '--weights'/],
  ])("%j is refused before anything is written", async (args, code, message) => {
    const out = path("refused");
    const error = await failure(compareCommand, ["--hr", path("hr"), "--scale", "2", "--out", out, ...args]);
    expect(error.message).toMatch(message);
    expect(error instanceof UsageError ? 2 : 1).toBe(code);
    expect(existsSync(out)).toBe(false);
  });

  test("results do not go among the pictures, where the next run would measure its plots", async () => {
    const before = readdirSync(path("hr"));
    const args = ["--hr", path("hr"), "--scale", "2", "--methods", "bicubic", "--out", `${path("hr")}/`];
    expect((await failure(compareCommand, args)).message).toMatch(/--out .* is the folder of the pictures/);
    expect(readdirSync(path("hr"))).toEqual(before);
  });
});

const set5 = testData("set5");
test.skipIf(set5 === undefined)(
  "Set5 x3 from the command line has the published 30.39 dB and 0.8682",
  async () => {
    const { code, stdout } = await pixelgrad(
      "evaluate",
      "--hr",
      join(set5!, "HR"),
      "--scale",
      "3",
      "--method",
      "bicubic",
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^mean +30\.39 +0\.8682 /m);
  },
);

describe("--degradation", () => {
  const figuresOf = async (json: string, ...args: string[]) => {
    await runHere(evaluateCommand, [
      "--hr",
      path("hr"),
      "--method",
      "bicubic",
      "--json",
      path(json),
      ...args,
    ]);
    return JSON.parse(readFileSync(path(json), "utf8"));
  };

  test("makes LR, at scale 1 too; figures state it, and come out the same again", async () => {
    for (const scale of ["1", "2"]) {
      for (const [i, how] of ["jpeg:20", "noise:10", "blur:1.2", "photo"].entries()) {
        const made = await figuresOf(`d${i}.json`, "--scale", scale, "--degradation", how);
        expect(made).toMatchObject({ lowSource: "degraded", degradation: how });
        expect(made.conditions).toMatch(new RegExp(`LR: .*the large pictures, degraded by ${how}$`));
        const again = await figuresOf(`e${i}.json`, "--scale", scale, "--degradation", how);
        expect(again.images.map(({ psnr }: { psnr: number }) => psnr)).toEqual(
          made.images.map(({ psnr }: { psnr: number }) => psnr),
        );
      }
    }
  });

  test("more noise, more blur and less quality cost decibels", async () => {
    const psnr = async (how: string) =>
      (await figuresOf("f.json", "--scale", "1", "--protocol", "rgb", "--degradation", how)).mean.psnr;
    expect(await psnr("noise:20")).toBeLessThan(await psnr("noise:10"));
    expect(await psnr("blur:1.2")).toBeLessThan(await psnr("blur:0.6"));
    expect(await psnr("jpeg:20")).toBeLessThan(await psnr("jpeg:80"));
    // Noise of 10 levels has a mean square of 100, but for what is cut off at black and white.
    expect(Math.abs((await psnr("noise:10")) - 20 * Math.log10(255 / 10))).toBeLessThan(0.5);
  });
});
