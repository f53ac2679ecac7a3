/** The training example as its users start it: what it leaves behind, and how it fails. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { parseOptions } from "../../examples/support/options.ts";
import { imresize, readImage, writePng } from "../../src/data/index.ts";
import { parseSafetensors } from "../../src/nn/index.ts";
import { type RunOptions, runCode, runFile } from "../support/run.ts";

const temporary = mkdtempSync(join(tmpdir(), "pixelgrad-train-"));
afterAll(() => rmSync(temporary, { recursive: true }));

let folders = 0;
/** A path inside the temporary folder that nothing has yet. */
const unused = () => join(temporary, `folder-${++folders}`);

const small = [
  "--steps",
  "4",
  "--blocks",
  "1",
  "--channels",
  "4",
  "--batch",
  "2",
  "--patch",
  "8",
  "--eval-every",
  "2",
];
const train = (args: string[], options: RunOptions = {}) =>
  runFile("examples/train-edsr.ts", [...small, ...args], {
    ...options,
    env: { DEBUG: undefined, ...options.env },
  });

/** A picture with some structure; `k` makes it another one. */
function picture(k: number, width = 40, height = 36) {
  const data = new Uint8Array(3 * width * height);
  for (let i = 0; i < data.length; i++) {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    data[i] = 128 + 100 * Math.sin((x * (k + 1) + (i % 3)) / 5) * Math.cos(y / (3 + k));
  }
  return { width, height, channels: 3 as const, data };
}

async function picturesIn(folder: string, count: number): Promise<string> {
  mkdirSync(folder, { recursive: true });
  for (let k = 0; k < count; k++) await writePng(join(folder, `${k}.png`), picture(k));
  return folder;
}

/** A folder in DIV2K's layout with two pictures to train on and one held out. */
async function div2k(): Promise<string> {
  const root = unused();
  for (const [split, ids] of [
    ["train", ["0001", "0002"]],
    ["valid", ["0801"]],
  ] as const) {
    const [hr, lr] = [join(root, `DIV2K_${split}_HR`), join(root, `DIV2K_${split}_LR_bicubic`, "X2")];
    for (const folder of [hr, lr]) mkdirSync(folder, { recursive: true });
    for (const id of ids) {
      const large = picture(Number(id));
      await writePng(join(hr, `${id}.png`), large);
      await writePng(join(lr, `${id}x2.png`), imresize(large, { width: 20, height: 18 }));
    }
  }
  return root;
}

let data: string;
beforeAll(async () => {
  data = await picturesIn(unused(), 3);
});

/** The whole of what stood on stderr is one paragraph, and no folder was made. */
function expectRefused(
  { code, stderr }: { code: number | null; stderr: string },
  out: string,
  message: RegExp,
): void {
  expect(stderr).toMatch(message);
  expect(stderr.split("\n"), stderr).toHaveLength(1);
  expect(code).toBe(1);
  expect(existsSync(out)).toBe(false);
}

