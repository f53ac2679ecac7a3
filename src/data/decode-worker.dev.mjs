/**
 * Runs decode-worker.ts from its source, in the repository only. Node 20 runs no TypeScript, and `--import
 * tsx` has no effect in a worker thread, so tsx is called here. The tests, which start hundreds of workers, have the
 * sources compiled in the folder that this variable names (test/support/program.ts).
 */
import { pathToFileURL } from "node:url";

const { PIXELGRAD_TEST_PROGRAM: compiled } = process.env;
if (compiled) await import(pathToFileURL(`${compiled}/data/decode-worker.js`).href);
else {
  const { tsImport } = await import("tsx/esm/api");
  await tsImport("./decode-worker.ts", import.meta.url);
}
