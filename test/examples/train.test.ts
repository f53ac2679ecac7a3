/** The training examples as their users start them: what they leave behind, and how they fail. */
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readImage, writePng } from "../../src/data/index.ts";
import { imresize } from "../../src/picture/index.ts";
import { parseSafetensors } from "../../src/weights/index.ts";
import { drawnPicture as picture, picturesIn } from "../support/pictures.ts";
import { compiledProgram } from "../support/program.ts";
import { type RunOptions, root, runCode, runFile, runProgram } from "../support/run.ts";
import { temporaryPaths } from "../train/support.ts";

/** A path inside a temporary folder where nothing is yet. */
const unused = temporaryPaths();

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
const train = (args: readonly string[], options: RunOptions = {}) =>
  runFile("examples/train-edsr.ts", [...small, ...args], {
    ...options,
    env: { PIXELGRAD_DEBUG: undefined, ...options.env },
  });

/**
 * The same by the command, whose program is compiled and starts in a third of the time: for what the example leaves
 * to it, which is all but the configuration.
 */
const trainByCommand = (args: readonly string[], options: RunOptions = {}) =>
  runProgram(["train", "edsr", ...small, ...args], {
    ...options,
    env: { PIXELGRAD_DEBUG: undefined, ...options.env },
  });

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

/** Messages begin with one of these. */
const program = "npm run train:edsr: ";
const command = "pixelgrad train edsr: ";

/** Standard error holds one paragraph, and no folder was made. */
function expectRefused(
  { code, stderr }: { code: number | null; stderr: string },
  out: string,
  message: RegExp,
): void {
  expect(stderr.startsWith(command), stderr).toBe(true);
  expect(stderr.slice(command.length)).toMatch(message);
  expect(stderr.split("\n"), stderr).toHaveLength(1);
  expect(code).toBe(1);
  expect(existsSync(out)).toBe(false);
}

