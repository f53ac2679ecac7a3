/**
 * Runs decode-worker.ts from its source, in the repository only. Node 20 runs no TypeScript, and `--import
 * tsx` has no effect in a worker thread, so tsx is called here.
 */
import { tsImport } from "tsx/esm/api";

await tsImport("./decode-worker.ts", import.meta.url);
