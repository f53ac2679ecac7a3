import { existsSync, readFileSync } from "node:fs";
import type { LoaderState } from "../data/index.ts";
import {
  loadWeights,
  type NamedArray,
  type SuperResolver,
  serializeSafetensors,
  type Tensor,
} from "../node.ts";
import { type Row, sideBySide } from "../report/picture.ts";
import { imageEvent, scalarEvent } from "../report/tensorboard.ts";
import { networkUpscaler, type Upscaler } from "../upscale/index.ts";
import { type CheckpointState, checkpointFile, serializeCheckpoint } from "./checkpoint.ts";
import { portable, type TrainConfig } from "./config.ts";
import type { RunFolder } from "./run-folder.ts";
import type { Session } from "./session.ts";
import { writeReport } from "./training-report.ts";

/** How far training has come. */
export interface TrainStatus {
  /** Steps done. */
  readonly step: number;
  /** Steps of the whole run. */
  readonly steps: number;
  readonly loss: number;
  readonly lr: number;
  /** Of the last evaluation, dB; undefined before the first. */
  readonly psnr: number | undefined;
  /** Share of the time since the last status that was spent waiting for pictures, 0..1. */
  readonly waiting: number;
}

/** The loss or a weight is no longer a finite number. Nothing of that has been saved. */
export class DivergedError extends Error {
  override name = "DivergedError";
}

export interface JournalOptions {
  readonly session: Session;
  readonly config: TrainConfig;
  readonly folder: RunFolder;
  readonly onMessage?: (line: string) => void;
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
  best: { readonly step: number; readonly psnr: number } | undefined;
  readonly #options: JournalOptions;
  readonly #session: Session;
  /** The weights that are measured and kept for use, and how they enlarge pictures. */
  readonly #kept: SuperResolver;
  readonly #upscaler: Upscaler;
  #psnr: number | undefined;
  /** Pictures as the best weights see them; undefined until they are needed. */
  #rows: readonly Row[] | undefined;
  /** Seconds of training in earlier processes. */
  readonly #secondsBefore: number;
  readonly #began = performance.now();
  #checkpointed: { step: number; at: number };
  /** The step whose weights are in last.safetensors. */
  #last: number;
  /** Since the last status: when it began, and milliseconds of waiting for pictures. */
  #interval = { step: 0, began: performance.now(), waited: 0 };

  /** @param resumed the state at the checkpoint from which training goes on. */
  constructor(options: JournalOptions, resumed?: CheckpointState) {
    const { session, config, folder } = options;
    this.#options = options;
    this.#session = session;
    this.#kept = session.average ?? session.model;
    this.#upscaler = networkUpscaler(this.#kept);
    this.best = resumed?.best;
    this.#psnr = resumed?.psnr;
    this.#secondsBefore = resumed?.seconds ?? 0;
    this.#checkpointed = { step: resumed?.step ?? 0, at: this.#began };
    this.#last = resumed?.step ?? 0;
    this.#interval.step = resumed?.step ?? 0;

    const { conditions, count, bicubic } = session.validation;
    const decibels = bicubic.mean.psnr;
    options.onMessage?.(
      `Measured on ${count} held-out pictures: ${conditions}. Bicubic: ${decibels.toFixed(2)} dB`,
    );
    const start = {
      config: portable(config),
      adapter: session.device.name,
      started: new Date().toISOString(),
    };
    if (resumed) folder.log({ resumed: resumed.step, ...start });
    else folder.log({ ...start, pictures: session.description, protocol: conditions, bicubic: decibels });
  }

  /** To be called after every step: does what is due. */
  async afterStep(step: number, { next, loss, lr, waited }: StepResult): Promise<void> {
    const { steps, logEvery, evalEvery } = this.#options.config;
    this.#interval.waited += waited;
    const evaluate = step % evalEvery === 0 || step === steps;
    const save = evaluate || this.#checkpointDue(step);
    if (step === 1 || step % logEvery === 0 || save) await this.#readLoss(step, loss, lr);
    if (evaluate) await this.#evaluate(step);
    if (save) await this.checkpoint(step, next);
    if (evaluate) await this.#report(step);
    if (save) this.#interval = { step, began: performance.now(), waited: 0 };
  }

