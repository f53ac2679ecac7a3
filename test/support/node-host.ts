/** What Vitest runs before each test file in Node; in a browser, WebGPU is there already. */
import { registerHost } from "../../src/device/adapter.ts";
import { nodeHost } from "../../src/device/adapter-node.ts";
import { compiledFolder } from "./program.ts";

registerHost(nodeHost);
// For worker threads: src/data/decode-worker.dev.mjs.
process.env.PIXELGRAD_TEST_PROGRAM = compiledFolder();
