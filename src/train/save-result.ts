import { type NamedArray, serializeSafetensors } from "../node.ts";
import type { bestFile, lastFile } from "../weights/run-files.ts";
import { portable } from "./config.ts";
import type { RunFolder } from "./run-folder.ts";
import type { Session } from "./session.ts";

/** Saves weights for use, with where they come from. */
export async function saveResult(
  file: typeof bestFile | typeof lastFile,
  { config, model, validation, description }: Session,
  folder: RunFolder,
  step: number,
  weights: Map<string, NamedArray>,
  psnr?: number,
): Promise<void> {
  const metadata = {
    ...model.metadata(),
    step: `${step}`,
    ...(psnr !== undefined && { psnr: psnr.toFixed(3), protocol: validation.conditions }),
    pictures: description,
    config: JSON.stringify(portable(config)),
  };
  await folder.save(file, serializeSafetensors(weights, metadata));
}
