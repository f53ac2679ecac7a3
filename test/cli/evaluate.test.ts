/** `pixelgrad evaluate` and `pixelgrad compare` as a user runs them. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { compareCommand } from "../../src/cli/compare.ts";
import { evaluateCommand } from "../../src/cli/evaluate.ts";
import { type Command, type Flags, parseFlags, UsageError } from "../../src/cli/flags.ts";
import { readImage, writePng } from "../../src/data/files.ts";
import { EDSR, ESPCN, saveWeights, setDefaultDevice } from "../../src/index.ts";
import { Random } from "../../src/tensor/random.ts";
import { drawn, noise, temporaryFolder, testData } from "../data/support.ts";
import { float32Device } from "../support/devices.ts";
import { runFile } from "../support/run.ts";

const folder = temporaryFolder();
const path = (...parts: string[]) => join(folder, ...parts);
const pixelgrad = (...args: string[]) => runFile("src/cli/main.ts", args);
let edsrParameters = 0;

/** What a command, run in this process, fails with; main.test.ts shows how that ends the program. */
async function failure<F extends Flags>(command: Command<F>, args: readonly string[]): Promise<Error> {
  const run = async () => command.run(parseFlags(command, args), { signal: new AbortController().signal });
  return run().then(
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
    expect(result).toMatchObject({ parameters: 0, weights: null, lr: "made" });
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

  test("networks", async () => {
    const json = path("network.json");
    const args = ["--hr", path("hr"), "--lr", path("lr"), "--scale", "2", "--adapter", "cpu", "--json", json];
    const run = (method: string, file: string, ...more: string[]) =>
      pixelgrad("evaluate", ...args, "--method", method, "--weights", path(file), ...more);
    expect(await run("espcn", "espcn.safetensors")).toMatchObject({ code: 0, stderr: "" });
    const espcn = JSON.parse(readFileSync(json, "utf8"));
    expect(espcn).toMatchObject({
      method: "espcn",
      adapter: "cpu",
      colors: "y",
      lr: "files",
      weights: path("espcn.safetensors"),
    });
    expect(await run("edsr", "edsr.safetensors", "--protocol", "rgb", "--border", "3")).toMatchObject({
      code: 0,
    });
    const edsr = JSON.parse(readFileSync(json, "utf8"));
    expect(edsr).toMatchObject({
      method: "edsr",
      protocol: "rgb",
      border: 3,
      colors: "rgb",
      parameters: edsrParameters,
    });

    const wrong = await run("edsr", "espcn.safetensors");
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/espcn\.safetensors: these are weights of ESPCN, but edsr was asked for/);
    const scale = await pixelgrad(
      "evaluate",
      "--hr",
      path("hr"),
      "--scale",
      "3",
      "--method",
      "edsr",
      "--weights",
      path("edsr.safetensors"),
      "--adapter",
      "cpu",
    );
    expect(scale.code).toBe(1);
    expect(scale.stderr).toMatch(/these weights enlarge by 2, but --scale is 3/);
  });

  test("equal pictures have an infinite PSNR, which is null in JSON", async () => {
    const json = path("flat.json");
    const { code, stdout } = await pixelgrad("evaluate", "--hr", path("flat"), ...bicubic, "--json", json);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^flat +Infinity +1\.0000/m);
    expect(JSON.parse(readFileSync(json, "utf8")).mean).toMatchObject({ psnr: null, ssim: 1 });
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
    ["a missing partner", ["--hr", "hr", "--lr", "flat"], 1, /a\.png has no small version in .*flat/],
    [
      "sizes that do not fit",
      ["--hr", "hr", "--lr", "large"],
      1,
      /a\.png is 30x24, but at scale 2 .*must be 15x12/,
    ],
    ["transparency", ["--hr", "mixed"], 1, /mixed.b\.png: it has 4 channels/],
    ["too wide a border", ["--hr", "hr", "--border", "8"], 1, /a\.png: ssim: 14x8 pixels are left/],
    [
      "weights for interpolation",
      ["--hr", "hr", "--weights", "x"],
      2,
      /--weights is for networks, and bicubic is none/,
    ],
    ["an adapter for interpolation", ["--hr", "hr", "--adapter", "cpu"], 2, /--adapter is for networks/],
    [
      "a network without weights",
      ["--hr", "hr", "--method", "fsrcnn"],
      2,
      /fsrcnn needs weights for scale 2, and none come along/,
    ],
    [
      "weights that are missing",
      ["--hr", "hr", "--method", "edsr", "--weights", "no"],
      1,
      /no: cannot be read/,
    ],
    [
      "weights that are none",
      ["--hr", "hr", "--method", "edsr", "--weights", "hr/a.png", "--adapter", "cpu"],
      1,
      /a\.png is not a complete safetensors file/,
    ],
  ])("%s is refused with one paragraph, and no JSON", async (_, args, code, message) => {
    const json = path("bad.json");
    const given = args.map((arg) => (existsSync(path(arg)) ? path(arg) : arg));
    const method = args.includes("--method") ? ["--scale", "2"] : bicubic;
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
    expect(stderr).toMatch(/folder\.json: there is no folder/);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  });

  test("Ctrl-C stops it with exit code 130 and writes no JSON", async () => {
    const many = path("many");
    mkdirSync(many);
    for (let i = 100; i < 200; i++) await writePng(path("many", `${i}.png`), noise(200, 200, 3, i));
    const json = path("stopped.json");
    let sent = false;
    const { code, stdout, stderr } = await runFile(
      "src/cli/main.ts",
      ["evaluate", "--hr", many, ...bicubic, "--json", json],
      {
        onOutput: (_, signal) => {
          if (!sent) signal("SIGINT"); // a second one would end the program at once
          sent = true;
        },
      },
    );
    expect({ code, stderr }).toEqual({ code: 130, stderr: "Stopped." });
    expect(stdout).not.toMatch(/^mean/m);
    expect(existsSync(json)).toBe(false);
  });
});

