/** Training as a whole: no memory leaks, and the same seed leads to the same weights. */
import { beforeEach, describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import { setDefaultDevice } from "../../src/device/open.ts";
import { l1Loss } from "../../src/kernels/loss/index.ts";
import { EDSR } from "../../src/models/edsr.ts";
import { Adam, type NamedArray } from "../../src/nn/index.ts";
import { rand } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { backward } from "../../src/tensor/tape.ts";
import { float32Device, gpuDevices, logicDevices } from "../support/devices.ts";
import { runCode } from "../support/run.ts";

const gpus = await gpuDevices();
const devices: Device[] = [float32Device(), ...gpus];

describe.each(devices.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  beforeEach(() => setDefaultDevice(device));

  function train(model: EDSR, adam: Adam, random: Random) {
    using _ = scope();
    const low = rand([2, 3, 8, 8], random);
    const loss = l1Loss(model.forward(low), rand([2, 3, 8 * model.scale, 8 * model.scale], random));
    adam.step(backward(loss));
    return loss.item();
  }

  test.each([2, 3, 4] as const)(
    "a step of EDSR x%i leaves as much memory in use as before",
    async (scale) => {
      const before = device.memory().live;
      const random = new Random(1);
      const model = new EDSR({ scale, blocks: 2, channels: 4, resScale: 0.1, random });
      const adam = new Adam(model.parameters());
      const { live, liveBytes } = device.memory();
      for (let step = 0; step < 3; step++) {
        await train(model, adam, random);
        expect(device.memory()).toMatchObject({ live, liveBytes });
      }
      model.dispose();
      adam.dispose();
      expect(device.memory().live).toBe(before);
    },
  );

  test("20 steps from the same seed give the same weights, to the last bit", async () => {
    const run = async (seed: number): Promise<Map<string, NamedArray>> => {
      const random = new Random(seed);
      const model = new EDSR({ blocks: 2, channels: 6, random });
      const adam = new Adam(model.parameters());
      const losses: number[] = [];
      for (let step = 0; step < 20; step++) losses.push(await train(model, adam, random));
      const state = await model.stateDict();
      model.dispose();
      adam.dispose();
      return state.set("losses", { shape: [20], data: Float32Array.from(losses) });
    };
    const first = await run(1);
    expect(new Set(first.get("losses")!.data).size).toBe(20);
    expect(await run(1)).toEqual(first);
    expect(await run(2)).not.toEqual(first);
  });

  const isForLogic = logicDevices(gpus).some((gpu) => gpu === device);
  test.runIf(isForLogic)("200 steps need no more memory than the first few", async () => {
    const { adapterClass } = device as GpuDevice;
    const { code, stdout, stderr } = await runCode(
      `
      import { Adam, backward, EDSR, init, l1Loss, memory, rand, Random, scope } from "./src/node.ts";
      await init({ adapter: "${adapterClass}" });
      const random = new Random(1);
      const model = new EDSR({ blocks: 2, channels: 6, random });
      const adam = new Adam(model.parameters());
      const memoryAt = {};
      for (let step = 1; step <= 200; step++) {
        const round = scope();
        const loss = l1Loss(model.forward(rand([2, 3, 8, 8], random)), rand([2, 3, 16, 16], random));
        adam.lr = 1e-3 / step; // as under a schedule
        adam.step(backward(loss));
        if (step % 10 === 0) await loss.item();
        round.end();
        if ([3, 20, 50, 200].includes(step)) {
          await loss.device.sync();
          memoryAt[step] = { ...memory(), rss: process.memoryUsage().rss / 2 ** 20 };
        }
      }
      console.log(JSON.stringify(memoryAt));`,
      // By default V8 lets new objects pile up to 50 MiB before it first collects, which would hide a leak.
      { env: { NODE_OPTIONS: "--max-semi-space-size=1" } },
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { 3: early, 20: settled, 50: middle, 200: late } = JSON.parse(stdout);
    expect(late.live).toBe(early.live);
    expect(late.liveBytes).toBe(early.liveBytes);
    expect(late.pipelines).toBe(early.pipelines);
    // Reading the loss, from step 10 on, needs one buffer.
    expect(settled.buffersCreated - early.buffersCreated).toBeLessThanOrEqual(1);
    expect(late.buffersCreated).toBe(settled.buffersCreated);
    expect(late.bufferBytes).toBe(settled.bufferBytes);
    console.log(
      `${adapterClass}: resident memory after 50 steps ${middle.rss.toFixed(0)} MiB, ` +
        `after 200 ${late.rss.toFixed(0)} MiB`,
    );
    expect(late.rss - middle.rss).toBeLessThan(30);
  });
});
