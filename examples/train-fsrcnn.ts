/**
 * Trains FSRCNN, which thinks in few channels of the small picture, and shows what it learned.
 *
 *     npm run train:fsrcnn                                              on photographs from npm: minutes
 *     npm run train:fsrcnn -- --data T91 --valid Set5/HR                on your pictures, measured on others
 *     npm run train:fsrcnn -- --help
 *
 * The loop is in src/train/trainer.ts, the network in src/models/fsrcnn.ts; both are meant to be read.
 */
import { trainProgram } from "../src/cli/train.ts";
import { presets, type TrainConfig } from "../src/train/index.ts";

const config: TrainConfig = {
  ...presets.FSRCNN.quick, // what is not said below
  network: { architecture: "FSRCNN", scale: 3, d: 56, s: 12, m: 4 },
  data: [], // folders of pictures; none: photographs from npm
  patch: 16, // a step learns from 8 patches of 16x16 pixels, which become 48x48
  batch: 8,
  loss: "l2",
  lr: 2e-3, // the learning rate: it rises over 200 steps, then falls along a cosine
  warmup: 200,
  steps: 4000,
};

// Trains it, with flags over these values, a line of progress, and Ctrl-C that saves what was learned.
await trainProgram("npm run train:fsrcnn --", config);
