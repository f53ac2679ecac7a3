/** EDSR as a whole against PyTorch: names of weights, results, ten steps of training. */
import { describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { setDefaultDevice } from "../../src/device/open.ts";
import { l1Loss } from "../../src/kernels/loss/index.ts";
import { EDSR } from "../../src/models/edsr.ts";
import { Adam } from "../../src/nn/index.ts";
import type { NamedArray } from "../../src/nn/module.ts";
import { tensor } from "../../src/tensor/create.ts";
import { scope } from "../../src/tensor/scope.ts";
import { backward } from "../../src/tensor/tape.ts";
import { expectClose } from "../support/close.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";
import { type GoldenCase, readGolden } from "../support/golden.ts";

const devices = [float32Device(), ...(await gpuDevices())];

/** The weights under `before/` or `after/`, by their own names. */
function weights(arrays: GoldenCase["arrays"], prefix: string): Map<string, NamedArray> {
  const own = [...arrays].filter(([name]) => name.startsWith(prefix));
  return new Map(own.map(([name, array]) => [name.slice(prefix.length), array]));
}

async function checkTraining(device: Device, { options, arrays }: GoldenCase): Promise<void> {
  setDefaultDevice(device);
  using _ = scope();
  const { scale, blocks, channels, res_scale: resScale } = options;
  const model = new EDSR({ scale, blocks, channels, resScale });
  model.loadStateDict(weights(arrays, "before/"));
  const picture = (name: string) => tensor(arrays.get(name)!.data, arrays.get(name)!.shape);
  const low = picture("lr");
  const high = picture("hr");

  const enlarged = model.forward(low);
  expect(enlarged.shape).toEqual(high.shape);
  const label = `on ${device.name}:`;
  const sr = arrays.get("sr")!.data;
  expectClose(await enlarged.data(), sr, { absolute: 1e-6, relative: 0, label: `result ${label}` });

  const adam = new Adam(model.parameters(), { lr: options.lr });
  const losses: number[] = [];
  for (let step = 0; step < 10; step++) {
    using _ = scope();
    const loss = l1Loss(model.forward(low), high);
    adam.step(backward(loss));
    losses.push(await loss.item());
  }
  const want = arrays.get("losses")!.data;
  expect(want[9]).toBeLessThan(0.8 * want[0]);
  expectClose(losses, want, { absolute: 0, relative: 1e-5, label: `losses ${label}` });

  const trained = await model.stateDict();
  const after = weights(arrays, "after/");
  expect(after.size).toBe(model.parameters().length);
  for (const [name, { data }] of after) {
    // Adam divides by the size of the gradient: where that is nearly 0, rounding errors count. Ten steps of
    // 4e-3 move a weight by up to 4e-2.
    expectClose(trained.get(name)!.data, data, { absolute: 2e-5, relative: 0, label: `${name} ${label}` });
  }
  adam.dispose();
}

describe.each(devices.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  test.each(readGolden("edsr").map((golden) => [golden.name, golden] as const))("%s", (_, golden) =>
    checkTraining(device, golden),
  );
});
