/** Whole runs, on every device: what they leave behind, how they go on, and what can go wrong. */
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { writePng } from "../../src/data/index.ts";
import type { Device } from "../../src/device/device.ts";
import { GpuDevice } from "../../src/device/gpu-device.ts";
import { setDefaultDevice } from "../../src/device/open.ts";
import { EDSR, loadModel, type NamedArray, parseSafetensors, serializeSafetensors } from "../../src/node.ts";
import { crop } from "../../src/picture/index.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { serializeCheckpoint } from "../../src/train/checkpoint.ts";
import { openPictures } from "../../src/train/datasets.ts";
import { DivergedError, readCheckpoint, resume, type TrainConfig, train } from "../../src/train/index.ts";
import { differentiate, partsOf } from "../../src/train/trainer.ts";
import { expectClose } from "../support/close.ts";
import { float32Device, gpuDevices, logicDevices } from "../support/devices.ts";
import { drawnPicture, picturesIn } from "../support/pictures.ts";
import { isQuick, spread } from "../support/tier.ts";
import { temporaryPaths, tiny } from "./support.ts";

const gpus = await gpuDevices();
const devices: Device[] = [float32Device(), ...gpus];
const unused = temporaryPaths();
let data: string;
beforeAll(async () => {
  data = await picturesIn(unused(), 4);
});

const config = (change: Partial<TrainConfig> = {}): TrainConfig => ({
  ...tiny,
  data: [data],
  out: unused(),
  ...change,
});
const tensors = (folder: string, file = "checkpoint.safetensors") =>
  parseSafetensors(readFileSync(join(folder, file))).tensors;
