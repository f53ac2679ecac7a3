/** Builds the page into a temporary folder, and serves it. Vitest runs this once, before all tests. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";
import type { TestProject } from "vitest/node";
import { serve } from "./serve.ts";

declare module "vitest" {
  interface ProvidedContext {
    site: { readonly url: string; readonly folder: string };
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "pixelgrad-page-"));
  process.env.NODE_ENV = "production"; // Vitest sets "test", with which Vite builds another page
  await build({ configFile: "site/vite.config.ts", logLevel: "warn", build: { outDir: folder } });
  const { url, close } = await serve(folder);
  project.provide("site", { url, folder });
  return async () => {
    await close();
    await rm(folder, { recursive: true, force: true });
  };
}
