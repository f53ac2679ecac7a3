/**
 * How a super-resolution network is trained. The loop is `learn`: a batch of patches, the loss, its
 * gradients, a step of Adam. session.ts opens what the loop works with; journal.ts keeps the log, evaluates
 * and saves checkpoints; survive-loss.ts goes on after the loss of a device.
 */
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { completeDegradation } from "../data/degradation-kind.ts";
import { DataError, type PatchBatch } from "../data/index.ts";
import { aDevice } from "../device/open.ts";
import { pathArgument } from "../files/path-of.ts";
import { sameFile } from "../files/same-file.ts";
import {
  add,
  addGradients,
  backward,
  capture,
  clipGradNorm,
  compileAhead,
  type Device,
  emaDecay,
  emaUpdate,
  type Gradients,
  keep,
  mul,
  outsideScopes,
  type SuperResolver,
  scope,
  span,
  type Tensor,
  tensor,
} from "../node.ts";
import {
  ArgumentError,
  aFunction,
  aSignal,
  checkNames,
  checkOptions,
  refusePromise,
  type Wanted,
} from "../options/arguments.ts";
import { folder as aFolder, oneOf } from "../options/kinds.ts";
import { andList } from "../options/lists.ts";
import { lastFile } from "../weights/run-files.ts";
import { type Checkpoint, type CheckpointState, resultFilesIn, stepIn } from "./checkpoint.ts";
import { networkOf, type TrainConfig } from "./config.ts";
import { Journal, type TrainCallbacks } from "./journal.ts";
import { lossFunction } from "./loss.ts";
import { RunFolder } from "./run-folder.ts";
import { readSavedRun } from "./saved-run.ts";
import { learningRate } from "./schedule.ts";
import { openSession, type Session } from "./session.ts";
import { checkBatchFits, checkConfigFor, configNames, formatSetting, settingsFor } from "./settings.ts";
import { type OnLoss, onLossChoices, surviveLoss } from "./survive-loss.ts";

export interface TrainOptions extends TrainCallbacks {
  /** Ends training after the current step; what was learned is saved. */
  readonly signal?: AbortSignal;
  /** Trains on this device, and leaves it open. Default: opens `config.adapter`, and closes it at the end. */
  readonly device?: Device;
  /**
   * What becomes of a run whose device is lost, because the driver crashed, say: it fails (the default), or
   * goes on from its last checkpoint on a new device, that of `config.adapter`. The weights will be those of
   * a run whose device was never lost, to the last bit.
   */
  readonly onLoss?: OnLoss;
}

const optionsWanted: Readonly<Record<keyof TrainOptions, Wanted>> = {
  onMessage: aFunction,
  onProgress: aFunction,
  signal: aSignal,
  device: aDevice,
  onLoss: oneOf(...onLossChoices),
};

export interface ResumeOptions extends TrainOptions {
  /**
   * Makes the configuration to go on with from a copy of the one that is saved. It may differ in the settings that do
   * not decide what is learned (`resumable` in settings.ts), and in the number of steps; a cosine that ends with the
   * run then ends with the new number. Default: as it was.
   */
  readonly change?: (config: TrainConfig) => TrainConfig;
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
  /** If the network is of no use, being far below bicubic: a paragraph that says so, and what to change. */
  readonly advice: string | undefined;
}

/**
 * Trains a network. If the configuration or the pictures are wrong, it throws and leaves nothing behind. If
 * training fails later (a damaged picture, a full disk, weights that are no longer finite: DivergedError),
 * the last checkpoint is whole, and `resume` goes on from there. The default device stays what it is.
 *
 * @throws RangeError for a wrong configuration, DataError for pictures, files and folders, GpuError for a
 *   device that was lost.
 */
export async function train(config: TrainConfig, options: TrainOptions = {}): Promise<TrainResult> {
  checkOptions("train", options, optionsWanted);
  checkConfigFor("train", config);
  checkNames("train", config, configNames);
  checkBatchFits("train", config);
  const { architecture, options: networkOptions } = networkOf(config.network);
  const say = options.onMessage ?? (() => {});
  const { out, data, valid } = config;
  const pictures = [...data, valid].find((path) => out && path && sameFile(path, out));
  if (pictures !== undefined) {
    throw new ArgumentError(
      "train",
      `\`out\` ${out} is the folder of the pictures: the next run would take its charts for pictures. Name another one.`,
    );
  }
  const folder = RunFolder.create(out, architecture.shortName(networkOptions), say);
  // Writes out the network's defaults, as another version may have others. A cosine without a length stays so: more
  // steps draw it anew.
  const network = { ...config.network, ...networkOptions } as TrainConfig["network"];
  return run({ ...withDegradation(config), network }, folder, options);
}

