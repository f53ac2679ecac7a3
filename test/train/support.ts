import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { TrainConfig } from "../../src/train/index.ts";

/** Paths inside a folder of the calling test file's own, which is removed at its end. */
export function temporaryPaths(): () => string {
  const folder = mkdtempSync(join(tmpdir(), "pixelgrad-train-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let count = 0;
  return () => join(folder, `path-${++count}`);
}

/** A step takes a fraction of a second, on any adapter. */
export const tiny: TrainConfig = {
  network: { architecture: "EDSR", scale: 2, blocks: 1, channels: 4, resScale: 1 },
  data: [],
  validPictures: 1,
  patch: 8,
  batch: 2,
  accumulate: 1,
  loss: "l1",
  lr: 2e-3,
  schedule: { kind: "cosine" },
  warmup: 0,
  steps: 6,
  seed: 3,
  evalEvery: 4,
  logEvery: 1,
  checkpointMinutes: 10,
};
