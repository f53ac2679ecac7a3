/**
 * The training of a super-resolution network. The loop is in `run`: a batch of patches, the loss, its gradients, a
 * step of Adam. What surrounds a training (the log, evaluations, checkpoints) is in journal.ts.
 */
import { setImmediate } from "node:timers/promises";
import { DataError, type PatchBatch, PatchLoader, toPlanar } from "../data/index.ts";
import {
  Adam,
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
  Random,
  type SuperResolver,
  scope,
  setDefaultDevice,
  type Tensor,
  tensor,
} from "../node.ts";
import { type Checkpoint, type PictureNames, readCheckpoint } from "./checkpoint.ts";
import type { TrainConfig } from "./config.ts";
import { loadPairs, openPictures } from "./datasets.ts";
import { Journal, type TrainStatus } from "./journal.ts";
import { initialWeights, networkOf } from "./network.ts";
import { RunFolder } from "./run-folder.ts";
import { completeSchedule, learningRate } from "./schedule.ts";
import { checkConfig, settingOf, settingsFor } from "./settings.ts";
import { Validation } from "./validation.ts";

export interface TrainOptions {
  /** Ends the training after the step that it is at; what was learned is saved. */
  readonly signal?: AbortSignal;
  /** Gets sentences for people: what is trained on, how the evaluations went. */
  readonly say?: (line: string) => void;
  /** Called every `logEvery` steps. */
  readonly onProgress?: (status: TrainStatus) => void;
  /** Train on this device, and leave it open. Default: `config.adapter`'s, opened and closed by the training. */
  readonly device?: Device;
}

export interface TrainResult {
  /** Folder of the results. */
  readonly path: string;
  /** Steps done; fewer than `config.steps` if the training was stopped. */
  readonly step: number;
  readonly config: TrainConfig;
  /** The best evaluation, whose weights are in best.safetensors. */
  readonly best: { readonly step: number; readonly psnr: number } | undefined;
  /** What bicubic interpolation reaches, dB. */
  readonly bicubic: number;
}

/**
 * Trains a network. Throws, and leaves nothing behind, if the configuration or the pictures are no good. If the training
 * fails later (a damaged picture, a full disk, weights that are no longer finite: DivergedError), its last checkpoint is
 * whole, and `resume` goes on from there.
 */
export async function train(config: TrainConfig, options: TrainOptions = {}): Promise<TrainResult> {
  checkConfig(config);
  const { architecture, options: complete } = networkOf(config.network);
  const folder = RunFolder.create(config.out, architecture.shortName(complete), (path) =>
    options.say?.(`Results: ${path}/`),
  );
  const network = { ...config.network, ...complete } as TrainConfig["network"];
  return run({ ...config, network, schedule: completeSchedule(config) }, folder, options);
}

/**
 * Goes on with the training of a folder from its last checkpoint. On the same device the weights will be, to the last
 * bit, those of the same training never interrupted. `change` may give other values to the settings that do not decide
 * what is learned, those marked `resumable` in settings.ts: more steps, for example.
 */