/**
 * Continues the run in a folder from its last checkpoint; from the one before, if that is damaged; and from
 * the beginning, if there was none yet. `onMessage` says which. On the same device the weights will be, to
 * the last bit, those of a run that was never interrupted. The folder may have moved.
 *
 * @throws DataError also if another process trains in this folder; RangeError also for fewer steps than the run
 *   has done.
 */
export async function resume(runFolder: string | URL, options: ResumeOptions = {}): Promise<TrainResult> {
  const path = pathArgument("resume", "path", runFolder, aFolder);
  checkOptions("resume", options, { ...optionsWanted, change: aFunction });
  const say = options.onMessage ?? (() => {});
  const folder = await RunFolder.open(path, say);
  try {
    const { config: saved, checkpoint } = readSavedRun(path, say);
    const config = withDegradation({ ...changedConfig(saved, path, options.change), out: path });
    checkBatchFits("resume", config);
    const done = checkpoint?.state.step ?? 0;
    if (config.steps < done) {
      throw new ArgumentError(
        "resume",
        `\`steps\` ${config.steps} is fewer than the ${done} steps that the run in ${path} has done. Give a larger ` +
          `number to go on. ${await whereWeightsAre(path, done)}`,
      );
    }
    for (const setting of settingsFor(networkOf(config.network).architecture)) {
      const [before, now] = [saved, config].map((values) => formatSetting(values, setting));
      if (before !== now && !setting.resumable) {
        throw new ArgumentError(
          "resume",
          `\`${setting.path}\` was ${before ?? "not given"} when the run in ${path} began, and cannot become ` +
            `${now ?? "none"}: the result would be that of neither. Begin a new run, by \`init\` from these ` +
            `weights if you like.`,
        );
      }
    }
    return await run(config, folder, options, checkpoint);
  } finally {
    folder.close();
  }
}

/** What `change` makes of the configuration of the run in `folder`. */
function changedConfig(saved: TrainConfig, folder: string, change: ResumeOptions["change"]): TrainConfig {
  if (change === undefined) return saved;
  const changed = change(structuredClone(saved)); // `resume` compares with what is saved
  refusePromise("resume", changed, "`change` must return the configuration itself.");
  checkConfigFor("resume", changed);
  // Settings of another version, which the checkpoint may hold, are not `change`'s.
  checkNames("resume", changed, [...configNames, ...Object.keys(saved)]);
  if (changed.out !== undefined && changed.out !== saved.out && !sameFile(changed.out, folder)) {
    throw new ArgumentError(
      "resume",
      `a run goes on in its folder ${folder}, and \`change\` says \`out\` ${changed.out}. Leave \`out\` as it is, or ` +
        "copy the folder and resume the copy.",
    );
  }
  return changed;
}

async function whereWeightsAre(folder: string, step: number): Promise<string> {
  // A run that was killed has older ones, or those of `init`.
  const areLast = (await stepIn(join(folder, lastFile))) === step;
  if (areLast) return `What it has learned is in ${andList(resultFilesIn(folder))} there.`;
  return `It was stopped before it wrote its last weights for use: \`steps\` ${step} writes them.`;
}

function withDegradation(config: TrainConfig): TrainConfig {
  return config.degradation ? { ...config, degradation: completeDegradation(config.degradation) } : config;
}

/** Trains, on a new device after each loss of one if that is wanted, and closes the folder. */
async function run(
  config: TrainConfig,
  folder: RunFolder,
  options: TrainOptions,
  checkpoint?: Checkpoint,
): Promise<TrainResult> {
  const work = (device: Device, from: Checkpoint | undefined) => runOn(device, config, folder, options, from);
  try {
    return await surviveLoss(work, config.adapter, folder, options, checkpoint);
  } finally {
    folder.close();
  }
}

