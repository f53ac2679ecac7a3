/**
 * Trains an EDSR super-resolution network and shows what it learned.
 *
 *     npm run train:edsr                              on photographs that npm has installed
 *     npm run train:edsr -- --data DIV2K --blocks 16 --channels 64 --steps 300000 --batch 16 --patch 48 --lr 1e-4
 *     npm run train:edsr -- --help
 */
import { setImmediate } from "node:timers/promises";
import { PatchLoader } from "../src/data/index.ts";
import {
  Adam,
  backward,
  cosineAnnealingLR,
  EDSR,
  init,
  l1Loss,
  manualSeed,
  scope,
  tensor,
} from "../src/node.ts";
import { Progress } from "../src/report/progress.ts";
import { loadPairs, meanColour, openOwn, openPhotographs } from "./support/datasets.ts";
import { reportErrors } from "./support/errors.ts";
import { Evaluation } from "./support/evaluation.ts";
import { parseOptions } from "./support/options.ts";
import { RunFolder } from "./support/run-folder.ts";

reportErrors();
const options = parseOptions();
const { scale, blocks, channels, steps, batch, patch, seed } = options;
const run = new RunFolder(options);

const device = await init({ adapter: options.adapter });
console.log(`Adapter: ${device.name}`);

// Pictures: low-resolution patches and what they should become.
const pictures = options.data ? openOwn(options.data, scale) : openPhotographs(scale);
console.log(`Pictures: ${pictures.description}`);
const loader = new PatchLoader(pictures.train, { batch, patch, seed });
const held = await loadPairs(pictures.valid, options.valid);

// The network, and how it learns.
const random = manualSeed(seed);
const rgbMean = meanColour(await loadPairs(pictures.train, 20));
const model = new EDSR({ scale, blocks, channels, resScale: options.resScale, rgbMean, random });
const schedule = cosineAnnealingLR(options.lr, { tMax: steps, etaMin: options.lr / 100 });
const adam = new Adam(model.parameters(), { lr: options.lr });
console.log(
  `Network: EDSR x${scale}, ${blocks} blocks of ${channels} channels, ${model.parameterCount()} parameters`,
);

run.log({ options, adapter: device.name, started: new Date().toISOString() });
const evaluation = new Evaluation(model, held, run);
const progress = new Progress({ total: steps });
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());

evaluation.start(progress);
let step = 0;
while (step < steps && !stop.signal.aborted) {
  const { lr, hr, lrShape, hrShape } = await loader.next();
  using _ = scope(); // frees everything made in this round
  const loss = l1Loss(model.forward(tensor(lr, lrShape)), tensor(hr, hrShape));
  adam.lr = schedule(step);
  adam.step(backward(loss));
  step++;

  if (step === 1 || step % 10 === 0 || step === steps) {
    const value = await loss.item();
    if (!Number.isFinite(value)) {
      throw new Error(
        `The loss became ${value} at step ${step}: the training diverged. What was saved before is in ${run.path}; ` +
          `start again with another --out and a smaller --lr (it was ${options.lr}).`,
      );
    }
    run.log({ step, loss: value, lr: adam.lr });
    progress.update(step, { loss: value, lr: adam.lr });
  }
  if (step % options.evalEvery === 0 || step === steps) await evaluation.measure(step, progress);
  await setImmediate(); // lets Ctrl-C be heard, even if nothing else was waited for
}
progress.done();
await loader.close();
if (step > 0) await evaluation.finish(step);
if (stop.signal.aborted) {
  console.log(
    `Stopped at step ${step} of ${steps}.${step > 0 ? " What it had learned by then is saved." : ""}`,
  );
  process.exitCode = 130;
}
