/**
 * Trains ESPCN, which enlarges by a pixel shuffle at its very end, and shows what it learned.
 *
 *     npm run train:espcn                                               on photographs from npm: minutes
 *     npm run train:espcn -- --data T91 --valid Set5/HR                 on your pictures, measured on others
 *     npm run train:espcn -- --help
 *
 * The loop is in src/train/trainer.ts, the network in src/models/espcn.ts; read both.
 */
import { trainProgram } from "../src/cli/train.ts";
import { presets, type TrainConfig } from "../src/train/index.ts";

const config: TrainConfig = {
  ...presets.ESPCN.quick, // whatever is not set below
  network: { architecture: "ESPCN", scale: 3, filters: [64, 32], activation: "relu", residual: true },
  data: [], // folders of pictures; none: photographs from npm
  patch: 16, // a step learns from 2 patches of 16x16 pixels, which become 48x48
  batch: 2,
  loss: "l2",
  lr: 1e-3, // the learning rate: it rises over 500 steps, then falls along a cosine
  warmup: 500,
  steps: 6000,
};

// Trains it. Flags override these values; Ctrl-C saves what was learned.
await trainProgram("npm run train:espcn --", config);
