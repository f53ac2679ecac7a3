/** Networks by name stay loaded between calls of upscale(), and no longer than their device. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DeviceLostError } from "../../src/device/device.ts";
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import { defaultDevice, init } from "../../src/device/open.ts";
import { openMethod, upscale } from "../../src/upscale/index.ts";
import { noise } from "../data/support.ts";
import { gpuDevices, logicDevices } from "../support/devices.ts";
import { loseAt } from "../support/lose-devices.ts";

const devices = await gpuDevices();

describe.each(devices.map((device) => [device.name, device.adapterClass] as const))("on %s", (_, adapter) => {
  const testLogic = test.runIf(logicDevices(devices).some(({ adapterClass }) => adapterClass === adapter));
  const picture = noise(40, 30, 3);
  const espcn = { method: "espcn" } as const;
  const live = () => defaultDevice().memory().live;

  beforeEach(() => init({ adapter }));
  afterEach(() => defaultDevice().destroy());

  test("after the second call no buffer is made, and nothing is compiled or left", async () => {
    await upscale(picture, espcn);
    const second = await upscale(picture, espcn);
    const before = defaultDevice().memory();
    for (let call = 0; call < 40; call++) await upscale(picture, espcn);
    const after = defaultDevice().memory();
    expect(after.buffersCreated).toBe(before.buffersCreated);
    expect(after).toMatchObject({ pipelines: before.pipelines, live: before.live, buffers: before.buffers });
    const { upscaler, close } = await openMethod(espcn);
    expect(await upscaler.upscale(picture)).toEqual(second.image);
    close();
  });

  testLogic("three of them stay; the one that was not used for the longest time goes", async () => {
    const parameters = [];
    for (const scale of [2, 3, 4]) {
      const before = live();
      await upscale(picture, { ...espcn, scale });
      parameters.push(live() - before);
    }
    expect(Math.min(...parameters)).toBeGreaterThan(3);
    const three = live();
    await upscale(picture, { method: "srcnn" }); // espcn x2 goes
    expect(live()).toBe(three);
    const { pipelines } = defaultDevice().memory();
    await upscale(picture, { ...espcn, scale: 3 }); // still there
    await upscale(picture, { ...espcn, scale: 2 }); // espcn x4 goes
    expect(live()).toBe(three);
    expect(defaultDevice().memory().pipelines).toBe(pipelines);
  });

  testLogic("calls at the same time share one network, with and without the ensemble", async () => {
    const ensemble = true;
    const alone = [await upscale(picture, espcn), await upscale(picture, { ...espcn, ensemble })];
    const one = live();
    defaultDevice().destroy();
    await init({ adapter });
    const calls = [upscale(picture, espcn), upscale(picture, { ...espcn, ensemble })];
    expect((await Promise.all(calls)).map(({ image }) => image)).toEqual(alone.map(({ image }) => image));
    expect(live()).toBe(one);
  });

  testLogic("a network that is pushed out while it works is freed when it has finished", async () => {
    const busy = upscale(picture, { ...espcn, tile: 8 });
    const others = [{ ...espcn, scale: 3 }, { ...espcn, scale: 4 }, { method: "srcnn" }];
    for (const options of others) await upscale(picture, options);
    const { image } = await busy;
    const three = live();
    expect((await upscale(picture, espcn)).image).toEqual(image);
    expect(live()).toBe(three);
  });

  testLogic("a scale that a network does not have is refused each time, and keeps nothing", async () => {
    const before = live();
    for (let call = 0; call < 2; call++) {
      await expect(upscale(picture, { ...espcn, scale: 8 })).rejects.toThrow("espcn enlarges by 2, 3, 4");
    }
    expect(live()).toBe(before);
  });

  test("a device that was destroyed or lost takes its networks with it", async () => {
    const { image } = await upscale(picture, espcn);
    const one = live();
    defaultDevice().destroy();
    expect((await upscale(picture, espcn)).image).toEqual(image); // on a new device
    expect(live()).toBe(one);
    const device = defaultDevice() as GpuDevice;
    loseAt(device, 3, "after");
    expect((await upscale(picture, { ...espcn, tile: 12 })).image).toEqual(image);
    expect(device.failure).toBeInstanceOf(DeviceLostError);
    expect(defaultDevice()).not.toBe(device);
    expect(live()).toBe(0); // the one that was loaded in the middle of the picture is not kept
    expect((await upscale(picture, espcn)).image).toEqual(image);
    expect(live()).toBe(one);
  });
});
