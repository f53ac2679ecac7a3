/**
 * Runs decode-worker.ts from its source, in the repository only: Node 20 runs no TypeScript, and in a worker thread
 * `--import tsx` has no effect, so that tsx has to be called.
 */
import { tsImport } from "tsx/esm/api";

await tsImport("./decode-worker.ts", import.meta.url);
