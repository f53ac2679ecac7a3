/** Takes the devices away from training runs at random moments, which go on by `onLoss: "resume"`. */
import { join } from "node:path";
import { presets, type TrainConfig, train } from "../../src/train/index.ts";
import { afterTime, differentWeights, trainWithLosses } from "../../test/support/lose-devices.ts";
import { picturesIn } from "../../test/support/pictures.ts";
import type { Soak } from "./support/soak.ts";

export const soak: Soak = {
  what: "Training whose device is lost at random moments, up to 5 times in a run: the same weights, to the last bit",
  tries: 50,
  async run(soak) {
    const data = await picturesIn(join(soak.folder, "pictures"), 4);
    const config = (name: string): TrainConfig => ({
      ...presets.EDSR.quick,
      network: { architecture: "EDSR", scale: 2, blocks: 1, channels: 4 },
      ...{ adapter: soak.adapter, data: [data], validPictures: 1, out: join(soak.folder, name) },
      ...{ patch: 8, batch: 2, steps: 60, evalEvery: 20, logEvery: 1, checkpointEvery: 5, ema: 0.9 },
    });
    const start = performance.now();
    const { path: whole } = await train(config("whole"));
    const within = (performance.now() - start) / 3; // so that most losses are in time
    let losses = 0;
    for (const { index, random } of soak.tries()) {
      await soak.attempt(`try ${index}`, async () => {
        const { path, lost } = await trainWithLosses(
          config(`run-${index}`),
          { losses: 5, moment: afterTime(within, random) },
          { onLoss: "resume" },
        );
        losses += lost;
        const different = differentWeights(path, whole);
        if (different.length > 0) throw new Error(`not those of the run in peace: ${different.join(", ")}`);
      });
      soak.say(`try ${index}: ${losses} devices lost so far`);
    }
    return { "devices lost": losses };
  },
};
