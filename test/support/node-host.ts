/** What Vitest runs before each test file in Node; in a browser, WebGPU is there already. */
import { registerHost } from "../../src/tensor/adapter.ts";
import { nodeHost } from "../../src/tensor/adapter-node.ts";

registerHost(nodeHost);
