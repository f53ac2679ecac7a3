/**
 * The library as one file for `<script type="module">`: dist/browser/pixelgrad.js, which scripts/single-file.ts
 * makes of this. docs/browsers.md shows its use.
 */
import { serve } from "./worker/serve.ts";
import { startAt, UpscaleWorker as Base, type UpscaleWorkerOptions } from "./worker/index.ts";

export * from "./index.ts";
export { serve };

/** Its worker's file lies beside this one, which may be on another server than the page. */
export class UpscaleWorker extends Base {
  constructor(options: UpscaleWorkerOptions = {}) {
    super({ ...options, worker: options.worker ?? new URL("./thread.js", import.meta.url) });
  }
}
