/** The library as Node sees it: the same API, with WebGPU from the npm package `webgpu`. */
import { registerHost } from "./tensor/adapter.ts";
import { nodeHost } from "./tensor/adapter-node.ts";

registerHost(nodeHost);

export * from "./index.ts";
