/** What is peculiar to RRDBNet: how far it looks, its sizes, and memory. */
import { beforeEach, describe, expect, test } from "vitest";
import { setDefaultDevice } from "../../src/device/open.ts";
import { slice } from "../../src/kernels/layout/index.ts";
import { mseLoss } from "../../src/kernels/loss/index.ts";
import { RRDBNet, type RRDBNetOptions } from "../../src/models/index.ts";
import { Adam } from "../../src/nn/index.ts";
import { rand, randn, tensor } from "../../src/tensor/create.ts";
import { noGrad } from "../../src/tensor/no-grad.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { backward } from "../../src/tensor/tape.ts";
import type { Method } from "../../src/upscale/method.ts";
import { networkUpscaler, upscalerOf } from "../../src/upscale/upscaler.ts";
import { float32Device, float64Device, gpuDevices, logicDevices } from "../support/devices.ts";

const cpu = float32Device();
const gpus = await gpuDevices();
beforeEach(() => setDefaultDevice(cpu));

const small = { blocks: 1, channels: 2, growth: 2, colors: "y" } as const;

/** Weights of which every tap counts. */
function lively(options: RRDBNetOptions): RRDBNet {
  const model = new RRDBNet({ ...small, ...options, random: new Random(1) });
  const random = new Random(2);
  for (const parameter of model.parameters()) {
    parameter.assign(Float32Array.from({ length: parameter.size }, () => random.normal()));
  }
  return model;
}

test("the parameters of ESRGAN's networks", () => {
  expect(new RRDBNet({ blocks: 6 }).parameterCount()).toBe(4_467_779);
  const one = new RRDBNet({ blocks: 1 }).parameterCount();
  expect(one + 22 * ((4_467_779 - one) / 5)).toBe(16_697_987);
});

test.each([2, 4] as const)(
  "unshuffle %i: pictures of every size are continued by mirrored pixels",
  (unshuffle) => {
    using _ = scope();
    const model = lively({ scale: 2, unshuffle });
    const mirror = (i: number, n: number) =>
      n === 1 ? 0 : Math.min(i % (2 * n - 2), 2 * n - 2 - (i % (2 * n - 2)));
    for (const h of [1, 2, 3, 4, 7]) {
      for (const w of [1, 2, 3, 5]) {
        const x = randn([1, 1, h, w], new Random(3));
        const [rows, columns] = [h, w].map((side) => Math.ceil(side / unshuffle) * unshuffle);
        const whole = Float32Array.from({ length: rows * columns }, (_, i) => {
          const [row, column] = [mirror(Math.floor(i / columns), h), mirror(i % columns, w)];
          return x.cpuStorage.array[row * w + column];
        });
        const want = slice(
          model.forward(tensor(whole, [1, 1, rows, columns])),
          [0, 0, 0, 0],
          [1, 1, 2 * h, 2 * w],
        );
        const got = model.forward(x);
        expect(got.shape, `${h}x${w}`).toEqual([1, 1, 2 * h, 2 * w]);
        expect(got.cpuStorage.array, `${h}x${w}`).toEqual(want.cpuStorage.array);
      }
    }
  },
);

test.each([
  [1, 1],
  [2, 1],
  [4, 1],
  [2, 2],
  [1, 4],
] as const)("x%i, unshuffle %i: exactHalo is how far an output looks at most", async (scale, unshuffle) => {
  setDefaultDevice(float64Device());
  using _ = scope();
  using _noGrad = noGrad();
  const model = lively({ scale, unshuffle });
  expect(model.exactHalo).toBe(19 * unshuffle);
  // In one row of blocks of unshuffle x unshuffle pixels, the middle one is all that matters.
  const blocks = 2 * 19 + 5;
  const side = blocks * unshuffle;
  const x = randn([1, 1, unshuffle, side], new Random(3)).cpuStorage.array;
  const before = model.forward(tensor(x, [1, 1, unshuffle, side])).cpuStorage.array;
  const width = side * scale;
  const [from, to] = [(blocks >> 1) * unshuffle * scale, ((blocks >> 1) + 1) * unshuffle * scale];
  const reaches = (block: number) => {
    const other = x.slice();
    for (let row = 0; row < unshuffle; row++) {
      for (let i = 0; i < unshuffle; i++) other[row * side + block * unshuffle + i] += 10;
    }
    const after = model.forward(tensor(other, [1, 1, unshuffle, side])).cpuStorage.array;
    return before.some((value, at) => at % width >= from && at % width < to && after[at] !== value);
  };
  const middle = blocks >> 1;
  for (const sign of [-1, 1]) {
    expect(reaches(middle + sign * 19)).toBe(true);
    expect(reaches(middle + sign * 20)).toBe(false);
  }
});

