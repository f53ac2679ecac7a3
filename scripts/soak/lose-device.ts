/** Devices lost at random moments of upscaling. */
import {
  DeviceLostError,
  defaultDevice,
  EDSR,
  type GpuDevice,
  init,
  loadModel,
  networkUpscaler,
  saveWeights,
  upscale,
} from "../../src/node.ts";
import { Random } from "../../src/tensor/random.ts";
import { loseAt } from "../../test/support/lose-devices.ts";
import type { Soak } from "./support/soak.ts";

const random = new Random(1);
const [width, height] = [64, 48];
const data = Uint8Array.from({ length: 3 * width * height }, () => random.int(256));
const picture = { width, height, channels: 3 as const, data };
const options = { tile: 16 };

export const soak: Soak = {
  what: "Devices lost while a picture is upscaled: the right picture, or an error that says what to do",
  tries: 200,
  async run(soak) {
    const open = async () => (await init({ adapter: soak.adapter })) as GpuDevice;
    await open();
    const model = new EDSR({ blocks: 2, channels: 8, random: new Random(2) });
    const weights = await saveWeights(model);
    const counted = loseAt(defaultDevice() as GpuDevice, Infinity, "after");
    const start = performance.now();
    const right = (await upscale(picture, { ...options, method: weights })).image.data;
    const ms = performance.now() - start;
    const figures = { "went on": 0, "clear errors": 0, "not lost in time": 0 };
    for (const { index, random } of soak.tries()) {
      const own = index % 3 === 2; // the caller's own network cannot be loaded again
      const byTime = random.int(2) === 0;
      const at = byTime ? random.uniform() * ms : 1 + random.int(counted.count);
      const moment = byTime ? `${at.toFixed(1)} ms` : `submit ${at}`;
      const label = `try ${index}: ${own ? "own network" : "weights"}, ${moment}`;
      await soak.attempt(label, async () => {
        defaultDevice().destroy();
        const device = await open();
        if (byTime) setTimeout(() => device.gpu.destroy(), at);
        else loseAt(device, at, random.int(2) === 0 ? "before" : "after");
        try {
          const image = own
            ? await networkUpscaler(loadModel(weights)).upscale(picture, options)
            : (await upscale(picture, { ...options, method: weights })).image;
          if (Buffer.compare(image.data, right) !== 0) throw new Error("The picture is wrong.");
          figures[device.failure ? "went on" : "not lost in time"]++;
        } catch (error) {
          if (!own || !(error instanceof DeviceLostError)) throw error;
          figures["clear errors"]++;
        }
        const { image } = await upscale(picture, { method: weights }); // the process is as usable as before
        if (Buffer.compare(image.data, right) !== 0) throw new Error("The next picture is wrong.");
      });
    }
    return figures;
  },
};
