/** Flags that say which method enlarges, by how much and where. All commands share them. */
import { oneOf, text } from "../options/kinds.ts";
import type { OpenedMethod } from "../upscale/index.ts";
import { defaultMethod, isInterpolation, methodNames } from "../upscale/method-names.ts";
import { type Flags, UsageError } from "./flags.ts";

export const methodFlag = {
  short: "m",
  kind: { ...text, symbol: "METHOD" },
  help: `${methodNames.join(", ")}, or a weight file (safetensors)`,
} satisfies Flags[string];

export const scaleFlag = {
  short: "s",
  kind: oneOf(2, 3, 4, 8),
  help: "enlargement of each side; default: that of the weight file, else 2",
} satisfies Flags[string];

export const ensembleFlag = {
  short: "x",
  help: "averages the results for the picture's eight flips and turns: a little better, eight times the work",
} satisfies Flags[string];

export const adapterFlag = {
  short: "g",
  kind: text,
  help: "where networks run: gpu, lavapipe, swiftshader, cpu or part of an adapter's name",
} satisfies Flags[string];

interface MethodFlags {
  readonly method?: string;
  readonly scale?: number;
  readonly ensemble?: boolean;
  readonly adapter?: string;
}

/** Opens the method that the flags name. @throws UsageError if flags contradict each other */
export async function methodOf({ method, scale, ensemble, adapter }: MethodFlags): Promise<OpenedMethod> {
  await openAdapter(adapter, [method ?? defaultMethod(scale ?? 2)]);
  const { openMethod } = await import("../node.ts");
  return openMethod({ method, scale, ensemble }).catch((error: Error) => {
    throw error instanceof RangeError ? new UsageError(error.message.replace(/\.$/, "")) : error;
  });
}

/** Opens the adapter that --adapter names, for the networks among the methods. */
export async function openAdapter(adapter: string | undefined, methods: readonly string[]): Promise<void> {
  if (adapter === undefined) return;
  if (methods.every(isInterpolation)) {
    throw new UsageError(`--adapter is for networks, and ${methods.join(", ")} runs without one`);
  }
  const { init } = await import("../node.ts");
  await init({ adapter });
}