const log = (folder: string) =>
  readFileSync(join(folder, "log.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

/** Ends a run after some of its steps. */
function until(step: number) {
  const stop = new AbortController();
  return {
    signal: stop.signal,
    onProgress: (status: { step: number }) => status.step >= step && stop.abort(),
  };
}

const espcn: TrainConfig["network"] = {
  ...{ architecture: "ESPCN", scale: 2, filters: [6, 4] as const, activation: "tanh", residual: true },
};
const srcnn: TrainConfig["network"] = {
  ...{ architecture: "SRCNN", scale: 3, kernels: [5, 1, 3] as const, filters: [6, 4] as const },
  ...{ padding: "replicate", residual: false },
};

const cases: [string, Partial<TrainConfig>][] = [
  ["EDSR with everything", { accumulate: 2, clip: 0.1, ema: 0.9, warmup: 2, loss: "l2", checkpointEvery: 1 }],
  ["EDSR", {}],
  ["ESPCN", { network: espcn }],
  ["SRCNN", { network: srcnn, patch: 4 }],
];

describe.each(devices.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  beforeEach(() => setDefaultDevice(device));

  const isForLogic = logicDevices(gpus).some((gpu) => gpu === device);
  const testLogic = test.runIf(isForLogic);
  const own = isForLogic ? spread(cases, 1) : cases.slice(0, 1);
  test.each(own)(
    "%s: stopped and resumed twice, the weights are those of an uninterrupted run, to the last bit",
    async (_, change) => {
      const whole = config(change);
      const result = await train(whole, { device });
      expect(result).toMatchObject({ path: whole.out, step: 6 });
      const { live } = device.memory();

      const parted = config(change);
      expect((await train(parted, { device, ...until(2) })).step).toBe(2);
      // Whether or not that step had a checkpoint of its own.
      const last = parseSafetensors(readFileSync(join(parted.out!, "last.safetensors")));
      expect(last.metadata.step).toBe("2");
      expect((await resume(parted.out!, { device, ...until(5) })).step).toBe(5);
      // A killed run may have written this after its last checkpoint.
      appendFileSync(join(parted.out!, "log.jsonl"), '{"step":6,"lo');
      appendFileSync(join(parted.out!, "events.out.tfevents.pixelgrad"), "half a record");
      writeFileSync(join(parted.out!, "best.safetensors.x.tmp"), "half a file");
      const resumed = await resume(parted.out!, { device });
      expect(device.memory().live).toBe(live); // no run leaves tensors behind
      expect(resumed).toEqual({ ...result, path: parted.out, config: { ...result.config, out: parted.out } });

      expect(tensors(parted.out!)).toEqual(tensors(whole.out!));
      for (const file of ["best.safetensors", "last.safetensors"]) {
        expect(tensors(parted.out!, file)).toEqual(tensors(whole.out!, file));
      }
      expect(readdirSync(parted.out!).sort()).toEqual(readdirSync(whole.out!).sort());
      expect(readdirSync(whole.out!).sort()).toEqual([
        ...["best.safetensors", "checkpoint.previous.safetensors", "checkpoint.safetensors"],
        ...["comparison.png", "curves.png", "curves.svg", "events.out.tfevents.pixelgrad"],
        ...["last.safetensors", "log.jsonl", "report.html"],
      ]);
      // The same log but for the times, and every step once.
      const numbers = (folder: string) =>
        log(folder)
          .filter(({ step }) => step !== undefined)
          .map(({ step, loss, lr, psnr }) => ({ step, loss, lr, psnr }));
      expect(numbers(parted.out!)).toEqual(numbers(whole.out!));
      expect(numbers(whole.out!).flatMap(({ step, loss }) => (loss === undefined ? [] : [step]))).toEqual([
        1, 2, 3, 4, 5, 6,
      ]);
      expect(log(parted.out!).filter(({ resumed }) => resumed !== undefined)).toHaveLength(2);
      const { out: _out, ...logged } = result.config;
      expect(log(whole.out!)[0].config).toEqual({ ...logged, data: [basename(data)] });
    },
  );

  testLogic("with a moving average, the average is measured and saved", async () => {
    const one = config({ ema: 0.5, evalEvery: 2 });
    await train(one, { device });
    const { weights, average } = readCheckpoint(one.out!);
    expect(tensors(one.out!, "last.safetensors")).toEqual(average);
    expect(average).not.toEqual(weights);
    // It moved, and stayed behind.
    const distance = (a: Map<string, NamedArray>, b: Map<string, NamedArray>) =>
      [...a].reduce(
        (sum, [name, { data }]) => data.reduce((s, v, i) => s + (v - b.get(name)!.data[i]) ** 2, sum),
        0,
      );
    const start = config({ steps: 1, lr: 1e-30 });
    await train(start, { device });
    const before = readCheckpoint(start.out!).weights;
    expect(distance(average!, before)).toBeGreaterThan(0);
    expect(distance(average!, before)).toBeLessThan(distance(weights, before));
    // The file says what it is, and builds itself.
    const model = loadModel(readFileSync(join(one.out!, "best.safetensors")));
    expect(model.metadata()).toMatchObject({ architecture: "EDSR", blocks: "1", channels: "4" });
    model.dispose();
    const { metadata } = parseSafetensors(readFileSync(join(one.out!, "best.safetensors")));
    expect(metadata.protocol).toBe(
      "PSNR and SSIM on Y (BT.601 studio range, rounded) of the RGB result, border 2, padding none; LR: Matlab's bicubic of RGB bytes",
    );
    expect(JSON.parse(metadata.config)).toMatchObject({ ema: 0.5, steps: 6 });
  });

  test("two parts of two patches give the gradients of four, but for the order of the sums", async () => {
    const random = new Random(1);
    const model = new EDSR({ blocks: 1, channels: 4, random });
    const values = (length: number) => Float32Array.from({ length }, () => random.uniform());
    const batch = {
      ...{ low: values(4 * 3 * 64), lowShape: [4, 3, 8, 8] as [number, number, number, number] },
      ...{ high: values(4 * 3 * 256), highShape: [4, 3, 16, 16] as [number, number, number, number] },
      ...{ names: [], epoch: 0, wait: 0 },
    };
    for (const loss of ["l1", "l2", "l1+0.01*fft", "charbonnier+0.5*ssim"]) {
      using _ = scope();
      const { device } = model.parameters()[0];
      const partial = (accumulate: number) => {
        const each = config({ loss, accumulate });
        return differentiate(model, partsOf(batch, each, device), each);
      };
      const whole = partial(1);
      for (const accumulate of [2, 4]) {
        const parts = partial(accumulate);
        expect(parts.gradients.size).toBe(whole.gradients.size);
        expectClose([await parts.loss.item()], [await whole.loss.item()]);
        for (const [parameter, gradient] of whole.gradients) {
          const want = await gradient.data();
          // Sums over 1024 places of both signs: the error is relative to the terms, not to their sum.
          const largest = want.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
          expectClose(await parts.gradients.get(parameter)!.data(), want, { absolute: 1e-5 * largest });
        }
      }
    }
    model.dispose();
  });

  test.runIf(device instanceof GpuDevice)(
    "from the third step on nothing new is made on the GPU",
    async () => {
      const seen = new Map<number, { buffersCreated: number; pipelines: number; live: number }>();
      const steady = config({ steps: 30, evalEvery: 30, logEvery: 3, clip: 0.1, ema: 0.9, accumulate: 2 });
      await train(steady, { device, onProgress: ({ step }) => seen.set(step, device.memory()) });
      const { buffersCreated, pipelines, live } = seen.get(3)!;
      for (const step of [9, 18, 27])
        expect(seen.get(step)).toMatchObject({ buffersCreated, pipelines, live });
    },
  );

  testLogic("weights that are no longer finite end it, and are never saved", async () => {
    // The rate is multiplied by 1e30 after the checkpoint of step 4; the loss is read at evaluations only.
    const schedule = { kind: "multistep", milestones: [4], gamma: 1e30 } as const;
    const bad = config({ schedule, steps: 20, evalEvery: 2, logEvery: 100 });
    await expect(train(bad, { device })).rejects.toThrow(DivergedError);
    const { state, weights } = readCheckpoint(bad.out!);
    expect(state.step).toBe(4);
    for (const values of [
      weights,
      tensors(bad.out!, "best.safetensors"),
      tensors(bad.out!, "last.safetensors"),
    ]) {
      for (const { data } of values.values()) expect(data.every(Number.isFinite)).toBe(true);
    }
    await expect(resume(bad.out!, { device })).rejects.toThrow(
      /^(The loss|A weight of \S+) became (NaN|-?Infinity) at step 6: training diverged/,
    );
    expect(readCheckpoint(bad.out!).state.step).toBe(4);
  });
});

// Each of these trains, and then trains again.
describe.skipIf(isQuick)("resuming", () => {
  const device = devices[0];
  beforeEach(() => setDefaultDevice(device));

  test("with more steps, the weights are those of a run of that length", async () => {
    const schedule = { kind: "step", stepSize: 4, gamma: 0.5 } as const;
    const [short, long] = [config({ schedule, steps: 4 }), config({ schedule, steps: 8 })];
    await train(short, { device });
    const { step } = await resume(short.out!, { device, change: (saved) => ({ ...saved, steps: 8 }) });
    expect(step).toBe(8);
    await train(long, { device });
    expect(tensors(short.out!)).toEqual(tensors(long.out!));
    // Once more: there is nothing left to do, and nothing changes.
    const before = readFileSync(join(short.out!, "checkpoint.safetensors"));
    await resume(short.out!, { device });
    expect(readFileSync(join(short.out!, "checkpoint.safetensors"))).toEqual(before);
  });

  test.each<[Partial<TrainConfig>, string | RegExp]>([
    [{ lr: 1 }, "`lr` was 2e-3 when the run in"],
    [{ schedule: { kind: "cosine", tMax: 9 } }, /`schedule` was cosine when .* cannot become cosine:9: /],
    [{ batch: 4 }, "`batch` was 2 when"],
    [{ clip: 1 }, "`clip` was not given when"],
    [{ network: { ...tiny.network, channels: 5 } as never }, "`network.channels` was 4 when"],
    [{ steps: 0 }, "steps wants a whole number of at least 1"],
  ])("refuses %o", async (change, message) => {
    const one = config();
    await train(one, { device, ...until(1) });
    await expect(resume(one.out!, { device, change: (saved) => ({ ...saved, ...change }) })).rejects.toThrow(
      message,
    );
    expect((await resume(one.out!, { device })).step).toBe(6); // and nothing was lost
  });

  test.each<[string, (saved: TrainConfig) => unknown, RegExp]>([
    ["a misspelt setting", (saved) => ({ ...saved, stepz: 9 }), /^resume: there is no option "stepz"/],
    [
      "the same object, changed in its place",
      (saved) => Object.assign(saved, { lr: 1 }),
      /^resume: `lr` was 2e-3 when/,
    ],
    [
      "the same object, changed inside",
      (saved) => {
        Object.assign(saved.network, { channels: 5 });
        return saved;
      },
      /^resume: `network.channels` was 4 when/,
    ],
    [
      "nothing",
      (saved) => {
        Object.assign(saved, { steps: 9 });
      },
      /^resume: a configuration is an object .*got undefined/,
    ],
    ["a promise", async (saved) => saved, /^resume: the function returned a promise: `change` must/],
    ["another folder", (saved) => ({ ...saved, out: unused() }), /^resume: a run goes on in its folder /],
  ])("refuses %s from `change`", async (_, change, message) => {
    const one = config();
    await train(one, { device, ...until(1) });
    await expect(resume(one.out!, { device, change: change as never })).rejects.toThrow(message);
  });

  test("a best figure of another protocol is measured anew", async () => {
    const one = config({ steps: 4, evalEvery: 2 });
    const before = await train(one, { device });
    const best = join(one.out!, "best.safetensors");
    const { tensors, metadata } = parseSafetensors(readFileSync(best));
    writeFileSync(best, serializeSafetensors(tensors, { ...metadata, protocol: "an older one" }));
    const checkpoint = readCheckpoint(one.out!);
    const state = { ...checkpoint.state, best: { ...before.best!, psnr: 99 } };
    writeFileSync(join(one.out!, "checkpoint.safetensors"), serializeCheckpoint({ ...checkpoint, state }));
    expect((await resume(one.out!, { device })).best).toEqual(before.best);
  });

  test("held-out pictures that are too small for SSIM are measured", async () => {
    const valid = unused();
    mkdirSync(valid);
    await writePng(join(valid, "a.png"), crop(drawnPicture(2), 0, 0, 12, 12));
    const { best } = await train(config({ valid, steps: 1, evalEvery: 1 }), { device });
    expect(best!.psnr).toBeGreaterThan(0);
  });

  test("a blank picture among those to measure with ends nothing; blank ones alone are refused", async () => {
    const valid = unused();
    mkdirSync(valid);
    const blank = { width: 32, height: 32, channels: 3 as const, data: new Uint8Array(32 * 32 * 3).fill(90) };
    await writePng(join(valid, "blank.png"), blank);
    const one = config({ valid, validPictures: 2, steps: 2, evalEvery: 1 });
    await expect(train(one, { device })).rejects.toThrow(/enlarges blank without any error/);
    await writePng(join(valid, "picture.png"), drawnPicture(2));
    const said: string[] = [];
    const onMessage = (line: string) => said.push(line);
    const { best, bicubic } = await train({ ...one, out: unused() }, { device, onMessage });
    expect(said).toContain("Not measured, as bicubic interpolation enlarges them without any error: blank");
    // As if it were not there.
    rmSync(join(valid, "blank.png"));
    const without = await train({ ...one, out: unused() }, { device });
    expect(Number.isFinite(best!.psnr)).toBe(true);
    expect({ best, bicubic }).toEqual({ best: without.best, bicubic: without.bicubic });
  });

  test("refuses other pictures; the same ones may have moved", async () => {
    const one = config();
    await train(one, { device, ...until(1) });
    const [fewer, others, moved] = [await picturesIn(unused(), 3), await picturesIn(unused(), 4), unused()];
    await writePng(join(others, "00.png"), drawnPicture(9));
    const from = (folder: string) =>
      resume(one.out!, { device, change: (saved) => ({ ...saved, data: [folder] }) });
    await expect(from(fewer)).rejects.toThrow("to train on there were 3, now 2");
    const measured = { valid: await picturesIn(unused(), 2) };
    await expect(
      resume(one.out!, { device, change: (saved) => ({ ...saved, ...measured }) }),
    ).rejects.toThrow("to train on there were 3, now 4");
    await expect(from(others)).rejects.toThrow("there were 3, now 4, and number 2 was 1 and is 00. Resume");
    mkdirSync(moved);
    for (const file of readdirSync(data)) copyFileSync(join(data, file), join(moved, file));
    // So may the run's own folder.
    const folder = unused();
    renameSync(one.out!, folder);
    const change = (saved: TrainConfig) => ({ ...saved, data: [moved] });
    expect(await resume(folder, { device, change })).toMatchObject({ path: folder, step: 6 });
  });

  test("refuses a folder without a checkpoint, weights alone, another format", async () => {
    const empty = unused();
    mkdirSync(empty);
    await expect(resume(empty, { device })).rejects.toThrow(
      "there is no training to resume (no checkpoint.safetensors)",
    );
    const one = config();
    await train(one, { device });
    copyFileSync(join(one.out!, "last.safetensors"), join(empty, "checkpoint.safetensors"));
    await expect(resume(empty, { device })).rejects.toThrow(
      "weights without the state of training. Begin with",
    );
    const bytes = readFileSync(join(one.out!, "checkpoint.safetensors"));
    const other = Buffer.from(bytes.toString("latin1").replace('version\\":1', 'version\\":2'), "latin1");
    writeFileSync(join(empty, "checkpoint.safetensors"), other);
    await expect(resume(empty, { device })).rejects.toThrow(
      "is a checkpoint of format 2, and this version reads format 1",
    );
  });

  test("a damaged picture costs nothing that was learned", async () => {
    const folder = await picturesIn(unused(), 6);
    const network = { ...espcn, residual: false }; // looks at no picture before the first step
    const one = config({ network, data: [folder], batch: 1, steps: 8, evalEvery: 100 });
    const good = config({ network, data: [folder], batch: 1, steps: 8, evalEvery: 100 });
    await train(good, { device });
    // The one that comes last in the first epoch.
    const order = new Map<string, number>();
    for (const name of ["0", "1", "2", "3", "4"]) {
      const path = join(folder, `${name}.png`);
      const whole = readFileSync(path);
      const damaged = Uint8Array.from(whole);
      damaged[whole.length >> 1] ^= 0x10; // a checksum is wrong, which only decoding tells
      writeFileSync(path, damaged);
      const probe = config({ network, data: [folder], batch: 1, steps: 8, evalEvery: 100 });
      const error: Error = await train(probe, { device }).then(
        () => expect.unreachable("the picture was not read"),
        (error) => error,
      );
      expect(error.message).toContain(
        `${name}.png: this PNG picture of ${whole.length} bytes cannot be decoded`,
      );
      const step = existsSync(probe.out!) ? readCheckpoint(probe.out!).state.step : 0;
      const saved = `Training stopped at step ${step} of 8, and the run in ${probe.out} is saved up to there`;
      if (step > 0) expect(error.message).toMatch(new RegExp(`${saved}: .* by \`resume\` ${probe.out}\\.$`));
      else expect(error.message).not.toContain("Training stopped");
      order.set(name, step);
      writeFileSync(path, whole);
      if (step === 0) continue;
      expect((await resume(probe.out!, { device })).step).toBe(8);
      expect(tensors(probe.out!)).toEqual(tensors(good.out!));
    }
    expect([...order.values()].sort()).toEqual([0, 1, 2, 3, 4]);
    expect(existsSync(one.out!)).toBe(false);
  });
});

describe.skipIf(isQuick)("beginning", () => {
  const device = devices[0];
  beforeEach(() => setDefaultDevice(device));

  test("x3 from the weights of x2: all but the enlargement", async () => {
    const x2 = config();
    await train(x2, { device });
    const said: string[] = [];
    const network = { ...tiny.network, scale: 3 } as const;
    const init = join(x2.out!, "last.safetensors");
    const x3 = config({ network: network as TrainConfig["network"], init, steps: 1, lr: 1e-30, ema: 0.9 });
    await train(x3, { device, onMessage: (line) => said.push(line) });
    const [small, large] = [tensors(x2.out!, "last.safetensors"), tensors(x3.out!, "last.safetensors")];
    for (const [name, { data }] of large) {
      if (name.startsWith("tail.0.")) continue;
      expectClose(data, small.get(name)!.data, { label: name });
    }
    expect(said).toContain(
      `Weights: from ${init}; at random as it lacks them: tail.0.0.weight, tail.0.0.bias`,
    );
    await expect(train(config({ init, network: espcn }), { device })).rejects.toThrow(
      "none of its tensors has the name and shape",
    );
    await expect(train(config({ init: "nowhere.safetensors" }), { device })).rejects.toThrow(
      "nowhere.safetensors: cannot be read",
    );
  });

  test("with degraded pictures; a cache of decoded ones changes nothing", async () => {
    const degradation = { seed: 4, noise: [5, 20], jpeg: 50 } as const;
    const said: string[] = [];
    const [plain, noisy, cached] = [
      config(),
      config({ degradation }),
      config({ degradation, cache: unused() }),
    ];
    for (const one of [plain, noisy, cached])
      await train(one, { device, onMessage: (line) => said.push(line) });
    expect(tensors(noisy.out!)).not.toEqual(tensors(plain.out!));
    expect(tensors(cached.out!)).toEqual(tensors(noisy.out!));
    expect(readdirSync(cached.cache!)).toHaveLength(3);
    expect(
      said.filter((line) =>
        line.includes(
          `border 2, padding none; LR: the large pictures, degraded by ${JSON.stringify(degradation)}.`,
        ),
      ),
    ).toHaveLength(2);
    await expect(train(config({ track: "mild" }), { device })).rejects.toThrow(
      'only folders in DIV2K\'s layout have a track "mild"',
    );
  });

  test("with several folders, and another one to measure on", async () => {
    const [more, valid] = [await picturesIn(unused(), 2), await picturesIn(unused(), 3)];
    const said: string[] = [];
    const onMessage = (line: string) => said.push(line);
    await train(config({ data: [data, more], steps: 1 }), { device, onMessage });
    expect(said).toContain(`Pictures: ${basename(data)}, ${basename(more)}: 4 pictures, 2 held out`);
    const measured = config({ data: [data, more], valid, validPictures: 2, steps: 2 });
    await train(measured, { device, onMessage });
    expect(said).toContain(
      `Pictures: ${basename(data)}, ${basename(more)}: 6 pictures, measured on 3 of ${basename(valid)}`,
    );
    expect(readCheckpoint(measured.out!).state.pictures).toMatchObject({
      train: ["0", "1", "2", "3", "0", "1"],
      valid: ["0", "1", "2"],
    });
    const fewer = await picturesIn(unused(), 2);
    await expect(
      resume(measured.out!, { device, change: (saved) => ({ ...saved, valid: fewer }) }),
    ).rejects.toThrow(
      "to measure on there were 3, now 2, and number 3 was 2. Resume with `valid` or `data` naming",
    );
    // No path is in a file that travels.
    for (const file of ["best.safetensors", "last.safetensors", "log.jsonl", "report.html"]) {
      expect(readFileSync(join(measured.out!, file), "latin1")).not.toContain(dirname(data));
    }
    expect(log(measured.out!).find(({ psnr }) => psnr !== undefined).pictures).toHaveLength(2);
  });
});

test("the photographs from npm keep the names that runs know them by", () => {
  const { train, valid } = openPictures({ ...tiny, data: [] }, { scale: 2, colors: "rgb", inputSize: "low" });
  expect(train.names[0]).toBe("airplane-from-above");
  expect(valid.names).toEqual(["nagasaki-boats", "dust-bowl-home", "acanthus-mollis"]);
});
