import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Image, imresize, type Pair, psnr } from "../../src/data/index.ts";
import { type EDSR, loadWeights, networkUpscaler } from "../../src/node.ts";
import { pickDetail, type Row, sideBySide } from "../../src/report/picture.ts";
import type { Point } from "../../src/report/plot.ts";
import type { Progress } from "../../src/report/progress.ts";
import type { RunFolder } from "./run-folder.ts";

/**
 * Measures a network on held-out pictures in the course of its training, beside bicubic interpolation; keeps the
 * best weights, and draws the curves and the comparison at the end.
 */
export class Evaluation {
  readonly #model: EDSR;
  readonly #pairs: readonly Pair[];
  readonly #run: RunFolder;
  readonly #bicubic: readonly Image[];
  readonly #bicubicPsnr: number;
  readonly #curve: Point[] = [];
  #best = -Infinity;
  #bestStep = 0;

  constructor(model: EDSR, pairs: readonly Pair[], run: RunFolder) {
    this.#model = model;
    this.#pairs = pairs;
    this.#run = run;
    this.#bicubic = pairs.map(({ lr, hr }) => imresize(lr, { width: hr.width, height: hr.height }));
    this.#bicubicPsnr = mean(this.#bicubic.map((image, i) => this.#psnr(image, i)));
  }

  /** Papers' protocol, but that Y keeps its fractions: see `psnr`. */
  #psnr(image: Image, i: number): number {
    return psnr(image, this.#pairs[i].hr, { border: this.#model.scale, channels: "y" });
  }

  start(progress: Progress): void {
    progress.log(
      `Measured on ${this.#pairs.length} held-out pictures: mean PSNR on Y (BT.601), border ${this.#model.scale}, ` +
        `LR by Matlab's bicubic. Bicubic: ${this.#bicubicPsnr.toFixed(2)} dB`,
    );
    this.#run.log({ protocol: "PSNR, Y of BT.601, border = scale", bicubic: this.#bicubicPsnr });
  }

  /** Evaluates and saves the weights: as last, and if no earlier ones were better, as best. */
  async measure(step: number, progress: Progress): Promise<void> {
    const values: number[] = [];
    for (const [i, { lr }] of this.#pairs.entries())
      values.push(this.#psnr(await networkUpscaler(this.#model).upscale(lr), i));
    const result = mean(values);
    this.#curve.push([step, result]);
    const gain = result - this.#bicubicPsnr;
    const isBest = result > this.#best;
    progress.log(
      `step ${step}: ${result.toFixed(2)} dB, bicubic ${gain >= 0 ? "+" : "-"} ${Math.abs(gain).toFixed(2)}${isBest ? ", the best so far" : ""}`,
    );
    this.#run.log({ step, psnr: result, pictures: values });
    const metadata = { step: `${step}`, psnr: result.toFixed(3), protocol: "Y of BT.601, border = scale" };
    await this.#run.saveWeights("last", this.#model, metadata);
    if (isBest) {
      this.#best = result;
      this.#bestStep = step;
      await this.#run.saveWeights("best", this.#model, metadata);
    }
    progress.skip();
  }

  /** Draws the curves, and the held-out pictures side by side as the best weights see them. */
  async finish(step: number): Promise<void> {
    const measured = this.#curve.at(-1)?.[0];
    if (measured !== step) {
      // Stopped between two evaluations: keep what was learned since.
      await this.#run.saveWeights("last", this.#model, { step: `${step}` });
    }
    await this.#run.savePlot("curves", this.#curves());
    if (measured === undefined) return;
    const best = join(this.#run.path, "best.safetensors");
    loadWeights(this.#model, readFileSync(best), best);
    const rows: Row[] = [];
    for (const [i, { name, lr, hr }] of this.#pairs.slice(0, 4).entries()) {
      const bicubic = this.#bicubic[i];
      const sr = await networkUpscaler(this.#model).upscale(lr);
      // The square with the most detail, on whole LR pixels.
      const { scale } = this.#model;
      const found = pickDetail(hr, 96);
      const region = { ...found, x: found.x - (found.x % scale), y: found.y - (found.y % scale) };
      const caption = (method: string, image: Image) => `${method} ${this.#psnr(image, i).toFixed(2)} dB`;
      rows.push({
        title: name,
        overview: { caption: "held out", image: hr, region },
        panels: [
          { caption: "LR", image: lr },
          { caption: caption("bicubic", bicubic), image: bicubic },
          { caption: caption("EDSR", sr), image: sr },
          { caption: "HR", image: hr },
        ],
      });
    }
    await this.#run.savePicture("comparison", await sideBySide(rows));
    console.log(
      `Best: ${this.#best.toFixed(2)} dB at step ${this.#bestStep} (bicubic ${this.#bicubicPsnr.toFixed(2)}). ` +
        `Look at ${join(this.#run.path, "comparison.png")} and curves.svg.`,
    );
  }

  #curves() {
    const log = readFileSync(join(this.#run.path, "log.jsonl"), "utf8").trim().split("\n");
    const losses = log.map((line) => JSON.parse(line)).filter((entry) => entry.loss !== undefined);
    return {
      title: "Training",
      panels: [
        {
          title: "Loss on training patches",
          xLabel: "step",
          yLabel: "L1, pictures in 0..1",
          logY: true,
          series: [{ name: "L1", points: losses.map(({ step, loss }): Point => [step, loss]), smooth: true }],
        },
        {
          title: "Quality on held-out pictures",
          xLabel: "step",
          yLabel: "PSNR on Y, dB",
          series: [
            { name: "EDSR", points: this.#curve },
            { name: "bicubic", points: [[0, this.#bicubicPsnr]] as Point[], dashed: true },
          ],
        },
      ],
    };
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
