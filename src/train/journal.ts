import { DataError, type LoaderState } from "../data/index.ts";
import type { NamedArray, SuperResolver, Tensor } from "../node.ts";
import { quantity } from "../options/lists.ts";
import { scalarEvent } from "../report/tensorboard.ts";
import { networkUpscaler, type Upscaler } from "../upscale/index.ts";
import { lastFile } from "../weights/run-files.ts";
import { BestWeights } from "./best-weights.ts";
import {
  type CheckpointState,
  type Lengths,
  serializeCheckpoint,
  stepIn,
  weightsAlone,
} from "./checkpoint.ts";
import { portable } from "./config.ts";
import type { RunFolder } from "./run-folder.ts";
import { saveResult } from "./save-result.ts";
import type { Session } from "./session.ts";
import { writeReport } from "./training-report.ts";
import { adviceFor } from "./verdict.ts";
import { adviceOnWaiting } from "./waiting.ts";

/** How far training has come. */
export interface TrainStatus {
  /** Steps done. */
  readonly step: number;
  /** Steps of the whole run. */
  readonly steps: number;
  readonly loss: number;
  readonly lr: number;
  /** PSNR of the last evaluation, dB; undefined before the first. */
  readonly psnr: number | undefined;
  /** Share of the time since the last status that was spent waiting for pictures, 0..1. */
  readonly waiting: number;
}

/** The loss or a weight is no longer finite, or an evaluation's PSNR is NaN. Nothing of that has been saved. */
export class DivergedError extends Error {
  override name = "DivergedError";
}

export interface TrainCallbacks {
  /** Gets sentences for people: what the network learns from, how the evaluations went. */
  readonly onMessage?: (line: string) => void;
  /** Called after the first step, every `logEvery` steps and at each checkpoint; once more after an evaluation. */
  readonly onProgress?: (status: TrainStatus) => void;
}

interface StepResult {
  /** Where the next batch begins. */
  readonly next: LoaderState;
  readonly loss: Tensor;
  readonly lr: number;
  /** Milliseconds for which the step had to wait for pictures. */
  readonly waited: number;
}

/** Keeps the log of a run, measures the network, and saves what it has learned. */
export class Journal {
  readonly #session: Session;
  readonly #folder: RunFolder;
  readonly #callbacks: TrainCallbacks;
  /** The network that is measured and saved for use, and how it enlarges pictures. */
  readonly #network: SuperResolver;
  readonly #upscaler: Upscaler;
  readonly #best: BestWeights;
  #psnr: number | undefined;
  /** What was last said of the progress. */
  #status: TrainStatus | undefined;
  /** The first loss of the run and the last one that was read. */
  #losses: { first: number; last: number } | undefined;
  #warned = false;
  #advisedOnWaiting = false;
  /** The step of report.html; undefined before this process has written one. */
  #reported: number | undefined;
  /** Seconds of training in earlier processes. */
  readonly #secondsBefore: number;
  readonly #began = performance.now();
  #checkpointed: { step: number; at: number };
  /**
   * The step whose weights are in last.safetensors; undefined if that is missing or damaged. 0 in a new run, which has
   * nothing to save yet.
   */
  #lastSaved: number | undefined = 0;
  /** Since the last status: when it began, and milliseconds of waiting for pictures. */
  #interval: { step: number; began: number; waited: number };

  /** @param resumed the state at the checkpoint from which training goes on. */
  constructor(
    session: Session,
    folder: RunFolder,
    callbacks: TrainCallbacks,
    resumed: CheckpointState | undefined,
  ) {
    this.#session = session;
    this.#folder = folder;
    this.#callbacks = callbacks;
    this.#network = session.average ?? session.model;
    this.#upscaler = networkUpscaler(this.#network);
    this.#best = new BestWeights(session, folder, (line) => callbacks.onMessage?.(line), resumed);
    this.#psnr = resumed?.psnr;
    this.#secondsBefore = resumed?.seconds ?? 0;
    const step = resumed?.step ?? 0;
    this.#checkpointed = { step, at: this.#began };
    this.#interval = { step, began: this.#began, waited: 0 };

    const { conditions, bicubic } = session.validation;
    const { psnr } = bicubic.mean;
    callbacks.onMessage?.(
      `Measured on ${quantity(bicubic.images.length, "held-out picture")}: ${conditions}. ` +
        `Bicubic: ${psnr.toFixed(2)} dB`,
    );
    const config = portable(session.config);
    const start = { config, adapter: session.device.name, started: new Date().toISOString() };
    if (resumed) folder.log({ resumed: step, ...start });
    else {
      const { description: pictures, notes, leftOut, warnings } = session;
      folder.log({ ...start, pictures, notes, leftOut, warnings, protocol: conditions, bicubic: psnr });
    }
  }

  /** The best evaluation so far. */
  get best(): CheckpointState["best"] {
    return this.#best.score;
  }

