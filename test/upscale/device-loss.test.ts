/** Devices that are lost in the middle of a picture: the right picture, or an error that says what to do. */
import { afterEach, describe, expect, test } from "vitest";
import { DeviceLostError } from "../../src/device/device.ts";
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import { defaultDevice, ensureDevice, init, setDefaultDevice } from "../../src/device/open.ts";
import { EDSR, loadModel } from "../../src/models/index.ts";
import { tensor } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { networkUpscaler, openMethod, selfEnsemble, upscale } from "../../src/upscale/index.ts";
import { saveWeights } from "../../src/weights/index.ts";
import { noise } from "../data/support.ts";
import { gpuDevices, logicDevices } from "../support/devices.ts";
import { loseAt } from "../support/lose-devices.ts";

const devices = await gpuDevices();

describe.each(devices.map((device) => [device.name, device.adapterClass] as const))("on %s", (_, adapter) => {
  const testLogic = test.runIf(logicDevices(devices).some(({ adapterClass }) => adapterClass === adapter));
  const picture = noise(40, 30, 3);
  const options = { tile: 12 };
  const open = async () => (await init({ adapter })) as GpuDevice;

  afterEach(() => defaultDevice().destroy());

  async function weights(): Promise<Uint8Array> {
    const model = new EDSR({ blocks: 1, channels: 4, random: new Random(1) });
    try {
      return await saveWeights(model);
    } finally {
      model.dispose();
    }
  }

  test("a device that its program destroys is not lost", async () => {
    const device = await open();
    device.destroy();
    await device.gpu.lost;
    const later = new Promise((resolve) => setTimeout(resolve, 20, "not lost"));
    expect(await Promise.race([device.lost, later])).toBe("not lost");
  });

  testLogic("a method by its bytes: the same picture, whenever the device is lost", async () => {
    await open();
    const method = await weights();
    const expected = await upscale(picture, { ...options, method });
    defaultDevice().destroy();
    // How often the work submits commands. Losing the device before each of them, and after each.
    const submits = loseAt(await open(), Infinity, "before");
    await upscale(picture, { ...options, method });
    defaultDevice().destroy();
    expect(submits.count).toBeGreaterThan(12);
    const step = Math.ceil(submits.count / 4);
    for (let at = 2; at <= submits.count; at += step) {
      for (const when of ["before", "after"] as const) {
        const { count } = submits;
        const device = await open();
        loseAt(device, at, when);
        const { image } = await upscale(picture, { ...options, method });
        expect(image, `lost ${when} submit ${at} of ${count}`).toEqual(expected.image);
        expect(device.failure).toBeInstanceOf(DeviceLostError);
        expect(await device.lost).toBe(device.failure);
        expect(defaultDevice()).not.toBe(device);
        expect(defaultDevice().name).toBe(device.name); // with the options of the one before
        expect(defaultDevice().memory().live).toBe(0);
        defaultDevice().destroy();
      }
    }
  });

  test("an upscaler that somebody holds: lost between pictures, again and again", async () => {
    await open();
    const { upscaler, close } = await openMethod({ method: await weights() });
    const ensemble = selfEnsemble(upscaler);
    const expected = await upscale(picture, { ...options, method: upscaler });
    for (let times = 0; times < 3; times++) {
      const device = defaultDevice() as GpuDevice;
      device.gpu.destroy();
      await device.gpu.lost;
      const { image, peakBytes } = await upscale(picture, { ...options, method: upscaler });
      expect(image).toEqual(expected.image);
      expect(peakBytes).toBeGreaterThan(0);
      expect(defaultDevice()).not.toBe(device);
      for (const { device } of [upscaler, ensemble]) expect(device).toBe(defaultDevice());
    }
    close();
    expect(defaultDevice().memory().live).toBe(0);
  });

  test("a method with half is loaded again with half", async () => {
    const device = await open();
    if (!device.profile.float16) return;
    const { upscaler, close } = await openMethod({ method: await weights(), half: true });
    const expected = await upscaler.upscale(picture, options);
    const { liveBytes } = device.memory();
    loseAt(device, 5, "after");
    expect(await upscaler.upscale(picture, options)).toEqual(expected);
    expect(defaultDevice()).not.toBe(device);
    expect(defaultDevice().memory().liveBytes).toBe(liveBytes);
    close();
  });

  testLogic("several pictures at once by one method, which goes on for all", async () => {
    await open();
    const { upscaler, close } = await openMethod({ method: await weights() });
    const expected = await upscaler.upscale(picture, options);
    loseAt(defaultDevice() as GpuDevice, 5, "after");
    using outer = scope(); // what is loaded anew does not belong to a scope that somebody has open
    const many = [1, 2, 3].map(() => upscaler.upscale(picture, options));
    for (const image of await Promise.all(many)) expect(image).toEqual(expected);
    outer.end();
    expect(await upscaler.upscale(picture, options)).toEqual(expected);
    close();
    expect(defaultDevice().memory().live).toBe(0);
  });

  test("the caller's own network is lost with the device, and the error says so", async () => {
    const device = await open();
    const model = loadModel(await weights());
    const onProgress = ({ done }: { done: number }) => {
      if (done === 3) device.gpu.destroy();
    };
    const message = /^The GPU device .* was lost .*Call init\(\) again, then make networks and tensors anew/;
    await expect(networkUpscaler(model).upscale(picture, { ...options, onProgress })).rejects.toThrow(
      message,
    );
    await expect(upscale(picture, { ...options, method: model })).rejects.toThrow(message);
    expect(() => tensor([1])).toThrow(message);
    model.dispose();
    expect((await upscale(picture, { method: await open().then(weights) })).image.width).toBe(80);
  });

  testLogic("ensureDevice hands out no dead device", async () => {
    const first = await open();
    expect(await ensureDevice()).toBe(first);
    first.destroy();
    const second = (await ensureDevice()) as GpuDevice;
    expect(second).not.toBe(first);
    expect(second.adapterClass).toBe(adapter);
    second.gpu.destroy();
    await second.gpu.lost;
    const third = await ensureDevice();
    expect(third).not.toBe(second);
    const x = tensor([1, 2]);
    expect([...(await x.data())]).toEqual([1, 2]);
    x.dispose();
    setDefaultDevice(third);
  });
});
