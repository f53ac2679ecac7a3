/**
 * The program of the worker that an `UpscaleWorker` starts, and of any worker that imports the package's entry
 * `pixelgrad/worker/thread`.
 */
import { serve } from "./serve.ts";

serve();
