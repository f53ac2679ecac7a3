import type { AdapterChoice } from "./adapter-choice.ts";
import type { DawnSwitch } from "./dawn.ts";
import { adviceInNode } from "./environment.ts";
import { GpuDevice, type HostHooks } from "./gpu-device.ts";
import { identify } from "./profile.ts";
import type { TuningFile } from "./tuning.ts";

/** What differs between Node and browsers. A browser needs none of it; adapter-node.ts has Node's. */
export interface Host extends HostHooks {
  /** An adapter that fits the choice, or undefined. Only Node has Dawn's switches. */
  requestAdapter(choice?: AdapterChoice, switches?: readonly DawnSwitch[]): Promise<GPUAdapter | undefined>;
  /** Why there is no adapter, and what to do about it on this system. */
  adviceWithoutAdapter(choice?: AdapterChoice): string;
  /** What a tuner has measured on the adapter of this name. */
  savedTuning(adapterName: string): TuningFile | undefined;
}

/** A browser whose process for graphics has crashed may never answer, and nobody is to wait for ever. */
async function orNoAnswer<T>(answer: Promise<T>): Promise<T | "no answer"> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<"no answer">((resolve) => {
    timer = setTimeout(resolve, 20_000, "no answer");
  });
  try {
    return await Promise.race([answer, limit]);
  } finally {
    clearTimeout(timer);
  }
}

const browser: Host = {
  async requestAdapter(choice, switches = []) {
    if (switches.length > 0) {
      throw new RangeError(
        `Dawn's switches (${switches.join(", ")}) can be set in Node only. Leave the option "dawn" out in browsers.`,
      );
    }
    const gpu = globalThis.navigator?.gpu;
    const first = await orNoAnswer(requestFrom(gpu, choice));
    if (first === "no answer") return undefined;
    if (first || !gpu) return first;
    // After a crash, the browser's process for graphics takes a moment to come back.
    await new Promise((resolve) => setTimeout(resolve, 500));
    const second = await orNoAnswer(requestFrom(gpu, choice));
    return second === "no answer" ? undefined : second;
  },
  adviceWithoutAdapter() {
    const without = ` A program can do without it, slowly: init({ adapter: "cpu" }).`;
    const inNode = adviceInNode();
    if (inNode) return inNode + without;
    if (globalThis.isSecureContext === false) {
      return (
        "WebGPU exists only on pages served over https or from localhost, and this page is neither. Serve " +
        `it from one of them.${without}`
      );
    }
    if (globalThis.navigator?.gpu) {
      return (
        "This browser has WebGPU, and lends this page no graphics card: it knows none that will do (look at its " +
        "page about graphics, chrome://gpu), or they failed several times. In that case, restart it. On Linux, " +
        `Chrome may need --enable-unsafe-webgpu.${without}`
      );
    }
    return (
      "This browser offers no WebGPU. Use a current Chrome, Edge, Firefox or Safari, and look at its page " +
      "about graphics (chrome://gpu) if it is current. On Linux, Chrome may need --enable-unsafe-webgpu." +
      without
    );
  },
  savedTuning: () => undefined,
  wait: (promise) => promise,
  watchFailures(unseen) {
    // Otherwise a page that awaits nothing would never hear of an error.
    const report = () => {
      const error = unseen();
      if (error) console.error(error);
    };
    globalThis.addEventListener?.("pagehide", report);
    return () => globalThis.removeEventListener?.("pagehide", report);
  },
};

let host = browser;

/** Node's entry (node.ts) calls this before any device is opened. */
export function registerHost(other: Host): void {
  host = other;
}

/** Every implementation in use: Dawn crashes if one is garbage collected before its device. */
const implementations = new Set<GPU | undefined>();

/** Asks one WebGPU implementation for an adapter that fits the choice. */
export async function requestFrom(
  gpu: GPU | undefined,
  choice?: AdapterChoice,
): Promise<GPUAdapter | undefined> {
  implementations.add(gpu);
  // Without "high-performance", Dawn takes an integrated GPU before a discrete one.
  const adapter = await gpu?.requestAdapter({ powerPreference: "high-performance" });
  return adapter && fits(adapter.info, choice) ? adapter : undefined;
}

