/**
 * What the library says of a run names options, and `pixelgrad train` says the same of its flags: whole sentences of
 * both, from the same mistakes.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { writePng } from "../../src/data/index.ts";
import { presets, resume, type TrainConfig, train } from "../../src/train/index.ts";
import { noise, temporaryFolder } from "../data/support.ts";
import { runProgram } from "../support/run.ts";

const home = temporaryFolder();
const [data, own, file] = ["data", "own", "a-file"].map((name) => join(home, name));
beforeAll(async () => {
  writeFileSync(file, "x");
  mkdirSync(data);
  mkdirSync(own);
  for (const i of [1, 2, 3]) await writePng(join(data, `${i}.png`), noise(40, 40, 3, i));
  writeFileSync(join(own, "best.safetensors"), "x");
});

const small = { patch: 8, batch: 1, steps: 1, adapter: "cpu", warmup: 0 };
const flags = ["--patch", "8", "--batch", "1", "--steps", "1", "--adapter", "cpu", "--warmup", "0"];
const config = (change: Partial<TrainConfig>): TrainConfig => ({
  ...presets.ESPCN.quick,
  ...small,
  data: [data],
  ...change,
});

interface Mistake {
  readonly what: string;
  readonly change: Partial<TrainConfig>;
  readonly flags: string[];
  readonly error: string;
  readonly name: string;
  /** By the option's name, and by the flag's. */
  readonly says: (nameOf: (option: string, flag: string) => string) => string;
  readonly code: 1 | 2;
}

const mistakes: Mistake[] = [
  {
    what: "the results into the folder of the pictures",
    change: { out: data },
    flags: ["--data", data, "--out", data],
    error: "train: ",
    name: "RangeError",
    says: (of) =>
      `${of("out", "out")} ${data} is the folder of the pictures: the next run would take its charts for pictures. ` +
      "Name another one.",
    code: 2,
  },
  {
    what: "a setting that cannot be",
    change: { evalEvery: 0 },
    flags: ["--data", data, "--eval-every=0"],
    error: "train: ",
    name: "RangeError",
    says: (of) =>
      `${of("evalEvery", "eval-every").replaceAll("`", "")} wants a whole number of at least 1, got 0.`,
    code: 2,
  },
  {
    what: "a patch larger than the pictures",
    change: { patch: 100 },
    flags: ["--data", data, "--patch", "100"],
    error: "",
    name: "DataError",
    says: (of) =>
      `Too small to train on, as a patch takes 300x300 pixels of HR: ${data}/1.png (40x40), ${data}/2.png ` +
      `(40x40). Leave such pictures out, or choose a smaller ${of("patch", "patch")}.`,
    code: 1,
  },
  {
    what: "a file for the results",
    change: { out: file },
    flags: ["--data", data, "--out", file],
    error: "",
    name: "DataError",
    says: (of) =>
      `${file} is a file, and results go into a folder. Name another one with ${of("out", "out")}.`,
    code: 1,
  },
  {
    what: "a folder that holds a run",
    change: { out: own },
    flags: ["--data", data, "--out", own],
    error: "",
    name: "DataError",
    says: (of) =>
      `${own} already holds a run (best.safetensors). Go on with it by ${of("resume", "resume")}, name another folder ` +
      `with ${of("out", "out")}, or remove this one.`,
    code: 1,
  },
];

test.each(mistakes)("$what", async ({ change, flags: given, error, name, says, code }) => {
  const refusal = await train(config(change)).catch((reason: Error) => reason);
  expect(refusal).toMatchObject({ name, message: `${error}${says((option) => `\`${option}\``)}` });
  const { stderr, ...result } = await runProgram(["train", "espcn", ...flags, ...given]);
  expect(result.code).toBe(code);
  const sentence = says((_, flag) => `--${flag}`);
  const help = `${sentence.replace(/\.$/, "")}. "pixelgrad train espcn --help" explains.`;
  // The command line has read 0 as a text.
  const wanted = code === 2 ? help.replace("got 0.", 'got "0".') : sentence;
  expect(stderr).toBe(`pixelgrad train espcn: ${wanted}`);
});

test("a folder that cannot be made is refused before the pictures are looked at", async () => {
  const lines: string[] = [];
  const onMessage = (line: string) => lines.push(line);
  const out = join(file, "run");
  await expect(train(config({ out }), { onMessage })).rejects.toThrow(
    `${file}: this folder cannot be made: there is a file of this name. Name another one with \`out\`.`,
  );
  expect(lines).toEqual([]);
});

test("what is refused later leaves no folder, nor those around it", async () => {
  const out = join(home, "new", "folders", "run");
  await expect(train(config({ out, patch: 100 }))).rejects.toThrow("Too small to train on");
  expect(existsSync(join(home, "new"))).toBe(false);
});

test("a file to resume from, where the command line has yet to find out which network", async () => {
  const refusal = await resume(file).catch((reason: Error) => reason);
  expect(refusal).toMatchObject({
    name: "DataError",
    message: `${file} is a file, and a run is resumed by its folder: \`resume\` ${home}, say.`,
  });
  expect(await runProgram(["train", "--resume", file])).toMatchObject({
    code: 1,
    stderr: `pixelgrad train: ${file} is a file, and a run is resumed by its folder: --resume ${home}, say.`,
  });
});

test("what a run says on the way", async () => {
  const lines: string[] = [];
  const out = join(home, "measured-on-the-same");
  await train(config({ valid: data, out }), { onMessage: (line) => lines.push(line) });
  const start = "Of 3 pictures to measure on, 3 are also trained on: ";
  const end = "Name other pictures by `valid`, or leave `valid` out, and some of the data are held out.";
  expect(lines.find((line) => line.startsWith(start))).toContain(end);
  const { stdout } = await runProgram([
    "train",
    "espcn",
    ...flags,
    "--data",
    data,
    "--valid",
    data,
    "--out",
    `${out}-2/`,
  ]);
  expect(stdout).toContain(` ${join(`${out}-2`, "report.html")} and comparison.png.`);
  expect(stdout).toContain(
    "Name other pictures by --valid, or leave --valid out, and some of the data are held out.\n",
  );
});
