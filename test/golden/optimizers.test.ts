/** Adam, SGD and the schedules against PyTorch: the same gradients must lead along the same path. */
import { describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import {
  Adam,
  AdamW,
  cosineAnnealingLR,
  multiStepLR,
  type Schedule,
  SGD,
  stepLR,
} from "../../src/nn/index.ts";
import { tensor } from "../../src/tensor/create.ts";
import { scope } from "../../src/tensor/scope.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { expectClose } from "../support/close.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";
import { type GoldenCase, type Options, readGolden } from "../support/golden.ts";

const devices = [float32Device(), ...(await gpuDevices())];
const cases = readGolden("optim");
const inputs = cases.find(({ op }) => op === "given")!.arrays;

const optimizers: Record<string, (parameters: Tensor[], options: Options) => Adam | SGD> = {
  adam: (parameters, { lr, betas, eps, weight_decay: weightDecay }) =>
    new Adam(parameters, { lr, betas, eps, weightDecay }),
  adamw: (parameters, { lr, betas, eps, weight_decay: weightDecay }) =>
    new AdamW(parameters, { lr, betas, eps, weightDecay }),
  sgd: (parameters, { lr, momentum, nesterov, weight_decay: weightDecay }) =>
    new SGD(parameters, { lr, momentum, nesterov, weightDecay }),
};

async function checkPath(device: Device, { op, options, arrays }: GoldenCase): Promise<void> {
  using _ = scope();
  const indices = [...arrays.keys()].map((_, i) => i);
  const parameters = indices.map((i) => {
    const { shape, data } = inputs.get(`p${i}`)!;
    return tensor(data, shape, { device, requiresGrad: true });
  });
  const optimizer = optimizers[op](parameters, options);
  const steps = inputs.get("g0")!.shape[0];
  for (let step = 0; step < steps; step++) {
    const gradients = parameters.map((parameter, i) => {
      const values = inputs.get(`g${i}`)!.data.subarray(step * parameter.size, (step + 1) * parameter.size);
      return [parameter, tensor(values, parameter.shape, { device })] as const;
    });
    optimizer.step(new Map(gradients));
    for (const [i, parameter] of parameters.entries()) {
      const want = arrays.get(`t${i}`)!.data.subarray(step * parameter.size, (step + 1) * parameter.size);
      const label = `parameter ${i} after step ${step} on ${device.name}:`;
      expectClose(await parameter.data(), want, { absolute: 1e-6, relative: 1e-6, label });
    }
  }
  optimizer.dispose();
}

describe.each(devices.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  const paths = cases.filter(({ op }) => op in optimizers);
  test.each(paths.map((golden) => [golden.name, golden] as const))("%s", (_, golden) =>
    checkPath(device, golden),
  );
});

describe("schedules", () => {
  const schedules: Record<string, (options: Options) => Schedule> = {
    StepLR: ({ lr, step_size: stepSize, gamma }) => stepLR(lr, { stepSize, gamma }),
    MultiStepLR: ({ lr, milestones, gamma }) => multiStepLR(lr, { milestones, gamma }),
    CosineAnnealingLR: ({ lr, T_max: tMax, eta_min: etaMin }) => cosineAnnealingLR(lr, { tMax, etaMin }),
  };
  const golden = cases.filter(({ op }) => op in schedules);
  test.each(golden.map((one) => [one.name, one] as const))("%s", (_, { op, options, arrays }) => {
    const rates = arrays.get("rates")!.data;
    expect(rates.length).toBe(21);
    const schedule = schedules[op](options);
    expectClose(
      Array.from(rates, (_, step) => schedule(step)),
      rates,
      { absolute: 1e-12, relative: 1e-6 },
    );
  });
});
