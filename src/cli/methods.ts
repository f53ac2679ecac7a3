/** Flags that say which method enlarges, by how much and where; all commands have the same. */
import type { OpenedMethod } from "../upscale/index.ts";
import { defaultMethod, isInterpolation, methodNames } from "../upscale/method-names.ts";
import { type Flags, oneOf, text, UsageError } from "./flags.ts";

export const methodFlag = {
  short: "m",
  value: "M",
  help: `${methodNames.join(", ")}, or a weight file (safetensors)`,
  read: text,
} as const satisfies Flags[string];

export const scaleFlag = {
  short: "s",
  value: "S",
  help: "enlargement of each side: 2, 3, 4 or 8; by default 2, or what the weights are for",
  read: (given: string) => Number(oneOf("2", "3", "4", "8")(given)),
} as const satisfies Flags[string];

export const ensembleFlag = {
  short: "x",
  help: "averages the answers to the picture's eight flips and turns: a little better, eight times the work",
} as const satisfies Flags[string];

export const adapterFlag = {
  short: "g",
  value: "A",
  help: "where networks run: gpu, lavapipe, swiftshader, cpu or part of an adapter's name",
  read: text,
} as const satisfies Flags[string];

interface MethodFlags {
  readonly method?: string;
  readonly scale?: number;
  readonly ensemble?: boolean;
}

/** Opens the method that the flags name. @throws UsageError where flags contradict each other */
export async function methodOf(flags: MethodFlags & { readonly adapter?: string }): Promise<OpenedMethod> {
  const { method, scale, ensemble, adapter } = flags;
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
