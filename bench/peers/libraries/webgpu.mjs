/**
 * What browser libraries need to find WebGPU in Node: its constants and `navigator.gpu`. Call it before
 * importing them. The package `webgpu` is that of the main package, so all use the same Dawn.
 */
import { availableParallelism } from "node:os";
import { create, globals } from "webgpu";
import { nodeHost } from "../../../dist/device/adapter-node.js";

// A variable of the module, because Dawn crashes if the instance is collected while a device is in use.
const gpu = create([]);

/** Returns the adapter's name. */
export async function installWebGPU({ busyWait }) {
  Object.assign(globalThis, globals);
  const navigator = { gpu, userAgent: "node", hardwareConcurrency: availableParallelism() };
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true, writable: true });
  if (!busyWait) {
    waitIdly(globalThis.GPUBuffer.prototype, "mapAsync");
    waitIdly(globalThis.GPUQueue.prototype, "onSubmittedWorkDone");
  }
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  return adapter.info.description;
}

/**
 * Dawn in Node polls without pause while a promise is pending, which takes a core from a software adapter.
 * Pixelgrad sleeps between polls. The peers get the same, so that the figures compare their GPU work.
 */
function waitIdly(prototype, method) {
  const original = prototype[method];
  prototype[method] = function (...args) {
    return nodeHost.wait(original.apply(this, args));
  };
}
