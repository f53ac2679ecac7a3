/** Training on devices that are lost; scripts/soak takes many more away. */
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { aGpuDevice } from "../../src/device/gpu-device.ts";
import { GpuDevice, GpuError, openDevice, Random, upscale } from "../../src/node.ts";
import { readCheckpoint, resume, type TrainConfig, train } from "../../src/train/index.ts";
import { gpuDevices, logicDevices } from "../support/devices.ts";
import { beforeSubmit, differentWeights, loseAt, trainWithLosses } from "../support/lose-devices.ts";
import { drawnPicture, picturesIn } from "../support/pictures.ts";
import { root, runFile } from "../support/run.ts";
import { temporaryPaths, tiny } from "./support.ts";

const unused = temporaryPaths();
const devices = await gpuDevices();
const adapters = devices.map(({ adapterClass }) => adapterClass);
const logicAdapters = logicDevices(devices).map(({ adapterClass }) => adapterClass);
let data: string;
beforeAll(async () => {
  data = await picturesIn(unused(), 4);
});

const config = (adapter: string, change: Partial<TrainConfig> = {}): TrainConfig => ({
  ...{
    ...tiny,
    adapter,
    data: [data],
    out: unused(),
    steps: 20,
    evalEvery: 10,
    checkpointEvery: 5,
    ema: 0.9,
  },
  ...change,
});

