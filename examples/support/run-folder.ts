import { appendFileSync, existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Image, writePng, writeWhole } from "../../src/data/index.ts";
import { type Module, saveWeights } from "../../src/node.ts";
import { type PlotSpec, writePlot } from "../../src/report/plot.ts";
import type { TrainOptions } from "./options.ts";

/**
 * What a training leaves behind: best.safetensors and last.safetensors, log.jsonl, comparison.png, curves.svg and
 * .png. Files are replaced as a whole; the log only grows, by whole lines. The folder is made when there is
 * something to put in it: a training that fails before its first step leaves nothing.
 */
export class RunFolder {
  readonly path: string;
  #made = false;
  /** Lines of the log that wait for the first step. */
  #heading = "";

  /** Without `out`: a new folder under runs/, named after the network, so that nothing is overwritten. */
  constructor({ out, scale, blocks, channels }: TrainOptions) {
    this.path = out ?? unused(join("runs", `edsr-x${scale}-${blocks}x${channels}`));
    if (statSync(this.path, { throwIfNoEntry: false })?.isFile()) {
      throw new Error(`${this.path} is a file, and results go into a folder. Name another one with --out.`);
    }
    const old = ["log.jsonl", "last.safetensors"].find((file) => existsSync(join(this.path, file)));
    if (old) {
      throw new Error(
        `${this.path} already holds a training (${old}). Name another folder with --out, or remove this one.`,
      );
    }
  }

  /** Adds a line to the log. Lines that belong to no step are written together with the first one that does. */
  log(entry: Readonly<Record<string, unknown>>): void {
    this.#heading += `${JSON.stringify(entry)}\n`;
    if (entry.step === undefined) return;
    appendFileSync(this.#file("log.jsonl"), this.#heading);
    this.#heading = "";
  }

  async saveWeights(
    name: "best" | "last",
    model: Module,
    metadata: Readonly<Record<string, string>>,
  ): Promise<void> {
    await writeWhole(this.#file(`${name}.safetensors`), await saveWeights(model, metadata));
  }

  async savePicture(name: string, picture: Image): Promise<void> {
    await writePng(this.#file(`${name}.png`), picture);
  }

  async savePlot(name: string, plot: PlotSpec): Promise<void> {
    await writePlot(this.#file(name), plot);
  }

  #file(name: string): string {
    if (!this.#made) {
      mkdirSync(this.path, { recursive: true });
      console.log(`Results: ${this.path}/`);
      this.#made = true;
    }
    return join(this.path, name);
  }
}

function unused(path: string): string {
  if (!existsSync(path)) return path;
  for (let i = 2; ; i++) {
    if (!existsSync(`${path}-${i}`)) return `${path}-${i}`;
  }
}
