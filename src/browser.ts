/**
 * The library as one file, for `<script type="module">`: of this, scripts/single-file.ts makes
 * dist/browser/pixelgrad.js. docs/browsers.md shows its use.
 */
import { UpscaleWorker as Base, type UpscaleWorkerOptions } from "./worker/index.ts";

export * from "./index.ts";
export type { UpscaleInWorkerOptions, UpscaleWorkerOptions } from "./worker/index.ts";
export { serve } from "./worker/serve.ts";

/** As that of `pixelgrad/worker`. Its worker's file lies beside this one, maybe on another server than the page. */
export class UpscaleWorker extends Base {
  constructor(options: UpscaleWorkerOptions = {}) {
    super({ ...options, worker: options.worker ?? new URL("./thread.js", import.meta.url) });
  }
}