describe("a training", () => {
  const out = unused();

  test("leaves weights, a log and pictures", async () => {
    const { code, stdout, stderr } = await train(["--data", data, "--out", out]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(readdirSync(out).sort()).toEqual([
      "best.safetensors",
      "comparison.png",
      "curves.png",
      "curves.svg",
      "last.safetensors",
      "log.jsonl",
    ]);
    expect(stdout).toMatch(/^Adapter: /);
    expect(stdout).toContain(`Results: ${out}/`);
    expect(stdout).toMatch(/Best: [\d.]+ dB at step [24]/);

    const { tensors, metadata } = parseSafetensors(readFileSync(join(out, "last.safetensors")));
    expect(metadata).toMatchObject({
      architecture: "EDSR",
      scale: "2",
      blocks: "1",
      channels: "4",
      step: "4",
    });
    expect(tensors.get("head.0.weight")!.shape).toEqual([4, 3, 3, 3]);
    const lines = readFileSync(join(out, "log.jsonl"), "utf8").trim().split("\n");
    const log = lines.map((line) => JSON.parse(line));
    expect(log[0]).toMatchObject({ options: { steps: 4, blocks: 1, data } });
    expect(log.filter(({ loss }) => loss !== undefined).map(({ step }) => step)).toEqual([1, 4]);
    expect(log.filter(({ psnr }) => psnr !== undefined).map(({ step }) => step)).toEqual([2, 4]);
    expect((await readImage(join(out, "comparison.png"))).width).toBeGreaterThan(500);
    expect((await readImage(join(out, "curves.png"))).width).toBeGreaterThan(500);
    expect(readFileSync(join(out, "curves.svg"), "utf8")).toMatch(/^<svg[\s\S]*<\/svg>\s*$/);
  });

  test("does not overwrite another one", async () => {
    const before = readdirSync(out).map((file) => readFileSync(join(out, file)));
    const { code, stderr } = await train(["--data", data, "--out", out]);
    expect(stderr).toBe(
      `${out} already holds a training (log.jsonl). Name another folder with --out, or remove this one.`,
    );
    expect(code).toBe(1);
    expect(readdirSync(out).map((file) => readFileSync(join(out, file)))).toEqual(before);
  });

  test("with pictures in DIV2K's layout", async () => {
    const out = unused();
    const { code, stdout } = await train(["--data", await div2k(), "--out", out, "--eval-every", "4"]);
    expect(stdout).toContain("2 pictures, 1 held out");
    expect(code).toBe(0);
    expect(existsSync(join(out, "comparison.png"))).toBe(true);
  });

  test.each([
    ["the present adapter", []],
    ["cpu", ["--adapter", "cpu"]],
  ] as const)("stopped with Ctrl-C saves what it has learned, on %s", async (_, adapter) => {
    const out = unused();
    let sent = false;
    const { code, stdout, stderr } = await train(
      [...adapter, "--data", data, "--out", out, "--steps", "1000000", "--eval-every", "1000000"],
      {
        onOutput(stdout, signal) {
          if (sent || !stdout.includes("Results:")) return;
          sent = true;
          signal("SIGINT");
        },
      },
    );
    expect({ code, stderr }).toEqual({ code: 130, stderr: "" });
    const [, step] = /Stopped at step (\d+) of 1000000\. What it had learned/.exec(stdout)!;
    expect(readdirSync(out).sort()).toEqual(["curves.png", "curves.svg", "last.safetensors", "log.jsonl"]);
    const { metadata } = parseSafetensors(readFileSync(join(out, "last.safetensors")));
    expect(metadata.step).toBe(step);
    for (const line of readFileSync(join(out, "log.jsonl"), "utf8").trim().split("\n")) JSON.parse(line);
  });
});

describe("a wrong command line", () => {
  test.each([
    [["--steps", "0"], '--steps wants a whole number above 0, got "0"'],
    [["--steps", "1.5"], '--steps wants a whole number above 0, got "1.5"'],
    [["--batch", "many"], '--batch wants a whole number above 0, got "many"'],
    [["--lr", "Infinity"], '--lr wants a number above 0, got "Infinity"'],
    [["--lr=-1"], '--lr wants a number above 0, got "-1"'],
    [["--scale", "5"], '--scale wants 2, 3, 4 or 8, got "5"'],
    [["--seed", "x"], '--seed wants a whole number, got "x"'],
    [["--colour", "red"], "Unknown option '--colour'"],
    [["picture.png"], "Unexpected argument 'picture.png'"],
    [["--steps", "--blocks", "2"], "Option '--steps' argument is ambiguous. Did you forget"],
  ])("%o", (args, message) => {
    const told = vi.spyOn(console, "error").mockReturnValue();
    const exit = vi.spyOn(process, "exit").mockImplementation((code) => {
      throw new Error(`exit ${code}`);
    });
    try {
      expect(() => parseOptions(args)).toThrow("exit 2");
      expect(told).toHaveBeenCalledOnce();
      const [text] = told.mock.calls[0];
      expect(text).toContain(`train:edsr: ${message}`);
      expect(text).toMatch(/^[^\n]*[^.]\. Run it with --help for all flags\.$/);
    } finally {
      told.mockRestore();
      exit.mockRestore();
    }
  });

  test("ends with exit code 2; --help tells all flags", async () => {
    const out = unused();
    const [wrong, help] = await Promise.all([train(["--out", out, "--steps", "0"]), train(["--help"])]);
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toMatch(/^train:edsr: --steps wants/);
    expect(existsSync(out)).toBe(false);
    expect(help).toMatchObject({ code: 0, stderr: "" });
    for (const flag of ["--steps", "--data", "--out", "--adapter"]) expect(help.stdout).toContain(flag);
  });
});

describe("what cannot work ends with one paragraph, exit code 1 and no folder", () => {
  test("a folder without pictures, with one, and none at all", async () => {
    const [empty, single, missing, out] = [unused(), unused(), unused(), unused()];
    mkdirSync(empty);
    await picturesIn(single, 1);
    const runs = [empty, single, missing].map((folder) => train(["--data", folder, "--out", out]));
    const [first, second, third] = await Promise.all(runs);
    expectRefused(first, out, /^\S*folder-\d+: there are no pictures .* in this folder\.$/);
    expectRefused(second, out, /^\S*folder-\d+: it has one picture, and training needs at least two/);
    expectRefused(third, out, /^\S*folder-\d+: there is no such folder\. Check the path\.$/);
  });

  test("a picture that was cut short, to train on or held out; one that is smaller than a patch", async () => {
    const out = unused();
    const broken = async (name: string, length: number) => {
      const folder = await picturesIn(unused(), 3);
      const path = join(folder, name);
      writeFileSync(path, readFileSync(path).subarray(0, length));
      return train(["--data", folder, "--out", out]);
    };
    const tiny = await picturesIn(unused(), 3);
    await writePng(join(tiny, "0.png"), picture(0, 12, 30));
    const [first, last, small] = await Promise.all([
      broken("0.png", 300),
      broken("2.png", 1000),
      train(["--data", tiny, "--out", out]),
    ]);
    expectRefused(first, out, /\/0\.png: this PNG picture of 300 bytes cannot be decoded .* leave it out\.$/);
    expectRefused(last, out, /\/2\.png: this PNG picture of 1000 bytes cannot be decoded .* leave it out\.$/);
    expectRefused(small, out, /\/0\.png: a patch of 8x8 does not fit into the LR picture of 6x15/);
  });

  test("DIV2K with a small picture of another size, and without one", async () => {
    const [root, incomplete, out] = [await div2k(), await div2k(), unused()];
    const lr = (folder: string, id: string) => join(folder, "DIV2K_train_LR_bicubic", "X2", `${id}x2.png`);
    await writePng(lr(root, "0002"), picture(1, 19, 18));
    rmSync(lr(incomplete, "0001"));
    const [mismatch, missing, otherScale] = await Promise.all([
      train(["--data", root, "--out", out]),
      train(["--data", incomplete, "--out", out]),
      train(["--data", root, "--out", out, "--scale", "4"]),
    ]);
    expectRefused(mismatch, out, /\/0002x2\.png is 19x18, but at scale 2 .* must be 20x18\./);
    expectRefused(
      missing,
      out,
      /^1 of 2 pictures .* have no small version, the first being \S*\/0001x2\.png\. Unpack/,
    );
    expectRefused(otherScale, out, /DIV2K_train_LR_bicubic\/X4: there is no such folder\. Unpack/);
  });

  test("an adapter that does not exist", async () => {
    const out = unused();
    const named = train(["--data", data, "--out", out, "--adapter", "nonsense"]);
    const env = {
      PIXELGRAD_ADAPTER: "nonsense",
      VK_ICD_FILENAMES: "/nonexistent",
      XDG_CACHE_HOME: temporary,
    };
    const byVariable = train(["--data", data, "--out", out], { env });
    for (const { code, stderr, stdout } of await Promise.all([named, byVariable])) {
      // Dawn writes what it found, too.
      const own = stderr.split("\n").filter((line) => line.startsWith("No WebGPU adapter"));
      expect(own).toHaveLength(1);
      expect(own[0]).toMatch(
        /^No WebGPU adapter fits "nonsense"\. .* use adapter "cpu" \(PIXELGRAD_ADAPTER=cpu\)\.$/,
      );
      expect(stderr).not.toMatch(/\.ts:\d+/); // no stack
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    }
    expect(existsSync(out)).toBe(false);
  });

  test("a results folder that is a file", async () => {
    const file = unused();
    copyFileSync(join(data, "0.png"), file);
    const { code, stderr } = await train(["--data", data, "--out", file]);
    expect(stderr).toBe(`${file} is a file, and results go into a folder. Name another one with --out.`);
    expect(code).toBe(1);
  });

  test("a bug keeps its stack, and a promise that nobody awaits is heard of", async () => {
    const run = (line: string) =>
      runCode(`import { reportErrors } from "./examples/support/errors.ts"; reportErrors(); ${line}`, {
        env: { DEBUG: undefined },
      });
    const [bug, promise] = await Promise.all([
      run("undefined.length;"),
      run('Promise.reject(new Error("told")); setTimeout(() => console.log("never"), 1000);'),
    ]);
    expect(bug).toMatchObject({ code: 1, stdout: "" });
    expect(bug.stderr).toMatch(/^TypeError: [\s\S]*\n {4}at /);
    expect(promise).toEqual({ code: 1, stdout: "", stderr: "told" });
  });

  test("DEBUG shows where it happened", async () => {
    const { code, stderr } = await train(["--data", unused()], { env: { DEBUG: "1" } });
    expect(stderr).toMatch(/DataError: .*there is no such folder[\s\S]*at .*folder\.ts/);
    expect(code).toBe(1);
  });

  test("a training that diverges says what to do", async () => {
    const out = unused();
    const { code, stderr } = await train([
      "--data",
      data,
      "--out",
      out,
      "--lr",
      "1e30",
      "--steps",
      "20",
      "--eval-every",
      "50",
    ]);
    expect(stderr).toMatch(
      /^The loss became (NaN|Infinity) at step 10: the training diverged\. .* smaller --lr \(it was 1e\+30\)\.$/,
    );
    expect(code).toBe(1);
    expect(readdirSync(out)).toEqual(["log.jsonl"]);
  });
});