async function runOn(
  device: Device,
  config: TrainConfig,
  folder: RunFolder,
  options: TrainOptions,
  checkpoint: Checkpoint | undefined,
): Promise<TrainResult> {
  const session = await openSession(config, device, options.onMessage, checkpoint);
  try {
    folder.rewind(checkpoint);
    const journal = new Journal(session, folder, options, checkpoint?.state);
    if (checkpoint) await journal.resume();
    const step = await learn(session, journal, options.signal, checkpoint?.state.step);
    const bicubic = session.validation.bicubic.mean.psnr;
    return { path: folder.path, step, config, best: journal.best, bicubic, advice: journal.adviceAt(step) };
  } finally {
    await session.close();
  }
}

/** The loop. Returns the number of steps done: all, or fewer if the signal stopped it. */
async function learn(
  { config, device, loader, model, average, adam }: Session,
  journal: Journal,
  signal: AbortSignal | undefined,
  first = 0,
): Promise<number> {
  const rate = learningRate(config);
  let step = first;
  let next = loader.state(); // where the next batch begins
  using trainStep = capture((...tensors) => {
    const { loss, gradients } = differentiate(model, inPairs(tensors), config);
    if (config.clip !== undefined) clipGradNorm(gradients, config.clip);
    adam.step(gradients);
    if (average) emaUpdate(average, model, () => emaDecay(config.ema!, step));
    return loss;
  });
  while (step < config.steps && !signal?.aborted) {
    const batch = await span("wait for pictures", () => loader.next()).catch(async (error) => {
      if (step === 0) throw error;
      await journal.checkpoint(step, next); // a damaged picture must not cost what was learned
      throw error instanceof DataError ? journal.interruptionError(error, step) : error;
    });
    if (step === first) {
      await compileAhead(() => differentiate(model, partsOf(batch, config, device), config), device);
    }
    if (step === 0) await journal.begin(next);
    adam.lr = rate(step);
    const oneStep = () => {
      using _ = scope(); // frees all other tensors of this step
      // Captured work takes tensors one by one.
      return keep(trainStep(...partsOf(batch, config, device).flat()));
    };
    const loss = span("step", () => outsideScopes(oneStep));
    step++;
    next = loader.state();
    try {
      // Only here does anything wait for the GPU.
      const result = { next, loss, lr: adam.lr, waited: batch.wait };
      await span("log, evaluate, save", () => journal.afterStep(step, result));
    } catch (error) {
      throw journal.unsaved(error);
    } finally {
      loss.dispose();
    }
    await setImmediate(); // lets Ctrl-C through, even if nothing else waited
  }
  await journal.finish(step, next).catch((error) => {
    throw journal.unsaved(error);
  });
  return step;
}

/** LR and HR patches, each [n, c, h, w]. */
type LowAndHigh = readonly [low: Tensor, high: Tensor];

/** The `accumulate` equal parts of a batch, on the device. */
export function partsOf(
  { low, lowShape, high, highShape }: PatchBatch,
  { accumulate }: Pick<TrainConfig, "accumulate">,
  device: Device,
): LowAndHigh[] {
  return Array.from({ length: accumulate }, (_, i) => [
    microBatch(low, lowShape, i, accumulate, device),
    microBatch(high, highShape, i, accumulate, device),
  ]);
}

/** Parts of a batch from a list of their tensors. */
function inPairs(tensors: readonly Tensor[]): LowAndHigh[] {
  return Array.from({ length: tensors.length / 2 }, (_, i) => [tensors[2 * i], tensors[2 * i + 1]]);
}

/**
 * The loss of a batch (the mean over its patches) and its gradients. With `accumulate` above 1, they are
 * computed for one part of the batch (a micro-batch) after the other, and added up.
 */
export function differentiate(
  model: SuperResolver,
  parts: readonly LowAndHigh[],
  { loss: text, accumulate }: TrainConfig,
): { loss: Tensor; gradients: Gradients } {
  const lossOf = lossFunction(text);
  let sum: Tensor | undefined;
  let gradients: Gradients | undefined;
  for (const [low, high] of parts) {
    using _ = scope();
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
  device: Device,
): Tensor {
  const length = values.length / count;
  return tensor(values.subarray(i * length, (i + 1) * length), [n / count, ...shape], { device });
}
