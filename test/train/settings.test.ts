/** Configurations: what is refused, and the learning rates that follow. */
import { describe, expect, test } from "vitest";
import type { ScheduleConfig } from "../../src/node.ts";
import { checkConfig, presets, type TrainConfig, train } from "../../src/train/index.ts";
import { learningRate, rateAfterResume, scheduleKind } from "../../src/train/schedule.ts";
import { checkBatchFits } from "../../src/train/settings.ts";

describe("presets", () => {
  test("are all valid, and of their network", () => {
    for (const [architecture, configs] of Object.entries(presets)) {
      for (const config of Object.values(configs)) {
        checkConfig(config);
        expect(config.network.architecture).toBe(architecture);
      }
    }
  });

  test("EDSR's paper: baseline, patches, rate and its halving", () => {
    expect(presets.EDSR["edsr-paper"]).toMatchObject({
      network: { blocks: 16, channels: 64 },
      ...{ batch: 16, patch: 48, loss: "l1", lr: 1e-4, steps: 300_000 },
      schedule: { kind: "step", stepSize: 200_000, gamma: 0.5 },
    });
    expect(presets.EDSR["edsr-article"]).toMatchObject({
      network: { blocks: 16, channels: 64 },
      ...{ steps: 30_000, evalEvery: 1000 },
    });
  });
});

describe("a configuration from a program", () => {
  const quick: TrainConfig = presets.EDSR.quick;
  test.each<[Partial<TrainConfig>, string | RegExp]>([
    [{ steps: 0 }, "steps wants a whole number of at least 1, got 0"],
    [{ lr: Number.NaN }, "lr wants a number above 0, got NaN"],
    [
      { network: { ...quick.network, blocks: 1.5 } as never },
      "network.blocks wants a whole number from 1 to 1024, got 1.5",
    ],
    [{ network: { architecture: "VDSR" } as never }, 'there is no network called "VDSR"; there are SRCNN, '],
    [
      { schedule: { kind: "step", stepSize: 10, gamma: 0 } },
      "schedule wants a step schedule with stepSize (a whole number of at least 1) and gamma (a number above 0), got {",
    ],
    [{ schedule: { kind: "multistep", gamma: 0.5 } as never }, 'got {"kind":"multistep","gamma":0.5}'],
    [
      { schedule: { kind: "multistep", milestones: [], gamma: 0.5 } },
      "with milestones (a list of whole numbers of at least 1) and gamma (a number above 0), got",
    ],
    [{ schedule: { kind: "multistep", milestones: 10, gamma: 0.5 } as never }, "schedule wants"],
    [{ schedule: { kind: "cosine", tmax: 100 } as never }, 'got {"kind":"cosine","tmax":100}'],
    [{ schedule: { kind: "cosine", tMax: "100" } as never }, "schedule wants"],
    [
      { schedule: { kind: "constant", lr: 3 } as never },
      'schedule wants a constant schedule with no other field, got {"kind":"constant","lr":3}',
    ],
    [
      { schedule: { kind: "toString" } as never },
      "schedule wants an object whose kind is constant, step, multistep or cosine, got",
    ],
    [{ schedule: ["constant"] as never }, "schedule wants"],
    [{ schedule: null as never }, "schedule wants"],
    [
      { data: "photos" as never },
      'data wants a list whose items are each a folder, got "photos". In a program, write ["photos"].',
    ],
    [{ data: [""] }, "data wants a list whose items are each a folder"],
    [{ checkpointMinutes: undefined as never }, "checkpointMinutes wants a number above 0"],
    [{ schedule: "cosine" as never }, 'got "cosine". In a program, write {"kind":"cosine"}.'],
    [{ steps: "4" as never }, 'steps wants a whole number of at least 1, got "4". In a program, write 4.'],
    [{ schedule: "sine" as never }, /^checkConfig: schedule wants .*, got "sine"\.$/],
    [{ loss: "l3" }, /^checkConfig: loss wants .*, got "l3"\.$/],
    [{ degradation: "jpeg:60" as never }, 'got "jpeg:60". In a program, write {"seed":0,"jpeg":60}.'],
    [{ batch: 3, accumulate: 2 }, /choose a batch that is a multiple\.$/],
  ])("%o is refused", (change, message) => {
    const check = () => checkConfig({ ...quick, ...change });
    expect(check).toThrow(message);
    expect(check).toThrow(RangeError);
  });
});

test("what is no configuration at all gets one sentence, whoever is asked", async () => {
  const sentence = "a configuration is an object such as { ...presets.EDSR.quick, data: [folder] }, got {}.";
  expect(() => checkConfig({} as never)).toThrow(`checkConfig: ${sentence}`);
  await expect(train({} as never)).rejects.toThrow(`train: ${sentence}`);
});

