/** What a report says about the machine and the adapter. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { nodeHost } from "../../src/device/adapter-node.ts";
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import { cardOf } from "../cards.ts";
import { dawnSwitches } from "../open.ts";
import type { AdapterFacts, Machine } from "./report.ts";

export function ownVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return version;
}

export function machineFacts(): Machine {
  const { version } = createRequire(import.meta.url)("webgpu/package.json") as { version: string };
  return {
    processor: `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown"}`,
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    webgpu: version,
  };
}

/** What the adapter offers, which may be more than the library has asked for. */
export async function adapterFacts(
  { name, adapterClass, profile, gpu, tuning }: GpuDevice,
  choice: string | undefined,
): Promise<AdapterFacts> {
  const offered = (await nodeHost.requestAdapter(choice, dawnSwitches())) ?? gpu;
  const { vendor, architecture, device, description } = gpu.adapterInfo;
  const { subgroupMinSize, subgroupMaxSize, isFallbackAdapter } = gpu.adapterInfo;
  const limits: Record<string, number> = {};
  // The names are getters of the prototype, which no Object.entries lists.
  for (const limit in offered.limits) {
    const value = offered.limits[limit as keyof GPUSupportedLimits];
    if (typeof value === "number") limits[limit] = value;
  }
  return {
    name,
    class: adapterClass,
    info: {
      ...{ vendor, architecture, device, description },
      ...{ subgroupMinSize, subgroupMaxSize, isFallbackAdapter },
    },
    features: [...offered.features].sort(),
    limits,
    profile: { ...profile },
    dawn: dawnSwitches(),
    tuned: tuning.choices.size,
    peak: cardOf(name),
  };
}
