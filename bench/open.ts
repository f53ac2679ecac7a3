/** Opens the device that a benchmark measures. */
import { type DawnSwitch, readDawnSwitches } from "../src/device/dawn.ts";
import { environment } from "../src/device/environment.ts";
import { type Device, type InitOptions, init } from "../src/node.ts";

/** With GPU timestamps to the nanosecond, besides what PIXELGRAD_DAWN asks for. */
export async function openToMeasure(options: InitOptions): Promise<Device> {
  const isCpu = (options.adapter ?? environment("PIXELGRAD_ADAPTER")) === "cpu";
  return init({ ...options, dawn: isCpu ? undefined : dawnSwitches() });
}

export function dawnSwitches(): readonly DawnSwitch[] {
  const asked = environment("PIXELGRAD_DAWN");
  return [...(asked === undefined ? [] : readDawnSwitches(asked)), "exact-timestamps"];
}
