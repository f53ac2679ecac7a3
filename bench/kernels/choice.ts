/** Which workloads and variants a command line means. */
import { UsageError } from "../../src/cli/flags.ts";
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import { scope } from "../../src/tensor/scope.ts";
import type { Workload } from "./workloads.ts";

/** Those with one of the texts in their names; all, if there is no text. @throws UsageError for a text that none has */
export function workloadsNamed(all: readonly Workload[], texts: readonly string[]): readonly Workload[] {
  const unknown = texts.find((text) => !all.some(({ name }) => name.includes(text)));
  if (unknown !== undefined) {
    const names = all.map(({ name }) => name).join(", ");
    throw new UsageError(`no workload has "${unknown}" in its name; there are ${names}`);
  }
  return texts.length === 0 ? all : all.filter(({ name }) => texts.some((text) => name.includes(text)));
}

/** Throws a UsageError unless one of the workloads has a variant with this text in its name. */
export function checkVariant(device: GpuDevice, workloads: readonly Workload[], text: string): void {
  const names = new Set<string>();
  for (const workload of workloads) {
    using _ = scope();
    for (const { name } of workload.variants(device)) {
      if (name.includes(text)) return;
      names.add(name);
    }
  }
  throw new UsageError(`no variant has "${text}" in its name; there are ${[...names].join(", ")}`);
}
