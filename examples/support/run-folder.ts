import { appendFileSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Image, writePng, writeWhole } from "../../src/data/index.ts";
import { type Module, saveWeights } from "../../src/node.ts";
import type { TrainOptions } from "./options.ts";
import { type PlotSpec, writePlot } from "./plot.ts";

/**
 * What a training leaves behind: best.safetensors and last.safetensors, log.jsonl, comparison.png, curves.svg and
 * .png. Files are replaced as a whole; the log only grows, by whole lines.
 */
export class RunFolder {
  readonly path: string;

  /** Without `path`: a new folder under runs/, named after the network, so that nothing is overwritten. */
  constructor(path: string | undefined, start: { options: TrainOptions; adapter: string }) {
    const { scale, blocks, channels } = start.options;
    this.path = path ?? unused(join("runs", `edsr-x${scale}-${blocks}x${channels}`));
    if (path && existsSync(join(path, "log.jsonl"))) {
      throw new Error(
        `${path} already holds a training. Name another folder with --out, or remove this one.`,
      );
    }
    mkdirSync(this.path, { recursive: true });
    this.log({ ...start, started: new Date().toISOString() });
    console.log(`Results: ${this.path}/`);
  }

  log(entry: Readonly<Record<string, unknown>>): void {
    appendFileSync(join(this.path, "log.jsonl"), `${JSON.stringify(entry)}\n`);
  }

  async saveWeights(
    name: "best" | "last",
    model: Module,
    metadata: Readonly<Record<string, string>>,
  ): Promise<void> {
    await writeWhole(join(this.path, `${name}.safetensors`), await saveWeights(model, metadata));
  }

  async savePicture(name: string, picture: Image): Promise<void> {
    await writePng(join(this.path, `${name}.png`), picture);
  }

  async savePlot(name: string, plot: PlotSpec): Promise<void> {
    await writePlot(join(this.path, name), plot);
  }
}

function unused(path: string): string {
  if (!existsSync(path)) return path;
  for (let i = 2; ; i++) {
    if (!existsSync(`${path}-${i}`)) return `${path}-${i}`;
  }
}
