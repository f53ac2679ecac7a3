import { encodePng } from "../data/index.ts";
import type { Evaluation } from "../evaluate/index.ts";
import { readBytes } from "../files/image-files.ts";
import { GpuError, loadWeights, type NamedArray, parseSafetensors, type SuperResolver } from "../node.ts";
import { type Row, sideBySide } from "../report/picture.ts";
import { imageEvent } from "../report/tensorboard.ts";
import { networkUpscaler, type Upscaler } from "../upscale/index.ts";
import { bestFile } from "../weights/run-files.ts";
import type { CheckpointState } from "./checkpoint.ts";
import type { RunFolder } from "./run-folder.ts";
import { saveResult } from "./save-result.ts";
import type { Session } from "./session.ts";

/** The weights of a run's best evaluation, in best.safetensors, and pictures by them. */
export class BestWeights {
  readonly #session: Session;
  readonly #folder: RunFolder;
  readonly #onMessage: (line: string) => void;
  /** What bicubic reached on the held-out pictures before the run was resumed, dB. */
  readonly #bicubicBefore: number | undefined;
  #score: CheckpointState["best"];
  /** Pictures by the best weights; undefined until they are needed. */
  #rows: readonly Row[] | undefined;
  /** Those in comparison.png. */
  #drawnRows: readonly Row[] | undefined;

  /** @param resumed the state at the checkpoint from which training goes on. */
  constructor(
    session: Session,
    folder: RunFolder,
    onMessage: (line: string) => void,
    resumed: CheckpointState | undefined,
  ) {
    this.#session = session;
    this.#folder = folder;
    this.#onMessage = onMessage;
    this.#score = resumed?.best;
    this.#bicubicBefore = resumed?.bicubic;
  }

  /** The step of that evaluation and its PSNR; undefined before the first one. */
  get score(): CheckpointState["best"] {
    return this.#score;
  }

  /** Puts better weights in the place of these. @param upscaler has enlarged the pictures of the evaluation */
  async save(
    step: number,
    weights: Map<string, NamedArray>,
    upscaler: Upscaler,
    evaluation: Evaluation,
  ): Promise<void> {
    const { validation } = this.#session;
    const { psnr } = evaluation.mean;
    await saveResult(bestFile, this.#session, this.#folder, step, weights, psnr);
    this.#score = { step, psnr };
    this.#rows = await validation.rows(upscaler, evaluation);
    await this.#folder.draw(() => this.drawComparison());
    // One picture only: a run may have hundreds of best evaluations.
    const first = await sideBySide(this.#rows.slice(0, 1));
    this.#folder.event(await imageEvent(step, "valid/comparison", first));
  }

  /**
   * Takes up the best weights so far when training goes on. If they were measured by another protocol (that of an
   * older version), or on other pictures of the same names, measures them anew: such figures do not compare. If their
   * file is missing or damaged, the next evaluation is the best so far.
   */
  async resume(): Promise<void> {
    if (!this.#score) return;
    const path = this.#folder.file(bestFile);
    try {
      const { protocol } = parseSafetensors(await readBytes(path), path).metadata;
      const network = await this.#load();
      try {
        const { conditions, bicubic } = this.#session.validation;
        const areOthers = !isAbout(bicubic.mean.psnr, this.#bicubicBefore);
        const { psnr } = this.#score;
        if (areOthers || protocol !== conditions) await this.#measure(network);
        if (areOthers) {
          this.#onMessage(
            `The held-out pictures are not those that were measured before, though they have the same names. On ` +
              `these, the best weights so far reach ${this.#score.psnr.toFixed(2)} dB, not ${psnr.toFixed(2)}`,
          );
        }
      } finally {
        network.dispose();
      }
    } catch (error) {
      if (error instanceof GpuError) throw error;
      this.#score = undefined;
      this.#onMessage(
        `The best weights so far are lost: ${(error as Error).message} ` +
          "The next evaluation counts as the best",
      );
    }
  }

  /** Pictures by the best weights. After a resume, a network of their own makes them again. */
  async rows(): Promise<readonly Row[]> {
    if (!this.#rows && this.#score) {
      const network = await this.#load();
      try {
        await this.#measure(network);
      } finally {
        network.dispose();
      }
    }
    return this.#rows ?? [];
  }

  /** Draws the pictures by the best weights as comparison.png, unless that is done already. */
  async drawComparison(): Promise<void> {
    const rows = await this.rows();
    if (rows.length === 0 || rows === this.#drawnRows) return;
    await this.#folder.save("comparison.png", await encodePng(await sideBySide(rows)));
    this.#drawnRows = rows;
  }

  /** The caller disposes it. */
  async #load(): Promise<SuperResolver> {
    const path = this.#folder.file(bestFile);
    const bytes = await readBytes(path);
    const network = this.#session.build();
    try {
      loadWeights(network, bytes, path);
      return network;
    } catch (error) {
      network.dispose();
      throw error;
    }
  }

  async #measure(network: SuperResolver): Promise<void> {
    const { validation } = this.#session;
    const upscaler = networkUpscaler(network);
    const evaluation = await validation.measure(upscaler);
    this.#score = { ...this.#score!, psnr: evaluation.mean.psnr };
    this.#rows = await validation.rows(upscaler, evaluation);
  }
}

/** Whether two means are the same but for rounding, or one of them was not saved. */
function isAbout(now: number, before: number | undefined): boolean {
  return before === undefined || Math.abs(now - before) < 1e-6;
}
