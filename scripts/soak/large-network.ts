/** The largest EDSR of the paper, 32 blocks of 256 channels, whose parameters no software adapter can bind at once. */
import {
  Adam,
  backward,
  clipGradNorm,
  EDSR,
  init,
  l1Loss,
  memory,
  Random,
  rand,
  scope,
} from "../../src/node.ts";
import type { Soak } from "./support/soak.ts";

export const soak: Soak = {
  what: "Training steps of EDSR 32x256: the loss falls, and memory stays what one step takes",
  tries: 3,
  async run(soak) {
    const device = await init({ adapter: soak.adapter });
    const model = new EDSR({ scale: 2, blocks: 32, channels: 256, random: new Random(1) });
    const parameters = model.parameters();
    const adam = new Adam(parameters, { lr: 1e-4 });
    const random = new Random(2);
    const [low, high] = [rand([1, 3, 6, 6], { random }), rand([1, 3, 12, 12], { random })];
    const standing = memory(device).liveBytes;
    let last = Number.POSITIVE_INFINITY;
    for (const { index } of soak.tries()) {
      await soak.attempt(`step ${index}`, async () => {
        using _ = scope();
        const loss = l1Loss(model.forward(low), high);
        const gradients = backward(loss);
        clipGradNorm(gradients, 1);
        adam.step(gradients);
        const [now] = await loss.data();
        if (!(now < last)) throw new Error(`the loss went from ${last} to ${now}`);
        last = now;
      });
      const { liveBytes } = memory(device);
      if (liveBytes !== standing) throw new Error(`${liveBytes - standing} bytes were not freed`);
    }
    const { peakBytes } = memory(device);
    const count = parameters.reduce((sum, { size }) => sum + size, 0);
    adam.dispose();
    device.destroy();
    const mebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
    return {
      parameters: `${(count / 1e6).toFixed(1)} million`,
      "parameters, gradients, Adam's sums": mebibytes(standing),
      "peak of a step": mebibytes(peakBytes),
    };
  },
};