describe("a run", () => {
  const out = unused();

  test("leaves weights, a log and pictures", async () => {
    const { code, stdout, stderr } = await train(["--data", data, "--out", out]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(readdirSync(out).sort()).toEqual([
      "best.safetensors",
      "checkpoint.previous.safetensors",
      "checkpoint.safetensors",
      "comparison.png",
      "curves.png",
      "curves.svg",
      "events.out.tfevents.pixelgrad",
      "last.safetensors",
      "log.jsonl",
      "report.html",
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
    expect(log[0]).toMatchObject({ config: { steps: 4, network: { blocks: 1 }, data: [basename(data)] } });
    expect(log.filter(({ loss }) => loss !== undefined).map(({ step }) => step)).toEqual([1, 2, 4]);
    expect(log.filter(({ psnr }) => psnr !== undefined).map(({ step }) => step)).toEqual([2, 4]);
    expect((await readImage(join(out, "comparison.png"))).width).toBeGreaterThan(500);
    expect((await readImage(join(out, "curves.png"))).width).toBeGreaterThan(500);
    expect(readFileSync(join(out, "curves.svg"), "utf8")).toMatch(/^<svg[\s\S]*<\/svg>\s*$/);
  });

  test("does not overwrite another one", async () => {
    const before = readdirSync(out).map((file) => readFileSync(join(out, file)));
    const { code, stderr } = await train(["--data", data, "--out", out]);
    expect(stderr).toBe(
      `${program}${out} already holds a run (checkpoint.safetensors). Go on with it by --resume, name another folder with --out, or remove this one.`,
    );
    expect(code).toBe(1);
    expect(readdirSync(out).map((file) => readFileSync(join(out, file)))).toEqual(before);
  });

  test("with pictures in DIV2K's layout", async () => {
    const out = unused();
    const args = ["--data", await div2k(), "--out", out, "--eval-every", "4"];
    const { code, stdout } = await trainByCommand(args);
    expect(stdout).toContain("2 pictures, 1 held out");
    expect(code).toBe(0);
    expect(existsSync(join(out, "comparison.png"))).toBe(true);
  });

  test.each([
    ["the present adapter", [], "SIGINT", 130],
    ["cpu", ["--adapter", "cpu"], "SIGINT", 130],
    ["the present adapter", [], "SIGTERM", 143],
  ] as const)("stopped on %s saves what it has learned %#", async (_, adapter, name, exit) => {
    const out = unused();
    let sent = false;
    const { code, stdout, stderr } = await train(
      [...adapter, "--data", data, "--out", out, "--steps", "1000000", "--eval-every", "1000000"],
      {
        onOutput(stdout, signal) {
          if (sent || !stdout.includes("Results:")) return;
          sent = true;
          signal(name);
        },
      },
    );
    expect({ code, stderr }).toEqual({ code: exit, stderr: "" });
    const [, step] =
      /Stopped at step (\d+) of 1000000\. What it had learned .* go on with: npm run train:edsr -- --resume \S+/.exec(
        stdout,
      )!;
    expect(readdirSync(out).sort()).toEqual([
      ...["checkpoint.safetensors", "curves.png", "curves.svg", "events.out.tfevents.pixelgrad"],
      ...["last.safetensors", "log.jsonl", "report.html"],
    ]);
    const { metadata } = parseSafetensors(readFileSync(join(out, "last.safetensors")));
    expect(metadata.step).toBe(step);
    for (const line of readFileSync(join(out, "log.jsonl"), "utf8").trim().split("\n")) JSON.parse(line);
  });

  test("a second Ctrl-C ends it at once", async () => {
    const out = unused();
    let sent = false;
    const { code, stdout } = await trainByCommand(["--data", data, "--out", out, "--steps", "1000000"], {
      onOutput(stdout, signal) {
        if (sent || !stdout.includes("Results:")) return;
        sent = true;
        signal("SIGINT");
        signal("SIGINT");
        setTimeout(() => signal("SIGINT"), 20); // the first two may arrive as one
      },
    });
    expect(code).toBe(130);
    expect(stdout).not.toContain("Stopped at step");
  });

  test("a full disk costs nothing that was saved, and the run goes on when there is room", async () => {
    // A checkpoint of 200 kB, and a limit of 128 KiB for each file (256 blocks of 512 bytes), which Node
    // reports as an error. On the CPU, because drivers need larger files.
    const out = unused();
    const start = ["--adapter", "cpu", "--channels", "16", "--steps", "1000000", "--eval-every", "1000000"];
    let sent = false;
    await trainByCommand([...start, "--checkpoint-every", "1", "--data", data, "--out", out], {
      onOutput(stdout, signal) {
        if (sent || !stdout.includes("Results:")) return;
        sent = true;
        signal("SIGINT");
      },
    });
    const before = readFileSync(join(out, "checkpoint.safetensors"));
    expect(before.length).toBeGreaterThan(2 ** 17);
    const stateOf = (file: Uint8Array) => JSON.parse(parseSafetensors(file).metadata.state);
    const line = `ulimit -f 256; exec "$0" "$1" train --resume "$2"`;
    const full = spawnSync("sh", ["-c", line, process.execPath, compiledProgram(), out], {
      ...{ cwd: root, encoding: "utf8" },
    });
    expect(full.stderr).toMatch(/checkpoint\.safetensors: cannot be written: EFBIG/);
    expect(full.status).toBe(1);
    expect(readFileSync(join(out, "checkpoint.safetensors"))).toEqual(before);
    expect(readdirSync(out).filter((file) => file.endsWith(".tmp"))).toEqual([]);

    const steps = stateOf(before).step + 2;
    const again = await runProgram(["train", "--resume", out, "--steps", `${steps}`]);
    expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 0, stderr: "" });
    expect(again.stdout).toContain(`Resumed at step ${steps - 2} of ${steps}`);
    expect(stateOf(readFileSync(join(out, "checkpoint.safetensors"))).step).toBe(steps);
  });

  test.each([
    ["srcnn", "SRCNN", ["--patch", "6", "--filters", "8-4"]],
    ["espcn", "ESPCN", ["--patch", "8", "--filters", "8-4"]],
    ["fsrcnn", "FSRCNN", ["--patch", "8", "--d", "8", "--s", "4", "--m", "1"]],
  ])("of %s", async (name, architecture, flags) => {
    const out = unused();
    const args = [
      ...flags,
      "--data",
      data,
      "--steps",
      "3",
      "--batch",
      "2",
      "--eval-every",
      "2",
      "--out",
      out,
    ];
    const { code, stdout, stderr } =
      name === "fsrcnn"
        ? await runProgram(["train", name, ...args])
        : await runFile(`examples/train-${name}.ts`, args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/Best: [\d.]+ dB at step [23]/);
    const { metadata } = parseSafetensors(readFileSync(join(out, "last.safetensors")));
    expect(metadata).toMatchObject({ architecture, scale: "3", step: "3" });
    expect((await readImage(join(out, "comparison.png"))).channels).toBe(3);
  });
});

describe("a wrong command line", () => {
  test("ends with exit code 2; --help lists all flags", async () => {
    const out = unused();
    const [wrong, help] = await Promise.all([train(["--out", out, "--steps", "0"]), train(["--help"])]);
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toBe(
      `${program}--steps wants a whole number of at least 1, got "0". "npm run train:edsr -- --help" explains.`,
    );
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
    const runs = [empty, single, missing].map((folder) => trainByCommand(["--data", folder, "--out", out]));
    const [first, second, third] = await Promise.all(runs);
    expectRefused(first, out, /^\S*path-\d+: there are no pictures .* in this folder\. .*/);
    expectRefused(second, out, /^\S*path-\d+: it has one picture, and training needs at least two/);
    expectRefused(third, out, /^\S*path-\d+: there is no such folder\. Check the path\.$/);
  });

  test("a truncated picture, to train on or held out; one that is smaller than a patch", async () => {
    const out = unused();
    const broken = async (name: string, length: number) => {
      const folder = await picturesIn(unused(), 3);
      const path = join(folder, name);
      writeFileSync(path, readFileSync(path).subarray(0, length));
      return trainByCommand(["--data", folder, "--out", out]);
    };
    const tiny = await picturesIn(unused(), 3);
    await writePng(join(tiny, "0.png"), picture(0, 12, 30));
    const [first, last, small] = await Promise.all([
      broken("0.png", 300),
      broken("2.png", 1000),
      trainByCommand(["--data", tiny, "--out", out]),
    ]);
    expectRefused(first, out, /\/0\.png: this PNG picture of 300 bytes cannot be decoded .* leave it out\.$/);
    expectRefused(last, out, /\/2\.png: this PNG picture of 1000 bytes cannot be decoded .* leave it out\.$/);
    expectRefused(small, out, /^Too small to train on, as a patch takes 16x16 .*\/0\.png \(12x30\)\. Leave/);
  });

  test("DIV2K with a small picture of another size, and without one", async () => {
    const [root, incomplete, out] = [await div2k(), await div2k(), unused()];
    const lr = (folder: string, id: string) => join(folder, "DIV2K_train_LR_bicubic", "X2", `${id}x2.png`);
    await writePng(lr(root, "0002"), picture(1, 19, 18));
    rmSync(lr(incomplete, "0001"));
    const [mismatch, missing, otherScale] = await Promise.all([
      trainByCommand(["--data", root, "--out", out]),
      trainByCommand(["--data", incomplete, "--out", out]),
      trainByCommand(["--data", root, "--out", out, "--scale", "4"]),
    ]);
    expectRefused(mismatch, out, /\/0002x2\.png is 19x18, but at scale 2 .* must be 20x18;/);
    expectRefused(
      missing,
      out,
      /^1 of 2 pictures .* has no small version; the first one missing is \S*\/0001x2\.png\. Unpack/,
    );
    expectRefused(otherScale, out, /DIV2K_train_LR_bicubic\/X4: there is no such folder\. Unpack/);
  });

  test("an adapter that does not exist", async () => {
    const out = unused();
    const named = trainByCommand(["--data", data, "--out", out, "--adapter", "nonsense"]);
    const env = {
      PIXELGRAD_ADAPTER: "nonsense",
      VK_ICD_FILENAMES: "/nonexistent",
      XDG_CACHE_HOME: unused(),
    };
    const byVariable = trainByCommand(["--data", data, "--out", out], { env });
    for (const { code, stderr, stdout } of await Promise.all([named, byVariable])) {
      // Dawn writes what it found, too.
      const own = stderr.split("\n").filter((line) => line.startsWith(command));
      expect(own).toHaveLength(1);
      expect(own[0].slice(command.length)).toMatch(
        /^No WebGPU adapter fits "nonsense"\. .* use adapter "cpu" \(PIXELGRAD_ADAPTER=cpu\)\.$/,
      );
      expect(stderr).not.toMatch(/\.[jt]s:\d+/); // no stack
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    }
    expect(existsSync(out)).toBe(false);
  });

  test("a results folder that is a file", async () => {
    const file = unused();
    copyFileSync(join(data, "0.png"), file);
    const { code, stderr } = await trainByCommand(["--data", data, "--out", file]);
    expect(stderr).toBe(
      `${command}${file} is a file, and results go into a folder. Name another one with --out.`,
    );
    expect(code).toBe(1);
  });

  test("a bug keeps its stack, and a promise that nobody awaits is heard of", async () => {
    const start = (body: string) =>
      runCode(
        `import { run } from "./src/cli/run.ts";
        const command = { name: "fail", flags: {}, run: async () => { ${body} } };
        process.exitCode = await run("fail", command, []);`,
        { env: { PIXELGRAD_DEBUG: undefined } },
      );
    const [bug, promise] = await Promise.all([
      start("undefined.length;"),
      start(
        'void Promise.reject(new Error("said")); await new Promise((end) => setTimeout(end, 1000)); console.log("never");',
      ),
    ]);
    expect(bug).toMatchObject({ code: 1, stdout: "" });
    expect(bug.stderr).toMatch(/^TypeError: [\s\S]*\n {4}at /);
    expect(promise).toMatchObject({ code: 1, stdout: "", stderr: "fail: said" });
  });

  test("PIXELGRAD_DEBUG shows where it happened", async () => {
    const { code, stderr } = await train(["--data", unused()], { env: { PIXELGRAD_DEBUG: "1" } });
    expect(stderr).toMatch(/DataError: .*there is no such folder[\s\S]*at .*folder\.ts/);
    expect(code).toBe(1);
  });

  test("a run that diverges says what to do", async () => {
    const out = unused();
    const { code, stderr } = await trainByCommand([
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
      /^pixelgrad train edsr: The loss became (NaN|Infinity) at step 10: training diverged\. .* smaller --lr \(it was 1e\+30\)\.$/,
    );
    expect(code).toBe(1);
    expect(readdirSync(out).sort()).toEqual([
      "checkpoint.safetensors",
      "events.out.tfevents.pixelgrad",
      "log.jsonl",
    ]);
  });
});
