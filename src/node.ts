/** The library as Node sees it: the same API, with WebGPU from the npm package `webgpu`. */
import { registerHost } from "./device/adapter.ts";
import { nodeHost } from "./device/adapter-node.ts";
import { registerFileReader } from "./upscale/file-reader.ts";
import { registerPictureReader } from "./upscale/source.ts";
import { readFileInNode, readInNode } from "./upscale/source-node.ts";

registerHost(nodeHost);
registerPictureReader(readInNode);
registerFileReader(readFileInNode);

// What only Node can do, or only programs that measure adapters want.
export { adaptersPresent } from "./device/adapter-node.ts";
export { GpuDevice } from "./device/gpu-device.ts";
export * from "./index.ts";
export { type Ceilings, measureCeilings } from "./measure/ceilings.ts";
