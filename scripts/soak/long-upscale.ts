/** Many pictures, one after the other, by networks that are opened anew for each. */
import { defaultDevice, init, upscale } from "../../src/node.ts";
import { Growth } from "./support/growth.ts";
import type { Soak } from "./support/soak.ts";

export const soak: Soak = {
  what: "Pictures upscaled one after the other: memory, threads and files stay flat",
  tries: 2000,
  async run(soak) {
    await init();
    const growth = new Growth(100);
    for (const { index, random } of soak.tries()) {
      const [width, height] = [16 + random.int(48), 16 + random.int(48)];
      const data = Uint8Array.from({ length: 3 * width * height }, () => random.int(256));
      const method = (["espcn", "edsr-small", "srcnn", "bicubic"] as const)[index % 4];
      await soak.attempt(`picture ${index}, ${width}x${height} by ${method}`, async () => {
        const { image } = await upscale({ width, height, channels: 3, data }, { method });
        if (image.width !== 2 * width) throw new Error(`the result is ${image.width} pixels wide`);
        const { live } = defaultDevice().memory();
        if (live > 0) throw new Error(`${live} tensors were left behind`);
      });
      growth.look();
    }
    const { buffers, bufferBytes } = defaultDevice().memory();
    const device = `${buffers} buffers, ${(bufferBytes / 2 ** 20).toFixed(0)} MiB`;
    return { ...growth.check(soak, { threads: 8, files: 4, megabytes: 100 }), device };
  },
};
