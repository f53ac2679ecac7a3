/** What to say of options that people know from elsewhere, PyTorch above all. */
import { quote } from "./kinds.ts";

/** PyTorch's options that have another name here, in camelCase. */
export const renamed: Readonly<Record<string, string>> = { elementwiseAffine: "affine" };

/** Those that are none here: what to write in their place, of functions that have the option named first. */
export const foreign: Readonly<
  Record<string, readonly [neighbour: string, advice: (value: unknown) => string]>
> = {
  unbiased: ["correction", (value) => `unbiased: ${quote(value)} is { correction: ${value ? 1 : 0} } here.`],
  alignCorners: [
    "mode",
    () => "there is no align_corners; this is PyTorch's align_corners=False: leave it out.",
  ],
  groups: ["stride", () => "there are no grouped convolutions."],
  seed: ["random", (value) => `there is no option "seed"; write { random: new Random(${quote(value)}) }.`],
};
