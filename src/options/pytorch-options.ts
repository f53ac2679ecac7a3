/**
 * What to say of options that people know from elsewhere, PyTorch above all. Maps: an object would have toString and the
 * like, too.
 */
import { quote } from "./kinds.ts";

/** The names that PyTorch's options have here, by PyTorch's name in camelCase. */
export const ownNames: ReadonlyMap<string, string> = new Map([["elementwiseAffine", "affine"]]);

type Answer = readonly [neighbour: string, advice: (value: unknown) => string];

/** Options that are none here: what to write in their place, of functions that have the option named first. */
export const foreignOptions: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  [
    "unbiased",
    ["correction", (value) => `unbiased: ${quote(value)} is { correction: ${value ? 1 : 0} } here.`],
  ],
  [
    "alignCorners",
    ["mode", () => "there is no align_corners; this is PyTorch's align_corners=False: leave it out."],
  ],
  ["groups", ["dilation", () => "there are no grouped convolutions. With groups 1, leave it out."]],
  [
    "seed",
    ["random", (value) => `there is no option "seed"; write { random: new Random(${quote(value)}) }.`],
  ],
]);
