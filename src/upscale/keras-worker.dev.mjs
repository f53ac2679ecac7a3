/** Runs keras-worker.ts from its source, in the repository only; see src/data/decode-worker.dev.mjs. */
import { pathToFileURL } from "node:url";

const { PIXELGRAD_TEST_PROGRAM: compiled } = process.env;
if (compiled) await import(pathToFileURL(`${compiled}/upscale/keras-worker.js`).href);
else {
  const { tsImport } = await import("tsx/esm/api");
  await tsImport("./keras-worker.ts", import.meta.url);
}
