/**
 * How a super-resolution network is trained. The loop is `learn`: a batch of patches, the loss, its
 * gradients, a step of Adam. session.ts opens what the loop works with; journal.ts keeps the log, evaluates
 * and saves checkpoints.
 */

import { setImmediate } from "node:timers/promises";
import type { PatchBatch } from "../data/index.ts";
import {
  add,
  addGradients,
  backward,
  clipGradNorm,
  compileAhead,
  type Device,
  emaDecay,
  emaUpdate,
  type Gradients,
  init,
  keep,
  l1Loss,
  mseLoss,
  mul,
  type SuperResolver,
  scope,
  type Tensor,
  tensor,
} from "../node.ts";
import { checkArguments, isObject, type Wanted } from "../options/arguments.ts";
import { folder as aFolder } from "../options/kinds.ts";
import { type Checkpoint, type CheckpointState, readCheckpoint } from "./checkpoint.ts";
import { networkOf, type TrainConfig } from "./config.ts";
import { Journal, type TrainCallbacks } from "./journal.ts";
import { RunFolder } from "./run-folder.ts";
import { completeSchedule, learningRate } from "./schedule.ts";
import { openSession, type Session } from "./session.ts";
import { checkConfig, settingOf, settingsFor } from "./settings.ts";

export interface TrainOptions extends TrainCallbacks {
  /** Ends training after the current step; what was learned is saved. */
  readonly signal?: AbortSignal;
  /** Trains on this device, and leaves it open. Default: opens `config.adapter`, and closes it at the end. */
  readonly device?: Device;
}

export interface TrainResult {
  /** Folder of the results. */
  readonly path: string;
  /** Steps done; fewer than `config.steps` if training was stopped. */
  readonly step: number;
  readonly config: TrainConfig;
  /** The best evaluation, whose weights are in best.safetensors. */
  readonly best: CheckpointState["best"];
  /** What bicubic interpolation reaches, dB. */
  readonly bicubic: number;
}

const anObject: Wanted<object> = { wants: "an object", fits: isObject };

const aConfig: Wanted<TrainConfig> = {
  wants: "a configuration, such as { ...presets.EDSR.quick, data: [folder] }",
  fits: (value): value is TrainConfig => isObject(value) && isObject(value.network),
};

/**
 * Trains a network. If the configuration or the pictures are wrong, it throws and leaves nothing behind. If
 * training fails later (a damaged picture, a full disk, weights that are no longer finite: DivergedError),
 * the last checkpoint is whole, and `resume` goes on from there.
 *
 * @throws RangeError for a wrong configuration, DataError for pictures, files and folders.
 */
export async function train(config: TrainConfig, options: TrainOptions = {}): Promise<TrainResult> {
  checkArguments("train", { config: [config, aConfig], options: [options, anObject] });
  checkConfig(config);
  const { architecture, options: networkOptions } = networkOf(config.network);
  const folder = RunFolder.create(config.out, architecture.shortName(networkOptions), (path) =>
    options.onMessage?.(`Results: ${path}/`),
  );
  // Writes out all defaults, as another version may have others.
  const network = { ...config.network, ...networkOptions } as TrainConfig["network"];
  return run({ ...config, network, schedule: completeSchedule(config) }, folder, options);
}

/**
 * Continues the run in a folder from its last checkpoint. On the same device the weights will be, to the last
 * bit, those of a run that was never interrupted. `change` may change settings that do not decide what is
 * learned (`resumable` in settings.ts), such as the number of steps.
 */