/** Does an adapter fit the choice? Software adapters are no "gpu". */
function fits(info: GPUAdapterInfo, choice?: AdapterChoice): boolean {
  if (choice === undefined) return true;
  const name = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`.toLowerCase();
  if (choice === "gpu") return !/llvmpipe|swiftshader|software|basic render/.test(name);
  return name.includes(choice === "lavapipe" ? "llvmpipe" : choice.toLowerCase());
}

/** Which adapter to open, and how. */
export interface GpuOptions {
  /**
   * Which adapter to use: `"gpu"` (a real one or nothing), `"lavapipe"`, `"swiftshader"`, `"cpu"` (the plain
   * TypeScript references), or a part of a device's name such as `"NVIDIA"`. Default: the environment
   * variable `PIXELGRAD_ADAPTER`, else the fastest there is: a GPU, lavapipe, SwiftShader. It is never
   * `"cpu"` by default, which is far slower.
   */
  adapter?: AdapterChoice;
  /** Use this WebGPU implementation instead of looking for one (tests pass `backend=null` this way). */
  gpu?: GPU;
  /** Limit of the bytes in unused buffers, which wait for reuse. Default 1 GiB. */
  poolBytes?: number;
  /**
   * Measured choices of kernels. Default: in Node what a tuner has saved for the adapter, if anything;
   * `false` ignores that.
   */
  tuning?: TuningFile | false;
  /**
   * Switches of Dawn, in Node: `"f16-on-nvidia"`, `"range-analysis"`, `"no-workgroup-clearing"`,
   * `"no-bounds-checks"`, `"exact-timestamps"`. What each does and risks is in `dawn.ts`. Default: the environment
   * variable `PIXELGRAD_DAWN` (names separated by commas), else none. They hold for this device alone: another
   * one may be open beside it with others.
   */
  dawn?: readonly DawnSwitch[];
}

export async function openGpuDevice(options: GpuOptions): Promise<GpuDevice> {
  const { adapter: choice, gpu, poolBytes = 2 ** 30, dawn } = options;
  const adapter = await (gpu ? requestFrom(gpu, choice) : host.requestAdapter(choice, dawn));
  if (!adapter) {
    const error = new Error(
      (choice ? `No WebGPU adapter fits "${choice}". ` : "There is no WebGPU adapter. ") +
        host.adviceWithoutAdapter(choice),
    );
    throw Object.assign(error, { code: "NO_ADAPTER" });
  }
  const features: readonly string[] = ["subgroups", "subgroup-size-control", "timestamp-query", "shader-f16"];
  const device = await adapter.requestDevice({
    requiredFeatures: features.filter((feature) => adapter.features.has(feature)) as GPUFeatureName[],
    // Only sizes are raised, so that large pictures fit; kernels keep to the default limits otherwise.
    requiredLimits: {
      maxBufferSize: adapter.limits.maxBufferSize,
      maxStorageBufferBindingSize: adapter.limits.maxStorageBufferBindingSize,
    },
  });
  const opened = new GpuDevice(
    device,
    identify(adapter, device, await fixableSubgroups(adapter, device)),
    host,
    poolBytes,
  );
  const tuning = options.tuning ?? host.savedTuning(opened.name);
  if (tuning) opened.tuning.load(tuning);
  return opened;
}

/**
 * The number of lanes that a kernel may ask for where subgroups vary in size (AMD: 32 or 64, Intel: 8 to 32): the
 * compiler chooses, unless a kernel asks. The sizes that may be asked for can be fewer than the adapter's range, and no
 * field tells them, so this tries. Undefined if there is nothing to fix, or no way to.
 */
async function fixableSubgroups({ info }: GPUAdapter, device: GPUDevice): Promise<number | undefined> {
  const { subgroupMinSize = 0, subgroupMaxSize = 0 } = info;
  const features: ReadonlySet<string> = device.features;
  if (subgroupMinSize === subgroupMaxSize || !features.has("subgroup-size-control")) return undefined;
  const size = Math.max(subgroupMinSize, Math.min(32, subgroupMaxSize));
  const code = `enable subgroups; enable subgroup_size_control;
    @compute @workgroup_size(${size}) @subgroup_size(${size}) fn main() {}`;
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code });
  const made = await device.createComputePipelineAsync({ layout: "auto", compute: { module } }).then(
    () => true,
    () => false,
  );
  return (await device.popErrorScope()) === null && made ? size : undefined;
}
