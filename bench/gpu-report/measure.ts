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
  /** The error of a device that is gone. It ends the report; any other is a finding. */
  let lost: { error: unknown } | undefined;
  const attempt = async (what: string, body: () => Promise<void>) => {
    if (signal.aborted || lost) return;
    try {
      await body();
    } catch (error) {
      if (signal.aborted) return;
      if (device.failure) lost = { error };
      await update({ failures: [...report.failures, { part: what, message: (error as Error).message }] });
    }
  };
  const context: Context = { device, adapter, signal, say, report: () => report, update, attempt };
  const tried = new Set<PartName>();
  let processesStarted = false;
  const measure = async (name: PartName) => {
    if (signal.aborted || lost || tried.has(name)) return;
    tried.add(name);
    const part = parts[name];
    if (part.needsCeilings) await measure("ceilings");
    const { ceilings } = report;
    if ((part.needsCeilings && !ceilings) || performance.now() - began > 1e3 * limit) {
      left.push(name);
      return;
    }
    say(part.what);
    // Processes of its own would count as others.
    if (!processesStarted) report = { ...report, foreignCores: foreignCores() };
    processesStarted ||= name === "start";
    await attempt(part.what, async () => {
      if (part.needsCeilings) {
        const sizes = chooseSizes(ceilings!);
        if (sizes.scaled) await update({ scaled: sizes.scaled });
        await update(await part.measure({ ...context, ceilings: ceilings!, sizes }));
      } else {
        await update(await part.measure(context));
      }
    });
  };
  for (const name of wanted) await measure(name);
  if (lost) throw lost.error;
  if (!processesStarted) await update({ foreignCores: foreignCores() });
  const tooSlow =
    left.length > 0
      ? `there was no time, or no ceiling, for ${andList(left.map((name) => parts[name].what))}`
      : undefined;
  await update({ partial: signal.aborted ? "it was stopped" : tooSlow });
  return report;
}
