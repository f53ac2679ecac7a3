/** The moving average of a network's weights, against its formula in plain loops. */
import { beforeEach, describe, expect, test } from "vitest";
import { CpuDevice } from "../../src/device/cpu-device.ts";
import type { Device } from "../../src/device/device.ts";
import { GpuDevice } from "../../src/device/gpu-device.ts";
import { onDevice, setDefaultDevice } from "../../src/device/open.ts";
import {
  capture,
  EDSR,
  emaDecay,
  emaUpdate,
  Linear,
  Module,
  noGrad,
  SGD,
  scope,
  sum,
} from "../../src/node.ts";
import { Random } from "../../src/tensor/random.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
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

  /** y = w x, twice; the tied one has one w under two names. */
  class Pair extends Module {
    readonly first: Linear;
    readonly second: Linear;
    constructor(value: number, isTied: boolean, second?: Linear) {
      super();
      this.first = new Linear(1, 1, { bias: false });
      this.second = second ?? (isTied ? this.first : new Linear(1, 1, { bias: false }));
      for (const layer of [this.first, this.second]) if (layer !== second) layer.weight.assign([value]);
    }
    forward(x: Tensor): Tensor {
      return this.second.forward(this.first.forward(x));
    }
  }
  const weights = ({ first, second }: Pair) => Promise.all([first.weight.item(), second.weight.item()]);

  test("moves a tensor with two names once", async () => {
    using _ = scope();
    const [average, model] = [new Pair(0, true), new Pair(1, true)];
    emaUpdate(average, model, 0.9);
    expectClose(await weights(average), [0.1, 0.1]);
    // Also where one name is a view of the other.
    Object.assign(average, { second: new Linear(1, 1, { bias: false }) });
    Object.assign(average.second, { weight: average.first.weight.alias([1, 1]) });
    emaUpdate(average, model, 0.9);
    expectClose(await weights(average), [0.19, 0.19]);
    expect(() => emaUpdate(average, new Pair(1, false), 0.9)).toThrow(
      "emaUpdate: second.weight shares its memory with another tensor of the average, and not so in the other",
    );
    const untied = new Pair(0, false);
    emaUpdate(untied, model, 0.9);
    expectClose(await weights(untied), [0.1, 0.1]);
  });

  test("leaves what both networks share, and may have all weights in one optimizer's block", async () => {
    using _ = scope();
    const [average, model] = [new Pair(0, false), new Pair(1, false)];
    const sharing = new Pair(0, false, model.second);
    emaUpdate(sharing, model, 0.9);
    expectClose(await weights(sharing), [0.1, 1]);
    emaUpdate(model, model, 0.9);
    expectClose(await weights(model), [1, 1]);
    const optimizer = new SGD([...average.parameters(), ...model.parameters()]);
    using step = capture(() => {
      emaUpdate(average, model, 0.9);
      return noGrad(() => sum(average.first.weight));
    });
    for (const expected of [0.1, 0.19, 0.271, 0.3439]) {
      expect(await step().item()).toBeCloseTo(expected, 6);
      expectClose(await weights(average), [expected, expected], { absolute: 1e-6 });
    }
    expectClose(await weights(model), [1, 1]);
    if (device instanceof GpuDevice) expect(step.whyBuilt).toBeUndefined();
    optimizer.dispose();
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