describe("schedules", () => {
  test("a field that is undefined counts as left out", () => {
    const open = { kind: "constant", gamma: undefined } as ScheduleConfig;
    expect(() => checkConfig({ ...presets.EDSR.quick, schedule: open })).not.toThrow();
    expect(scheduleKind.fits({ kind: "step", stepSize: 10, gamma: undefined })).toBe(false);
  });

  test.each<[string, ScheduleConfig]>([
    ["constant", { kind: "constant" }],
    ["step:200:0.5", { kind: "step", stepSize: 200, gamma: 0.5 }],
    ["multistep:10,20:0.1", { kind: "multistep", milestones: [10, 20], gamma: 0.1 }],
    ["cosine", { kind: "cosine", tMax: undefined, etaMin: undefined }],
    ["cosine:1000", { kind: "cosine", tMax: 1000, etaMin: undefined }],
    ["cosine:1000:0", { kind: "cosine", tMax: 1000, etaMin: 0 }],
    ["cosine::2e-5", { kind: "cosine", tMax: undefined, etaMin: 2e-5 }],
  ])("%s is read and written", (text, schedule) => {
    expect(scheduleKind.read(text)).toEqual(schedule);
    expect(scheduleKind.fits(schedule)).toBe(true);
    expect(scheduleKind.write(schedule)).toBe(text);
  });

  test.each([
    ...["", "toString", "step", "step:0", "step:10:0", "step:1:2:3", "constant:1", "cosine:-1"],
    ...["multistep:", "multistep:1,,2", "cosine:10:-1", "cosine::"],
  ])("%j is none", (text) => expect(scheduleKind.fits(scheduleKind.read(text))).toBe(false));

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

  test("a cosine without a length ends with the run, also if a resume gives that more steps", () => {
    const config: TrainConfig = { ...presets.EDSR.quick, lr: 1, steps: 100 };
    const longer = { ...config, steps: 200 };
    expect([0, 100, 200].map(learningRate(longer))).toEqual([1, expect.closeTo(0.505, 12), 0.01]);
    expect(rateAfterResume(config, longer, 100)).toBe(
      "The cosine now ends at step 200, not 100: the rate goes on at 0.505",
    );
    expect(rateAfterResume(config, config, 50)).toBeUndefined();
  });

  test("a cosine with a length keeps it, and a resume beyond it says so", () => {
    const config: TrainConfig = {
      ...{ ...presets.EDSR.quick, lr: 1, steps: 100 },
      schedule: { kind: "cosine", tMax: 100 },
    };
    const longer = { ...config, steps: 200 };
    expect([0, 50, 100, 200].map(learningRate(longer))).toEqual([1, expect.closeTo(0.505, 12), 0.01, 0.01]);
    expect(rateAfterResume(config, longer, 100)).toBe(
      "The cosine ends at step 100: from step 100 to step 200 the rate stays 0.01. For a whole schedule, begin a " +
        "new run by `init` from these weights",
    );
    // A warm-up that is longer than the cosine: the rate still rises after its end, and stays where that ends.
    const warm = { ...longer, warmup: 150 };
    expect([150, 199].map(learningRate(warm))).toEqual([0.01, 0.01]);
    expect(learningRate(warm)(149)).toBeLessThan(0.01);
    expect(rateAfterResume(config, warm, 100)).toMatch(/from step 150 to step 200 the rate stays 0\.01\./);
    expect(rateAfterResume(config, { ...longer, warmup: 200 }, 100)).toBeUndefined();
  });
});

test("a batch that no memory holds is refused before a device is opened", async () => {
  const config = { ...presets.ESPCN.quick, batch: 1e8, adapter: "no such adapter" };
  await expect(train(config)).rejects.toThrow(
    /^train: a batch of 100000000 patches of \d+x\d+ pixels and their originals takes [\d,]+ GiB, and there are [\d.,]+ GiB/,
  );
  await expect(train(config)).rejects.toThrow(RangeError);
  const edsr = {
    ...presets.EDSR.quick,
    batch: 2,
    patch: 10,
    network: { architecture: "EDSR", scale: 2 },
  } as const;
  const bytes = 2 * (10 * 10 + 20 * 20) * 3 * 4;
  expect(() => checkBatchFits("train", edsr, bytes)).not.toThrow();
  expect(() => checkBatchFits("train", edsr, bytes - 1)).toThrow(/batch of 2 patches of 10x10/);
  // One channel of luma; LR as large as HR.
  const srcnn = {
    ...presets.SRCNN.quick,
    batch: 2,
    patch: 10,
    network: { architecture: "SRCNN", scale: 2 },
  } as const;
  expect(() => checkBatchFits("train", srcnn, 2 * 2 * 400 * 4)).not.toThrow();
  expect(() => checkBatchFits("train", srcnn, 2 * 2 * 400 * 4 - 1)).toThrow(RangeError);
});