export async function resume(
  path: string,
  options: TrainOptions & { readonly change?: (config: TrainConfig) => TrainConfig } = {},
): Promise<TrainResult> {
  const checkpoint = readCheckpoint(path);
  const saved = checkpoint.state.config;
  const config = { ...(options.change?.(saved) ?? saved), out: path };
  checkConfig(config);
  for (const setting of settingsFor(networkOf(config.network).architecture)) {
    const [before, now] = [saved, config].map((one) => JSON.stringify(settingOf(one, setting)));
    if (before !== now && !setting.resumable) {
      throw new RangeError(
        `--${setting.flag} was ${before ?? "not given"} when the training in ${path} began, and cannot become ` +
          `${now ?? "none"}: the result would be that of neither. Begin a new training, by --init from these weights ` +
          `if you like.`,
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
  const parts = await prepare(config, device, options, checkpoint).catch((error) => {
    if (!options.device) device.destroy();
    throw error;
  });
  const { loader, model, average, adam } = parts;
  const rate = learningRate(config);
  const journal = new Journal({ ...parts, config, folder, ...options }, checkpoint?.state);
  const first = checkpoint?.state.step ?? 0;
  let step = first;
  let place = loader.state(); // where the next batch begins

  try {
    while (step < config.steps && !options.signal?.aborted) {
      const batch = await loader.next().catch(async (error) => {
        if (step > 0) await journal.checkpoint(step, place); // a damaged picture must not cost what was learned
        throw error;
      });
      if (step === first) await compileAhead(() => differentiate(model, batch, config));
      using _ = scope(); // frees everything made in this round
      const { loss, gradients } = differentiate(model, batch, config);
      if (config.clip !== undefined) clipGradNorm(gradients, config.clip);
      adam.lr = rate(step);
      adam.step(gradients);
      if (average) emaUpdate(average, model, emaDecay(config.ema!, step));
      step++;
      place = loader.state();

      // Only here does anything wait for the GPU.
      await journal.afterStep(step, { place, loss, lr: adam.lr, waited: batch.wait });
      await setImmediate(); // lets Ctrl-C be heard, even if nothing else was waited for
    }
    await journal.finish(step, place);
    return {
      path: folder.path,
      step,
      config,
      best: journal.best,
      bicubic: parts.validation.bicubic.mean.psnr,
    };
  } finally {
    await parts.close();
    if (!options.device) device.destroy();
  }
}

/**
 * The loss of a batch, the mean over its patches, and the gradients. In parts, if the configuration says so: their
 * gradients add up to those of the whole.
 */
export function differentiate(
  model: SuperResolver,
  batch: PatchBatch,
  { loss: name, accumulate }: TrainConfig,
): { loss: Tensor; gradients: Gradients } {
  const lossOf = name === "l1" ? l1Loss : mseLoss;
  let total: Tensor | undefined;
  let gradients: Gradients | undefined;
  for (let part = 0; part < accumulate; part++) {
    using _ = scope();
    const lr = partOf(batch.lr, batch.lrShape, part, accumulate);
    const hr = partOf(batch.hr, batch.hrShape, part, accumulate);
    const loss = mul(lossOf(model.forward(lr), hr), 1 / accumulate);
    const found = backward(loss);
    total = keep(total ? add(total, loss) : loss);
    if (gradients) {
      addGradients(gradients, found);
    } else {
      gradients = found;
      for (const gradient of found.values()) keep(gradient);
    }
  }
  return { loss: total!, gradients: gradients! };
}

/** Pictures `part` * n / `parts` … of a batch [n, c, h, w]. */
function partOf(values: Float32Array, [n, ...shape]: readonly number[], part: number, parts: number): Tensor {
  const length = values.length / parts;
  return tensor(values.subarray(part * length, (part + 1) * length), [n / parts, ...shape]);
}

/** Opens and makes everything that a training consists of, new or as it was at a checkpoint. */
async function prepare(config: TrainConfig, device: Device, { say }: TrainOptions, checkpoint?: Checkpoint) {
  const { seed, batch, patch, network } = config;
  setDefaultDevice(device);
  say?.(`Adapter: ${device.name}`);

  const { architecture, options } = networkOf(network);
  const { scale } = options;
  const { colors, inputSize } = architecture;
  const pictures = openPictures(config, { scale, colors, inputSize });
  const { description } = pictures;
  say?.(`Pictures: ${description}`);
  const names: PictureNames = { train: pictures.train.names, valid: pictures.valid.names };
  if (checkpoint) checkPictures(checkpoint.state.pictures, names);
  const validation = await Validation.open(pictures.valid, config.validPictures);
  const looked = architecture.looksAtExamples(options) ? await loadPairs(pictures.train, 20) : [];
  const examples = looked.map(({ lr }) => ({
    shape: [lr.channels, lr.height, lr.width],
    data: toPlanar(lr),
  }));

  const loader = new PatchLoader(pictures.train, { batch, patch, seed, cacheFolder: config.cache });
  // The same seed: network and average begin alike.
  const build = () => architecture.build(options, new Random(seed), examples);
  const model = build();
  const average = config.ema === undefined ? undefined : build();
  const adam = new Adam(model.parameters(), { lr: config.lr });
  say?.(`Network: ${architecture.describe(options)}, ${model.parameterCount()} parameters`);
  const close = async () => {
    await loader.close();
    for (const owner of [model, average, adam]) owner?.dispose();
  };

  try {
    if (checkpoint) {
      const { state, weights, average: averaged, sums } = checkpoint;
      model.loadStateDict(weights, "the checkpoint");
      average?.loadStateDict(averaged!, "the checkpoint");
      adam.loadStateDict({ steps: state.step, lr: config.lr, sums });
      loader.restore(state.loader);
      const other =
        state.device === device.name ? "" : `; before on ${state.device}, which may round otherwise`;
      say?.(`Resumed at step ${state.step} of ${config.steps}${other}`);
    } else if (config.init !== undefined) {
      const random = await initialWeights(model, config.init);
      if (average) await initialWeights(average, config.init);
      const others = random.length > 0 ? `; at random as it lacks them: ${random.join(", ")}` : "";
      say?.(`Weights: from ${config.init}${others}`);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { device, names, description, validation, loader, model, average, adam, build, close };
}

/** A resumed training must go on with the pictures it began with; their folders may have moved. */
function checkPictures(before: PictureNames, now: PictureNames): void {
  for (const [part, flag] of [
    ["train", "--data"],
    ["valid", "--valid or --data"],
  ] as const) {
    const [old, found] = [before[part], now[part]];
    const other = old.findIndex((name, i) => name !== found[i]);
    if (other < 0 && old.length === found.length) continue;
    throw new DataError(
      `These are not the pictures that the training began with: of those to ${part === "train" ? "train" : "measure"} ` +
        `on there were ${old.length}, now ${found.length}` +
        (other >= 0 ? `, and number ${other + 1} was ${old[other]}` : "") +
        `. Resume with ${flag} naming the same ones.`,
    );
  }
}
