/** Runs keras-worker.ts from its source, in the repository only; see src/data/decode-worker.dev.mjs. */
import { tsImport } from "tsx/esm/api";

await tsImport("./keras-worker.ts", import.meta.url);