describe("compare", () => {
  test("writes a table, a plot and details for all methods", async () => {
    const out = path("compared", "here");
    const weights = [`edsr=${path("edsr.safetensors")}`, `espcn=${path("espcn.safetensors")}`];
    const { code, stdout } = await pixelgrad(
      "compare",
      "--hr",
      path("hr"),
      "--scale",
      "2",
      "--out",
      out,
      "--adapter",
      "cpu",
      ...weights.flatMap((given) => ["--weights", given]),
    );
    expect(code).toBe(0);
    expect(readdirSync(out).sort()).toEqual([
      "compare.json",
      "compare.md",
      "details.png",
      "quality-speed.png",
      "quality-speed.svg",
    ]);
    const { methods } = JSON.parse(readFileSync(join(out, "compare.json"), "utf8"));
    const names = ["nearest", "bilinear", "bicubic", "edsr", "espcn"];
    expect(methods.map(({ method }: { method: string }) => method)).toEqual(names);
    const page = readFileSync(join(out, "compare.md"), "utf8");
    const plot = readFileSync(join(out, "quality-speed.svg"), "utf8");
    for (const { method, mean, conditions } of methods) {
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

  test("pictures without any error have no place in a plot", async () => {
    const out = path("perfect");
    const args = ["--hr", path("flat"), "--scale", "2", "--methods", "bicubic,bicubic", "--out", out];
    const signal = new AbortController().signal;
    await compareCommand.run(parseFlags(compareCommand, args), { signal });
    expect(readdirSync(out).sort()).toEqual(["compare.json", "compare.md", "details.png"]);
    expect(JSON.parse(readFileSync(join(out, "compare.json"), "utf8")).methods).toHaveLength(1);
    expect(readFileSync(join(out, "compare.md"), "utf8")).not.toContain("quality-speed");
  });

  test("the same network twice is told apart by its files; details can be left out", async () => {
    const out = path("twice");
    writeFileSync(path("other.safetensors"), readFileSync(path("edsr.safetensors")));
    const weights = [`edsr=${path("edsr.safetensors")}`, `edsr=${path("other.safetensors")}`];
    const { code } = await pixelgrad(
      "compare",
      "--hr",
      path("hr"),
      "--scale",
      "2",
      "--out",
      out,
      "--adapter",
      "cpu",
      "--methods",
      "bicubic,edsr",
      "--ensemble",
      "--details",
      "0",
      ...weights.flatMap((given) => ["--weights", given]),
    );
    expect(code).toBe(0);
    const { methods } = JSON.parse(readFileSync(join(out, "compare.json"), "utf8"));
    expect(methods.map(({ method }: { method: string }) => method)).toEqual([
      "bicubic",
      "edsr (edsr)",
      "edsr (other)",
      "edsr (edsr)+",
      "edsr (other)+",
    ]);
    const [, one, same, averaged] = methods;
    expect(one.mean.psnr).toBe(same.mean.psnr);
    expect(averaged.mean.psnr).not.toBe(one.mean.psnr);
    expect(existsSync(join(out, "details.png"))).toBe(false);
    expect(readFileSync(join(out, "compare.md"), "utf8")).not.toContain("details.png");
  });

  test.each([
    [["--methods", "bicubic,sinc"], 2, /--methods wants nearest, .* joined by commas, got "bicubic,sinc"/],
    [["--methods", "bicubic,fsrcnn"], 2, /fsrcnn needs weights for scale 2, and none come along/],
    [
      ["--methods", "bicubic", "--weights", "edsr=x"],
      2,
      /--weights names edsr, which is not among --methods/,
    ],
    [["--weights", "x.safetensors"], 2, /--weights wants METHOD=FILE/],
    [["--weights", "bicubic=x"], 2, /--weights wants METHOD=FILE/],
    [["--methods", "bicubic", "--adapter", "cpu"], 2, /--adapter is for networks/],
    [["--weights", "edsr=absent"], 1, /absent: cannot be read/],
  ])("%j is refused before anything is written", async (args, code, message) => {
    const out = path("refused");
    const error = await failure(compareCommand, ["--hr", path("hr"), "--scale", "2", "--out", out, ...args]);
    expect(error.message).toMatch(message);
    expect(error instanceof UsageError ? 2 : 1).toBe(code);
    expect(existsSync(out)).toBe(false);
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
