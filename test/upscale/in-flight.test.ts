/** Several tiles at once: results stay in order, and nothing is lost or left behind. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { DeviceLostError } from "../../src/device/device.ts";
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import type { GpuStorage } from "../../src/device/gpu-storage.ts";
import { defaultDevice, init } from "../../src/device/open.ts";
import { EDSR } from "../../src/models/index.ts";
import type { Image, Samples } from "../../src/picture/image.ts";
import { Random } from "../../src/tensor/random.ts";
import {
  type Method,
  networkUpscaler,
  openMethod,
  type UpscalePictureOptions,
  upscale,
  upscaleBands,
} from "../../src/upscale/index.ts";
import { enlargeInTiles, tilesAhead } from "../../src/upscale/tile-loop.ts";
import { tilesFor } from "../../src/upscale/timed-tiles.ts";
import { saveWeights } from "../../src/weights/index.ts";
import { noise } from "../data/support.ts";
import { gpuDevices, logicDevices } from "../support/devices.ts";

const picture = noise(61, 83, 3);

describe("the loop over tiles", () => {
  const method = { name: "network", margin: 2, pixelsWithin: (bytes: number) => bytes };
  const tiles = () => tilesFor(picture, method, { tile: 16 });

  test("what arrives first waits for its turn", async () => {
    const order: number[] = [];
    let begun = 0;
    const enlarge = async (_: object, __: object, ___: object, turn: () => Promise<void>) => {
      const k = begun++;
      // Of three, the last arrives first.
      await new Promise((resolve) => setTimeout(resolve, 2 * (3 - (k % 3))));
      await turn();
      order.push(k);
      return k;
    };
    const results: number[] = [];
    for await (const { large } of enlargeInTiles(tiles(), enlarge, { picture, scale: 2, ahead: 2 })) {
      results.push(large);
      expect(order).toEqual(results); // the next one waits until this one has been used
      expect(begun).toBeLessThanOrEqual(large + 3);
    }
    expect(results).toEqual(Array.from({ length: tiles().count! }, (_, k) => k));
    expect(begun).toBeGreaterThan(6);
  });

  test("what is not wanted any more hears of it, and is awaited", async () => {
    let running = 0;
    let cancelled = 0;
    const enlarge = async (_: object, __: object, ___: object, turn: () => Promise<void>) => {
      running++;
      try {
        await turn();
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 5));
        cancelled++;
      } finally {
        running--;
      }
    };
    for await (const _ of enlargeInTiles(tiles(), enlarge, { picture, scale: 2, ahead: 2 })) break;
    expect([running, cancelled]).toEqual([0, 2]);
  });
});

const devices = await gpuDevices();
describe.each(devices.map(({ name, adapterClass }) => [name, adapterClass] as const))(
  "on %s, as on a real GPU",
  (_, adapter) => {
    const testLogic = test.runIf(logicDevices(devices).some(({ adapterClass }) => adapterClass === adapter));
    let device: GpuDevice;
    let method: Method;
    let model: EDSR;

    beforeEach(async () => {
      device = (await init({ adapter })) as GpuDevice;
      device.profile = { ...device.profile, separateProcessor: true };
      model = new EDSR({ blocks: 1, channels: 4, random: new Random(1) });
      method = networkUpscaler(model);
    });

    afterEach(() => defaultDevice().destroy());

    testLogic("there are three", () => {
      expect(tilesAhead(method, {})).toBe(2);
      expect(tilesAhead(method, { tileTime: 50 })).toBe(1);
    });

    test.each(["a network", "bicubic"])("%s: a slow reader gets each band whole", async (name) => {
      const options = { method: name === "bicubic" ? name : method, scale: 2, tile: 16 };
      const { image, tiles } = await upscale(picture, { ...options, tile: 100 });
      expect(tiles).toBe(1);
      const rows: Samples[] = [];
      for await (const { rows: band } of await upscaleBands(picture, options)) {
        const before = band.data.slice();
        await new Promise((resolve) => setTimeout(resolve, 10));
        expect(band.data).toEqual(before);
        rows.push(before);
      }
      expect(rows.length).toBeGreaterThan(4);
      expect(rows.flatMap((data) => [...data])).toEqual([...image.data]);
    });

    testLogic("tiles for a preview have memory of their own", async () => {
      const parts: { left: number; top: number; image: Image<Samples> }[] = [];
      const onTile = (tile: (typeof parts)[number]) => void parts.push(tile);
      const { image } = await upscale(picture, { method, tile: 16, onTile });
      const together = new Uint8Array(image.data.length);
      for (const { left, top, image: part } of parts) {
        const row = 3 * part.width;
        for (let y = 0; y < part.height; y++) {
          const at = 3 * ((top + y) * image.width + left);
          together.set(part.data.subarray(y * row, (y + 1) * row), at);
        }
      }
      expect(together).toEqual(image.data);
    });

    /** How many results wait at once depends on time. Here as many do as ever can, so that there are buffers for them. */
    async function upscaleWithMostWaiting(options: UpscalePictureOptions, tiles: number): Promise<void> {
      const { readBytes } = device;
      let begun = 0;
      device.readBytes = <T>(
        storage: GpuStorage,
        use: (bytes: Uint8Array) => T,
        turn?: () => Promise<void>,
      ) => {
        const ahead = Math.min(begun++ + 3, tiles);
        const after = async () => {
          await vi.waitUntil(() => begun >= ahead);
          await turn?.();
        };
        return readBytes.call(device, storage, use, after) as Promise<T>;
      };
      await upscale(picture, options);
      device.readBytes = readBytes;
    }

    testLogic("later pictures need no new buffers, not even after an abort", async () => {
      const options = { method, tile: 16 };
      const { image, tiles } = await upscale(picture, options);
      await upscaleWithMostWaiting(options, tiles);
      const { buffersCreated, live } = device.memory();
      const controller = new AbortController();
      const aborted = upscale(picture, {
        ...options,
        signal: controller.signal,
        onProgress: ({ done }) => done === 5 && controller.abort(),
      });
      await expect(aborted).rejects.toThrow("aborted");
      expect((await upscale(picture, options)).image).toEqual(image);
      expect(device.memory()).toMatchObject({ buffersCreated, live });
    });

    test("a device that is destroyed while results wait: an error", async () => {
      const bands = await upscaleBands(picture, { method, tile: 16 });
      const reader = bands[Symbol.asyncIterator]();
      await reader.next();
      await device.sync(); // the tiles begun ahead have arrived
      device.destroy();
      await expect(reader.next()).rejects.toThrow("has been destroyed");
    });

    /** Reads one band, and no more after the device is lost. */
    async function loseWhileTilesWait(bands: AsyncIterable<unknown>) {
      const reader = bands[Symbol.asyncIterator]();
      await reader.next();
      await device.sync(); // the tiles begun ahead have arrived
      device.gpu.destroy();
      await device.lost;
      await reader.return?.(undefined);
    }

    testLogic("a device that is lost, and a reader who has enough: JavaScript does not begin", async () => {
      const { upscaler } = await openMethod({ method: "bicubic" });
      const enlargeBytes = vi.fn(upscaler.enlargeBytes!);
      const bands = await upscaleBands(picture, { method: { ...upscaler, enlargeBytes }, tile: 16 });
      await loseWhileTilesWait(bands);
      expect(enlargeBytes).not.toHaveBeenCalled();
    });

    /** Loses the device as a driver may: a result's memory is gone first, and the reason is heard later. */
    function loseBeforeReading() {
      const storage = device.allocate(4);
      const buffers = Object.getPrototypeOf(storage.buffer.gpu) as GPUBuffer;
      device.release(storage);
      return vi.spyOn(buffers, "getMappedRange").mockImplementationOnce(() => {
        setTimeout(() => device.gpu.destroy(), 5);
        throw new DOMException("The buffer is not mapped.", "OperationError");
      });
    }

    test("a device that is lost while results wait: the same picture, by the next device", async () => {
      const { upscaler, close } = await openMethod({ method: await saveWeights(model) });
      const { image } = await upscale(picture, { method: upscaler, tile: 16 });
      using _ = loseBeforeReading();
      expect((await upscale(picture, { method: upscaler, tile: 16 })).image).toEqual(image);
      expect(defaultDevice()).not.toBe(device);
      close();
    });

    testLogic("a device that is lost, and a reader who has enough: it is not loaded again", async () => {
      const { upscaler, close } = await openMethod({ method: await saveWeights(model) });
      const bands = await upscaleBands(picture, { method: upscaler, tile: 16 });
      await loseWhileTilesWait(bands);
      expect(defaultDevice()).toBe(device);
      close();
    });

    test("reading from a device that is lost in that moment", async () => {
      using _ = loseBeforeReading();
      const storage = device.allocate(1000);
      await expect(device.readBytes(storage, () => {})).rejects.toThrow(DeviceLostError);
    });

    test("reading: no turn, no use, and the buffer is free again", async () => {
      const storage = device.allocate(1000);
      device.write(storage, new Float32Array(1000).fill(7));
      const sum = (bytes: Uint8Array) =>
        new Float32Array(bytes.buffer, bytes.byteOffset, 1000).reduce((a, b) => a + b);
      expect(await device.readBytes(storage, sum)).toBe(7000);
      const { buffersCreated } = device.memory();
      let used = false;
      const use = () => {
        used = true;
      };
      const never = async () => {
        throw new Error("not now");
      };
      await expect(device.readBytes(storage, use, never)).rejects.toThrow("not now");
      expect(used).toBe(false);
      const broken = () => {
        throw new Error("no room");
      };
      await expect(device.readBytes(storage, broken)).rejects.toThrow("no room");
      expect(await device.readBytes(storage, sum)).toBe(7000);
      expect(device.memory().buffersCreated).toBe(buffersCreated);
      device.release(storage);
    });
  },
);
