/**
 * Trains SRCNN, the first super-resolution network, and shows what it learned.
 *
 *     npm run train:srcnn                                               on photographs from npm: minutes
 *     npm run train:srcnn -- --data T91 --valid Set5/HR                 on your pictures, measured on others
 *     npm run train:srcnn -- --kernels 9-5-5 --residual no              the paper's best network
 *     npm run train:srcnn -- --help
 *
 * The loop is in src/train/trainer.ts, the network in src/models/srcnn.ts; read both.
 */
import { trainProgram } from "../src/cli/train.ts";
import { presets, type TrainConfig } from "../src/train/index.ts";

const config: TrainConfig = {
  ...presets.SRCNN.quick, // whatever is not set below
  // It learns what to add to the bicubic enlargement, which pays off early.
  network: { architecture: "SRCNN", scale: 3, kernels: [9, 1, 5], filters: [64, 32], residual: true },
  data: [], // folders of pictures; none: photographs from npm
  patch: 16, // a step learns from 8 patches of 16x16 pixels, which become 48x48
  batch: 8,
  loss: "l2",
  lr: 1e-3, // the learning rate, which falls along a cosine
  steps: 1000,
};

// Trains it. Flags override these values; Ctrl-C saves what was learned.
await trainProgram("npm run train:srcnn --", config);
