/** Measures the parts of a report one after the other, and saves it after each. */
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import { andList } from "../../src/options/lists.ts";
import { coresOfOthers } from "../timing.ts";
import { adapterFacts, machineFacts, ownVersion } from "./facts.ts";
import { type Context, type PartName, parts } from "./parts.ts";
import type { Report } from "./report.ts";
import { chooseSizes } from "./sizes.ts";

/** What becomes of the report while it is measured. */
export interface Progress {
  /** What is being done now. */
  part(title: string): void;
  /** The report so far: it is saved. */
  save(report: Report): Promise<void>;
  /** Ends the measuring after the current program. */
  readonly signal: AbortSignal;
}

export interface Plan {
  /** In their order. Ceilings are measured before the first part that needs them, in any case. */
  readonly parts: readonly PartName[];
  /** After these seconds no part begins. Default: all of them are measured. */
  readonly limit?: number;
  /** The flags that asked for it, for the page. */
  readonly flags?: string;
}

export async function measureReport(
  device: GpuDevice,
  adapter: string | undefined,
  { parts: wanted, limit = Number.POSITIVE_INFINITY, flags }: Plan,
  { part: say, save, signal }: Progress,
): Promise<Report> {
  const began = performance.now();
  const foreignCores = coresOfOthers();
  const left: PartName[] = [];
  let report: Report = {
    format: 1,
    pixelgrad: ownVersion(),
    date: new Date().toISOString(),
    seconds: 0,
    flags,
    foreignCores: 0,
    partial: "it was ended before it was done",
    machine: machineFacts(),
    adapter: await adapterFacts(device, adapter),
    sections: [],
    failures: [],
  };
  const update = async (changes: Partial<Report>) => {
    report = { ...report, ...changes, seconds: (performance.now() - began) / 1e3 };
    await save(report);
  };
  const context: Context = { device, adapter, signal, say, report: () => report, update };
  let processesStarted = false;
  /** An error in a part is a finding; only a device that is gone ends the report. */
  const measure = async (name: PartName) => {
    if (signal.aborted) return;
    const part = parts[name];
    if (part.needsCeilings && !report.ceilings) await measure("ceilings");
    const { ceilings } = report;
    if ((part.needsCeilings && !ceilings) || performance.now() - began > 1e3 * limit) {
      left.push(name);
      return;
    }
    say(part.what);
    // Processes of its own would count as others.
    if (!processesStarted) report = { ...report, foreignCores: foreignCores() };
    processesStarted ||= name === "start";
    try {
      if (part.needsCeilings) {
        const sizes = chooseSizes(ceilings!);
        if (sizes.scaled) await update({ scaled: sizes.scaled });
        await update(await part.measure({ ...context, ceilings: ceilings!, sizes }));
      } else {
        await update(await part.measure(context));
      }
    } catch (error) {
      if (signal.aborted) return;
      const failure = { part: part.what, message: (error as Error).message };
      await update({ failures: [...report.failures, failure] });
      if (device.failure) throw error;
    }
  };
  for (const name of wanted) if (!(name === "ceilings" && report.ceilings)) await measure(name);
  if (!processesStarted) await update({ foreignCores: foreignCores() });
  const tooSlow =
    left.length > 0
      ? `there was no time, or no ceiling, for ${andList(left.map((name) => parts[name].what))}`
      : undefined;
  await update({ partial: signal.aborted ? "it was stopped" : tooSlow });
  return report;
}
