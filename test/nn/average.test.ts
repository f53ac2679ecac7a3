/** The moving average of a network's weights, against its formula in plain loops. */
import { beforeEach, describe, expect, test } from "vitest";
import { CpuDevice } from "../../src/device/cpu-device.ts";
import type { Device } from "../../src/device/device.ts";
import { onDevice, setDefaultDevice } from "../../src/device/open.ts";
import { EDSR, emaDecay, emaUpdate } from "../../src/node.ts";
import { Random } from "../../src/tensor/random.ts";
import { expectClose } from "../support/close.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";

const devices: Device[] = [float32Device(), ...(await gpuDevices())];

describe.each(devices.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  beforeEach(() => setDefaultDevice(device));
  const network = (seed: number, channels = 3) =>
    new EDSR({ blocks: 1, channels, random: new Random(seed), rgbMean: [0.1 * seed, 0.2, 0.3] });

  test("is decay * average + (1 - decay) * weights; tensors that are not trained are copied", async () => {
    const [average, model] = [network(1), network(2)];
    const [start, target] = [await average.stateDict(), await model.stateDict()];
    const { live, buffersCreated } = device.memory();
    for (let step = 0; step < 3; step++) emaUpdate(average, model, 0.9);
    const state = await average.stateDict();
    for (const [name, { data }] of state) {
      const fixed = name.includes("mean");
      const want = start.get(name)!.data.map((value, i) => {
        const other = target.get(name)!.data[i];
        return fixed ? other : 0.9 ** 3 * value + (1 - 0.9 ** 3) * other;
      });
      expectClose(data, want, { label: name });
    }
    expect(await model.stateDict()).toEqual(target);
    // No tensor is created; reading the weights and the step's parameters take buffers of their own.
    expect(device.memory().live - live).toBeLessThanOrEqual(1 + average.namedTensors().size);
    const createdBefore = device.memory().buffersCreated;
    for (let step = 0; step < 10; step++) emaUpdate(average, model, 0.9);
    expect(device.memory().buffersCreated).toBe(createdBefore);
    expect(createdBefore).toBeGreaterThanOrEqual(buffersCreated);
    average.dispose();
    model.dispose();
  });

  test("refuses another architecture and an impossible decay", () => {
    const [average, other] = [network(1), network(1, 4)];
    expect(() => emaUpdate(average, other, 0.9)).toThrow(
      "emaUpdate: head.0.weight of shape [3, 3, 3, 3] is [4, 3, 3, 3] in the other network.",
    );
    for (const decay of [-0.1, 1, Number.NaN]) {
      expect(() => emaUpdate(average, average, decay)).toThrow("decay must be at least 0 and below 1");
    }
    average.dispose();
    other.dispose();
  });

  test("refuses networks on two devices, before anything changes", async () => {
    const average = network(1);
    const elsewhere = new CpuDevice("float32");
    const other = onDevice(elsewhere, () => network(2));
    const before = await average.stateDict();
    expect(() => emaUpdate(average, other, 0.9)).toThrow(
      `emaUpdate: sub_mean.weight is on ${device.name} and that of the other network on cpu. `,
    );
    expect(() => emaUpdate(other, average, 0.9)).toThrow(
      "emaUpdate: sub_mean.weight is on cpu and that of the other network on ",
    );
    expect(await average.stateDict()).toEqual(before);
    other.dispose();
    average.dispose();
  });
});

test("the decay begins small, and the average forgets the first weights", () => {
  expect(emaDecay(0.999, 0)).toBe(0.1);
  expect(emaDecay(0.999, 90)).toBe(0.91);
  expect(emaDecay(0.999, 100_000)).toBe(0.999);
  let first = 1; // the share of the first weights
  for (let step = 0; step < 2000; step++) first *= emaDecay(0.999, step);
  expect(first).toBeLessThan(1e-6);
});