describe.each(adapters)("on %s", (adapter) => {
  const testLogic = test.runIf(logicAdapters.includes(adapter));
  let whole: string;
  /** How often a run in peace submits commands. */
  let submits: { readonly count: number };
  beforeAll(async () => {
    const moment = (device: GpuDevice) => {
      submits = loseAt(device, Infinity, "before");
    };
    whole = (await trainWithLosses(config(adapter), { losses: 1, moment })).path;
  });

  test("a run whose device is lost ends with one paragraph, and can be resumed", async () => {
    const device = (await openDevice({ adapter })) as GpuDevice;
    const one = config(adapter);
    const run = train(one, { device, onProgress: ({ step }) => step === 17 && device.gpu.destroy() });
    const error: Error = await run.then(
      () => expect.unreachable(),
      (error) => error,
    );
    expect(error).toBeInstanceOf(GpuError);
    expect(error.message).toMatch(
      /^The GPU device .* was lost \(.*\)\. The run in \S+ is saved up to step 15: /,
    );
    expect(error.message).toMatch(
      /go on with it by `resume`\. With `onLoss` "resume" .* goes on by itself\.$/,
    );
    expect(readCheckpoint(one.out!).state.step).toBe(15);
    await resume(one.out!);
    expect(differentWeights(one.out!, whole)).toEqual([]);
    // The process has a device for other work.
    vi.stubEnv("PIXELGRAD_ADAPTER", adapter);
    expect((await upscale(drawnPicture(1), { method: "espcn" })).image.width).toBe(80);
    vi.unstubAllEnvs();
  });

  testLogic(
    "with onLoss: resume it goes on by itself, whenever devices are lost",
    {
      timeout: 180_000,
    },
    async () => {
      const moment = beforeSubmit(submits.count - 1, new Random(4));
      const messages: string[] = [];
      let losses = 0;
      for (let run = 0; run < 2; run++) {
        const one = config(adapter);
        const { step, lost } = await trainWithLosses(
          one,
          { losses: 3, moment },
          { onLoss: "resume", onMessage: (line) => messages.push(line) },
        );
        losses += lost;
        expect(step).toBe(20);
        expect(differentWeights(one.out!, whole), `run ${run}`).toEqual([]);
        const steps = readFileSync(join(one.out!, "log.jsonl"), "utf8").match(/(?<="step":)\d+(?=,"loss)/g);
        expect(steps).toEqual(Array.from({ length: 20 }, (_, i) => `${i + 1}`));
      }
      expect(losses).toBeGreaterThan(0);
      const told = messages.filter((line) => /was lost .* Going on with step \d+ on a new device/.test(line));
      expect(told).toHaveLength(losses);
    },
  );

  testLogic("and says so where the newest checkpoint is damaged by then", async () => {
    const device = (await openDevice({ adapter })) as GpuDevice;
    const one = config(adapter);
    const messages: string[] = [];
    await train(one, {
      device,
      onLoss: "resume",
      onMessage: (line) => messages.push(line),
      onProgress({ step }) {
        if (step !== 12 || messages.some((line) => line.includes("was lost"))) return;
        truncateSync(join(one.out!, "checkpoint.safetensors"), 1000);
        device.gpu.destroy();
      },
    });
    const [damage, loss] = messages.slice(messages.findIndex((line) => line.includes("damaged")));
    expect(damage).toMatch(/checkpoint\.safetensors.* Going on from the one before it, of step 5\./);
    expect(loss).toMatch(/ was lost .* Going on with step 6 on a new device/);
    expect(differentWeights(one.out!, whole)).toEqual([]);
  });

  testLogic.each(["fail", "resume"] as const)(
    "where no checkpoint is whole, with onLoss %s, the error names the loss first",
    async (onLoss) => {
      const device = (await openDevice({ adapter })) as GpuDevice;
      const one = config(adapter);
      const run = train(one, {
        device,
        onLoss,
        onProgress({ step }) {
          if (step !== 12) return;
          for (const file of readdirSync(one.out!).filter((name) => name.startsWith("checkpoint"))) {
            truncateSync(join(one.out!, file), 1000);
          }
          device.gpu.destroy();
        },
      });
      await expect(run).rejects.toThrow(
        /^The GPU device .* was lost \(.*\)\. The run cannot go on: .*checkpoint\.safetensors.* damaged/,
      );
      await expect(run).rejects.toBeInstanceOf(GpuError);
    },
  );

  testLogic("before the first step, too", async () => {
    const device = (await openDevice({ adapter })) as GpuDevice;
    const one = config(adapter);
    await expect(
      train(one, { device, onMessage: (line) => line.startsWith("Network") && device.gpu.destroy() }),
    ).rejects.toThrow("Nothing had been learned yet: begin again.");
    expect(existsSync(one.out!)).toBe(false);
    const other = (await openDevice({ adapter })) as GpuDevice;
    const onMessage = (line: string) => line.startsWith("Network") && other.gpu.destroy();
    await train(one, { device: other, onLoss: "resume", onMessage });
    expect(differentWeights(one.out!, whole)).toEqual([]);
  });

  // The same on all.
  test.runIf(adapter === adapters[0])(
    "a run that loses every device gives up",
    { timeout: 180_000 },
    async () => {
      const one = config(adapter, { checkpointEvery: undefined, evalEvery: 20 });
      const moment = beforeSubmit(1, new Random(1));
      await expect(trainWithLosses(one, { losses: 100, moment }, { onLoss: "resume" })).rejects.toThrow(
        /That was number 11 in a row without a checkpoint between them\. Smaller patches/,
      );
    },
  );
});

test("a program whose run survived a loss ends with exit code 0", async () => {
  const program = `${unused()}.mts`;
  writeFileSync(
    program,
    `import { openDevice } from "${join(root, "src/node.ts")}";
    import { train } from "${join(root, "src/train/index.ts")}";
    const device = await openDevice({ adapter: "${adapters[0]}" });
    const config = ${JSON.stringify(config(adapters[0], { steps: 6 }))};
    const onProgress = ({ step }) => step === 3 && device.gpu.destroy();
    const { step } = await train(config, { device, onLoss: "resume", onProgress });
    console.log(step);`,
  );
  const { code, stdout, stderr } = await runFile(program);
  expect({ code, stderr, stdout }).toEqual({ code: 0, stderr: "", stdout: "6\n" });
});

test("another choice is refused", async () => {
  await expect(train(config("cpu"), { onLoss: "ignore" as never })).rejects.toThrow(
    'onLoss must be fail or resume, got "ignore".',
  );
});

test("a device that another copy of the library opened is one, too, and its loss is noticed", async () => {
  vi.resetModules(); // the last test here: what is imported from now on is of the other copy
  const copy = await import("../../src/node.ts");
  const device = (await copy.openDevice({ adapter: adapters[0] })) as GpuDevice;
  expect(device).not.toBeInstanceOf(GpuDevice);
  expect(aGpuDevice.fits(device)).toBe(true);
  expect(aGpuDevice.fits(await copy.openDevice({ adapter: "cpu" }))).toBe(false);
  const run = train(config(adapters[0]), {
    device,
    onProgress: ({ step }) => step === 12 && device.gpu.destroy(),
  });
  await expect(run).rejects.toThrow(/^The GPU device .* was lost .* is saved up to step 10/);
  await expect(run).rejects.toBeInstanceOf(GpuError);
});
