/** Work on gradients before a step, against PyTorch's formulas in plain loops. */
import { beforeEach, describe, expect, test } from "vitest";
import { CpuDevice } from "../../src/device/cpu-device.ts";
import type { Device } from "../../src/device/device.ts";
import { isGpu } from "../../src/device/gpu-device.ts";
import { setDefaultDevice } from "../../src/device/open.ts";
import { add, mul } from "../../src/kernels/elementwise/index.ts";
import { sum } from "../../src/kernels/reduce/index.ts";
import { addGradients, clipGradNorm } from "../../src/nn/index.ts";
import { capture } from "../../src/tensor/capture.ts";
import { randn, tensor, zeros } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { backward, type Gradients } from "../../src/tensor/tape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { expectClose } from "../support/close.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";

const devices: Device[] = [float32Device(), ...(await gpuDevices())];
const shapes = [[4, 3, 3, 3], [5], [1], [2, 77], []];

function randomGradients(parameters: readonly Tensor[], seed: number): Gradients {
  const random = new Random(seed);
  return new Map(parameters.map((parameter) => [parameter, randn(parameter.shape, random)]));
}

const read = (gradients: Gradients) =>
  Promise.all([...gradients.values()].map((gradient) => gradient.data()));

describe.each(devices.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  beforeEach(() => setDefaultDevice(device));

  // The gradients' length is about 16.
  test.each([1e-3, 0.5, 7, 100])("clipGradNorm to %d", async (maxNorm) => {
    using _ = scope();
    const parameters = shapes.map((shape) => zeros(shape));
    const gradients = randomGradients(parameters, 1);
    const before = await read(gradients);
    const norm = Math.sqrt(before.flatMap((values) => [...values]).reduce((sum, v) => sum + v * v, 0));
    expect(norm).toBeGreaterThan(10);

    expectClose([await clipGradNorm(gradients, maxNorm).item()], [norm]);
    // torch.nn.utils.clip_grad_norm_
    const factor = Math.min(1, maxNorm / (norm + 1e-6));
    const after = await read(gradients);
    for (const [i, values] of before.entries()) {
      expectClose(
        after[i],
        values.map((value) => value * factor),
        { absolute: 1e-7 },
      );
    }
    if (maxNorm > norm) expect(after).toEqual(before);
    expect([...gradients].map(([parameter, { shape }]) => [parameter.shape, shape])).toEqual(
      shapes.map((shape) => [shape, shape]),
    );
  });

  test("addGradients of gradients and themselves doubles them", async () => {
    using _ = scope();
    const gradients = randomGradients(
      shapes.map((shape) => zeros(shape)),
      1,
    );
    const before = await read(gradients);
    addGradients(gradients, gradients);
    expect(await read(gradients)).toEqual(before.map((values) => values.map((value) => 2 * value)));
  });

  test("clipGradNorm of zeros leaves zeros, and disposes the tensors that it replaces", async () => {
    using _ = scope();
    const parameters = shapes.map((shape) => zeros(shape));
    const gradients: Gradients = new Map(parameters.map((parameter) => [parameter, zeros(parameter.shape)]));
    const { live } = device.memory();
    expect(await clipGradNorm(gradients, 1).item()).toBe(0);
    expect(device.memory().live).toBe(live + 1); // the norm
    for (const values of await read(gradients)) expect(new Set(values)).toEqual(new Set([0]));
    for (const wrong of [0, -1, Number.NaN]) {
      expect(() => clipGradNorm(gradients, wrong)).toThrow("clipGradNorm: maxNorm must be above 0, got");
    }
  });

  test("clipGradNorm does not hide a NaN: all gradients become NaN, as in PyTorch", async () => {
    using _ = scope();
    const [a, b] = [zeros([2]), zeros([3])];
    const gradients: Gradients = new Map([
      [a, tensor([1, Number.NaN])],
      [b, tensor([1, 2, 3])],
    ]);
    expect(await clipGradNorm(gradients, 1).item()).toBeNaN();
    for (const values of await read(gradients)) expect([...values].every(Number.isNaN)).toBe(true);
  });

  test("addGradients adds tensor by tensor", async () => {
    using _ = scope();
    const parameters = shapes.map((shape) => zeros(shape));
    const [a, b] = [randomGradients(parameters, 1), randomGradients(parameters, 2)];
    const [before, more] = [await read(a), await read(b)];
    addGradients(a, b);
    for (const [i, values] of (await read(a)).entries()) {
      expectClose(
        values,
        before[i].map((value, k) => value + more[i][k]),
      );
    }
    expect(await read(b)).toEqual(more);
    expect(() => addGradients(a, randomGradients(parameters.slice(1), 3))).toThrow("of 5 tensors and of 4");
    expect(() => addGradients(a, randomGradients([...parameters.slice(1), zeros([])], 3))).toThrow(
      "not all the same",
    );
  });

  test("gradients of another shape, or on another device, are refused", () => {
    using _ = scope();
    const elsewhere = new CpuDevice("float32");
    const x = zeros([2, 2]);
    const right: Gradients = new Map([[x, zeros([2, 2])]]);
    const flat: Gradients = new Map([[x, zeros([4])]]);
    const away: Gradients = new Map([[x, zeros([2, 2], { device: elsewhere })]]);
    const shape = "the tensor of shape [2, 2] has a gradient of another shape, [4].";
    const place = `the tensor of shape [2, 2] is on ${device.name} and its gradient on cpu. `;
    expect(() => addGradients(right, flat)).toThrow(`addGradients: ${shape}`);
    expect(() => addGradients(flat, flat)).toThrow(`addGradients: ${shape}`);
    expect(() => addGradients(right, away)).toThrow(`addGradients: ${place}`);
    expect(() => clipGradNorm(flat, 1)).toThrow(`clipGradNorm: ${shape}`);
    expect(() => clipGradNorm(away, 1)).toThrow(`clipGradNorm: ${place}`);
    const [here, there] = [zeros([1]), zeros([1], { device: elsewhere })];
    const both: Gradients = new Map([
      [here, here],
      [there, there],
    ]);
    expect(() => clipGradNorm(both, 1)).toThrow(
      `clipGradNorm: one gradient is on ${device.name} and another on cpu. `,
    );
    expect(() => addGradients([] as never, right)).toThrow(
      "addGradients: gradients must be what backward(loss) returns, a Map from tensors to gradients, got [].",
    );
  });

  test("addGradients of batches whose parameters are added up", async () => {
    using _ = scope();
    const [a, b] = [tensor([1, 1], { requiresGrad: true }), tensor([2, 2], { requiresGrad: true })];
    const batch = () => backward(sum(mul(add(a, b), 2)));
    const addUp = () => {
      const total = batch();
      for (let i = 0; i < 3; i++) addGradients(total, batch());
      return [...total.values()];
    };
    using captured = capture(addUp);
    for (const total of [addUp(), captured(), captured(), captured()]) {
      for (const gradient of total) expect([...(await gradient.data())]).toEqual([8, 8]);
    }
    if (isGpu(device)) expect(captured.whyBuilt).toBeUndefined();
  });
});
