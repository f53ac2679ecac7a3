/** `pixelgrad train`: flags and configurations, in this process; test/examples runs the program. */
import "../support/with-toy-network.ts";

import { copyFileSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { helpOf, parseFlags } from "../../src/cli/flags.ts";
import { readTraining, trainCommand, trainCommands } from "../../src/cli/train.ts";
import { architectureOf } from "../../src/node.ts";
import { type ArchitectureName, presets, presetsOf } from "../../src/train/index.ts";
import { settingsFor } from "../../src/train/settings.ts";
import { temporaryFolder } from "../data/support.ts";
import { root, runFile, runProgram } from "../support/run.ts";

const names = ["SRCNN", "ESPCN", "FSRCNN", "EDSR"] as const;

function read(args: string[], name: ArchitectureName = "EDSR") {
  const architecture = architectureOf(name);
  const values = parseFlags(trainCommand(architecture), args);
  return readTraining(architecture, values, Object.values(presetsOf(architecture))[0]);
}

describe("the flags", () => {
  test("without any, the first preset; --preset chooses another", () => {
    for (const name of names) {
      expect(read([], name).config).toEqual(presets[name].quick);
      for (const [preset, config] of Object.entries(presets[name])) {
        expect(read(["--preset", preset], name).config).toEqual(config);
      }
    }
  });

  test("every flag sets its place in the configuration, over the preset's value", () => {
    const { config, folder } = read([
      ...["--preset", "edsr-paper", "--scale", "3", "--blocks=8", "--res-scale", "0.1"],
      ...["--rgb-range", "1", "--init", "x2.safetensors"],
      ...["--data", "T91", "--data", "BSDS200", "--valid", "Set14", "--valid-pictures", "3"],
      ...["--clip", "0.5", "--ema", "0.999", "--accumulate", "4", "--loss", "l2", "--warmup", "100"],
      ...["--schedule", "multistep:100,200:0.1", "--seed=-7", "--lr", "2e-4", "--lr", "3e-4"],
      ...["--checkpoint-every", "50", "--checkpoint-minutes", "0.5", "--log-every", "5"],
      ...["--track", "mild", "--degradation", '{"seed":1,"noise":[1,10]}', "--cache", "raw"],
    ]);
    expect(folder).toBeUndefined();
    expect(config).toEqual({
      ...presets.EDSR["edsr-paper"],
      network: { architecture: "EDSR", scale: 3, blocks: 8, channels: 64, resScale: 0.1, rgbRange: 1 },
      init: "x2.safetensors",
      data: ["T91", "BSDS200"],
      valid: "Set14",
      validPictures: 3,
      clip: 0.5,
      ema: 0.999,
      accumulate: 4,
      loss: "l2",
      warmup: 100,
      schedule: { kind: "multistep", milestones: [100, 200], gamma: 0.1 },
      seed: -7,
      lr: 3e-4,
      checkpointEvery: 50,
      checkpointMinutes: 0.5,
      logEvery: 5,
      track: "mild",
      degradation: { seed: 1, noise: [1, 10] },
      cache: "raw",
    });
    const srcnn = read(
      ["--kernels", "9-5-5", "--filters", "32-16", "--residual", "no", "--padding", "zeros"],
      "SRCNN",
    );
    expect(srcnn.config.network).toEqual({
      ...{ architecture: "SRCNN", scale: 3, kernels: [9, 5, 5], filters: [32, 16] },
      ...{ residual: false, padding: "zeros" },
    });
    expect(read(["--activation", "relu"], "ESPCN").config.network).toMatchObject({ activation: "relu" });
    expect(read(["--d", "32", "--s=5", "--m", "0"], "FSRCNN").config.network).toMatchObject({
      ...{ d: 32, s: 5, m: 0 },
    });
  });

  test("--resume applies the given flags to the saved configuration, and no preset", () => {
    const { folder, change } = read(["--resume", "runs/x", "--steps", "99"]);
    expect(folder).toBe("runs/x");
    const saved = { ...presets.EDSR["edsr-paper"], seed: 5 };
    expect(change(saved)).toEqual({ ...saved, steps: 99 });
    expect(() => change(presets.ESPCN.quick)).toThrow(
      'runs/x holds a run of ESPCN, and this command trains EDSR. Resume it by "train espcn"',
    );
    expect(() => read(["--resume", "runs/x", "--preset", "quick"])).toThrow("--preset is for a new run");
    expect(() => read(["--resume", "runs/x", "--out", "runs/y"])).toThrow("--out is for a new run");
  });

  test.each([
    [["--steps", "0"], '--steps wants a whole number of at least 1, got "0"'],
    [["--steps", "1.5"], '--steps wants a whole number of at least 1, got "1.5"'],
    [["--steps="], '--steps wants a whole number of at least 1, got ""'],
    [["--batch", "many"], '--batch wants a whole number of at least 1, got "many"'],
    [
      ["--lr", "-1"],
      '\'--lr\' argument is ambiguous; a name that begins with "-" is given as "./-name", and any other',
    ],
    [["--lr", "Infinity"], '--lr wants a number above 0, got "Infinity"'],
    [["--lr=-1"], '--lr wants a number above 0, got "-1"'],
    [["--scale", "5"], '--scale wants 2, 3, 4 or 8, got "5"'],
    [["--seed", "x"], '--seed wants a whole number, got "x"'],
    [["--ema", "1"], '--ema wants a number between 0 and 1, got "1"'],
    [["--warmup=-1"], '--warmup wants a whole number of at least 0, got "-1"'],
    [["--track", "wide"], '--track wants bicubic, unknown, mild, difficult or wild, got "wide"'],
    [["--degradation", "{"], "--degradation wants photo, JSON, or steps joined by +"],
    [["--degradation", '{"seed":0,"noise":-1}'], "--degradation wants photo, JSON, or steps joined by +"],
    [["--degradation", "jpeg:60-"], "--degradation wants photo, JSON, or steps joined by +"],
    [["--degradation", '{"kind":"photo","seed":0,"clean":2}'], "--degradation wants photo, JSON, or steps"],
    [["--loss", "l3"], '--loss wants l1, l2, charbonnier, ssim, fft, or a sum such as l1+0.1*ssim, got "l3"'],
    [["--loss", "l1+l1"], "--loss wants l1, l2, charbonnier"],
    [["--loss", "l1+0*fft"], "--loss wants l1, l2, charbonnier"],
    [["--loss", "l1+"], "--loss wants l1, l2, charbonnier"],
    [
      ["--loss", "ssim", "--patch", "5"],
      "SSIM looks at 11x11 pixels, and patches have 10x10; choose a patch of at least 6",
    ],
    [["--data="], '--data wants a folder, got ""'],
    [["--schedule", "step"], "--schedule wants constant, cosine"],
    [["--batch", "4", "--accumulate", "3"], "a batch of 4 patches cannot be computed in 3 equal parts"],
    [["--preset", "toString"], '--preset wants quick, edsr-article or edsr-paper, got "toString"'],
    [["--colour", "red"], "Unknown option '--colour'"],
    [["picture.png"], "Unexpected argument 'picture.png'"],
    [["--steps", "--blocks", "2"], "Option '--steps"],
    [["--kernels", "9-1-5"], "Unknown option '--kernels'"],
  ])("refuses %o", (args, message) => {
    expect(() => read(args)).toThrow(message);
  });
});

describe("--help", () => {
  test.each(names)("of %s lists every flag once, with the first preset's value", (name) => {
    const text = helpOf(trainCommand(architectureOf(name)), `pixelgrad train ${name.toLowerCase()}`);
    expect(text).toMatch(new RegExp(`^pixelgrad train ${name.toLowerCase()} \\[flags\\]\n`));
    for (const { flag } of settingsFor(architectureOf(name))) {
      expect(text.match(new RegExp(`^ {6}--${flag} `, "gm"))).toHaveLength(1);
    }
    const flat = text.replaceAll(/\n {20,}/g, " ");
    expect(flat).toMatch(new RegExp(`--steps N .*\\[${presets[name].quick.steps}\\]\n`));
    expect(flat).toMatch(/--schedule FORM .*\[cosine\]\n/);
  });

  test("a new network is listed, with its options, as soon as it is in the list of networks", () => {
    expect(Object.keys(trainCommands.commands)).toEqual([
      ...["srcnn", "espcn", "fsrcnn", "edsr", "compact", "span", "rrdbnet", "wren", "toy"],
    ]);
    const text = helpOf(trainCommand(architectureOf("Toy")), "pixelgrad train toy");
    expect(text).toMatch(/--hidden-channels N +channels of the only feature map \[6\]/);
    expect(text).toMatch(/--scale 2\|3 +enlargement \[2\]/);
  });
});

test("--profile is written neither over --init nor over what a run goes on from", async () => {
  const folder = temporaryFolder();
  const { name } = architectureOf("ESPCN");
  const weights = join(root, "weights", "espcn-x2.safetensors");
  const copy = join(folder, "checkpoint.safetensors");
  copyFileSync(weights, copy);
  const command = trainCommand(architectureOf(name));
  for (const [what, ...args] of [
    ["an input", "--init", copy],
    ["a file of the run", "--resume", folder],
    ["a file of the run", "--out", folder],
  ]) {
    const context = { program: "train", signal: new AbortController().signal };
    const run = command.run(parseFlags(command, [...args, "--profile", copy]), context);
    await expect(run).rejects.toThrow(`is ${what}; --profile must name another place`);
  }
  expect(readFileSync(copy)).toEqual(readFileSync(weights));
});

test("--profile may lie in the folder that the run makes, but under no name of the run's own", async () => {
  const folder = join(temporaryFolder(), "new");
  const command = trainCommand(architectureOf("ESPCN"));
  const train = (...args: string[]) => {
    const context = { program: "train", signal: new AbortController().signal };
    return command.run(
      parseFlags(command, ["--data", join(folder, "none"), "--out", folder, ...args]),
      context,
    );
  };
  for (const name of ["last.safetensors", "log.jsonl"]) {
    const refusal = /is a file of the run; --profile must name another place/;
    await expect(train("--profile", join(folder, name))).rejects.toThrow(refusal);
  }
  expect(existsSync(folder)).toBe(false);
  // A second try replaces what the first, which failed, has written.
  for (let tries = 0; tries < 2; tries++) {
    await expect(train("--profile", join(folder, "trace.json"))).rejects.toThrow(/none/);
    expect(readdirSync(folder)).toEqual(["trace.json"]);
  }
});

test("the program lists its networks, and what it cannot train", async () => {
  const pixelgrad = (...args: string[]) => runProgram(args);
  const [group, unknown, wrong] = await Promise.all([
    pixelgrad("train", "--help"),
    pixelgrad("train", "vdsr"),
    pixelgrad("train", "edsr", "--steps", "0"),
  ]);
  expect(group).toMatchObject({ code: 0, stderr: "" });
  for (const name of names) expect(group.stdout).toMatch(new RegExp(`^ {2}${name.toLowerCase()} +\\S`, "m"));
  expect(unknown).toMatchObject({ code: 2, stdout: "" });
  expect(unknown.stderr).toBe(
    'pixelgrad train: there is no network "vdsr"; networks are srcnn, espcn, fsrcnn, edsr, compact, span, rrdbnet or wren. "pixelgrad train --help" explains.',
  );
  expect(wrong).toMatchObject({ code: 2, stdout: "" });
  expect(wrong.stderr).toMatch(
    /^pixelgrad train edsr: --steps wants .* "pixelgrad train edsr --help" explains\.$/,
  );
});

test.each(["srcnn", "espcn", "edsr"])("train:%s without flags is the first preset", async (name) => {
  const script = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts[`train:${name}`];
  expect(script).toBe(`tsx examples/train-${name}.ts`);
  const { code, stdout } = await runFile(`examples/train-${name}.ts`, ["--help"]);
  expect(code).toBe(0);
  const own = helpOf(trainCommand(architectureOf(name.toUpperCase())), `npm run train:${name} --`);
  expect(stdout.trim()).toBe(own);
});
