/** The library as Node sees it: the same API, with WebGPU from the npm package `webgpu`. */
import { readFile } from "node:fs/promises";
import { registerAssetReader } from "./models/pretrained.ts";
import { registerHost } from "./tensor/adapter.ts";
import { nodeHost } from "./tensor/adapter-node.ts";
import { registerPictureReader } from "./upscale/source.ts";
import { readInNode } from "./upscale/source-node.ts";

registerHost(nodeHost);
registerPictureReader(readInNode);
registerAssetReader(readFile);

export * from "./index.ts";
// For the command line.
export { adaptersPresent } from "./tensor/adapter-node.ts";
export { type Ceilings, measureCeilings } from "./tensor/ceilings.ts";
export { GpuDevice } from "./tensor/gpu-device.ts";
