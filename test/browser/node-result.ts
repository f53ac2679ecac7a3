/** A picture enlarged in Node, to compare the browser with. Vitest runs this in Node, before all tests. */
import type { TestProject } from "vitest/node";
import { EDSR, init, Random, saveWeights, upscale } from "../../src/node.ts";
import { type CliResult, cliResults } from "./cli-results.ts";
import { testPicture } from "./test-picture.ts";

export interface NodeResult {
  /** A weight file's bytes, and the enlarged picture's. */
  readonly weights: readonly number[];
  readonly pixels: readonly number[];
}

declare module "vitest" {
  interface ProvidedContext {
    nodeResult: NodeResult;
    cliResults: readonly CliResult[];
  }
}

export default async function setup(project: TestProject): Promise<void> {
  const device = await init();
  const model = new EDSR({ scale: 2, blocks: 1, channels: 8, random: new Random(4) });
  const { image } = await upscale(testPicture(), { method: model });
  const weights = await saveWeights(model);
  project.provide("nodeResult", { weights: [...weights], pixels: [...image.data] });
  project.provide("cliResults", await cliResults(weights));
  device.destroy();
}