export async function resume(
  path: string,
  options: TrainOptions & { readonly change?: (config: TrainConfig) => TrainConfig } = {},
): Promise<TrainResult> {
  checkArguments("resume", { path: [path, aFolder], options: [options, anObject] });
  const checkpoint = readCheckpoint(path);
  const saved = checkpoint.state.config;
  const config = { ...(options.change?.(saved) ?? saved), out: path };
  checkConfig(config);
  for (const setting of settingsFor(networkOf(config.network).architecture)) {
    const [before, now] = [saved, config].map((values) => JSON.stringify(settingOf(values, setting)));
    if (before !== now && !setting.resumable) {
      throw new RangeError(
        `--${setting.flag} was ${before ?? "not given"} when the run in ${path} began, and cannot become ` +
          `${now ?? "none"}: the result would be that of neither. Begin a new run, by --init from these ` +
          `weights if you like.`,
      );
    }
  }
  return run(config, RunFolder.reopen(path, checkpoint.state.lengths), options, checkpoint);
}

async function run(
  config: TrainConfig,
  folder: RunFolder,
  options: TrainOptions,
  checkpoint?: Checkpoint,
): Promise<TrainResult> {
  const device = options.device ?? (await init({ adapter: config.adapter }));
  try {
    const session = await openSession(config, device, options.onMessage, checkpoint);
    try {
      const journal = new Journal(session, folder, options, checkpoint?.state);
      if (checkpoint) await journal.resume();
      const step = await learn(session, journal, options.signal, checkpoint?.state.step);
      const bicubic = session.validation.bicubic.mean.psnr;
      return { path: folder.path, step, config, best: journal.best, bicubic };
    } finally {
      await session.close();
    }
  } finally {
    if (!options.device) device.destroy();
  }
}

/** The loop. Returns the number of steps done: all, or fewer if the signal stopped it. */
async function learn(
  { config, loader, model, average, adam }: Session,
  journal: Journal,
  signal: AbortSignal | undefined,
  first = 0,
): Promise<number> {
  const rate = learningRate(config);
  let step = first;
  let next = loader.state(); // where the next batch begins
  while (step < config.steps && !signal?.aborted) {
    const batch = await loader.next().catch(async (error) => {
      if (step > 0) await journal.checkpoint(step, next); // a damaged picture must not cost what was learned
      throw error;
    });
    if (step === first) await compileAhead(() => differentiate(model, batch, config));
    using _ = scope(); // frees all tensors of this round
    const { loss, gradients } = differentiate(model, batch, config);
    if (config.clip !== undefined) clipGradNorm(gradients, config.clip);
    adam.lr = rate(step);
    adam.step(gradients);
    if (average) emaUpdate(average, model, emaDecay(config.ema!, step));
    step++;
    next = loader.state();

    // Only here does anything wait for the GPU.
    await journal.afterStep(step, { next, loss, lr: adam.lr, waited: batch.wait });
    await setImmediate(); // lets Ctrl-C through, even if nothing else waited
  }
  await journal.finish(step, next);
  return step;
}

/**
 * The loss of a batch (the mean over its patches) and its gradients. With `accumulate` above 1, they are
 * computed for one part of the batch (a micro-batch) after the other, and added up.
 */
export function differentiate(
  model: SuperResolver,
  batch: PatchBatch,
  { loss: name, accumulate }: TrainConfig,
): { loss: Tensor; gradients: Gradients } {
  const lossOf = name === "l1" ? l1Loss : mseLoss;
  let sum: Tensor | undefined;
  let gradients: Gradients | undefined;
  for (let i = 0; i < accumulate; i++) {
    using _ = scope();
    const low = microBatch(batch.low, batch.lowShape, i, accumulate);
    const high = microBatch(batch.high, batch.highShape, i, accumulate);
    const loss = mul(lossOf(model.forward(low), high), 1 / accumulate);
    const more = backward(loss);
    sum = keep(sum ? add(sum, loss) : loss);
    if (gradients) {
      addGradients(gradients, more);
    } else {
      gradients = more;
      for (const gradient of more.values()) keep(gradient);
    }
  }
  return { loss: sum!, gradients: gradients! };
}

/** The i-th of `count` equal parts of a batch [n, c, h, w]. */
function microBatch(
  values: Float32Array,
  [n, ...shape]: readonly number[],
  i: number,
  count: number,
): Tensor {
  const length = values.length / count;
  return tensor(values.subarray(i * length, (i + 1) * length), [n / count, ...shape]);
}
