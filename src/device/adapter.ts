import { GpuDevice, type HostHooks } from "./gpu-device.ts";
import { identify } from "./profile.ts";
import type { TuningFile } from "./tuning.ts";

/** `"gpu"`, `"lavapipe"`, `"swiftshader"`, `"cpu"`, or a part of an adapter's name. */
export type AdapterChoice = "gpu" | "lavapipe" | "swiftshader" | "cpu" | (string & {});

/** What differs between Node and browsers. A browser needs none of it; adapter-node.ts registers Node's. */
export interface Host extends HostHooks {
  /** An adapter that fits the choice, or undefined. */
  requestAdapter(choice: AdapterChoice | undefined): Promise<GPUAdapter | undefined>;
  /** Why there is no adapter and what to type about it on this system. */
  adviceWithoutAdapter(choice: AdapterChoice | undefined): string;
  /** What a tuner has found for the adapter of this name. */
  savedTuning(adapterName: string): TuningFile | undefined;
}

const browser: Host = {
  async requestAdapter(choice) {
    return (await requestFrom(globalThis.navigator?.gpu, choice)) ?? undefined;
  },
  adviceWithoutAdapter() {
    if (globalThis.isSecureContext === false) {
      return "WebGPU exists only on pages served over https or from localhost, and this page is neither. Serve it from one of them.";
    }
    return (
      "This browser offers no WebGPU. Use a current Chrome, Edge, Firefox or Safari, and look at its page about " +
      "graphics (chrome://gpu) if it is current; on Linux, Chrome may need the flag --enable-unsafe-webgpu."
    );
  },
  savedTuning: () => undefined,
  wait: (promise) => promise,
  watchFailures(unseen) {
    // A page that never awaits anything would otherwise not hear of an error at all.
    globalThis.addEventListener?.("pagehide", () => {
      const error = unseen();
      if (error) console.error(error);
    });
  },
};

let host = browser;

/** Called by Node's entry (node.ts) before any device is opened. */
export function registerHost(other: Host): void {
  host = other;
}

/** Asks one WebGPU implementation for an adapter that fits the choice. */
export async function requestFrom(
  gpu: GPU | undefined,
  choice: AdapterChoice | undefined,
): Promise<GPUAdapter | null> {
  // Without "high-performance", Dawn takes an integrated GPU before a discrete one.
  const adapter = (await gpu?.requestAdapter({ powerPreference: "high-performance" })) ?? null;
  return adapter && fits(adapter.info, choice) ? adapter : null;
}

/** Does an adapter fit the choice? Software adapters are no "gpu". */
export function fits(info: GPUAdapterInfo, choice: AdapterChoice | undefined): boolean {
  if (choice === undefined) return true;
  const name = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`.toLowerCase();
  const software = /llvmpipe|swiftshader|software|basic render/.test(name);
  if (choice === "gpu") return !software;
  if (choice === "lavapipe") return name.includes("llvmpipe");
  return name.includes(choice.toLowerCase());
}

/** Those passed to init(). Dawn crashes if one is garbage collected while a device of its is in use. */
const implementations = new Set<GPU>();

export async function openGpuDevice(options: {
  adapter?: AdapterChoice;
  gpu?: GPU;
  poolBytes?: number;
  tuning?: TuningFile | false;
}): Promise<GpuDevice> {
  const { adapter: choice, gpu } = options;
  if (gpu) implementations.add(gpu);
  const adapter = gpu ? await requestFrom(gpu, choice) : await host.requestAdapter(choice);
  if (!adapter) {
    const wanted = choice ? `No WebGPU adapter fits "${choice}". ` : "There is no WebGPU adapter. ";
    throw new Error(
      wanted +
        host.adviceWithoutAdapter(choice) +
        ` To run without WebGPU, slowly, use adapter "cpu" (PIXELGRAD_ADAPTER=cpu).`,
    );
  }
  const wanted: GPUFeatureName[] = ["subgroups", "timestamp-query"];
  const device = await adapter.requestDevice({
    requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)),
    // Only sizes are raised, so that large pictures fit; kernels keep to the default limits otherwise.
    requiredLimits: {
      maxBufferSize: adapter.limits.maxBufferSize,
      maxStorageBufferBindingSize: adapter.limits.maxStorageBufferBindingSize,
    },
  });
  const opened = new GpuDevice(device, identify(adapter, device), host, options.poolBytes ?? 2 ** 30);
  const tuning = options.tuning ?? host.savedTuning(opened.name);
  if (tuning) opened.tuning.load(tuning);
  return opened;
}
