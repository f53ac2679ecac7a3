/**
 * What browser libraries need to find WebGPU in Node: the constants and `navigator.gpu`. Call before importing
 * them. The package `webgpu` is the one the main package has installed, so all use the same Dawn.
 */
import { availableParallelism } from "node:os";
import { create, globals } from "webgpu";
import { nodeHost } from "../../../dist/device/adapter-node.js";

// Here, because Dawn crashes if the instance is collected while a device is in use.
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
 * Dawn in Node polls without pause while a promise is pending and so takes a core from a software adapter.
 * Pixelgrad sleeps between polls; the peers get the same, so that the figures compare their GPU work.
 */
function waitIdly(prototype, method) {
  const original = prototype[method];
  prototype[method] = function (...args) {
    return nodeHost.wait(original.apply(this, args));
  };
}
