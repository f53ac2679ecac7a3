/**
 * Trains an EDSR super-resolution network and shows what it learned.
 *
 *     npm run train:edsr                                            on photographs from npm: minutes
 *     npm run train:edsr -- --preset edsr-paper --data DIV2K        the paper's baseline: a GPU and days
 *     npm run train:edsr -- --resume runs/edsr-x2-4x16              goes on where that run stopped
 *     npm run train:edsr -- --help
 *
 * In your own program, `const { best } = await train(config, { onMessage: console.log })` does the same. The
 * loop is in src/train/trainer.ts, the network in src/models/edsr.ts; read both.
 */
import { trainProgram } from "../src/cli/train.ts";
import { presets, type TrainConfig } from "../src/train/index.ts";

const config: TrainConfig = {
  ...presets.EDSR.quick, // whatever is not set below
  network: { architecture: "EDSR", scale: 2, blocks: 4, channels: 16 },
  data: [], // folders of pictures; none: photographs from npm
  patch: 24, // a step learns from 4 patches of 24x24 pixels, which become 48x48
  batch: 4,
  loss: "l1",
  lr: 2e-3, // the learning rate, which falls along a cosine
  steps: 1200,
};

// Trains it. Flags override these values; Ctrl-C saves what was learned.
await trainProgram("npm run train:edsr --", config);
