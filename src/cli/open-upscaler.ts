import { readFile } from "node:fs/promises";
import { DataError } from "../picture/errors.ts";
import { interpolations } from "../upscale/interpolator.ts";
import type { OpenedMethod } from "../upscale/open-method.ts";
import { UsageError } from "./flags.ts";
import type { UpscaleFlags } from "./upscale-flags.ts";

/** The method that the flags name. @throws UsageError, DataError */
export async function openUpscaler({
  method,
  scale,
  ensemble,
  adapter,
}: Pick<UpscaleFlags, "method" | "scale" | "ensemble" | "adapter">): Promise<OpenedMethod> {
  const { defaultMethod, init, loadModel, openMethod, pretrainedNames } = await import("../node.ts");
  const name = method ?? defaultMethod(scale ?? 2);
  if (isOneOf(interpolations, name)) {
    if (adapter !== undefined) throw new UsageError(`--adapter is for networks, and ${name} is none`);
    return openMethod({ method: name, scale, ensemble });
  }
  if (isOneOf(pretrainedNames, name)) {
    if (scale === 8) throw new UsageError(`--scale 8: ${name} enlarges by 2, 3 or 4; bicubic by 8, too`);
    await init({ adapter }).catch((cause: Error) => {
      throw new DataError(`${cause.message} Or do without WebGPU: --method bicubic.`, { cause });
    });
    return openMethod({ method: name, scale, ensemble });
  }
  let bytes: Uint8Array;
  try {
    bytes = await readFile(name);
  } catch (cause) {
    throw new DataError(
      `--method ${name}: there is no such method (${[...interpolations, ...pretrainedNames].join(", ")}), and as a weight file it cannot be read: ` +
        `${(cause as Error).message}. Check the path.`,
      { cause },
    );
  }
  await init({ adapter });
  const model = loadModel(bytes, name);
  if (scale !== undefined && scale !== model.scale) {
    throw new DataError(
      `${name}: these weights enlarge by ${model.scale}, but --scale is ${scale}. Each scale has weights of its own.`,
    );
  }
  const opened = await openMethod({ method: model, ensemble });
  return { ...opened, close: () => model.dispose() };
}

function isOneOf<T extends string>(names: readonly T[], name: string): name is T {
  return (names as readonly string[]).includes(name);
}
