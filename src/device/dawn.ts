/**
 * Dawn's switches ("toggles"). Dawn is the implementation of WebGPU in Node and in Chrome; only in Node can a
 * program set its switches. All are off by default: then Dawn behaves as it does in a browser.
 */
import type { Wanted } from "../options/arguments.ts";
import { orList } from "../options/lists.ts";

/** What each switch does, and Dawn's own name for it. */
export const dawnSwitches = {
  /** Offers shader-f16 on NVIDIA's Vulkan driver, where Dawn hides it since its own tests fail there. */
  "f16-on-nvidia": { flag: "enable", toggle: "vulkan_enable_f16_on_nvidia" },
  /** Leaves out bounds checks of indices that Dawn can prove to be in range. */
  "range-analysis": { flag: "enable", toggle: "enable_integer_range_analysis_in_robustness" },
  /**
   * Leaves workgroup memory as the last program left it. A kernel that reads a place before writing it gets other
   * data, of other programs perhaps; those of this library do not.
   */
  "no-workgroup-clearing": { flag: "enable", toggle: "disable_workgroup_init" },
  /**
   * An index past the end of a buffer reads or overwrites other memory, or ends the device. This library's own
   * kernels stay within their buffers (test/kernels/bounds.test.ts); for others nobody knows.
   */
  "no-bounds-checks": { flag: "enable", toggle: "disable_robustness" },
  /** GPU timestamps to the nanosecond; otherwise they are rounded, against spying. For benchmarks. */
  "exact-timestamps": { flag: "disable", toggle: "timestamp_quantization" },
} as const satisfies Record<string, { flag: "enable" | "disable"; toggle: string }>;

export type DawnSwitch = keyof typeof dawnSwitches;

const names = Object.keys(dawnSwitches) as DawnSwitch[];

export const someDawnSwitches: Wanted<readonly DawnSwitch[]> = {
  wants: `a list of Dawn's switches, each of which is ${orList(names)}`,
  fits: (value): value is readonly DawnSwitch[] => Array.isArray(value) && value.every(isSwitch),
};

function isSwitch(name: unknown): name is DawnSwitch {
  return names.some((each) => each === name);
}

/** The switches in a text such as PIXELGRAD_DAWN has, separated by commas. @throws RangeError */
export function readDawnSwitches(text: string): readonly DawnSwitch[] {
  const list = text.split(",").map((name) => name.trim());
  const unknown = list.find((name) => !isSwitch(name));
  if (unknown !== undefined) {
    throw new RangeError(
      `PIXELGRAD_DAWN: there is no switch "${unknown}"; there are ${names.join(", ")}. Separate several by commas.`,
    );
  }
  return list.filter(isSwitch);
}

/** What Dawn's create() takes: one text for all that are enabled, one for all that are disabled. */
export function dawnFlags(switches: readonly DawnSwitch[]): string[] {
  return (["enable", "disable"] as const).flatMap((flag) => {
    const toggles = names
      .filter((name) => switches.includes(name) && dawnSwitches[name].flag === flag)
      .map((name) => dawnSwitches[name].toggle);
    return toggles.length > 0 ? [`${flag}-dawn-features=${toggles.join(",")}`] : [];
  });
}