  /**
   * Makes the folder, from which the run can be resumed; call it before the first step of a new run. Weights that
   * come from a file are measured, so that the best ones are never worse than those.
   */
  async begin(next: LoaderState): Promise<void> {
    const state = this.#state(0, next, { log: 0, events: 0 });
    const nothing = { weights: new Map(), average: undefined, sums: {} };
    await this.#folder.begin(serializeCheckpoint({ state, ...nothing }));
    if (this.#session.config.init === undefined) return;
    const began = performance.now();
    await this.#evaluate(0);
    this.#interval.began += performance.now() - began; // the first batch was waited for before that
  }

  /** Takes up the run's figures; call it when training goes on. */
  async resume(): Promise<void> {
    this.#lastSaved = await stepIn(this.#folder.file(lastFile));
    const losses = this.#folder
      .readLog()
      .map(({ loss }) => loss)
      .filter((loss) => typeof loss === "number");
    if (losses.length > 0) this.#losses = { first: losses[0], last: losses.at(-1)! };
    await this.#best.resume();
  }

  /** Does what is due after a step; call it after every one. */
  async afterStep(step: number, { next, loss, lr, waited }: StepResult): Promise<void> {
    const { steps, logEvery, evalEvery } = this.#session.config;
    this.#interval.waited += waited;
    const evaluate = step % evalEvery === 0 || step === steps;
    const save = evaluate || this.#checkpointDue(step);
    if (step === 1 || step % logEvery === 0 || save) await this.#readLoss(step, loss, lr);
    if (evaluate) await this.#evaluate(step);
    if (save) await this.checkpoint(step, next);
    if (evaluate) await this.#report(step);
    if (save) this.#interval = { step, began: performance.now(), waited: 0 };
  }

  /**
   * The end, or a stop before it: saves what has been learned and is not in the folder yet. A run that ends has been
   * measured, even if it was killed before its first evaluation, or has lost its weights, and had no steps left.
   */
  async finish(step: number, next: LoaderState): Promise<void> {
    const isSaved = step === this.#lastSaved;
    if (step > 0 && step === this.#session.config.steps && !(isSaved && this.best)) {
      await this.#evaluate(step);
      await this.checkpoint(step, next);
      await this.#report(step);
      return;
    }
    if (isSaved) {
      // An evaluation has saved everything, but may have had no room for the report, also in an earlier process.
      if (step > 0 && step !== this.#reported) await this.#report(step);
      return;
    }
    await this.#saveLast(step, await this.#finiteWeights(step));
    if (step !== this.#checkpointed.step) await this.checkpoint(step, next);
    await this.#report(step);
  }

  /**
   * Saves all that a resumed run needs to go on from here.
   *
   * @param next where the next batch begins
   * @throws DivergedError if a weight is not finite; the checkpoint before stays.
   */
  async checkpoint(step: number, next: LoaderState): Promise<void> {
    const { model, average, adam } = this.#session;
    const weights = await this.#finiteWeights(step, model);
    const { sums } = await adam.stateDict();
    const state = this.#state(step, next, this.#folder.settle());
    const bytes = serializeCheckpoint({
      state,
      weights: weightsAlone(model, weights),
      average: average && weightsAlone(average, await average.stateDict()),
      sums,
    });
    // That of step 0 is not worth keeping: a run that began anew would lose all that was learned.
    await this.#folder.saveCheckpoint(bytes, { keepPrevious: this.#checkpointed.step > 0 });
    this.#checkpointed = { step, at: performance.now() };
  }

  /** One paragraph if the best weights are far below bicubic interpolation. */
  adviceAt(step: number): string | undefined {
    if (!this.best || !this.#losses) return undefined;
    const { validation, config } = this.#session;
    const { psnr } = this.best;
    const { first: firstLoss, last: lastLoss } = this.#losses;
    const { plain, bicubic } = validation;
    return adviceFor({ step, psnr, bicubic: bicubic.mean.psnr, plain, firstLoss, lastLoss }, config);
  }

  /** The error for a file of the run that cannot be written; another one stays what it is. */
  unsaved(error: unknown): unknown {
    const isOfSystem =
      error instanceof DataError && (error.cause as NodeJS.ErrnoException)?.code !== undefined;
    if (!isOfSystem) return error;
    const { path } = this.#folder;
    return new DataError(
      `${error.message} The run in ${path} is saved up to step ${this.#checkpointed.step}: go on by \`resume\` ${path} ` +
        "when it can be written again.",
      { cause: error },
    );
  }

  /** The error for a picture that cannot be read, after a checkpoint: resuming needs the same list of pictures. */
  interruptionError(cause: DataError, step: number): DataError {
    return new DataError(
      `${cause.message} Training stopped at step ${step} of ${this.#session.config.steps}, and the run in ` +
        `${this.#folder.path} is saved up to there: put a whole picture of the same name in its place, and go on by ` +
        `\`resume\` ${this.#folder.path}.`,
      { cause },
    );
  }

  get #seconds(): number {
    return this.#secondsBefore + (performance.now() - this.#began) / 1000;
  }

  async #readLoss(step: number, loss: Tensor, lr: number): Promise<void> {
    const value = await loss.item();
    if (!Number.isFinite(value)) throw this.#divergedError(`The loss became ${value}`, step);
    this.#losses = { first: this.#losses?.first ?? value, last: value };
    const took = performance.now() - this.#interval.began;
    const waiting = this.#interval.waited / took;
    const ms = took / (step - this.#interval.step);
    this.#interval = { step, began: performance.now(), waited: 0 };
    this.#folder.event(scalarEvent(step, { "train/loss": value, "train/lr": lr, "train/waiting": waiting }));
    const rounded = { waiting: Number(waiting.toFixed(4)), ms: Number(ms.toFixed(2)) };
    this.#folder.log({ step, loss: value, lr, ...rounded });
    const { steps } = this.#session.config;
    this.#status = { step, steps, loss: value, lr, psnr: this.#psnr, waiting };
    this.#callbacks.onProgress?.(this.#status);
    if (step > 1 && !this.#advisedOnWaiting) this.#adviseOnWaiting(waiting);
  }

  #adviseOnWaiting(waiting: number): void {
    const { config, loader } = this.#session;
    const advice = adviceOnWaiting(waiting, loader.memoryIsFull, config);
    if (advice === undefined) return;
    this.#callbacks.onMessage?.(advice);
    this.#advisedOnWaiting = true;
  }

  /** Measures the weights and saves them: as last, and if they are better than all before, as best. */
  async #evaluate(step: number): Promise<void> {
    const { validation } = this.#session;
    const weights = await this.#finiteWeights(step);
    const evaluation = await validation.measure(this.#upscaler);
    const { psnr } = evaluation.mean;
    if (Number.isNaN(psnr)) throw this.#divergedError(`The PSNR became ${psnr}`, step);
    this.#psnr = psnr;
    const isBest = psnr > (this.best?.psnr ?? -Infinity);
    const gain = psnr - validation.bicubic.mean.psnr;
    this.#callbacks.onMessage?.(
      `step ${step}: ${psnr.toFixed(2)} dB, ${Math.abs(gain).toFixed(2)} dB ${gain >= 0 ? "above" : "below"} bicubic` +
        `${step === 0 ? ", by the weights it begins with" : isBest ? ", the best so far" : ""}`,
    );
    if (this.#status) this.#callbacks.onProgress?.({ ...this.#status, psnr });
    this.#folder.event(scalarEvent(step, { "valid/psnr": psnr }));
    this.#folder.log({ step, psnr, pictures: evaluation.images.map((image) => image.psnr) });

    await this.#saveLast(step, weights, psnr);
    if (isBest) await this.#best.save(step, weights, this.#upscaler, evaluation);
    const advice = this.adviceAt(step);
    if (advice && !this.#warned && step < this.#session.config.steps) this.#callbacks.onMessage?.(advice);
    this.#warned ||= advice !== undefined;
  }

  #checkpointDue(step: number): boolean {
    const { checkpointEvery, checkpointMinutes } = this.#session.config;
    const minutes = (performance.now() - this.#checkpointed.at) / 60_000;
    return (checkpointEvery !== undefined && step % checkpointEvery === 0) || minutes >= checkpointMinutes;
  }

  #state(step: number, next: LoaderState, lengths: Lengths): CheckpointState {
    const { config, device, pictureNames } = this.#session;
    const { out: _out, ...settings } = config;
    return {
      version: 1,
      config: settings,
      workingFolder: process.cwd(),
      device: device.name,
      step,
      seconds: this.#seconds,
      loader: next,
      pictures: pictureNames,
      psnr: this.#psnr,
      best: this.best,
      bicubic: this.#session.validation.bicubic.mean.psnr,
      lengths,
    };
  }

  /** A network's values. Throws if one is not finite, so that such weights are never saved. */
  async #finiteWeights(step: number, network = this.#network): Promise<Map<string, NamedArray>> {
    const weights = await network.stateDict();
    for (const [name, { data }] of weights) {
      const bad = data.find((value) => !Number.isFinite(value));
      if (bad !== undefined) throw this.#divergedError(`A weight of ${name} became ${bad}`, step);
    }
    return weights;
  }

  async #saveLast(step: number, weights: Map<string, NamedArray>, psnr?: number): Promise<void> {
    await saveResult(lastFile, this.#session, this.#folder, step, weights, psnr);
    this.#lastSaved = step;
  }

  /** Draws the curves and the page with everything. */
  async #report(step: number): Promise<void> {
    const facts = { step, best: this.best, seconds: this.#seconds, rows: await this.#best.rows() };
    await this.#folder.draw(async () => {
      await this.#best.drawComparison();
      await writeReport(this.#folder, this.#session, facts);
      this.#reported = step;
    });
  }

  #divergedError(what: string, step: number): DivergedError {
    return new DivergedError(
      `${what} at step ${step}: training diverged. What was saved before is in ${this.#folder.path}; start ` +
        `again with another \`out\` and a smaller \`lr\` (it was ${this.#session.config.lr}).`,
    );
  }
}
