import { readFile } from "node:fs/promises";
import { DataError } from "../data/errors.ts";
import { type Interpolation, interpolations } from "../upscale/interpolator.ts";
import type { OpenedMethod } from "../upscale/method.ts";
import { UsageError } from "./flags.ts";
import type { UpscaleFlags } from "./upscale.ts";

/** The method that the flags name. @throws UsageError, DataError */
export async function openUpscaler({
  method,
  scale,
  ensemble,
  adapter,
}: Pick<UpscaleFlags, "method" | "scale" | "ensemble" | "adapter">): Promise<OpenedMethod> {
  const { init, loadModel, openMethod } = await import("../node.ts");
  if (method === undefined || (interpolations as readonly string[]).includes(method)) {
    if (adapter !== undefined) {
      throw new UsageError(`--adapter is for networks, and ${method ?? "bicubic"} is none`);
    }
    return openMethod({ method: method as Interpolation | undefined, scale, ensemble });
  }
  let bytes: Uint8Array;
  try {
    bytes = await readFile(method);
  } catch (cause) {
    throw new DataError(
      `--method ${method}: there is no such method (${interpolations.join(", ")}), and as a weight file it cannot be read: ` +
        `${(cause as Error).message}. Check the path.`,
      { cause },
    );
  }
  await init({ adapter });
  const model = loadModel(bytes, method);
  if (scale !== undefined && scale !== model.scale) {
    throw new DataError(
      `${method}: these weights enlarge by ${model.scale}, but --scale is ${scale}. Each scale has weights of its own.`,
    );
  }
  const opened = await openMethod({ method: model, ensemble });
  return { ...opened, close: () => model.dispose() };
}
