/** Flags that say which method enlarges, by how much and where. All commands share them. */
import { adapterChoices } from "../device/adapter-choice.ts";
import { oneOf, text } from "../options/kinds.ts";
import { orList } from "../options/lists.ts";
import { DataError } from "../picture/errors.ts";
import type { OpenedMethod } from "../upscale/index.ts";
import {
  defaultMethod,
  isInterpolation,
  isMethodName,
  methodNames,
  scalesOf,
} from "../upscale/method-names.ts";
import { type Flags, UsageError } from "./flags.ts";

export const methodFlag = {
  short: "m",
  kind: { ...text, symbol: "METHOD" },
  help: `${methodNames.join(", ")}, or a weight file (safetensors)`,
} satisfies Flags[string];

export const scaleFlag = {
  short: "s",
  kind: oneOf(1, 2, 3, 4, 8),
  help: "enlargement of each side; default: that of the weight file, else 2; 1 for weight files that keep the size",
} satisfies Flags[string];

export const ensembleFlag = {
  short: "x",
  help: "averages the results for the picture's eight flips and turns: a little better, eight times the work",
} satisfies Flags[string];

export const adapterFlag = {
  short: "g",
  kind: text,
  help: `where networks run: ${adapterChoices}`,
} satisfies Flags[string];

interface MethodFlags {
  readonly method?: string;
  readonly scale?: number;
  readonly ensemble?: boolean;
  readonly adapter?: string;
}

/** Opens the method that the flags name. @throws UsageError if flags contradict each other */
export async function methodOf({ method, scale, ensemble, adapter }: MethodFlags): Promise<OpenedMethod> {
  const name = method ?? defaultMethod(scale ?? 2);
  if (name === undefined) {
    throw new UsageError(
      `--scale ${scale} keeps the size, and what a picture gains by that depends on the network: name one that was ` +
        "made for it, --method FILE",
    );
  }
  if (scale !== undefined && isMethodName(name) && !scalesOf(name).includes(scale)) {
    throw new UsageError(`${name} enlarges by ${orList(scalesOf(name))}, and --scale is ${scale}`);
  }
  await openAdapter(adapter, [name]);
  const { openMethod } = await import("../node.ts");
  return openMethod({ method, scale, ensemble });
}

/** Opens the adapter that --adapter names, for the networks among the methods. */
export async function openAdapter(adapter: string | undefined, methods: readonly string[]): Promise<void> {
  if (adapter === undefined) return;
  if (methods.every(isInterpolation)) {
    throw new UsageError(`--adapter is for networks, and ${methods.join(", ")} runs without one`);
  }
  const { init } = await import("../node.ts");
  await init({ adapter }).catch((cause: Error) => {
    throw new DataError(`${cause.message} Or do without WebGPU: --method bicubic.`, { cause });
  });
}
