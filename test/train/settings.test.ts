/** Configurations: what is refused, what the command line makes of flags, and the learning rates that follow. */
import { describe, expect, test, vi } from "vitest";
import { architectureOf, type ScheduleConfig } from "../../src/node.ts";
import { checkConfig, parseCommandLine, presets, type TrainConfig } from "../../src/train/index.ts";
import { completeSchedule, formatSchedule, learningRate, parseSchedule } from "../../src/train/schedule.ts";
import { settingsFor } from "../../src/train/settings.ts";

const architectures = ["SRCNN", "ESPCN", "FSRCNN", "EDSR"] as const;
const parse = (args: string[], architecture: (typeof architectures)[number] = "EDSR") =>
  parseCommandLine("train", architecture, args)!;

describe("the command line", () => {
  test("without flags is the first preset; all presets are valid", () => {
    for (const architecture of architectures) {
      expect(parse([], architecture).config).toEqual(presets[architecture].quick);
      for (const [name, preset] of Object.entries(presets[architecture])) {
        checkConfig(preset);
        expect(parse(["--preset", name], architecture).config).toEqual(preset);
        expect(preset.network.architecture).toBe(architecture);
      }
    }
  });

  test("EDSR's paper: baseline, patches, rate and its halving", () => {
    expect(parse(["--preset", "edsr-paper"]).config).toMatchObject({
      network: { blocks: 16, channels: 64 },
      ...{ batch: 16, patch: 48, loss: "l1", lr: 1e-4, steps: 300_000 },
      schedule: { kind: "step", stepSize: 200_000, gamma: 0.5 },
    });
    expect(parse(["--preset", "edsr-article"]).config).toMatchObject({
      network: { blocks: 16, channels: 64 },
      ...{ steps: 30_000, evalEvery: 1000 },
    });
  });

  test("every flag sets its place in the configuration, over the preset's value", () => {
    const { config, resume } = parse([
      ...[
        "--preset",
        "edsr-paper",
        "--scale",
        "3",
        "--blocks=8",
        "--res-scale",
        "0.1",
        "--init",
        "x2.safetensors",
      ],
      ...["--data", "T91", "--data", "BSDS200", "--valid", "Set14", "--valid-pictures", "3"],
      ...["--clip", "0.5", "--ema", "0.999", "--accumulate", "4", "--loss", "l2", "--warmup", "100"],
      ...["--schedule", "multistep:100,200:0.1", "--seed=-7", "--lr", "2e-4", "--lr", "3e-4"],
      ...["--checkpoint-every", "50", "--checkpoint-minutes", "0.5", "--log-every", "5"],
      ...["--track", "mild", "--degradation", '{"seed":1,"noise":[1,10]}', "--cache", "raw"],
    ]);
    expect(resume).toBeUndefined();
    expect(config).toEqual({
      ...presets.EDSR["edsr-paper"],
      network: { architecture: "EDSR", scale: 3, blocks: 8, channels: 64, resScale: 0.1, rgbRange: 255 },
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
    const srcnn = parse(
      ["--kernels", "9-5-5", "--filters", "32-16", "--residual", "no", "--padding", "zeros"],
      "SRCNN",
    );
    expect(srcnn.config.network).toEqual({
      ...{ architecture: "SRCNN", scale: 3, kernels: [9, 5, 5], filters: [32, 16] },
      ...{ residual: false, padding: "zeros" },
    });
    expect(parse(["--activation", "relu"], "ESPCN").config.network).toMatchObject({ activation: "relu" });
  });

  test("--resume applies the given flags to the saved configuration, and no preset", () => {
    const { resume, changes } = parse(["--resume", "runs/x", "--steps", "99"]);
    expect(resume).toBe("runs/x");
    const saved = { ...presets.EDSR["edsr-paper"], seed: 5 };
    expect(changes(saved)).toEqual({ ...saved, steps: 99 });
    expect(() => changes(presets.ESPCN.quick)).toThrow(
      "runs/x holds a training of ESPCN, and this program trains EDSR",
    );
    expect(() => parse(["--resume", "runs/x", "--preset", "quick"])).toThrow(
      "--preset is for a new training",
    );
  });

  test.each([
    [["--steps", "0"], '--steps wants a whole number of at least 1, got "0"'],
    [["--steps", "1.5"], '--steps wants a whole number of at least 1, got "1.5"'],
    [["--steps="], '--steps wants a whole number of at least 1, got ""'],
    [["--batch", "many"], '--batch wants a whole number of at least 1, got "many"'],
    [["--lr", "Infinity"], '--lr wants a number above 0, got "Infinity"'],
    [["--lr=-1"], '--lr wants a number above 0, got "-1"'],
    [["--scale", "5"], '--scale wants 2, 3, 4 or 8, got "5"'],
    [["--seed", "x"], '--seed wants a whole number, got "x"'],
    [["--ema", "1"], '--ema wants a number between 0 and 1, got "1"'],
    [["--warmup=-1"], '--warmup wants a whole number of at least 0, got "-1"'],
    [["--track", "wide"], '--track wants bicubic, unknown, mild, difficult or wild, got "wide"'],
    [["--degradation", "{"], "--degradation wants a degradation as JSON"],
    [["--degradation", '{"seed":0,"noise":-1}'], "--degradation wants a degradation as JSON"],
    [["--loss", "l3"], '--loss wants l1 or l2, got "l3"'],
    [["--data="], '--data wants a path, got ""'],
    [["--schedule", "step"], "--schedule wants constant, cosine"],
    [["--batch", "4", "--accumulate", "3"], "a batch of 4 patches cannot be computed in 3 equal parts"],
    [["--preset", "toString"], '--preset wants quick or edsr-article or edsr-paper, got "toString"'],
    [["--colour", "red"], "Unknown option '--colour'"],
    [["picture.png"], "Unexpected argument 'picture.png'"],
    [["--steps", "--blocks", "2"], "Option '--steps"],
    [["--kernels", "9-1-5"], "Unknown option '--kernels'"],
  ])("refuses %o", (args, message) => {
    expect(() => parse(args)).toThrow(message);
  });

  test("--help lists every flag once, with the quick preset's value", () => {
    const log = vi.spyOn(console, "log").mockReturnValue();
    try {
      expect(parseCommandLine("npm run train:edsr --", "EDSR", ["--help"])).toBeUndefined();
      const [[text]] = log.mock.calls;
      for (const { flag } of settingsFor(architectureOf("EDSR")))
        expect(text.match(new RegExp(`--${flag} `, "g"))).toHaveLength(1);
      expect(text).toMatch(/--steps .* \[1200\]\n/);
      expect(text).toMatch(/--lr .* \[2e-3\]\n/);
      expect(text).toMatch(/--schedule .* \[cosine\]\n/);
    } finally {
      log.mockRestore();
    }
  });
});

describe("a configuration from a program", () => {
  const quick: TrainConfig = presets.EDSR.quick;
  test.each<[Partial<TrainConfig>, string]>([
    [{ steps: 0 }, "steps wants a whole number of at least 1, got 0"],
    [{ lr: Number.NaN }, "lr wants a number above 0, got NaN"],
    [
      { network: { ...quick.network, blocks: 1.5 } as never },
      "network.blocks wants a whole number of at least 1, got 1.5",
    ],
    [{ schedule: { kind: "step", stepSize: 10, gamma: 0 } }, "schedule wants"],
    [{ data: [""] }, "data wants a list, each a path"],
    [{ checkpointMinutes: undefined as never }, "checkpointMinutes wants a number above 0"],
  ])("%o is refused", (change, message) => {
    expect(() => checkConfig({ ...quick, ...change })).toThrow(message);
  });
});

describe("schedules", () => {
  test.each<[string, ScheduleConfig]>([
    ["constant", { kind: "constant" }],
    ["step:200:0.5", { kind: "step", stepSize: 200, gamma: 0.5 }],
    ["multistep:10,20:0.1", { kind: "multistep", milestones: [10, 20], gamma: 0.1 }],
    ["cosine", { kind: "cosine", tMax: undefined, etaMin: undefined }],
    ["cosine:1000", { kind: "cosine", tMax: 1000, etaMin: undefined }],
    ["cosine:1000:0", { kind: "cosine", tMax: 1000, etaMin: 0 }],
  ])("%s is read and written", (text, schedule) => {
    expect(parseSchedule(text)).toEqual(schedule);
    expect(formatSchedule(schedule)).toBe(text);
  });

  test.each([
    ...["", "toString", "step", "step:0", "step:10:0", "step:1:2:3", "constant:1", "cosine:-1"],
    ...["multistep:", "multistep:1,,2", "cosine:10:-1", "cosine::"],
  ])("%j is none", (text) => expect(parseSchedule(text)).toBeUndefined());

  const rates = (change: Partial<TrainConfig>, steps: number[]) => {
    const rate = learningRate({ ...presets.EDSR.quick, lr: 1, ...change });
    return steps.map(rate);
  };
  test("the rate follows them, after a rise over the warm-up", () => {
    const steps = [0, 1, 2, 3, 4];
    expect(rates({ schedule: { kind: "constant" } }, steps)).toEqual([1, 1, 1, 1, 1]);
    expect(rates({ schedule: { kind: "step", stepSize: 2, gamma: 0.5 } }, steps)).toEqual([
      1, 1, 0.5, 0.5, 0.25,
    ]);
    const milestones = [1, 4];
    expect(rates({ schedule: { kind: "multistep", milestones, gamma: 0.5 } }, steps)).toEqual([
      1, 0.5, 0.5, 0.5, 0.25,
    ]);
    expect(rates({ schedule: { kind: "constant" }, warmup: 3 }, steps)).toEqual([0.25, 0.5, 0.75, 1, 1]);
    const [first, middle, last, after] = rates(
      { schedule: { kind: "cosine" }, steps: 100 },
      [0, 50, 100, 200],
    );
    expect(first).toBe(1);
    expect(middle).toBeCloseTo(0.505, 12);
    expect(last).toBeCloseTo(0.01, 12);
    expect(after).toBe(last);
  });

  test("a cosine is fixed when a training begins, so that more steps do not change the first ones", () => {
    const config: TrainConfig = { ...presets.EDSR.quick, lr: 1, steps: 100 };
    const fixed = { ...config, schedule: completeSchedule(config), steps: 200 };
    expect(fixed.schedule).toEqual({ kind: "cosine", tMax: 100, etaMin: 0.01 });
    for (const step of [0, 10, 99, 100]) expect(learningRate(fixed)(step)).toBe(learningRate(config)(step));
  });
});
