import { isMainThread, parentPort, Worker } from "node:worker_threads";
import * as pixelgrad from "pixelgrad";
import { use } from "./use.ts";

if (isMainThread) {
  new Worker(new URL(import.meta.url)).on("message", (answer) => console.log(JSON.stringify(answer)));
} else {
  parentPort!.postMessage(await use(pixelgrad));
  parentPort!.close();
}