test("tiles have a margin of 64 pixels of the unshuffled picture, or of all that it sees", () => {
  expect(new RRDBNet(small).halo).toBe(19);
  expect(new RRDBNet({ ...small, blocks: 4 }).halo).toBe(64);
  expect(new RRDBNet({ ...small, blocks: 5, scale: 1, unshuffle: 4 }).halo).toBe(256);
});

test("in tiles, results are within half a level of those of the whole picture, which a narrow margin is not", async () => {
  setDefaultDevice(gpus[0]); // the references of the CPU are slow
  const model = new RRDBNet({ ...small, blocks: 5, channels: 4, growth: 4, scale: 1, random: new Random(8) });
  // The signal keeps about its size, and every dense block adds a fifth of what it has made of it.
  const random = new Random(9);
  for (const [name, parameter] of model.namedTensors()) {
    const gain = name.endsWith("bias") ? 0.1 : 1 / Math.sqrt(parameter.size / parameter.shape[0]);
    parameter.assign(Float32Array.from({ length: parameter.size }, () => gain * random.normal()));
  }
  expect(model.halo).toBeLessThan(model.exactHalo);
  const upscaler = networkUpscaler(model);
  const [width, height] = [300, 12];
  const data = await rand([1, height, width], random).data();
  const planes = { width, height, channels: 1, data };
  const whole = await upscaler.upscalePlanes(planes, { padding: "none" });
  const difference = async (method: Method) => {
    const { data } = await upscalerOf(method).upscalePlanes(planes, { tile: 40, padding: "none" });
    return data.reduce((most, value, i) => Math.max(most, Math.abs(value - whole.data[i])), 0);
  };
  expect(await difference(upscaler)).toBeLessThan(0.5 / 255);
  expect(await difference({ ...upscaler, margin: 4 })).toBeGreaterThan(0.5 / 255);
});

const devices = [cpu, ...logicDevices(gpus)];
describe.each(devices.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  beforeEach(() => setDefaultDevice(device));

  test.each([
    { scale: 1 },
    { scale: 4 },
    { scale: 2, unshuffle: 2 },
    { scale: 1, unshuffle: 4 },
  ] as RRDBNetOptions[])("%o: sizes, a gradient for every parameter, and it learns", async (options) => {
    const model = new RRDBNet({ ...small, ...options, random: new Random(5) });
    const adam = new Adam(model.parameters(), { lr: 3e-3 });
    const random = new Random(6);
    const losses: number[] = [];
    for (let step = 0; step < 30; step++) {
      using _ = scope();
      const x = rand([2, 1, 7, 9], { random, low: 0.2, high: 0.3 });
      const y = model.forward(x);
      expect(y.shape).toEqual([2, 1, 7 * model.scale, 9 * model.scale]);
      const loss = mseLoss(y, tensor(new Float32Array(y.size).fill(0.7), y.shape));
      const gradients = backward(loss);
      expect(new Set(gradients.keys())).toEqual(new Set(model.parameters()));
      adam.step(gradients);
      losses.push(await loss.item());
    }
    expect(losses.at(-1)).toBeLessThan(0.5 * losses[0]);
    adam.dispose();
    model.dispose();
  });

  test("without a tape, memory does not grow with the blocks", () => {
    const peak = (blocks: number) => {
      const model = new RRDBNet({ ...small, blocks, scale: 2, channels: 8, growth: 4 });
      using _ = scope();
      using _noGrad = noGrad();
      const x = rand([1, 1, 24, 24], new Random(1));
      device.resetPeak();
      const before = device.memory().liveBytes;
      model.forward(x).dispose();
      const { peakBytes, liveBytes } = device.memory();
      expect(liveBytes).toBe(before);
      model.dispose();
      return peakBytes - before;
    };
    expect(peak(3)).toBe(peak(1));
  });
});