  /** The end, also where training was stopped: saves what has been learned since the last checkpoint. */
  async finish(step: number, next: LoaderState): Promise<void> {
    if (step === this.#last && step === this.#checkpointed.step) return;
    if (step !== this.#last) await this.#saveWeights("last", step, await this.#finiteWeights(step));
    if (step !== this.#checkpointed.step) await this.checkpoint(step, next);
    await this.#report(step);
  }

  async #readLoss(step: number, loss: Tensor, lr: number): Promise<void> {
    const { folder, config, onProgress } = this.#options;
    const value = await loss.item();
    if (!Number.isFinite(value)) throw this.#diverged(`The loss became ${value}`, step);
    const took = performance.now() - this.#interval.began;
    const waiting = this.#interval.waited / took;
    const ms = took / (step - this.#interval.step);
    this.#interval = { step, began: performance.now(), waited: 0 };
    folder.event(scalarEvent(step, { "train/loss": value, "train/lr": lr, "train/waiting": waiting }));
    folder.log({ step, loss: value, lr, waiting: Number(waiting.toFixed(4)), ms: Number(ms.toFixed(2)) });
    onProgress?.({ step, steps: config.steps, loss: value, lr, psnr: this.#psnr, waiting });
  }

  /** Measures the weights, and keeps them: as last, and if they are better than all before, as best. */
  async #evaluate(step: number): Promise<void> {
    const { folder, onMessage } = this.#options;
    const { validation } = this.#session;
    const weights = await this.#finiteWeights(step);
    const evaluation = await validation.measure(this.#upscaler);
    const { psnr, ssim } = evaluation.mean;
    if (!Number.isFinite(psnr)) throw this.#diverged(`The PSNR became ${psnr}`, step);
    this.#psnr = psnr;
    const isBest = psnr > (this.best?.psnr ?? -Infinity);
    const gain = psnr - validation.bicubic.mean.psnr;
    onMessage?.(
      `step ${step}: ${psnr.toFixed(2)} dB, bicubic ${gain >= 0 ? "+" : "-"} ${Math.abs(gain).toFixed(2)}` +
        `${isBest ? ", the best so far" : ""}`,
    );
    folder.event(scalarEvent(step, { "valid/psnr": psnr, "valid/ssim": ssim }));
    folder.log({ step, psnr, ssim, pictures: evaluation.images.map((image) => image.psnr) });

    await this.#saveWeights("last", step, weights, psnr);
    if (!isBest) return;
    await this.#saveWeights("best", step, weights, psnr);
    this.best = { step, psnr };
    this.#rows = await validation.rows(this.#upscaler, evaluation);
    await folder.savePicture("comparison.png", await sideBySide(this.#rows));
    // One of them: there may be hundreds of best evaluations.
    folder.event(await imageEvent(step, "valid/comparison", await sideBySide(this.#rows.slice(0, 1))));
  }

  #checkpointDue(step: number): boolean {
    const { checkpointEvery, checkpointMinutes } = this.#options.config;
    const minutes = (performance.now() - this.#checkpointed.at) / 60_000;
    return (checkpointEvery !== undefined && step % checkpointEvery === 0) || minutes >= checkpointMinutes;
  }

  async checkpoint(step: number, next: LoaderState): Promise<void> {
    const { config, folder } = this.#options;
    const { device, pictureNames, model, average, adam } = this.#session;
    const weights = await this.#finiteWeights(step, model);
    const { sums } = await adam.stateDict();
    const state: CheckpointState = {
      version: 1,
      config,
      device: device.name,
      step,
      seconds: this.#secondsBefore + (performance.now() - this.#began) / 1000,
      loader: next,
      pictures: pictureNames,
      psnr: this.#psnr,
      best: this.best,
      lengths: folder.settle(),
    };
    const bytes = serializeCheckpoint({ state, weights, average: await average?.stateDict(), sums });
    await folder.save(checkpointFile, bytes);
    this.#checkpointed = { step, at: performance.now() };
  }

  /** A network's values; throws if one is not finite, so that such weights are never saved. */
  async #finiteWeights(step: number, model = this.#kept): Promise<Map<string, NamedArray>> {
    const weights = await model.stateDict();
    for (const [name, { data }] of weights) {
      const bad = data.find((value) => !Number.isFinite(value));
      if (bad !== undefined) throw this.#diverged(`A weight of ${name} became ${bad}`, step);
    }
    return weights;
  }

  async #saveWeights(
    name: "best" | "last",
    step: number,
    weights: Map<string, NamedArray>,
    psnr?: number,
  ): Promise<void> {
    const { config, folder } = this.#options;
    const { validation, description } = this.#session;
    const measured: Record<string, string> =
      psnr === undefined ? {} : { psnr: psnr.toFixed(3), protocol: validation.conditions };
    const metadata = {
      ...this.#kept.metadata(),
      step: `${step}`,
      ...measured,
      pictures: description,
      config: JSON.stringify(portable(config)),
    };
    await folder.save(`${name}.safetensors`, serializeSafetensors(weights, metadata));
    if (name === "last") this.#last = step;
  }

  /** Draws the curves and the page with everything. */
  async #report(step: number): Promise<void> {
    const { config, folder } = this.#options;
    const { validation, device, description, model } = this.#session;
    await writeReport(folder, {
      config,
      step,
      parameters: model.parameterCount(),
      adapter: device.name,
      pictures: description,
      protocol: validation.conditions,
      bicubic: validation.bicubic.mean.psnr,
      best: this.best,
      seconds: this.#secondsBefore + (performance.now() - this.#began) / 1000,
      rows: await this.#bestRows(),
    });
  }

  /** Pictures by the best weights. After a resume they are made anew, with a network of their own. */
  async #bestRows(): Promise<readonly Row[]> {
    const { folder } = this.#options;
    const { validation, build } = this.#session;
    const path = folder.file("best.safetensors");
    if (this.#rows || !this.best || !existsSync(path)) return this.#rows ?? [];
    const network = build();
    try {
      loadWeights(network, readFileSync(path), path);
      const upscaler = networkUpscaler(network);
      this.#rows = await validation.rows(upscaler, await validation.measure(upscaler));
    } finally {
      network.dispose();
    }
    return this.#rows;
  }

  #diverged(what: string, step: number): DivergedError {
    const { config, folder } = this.#options;
    return new DivergedError(
      `${what} at step ${step}: the training diverged. What was saved before is in ${folder.path}; start ` +
        `again with another --out and a smaller --lr (it was ${config.lr}).`,
    );
  }
}
