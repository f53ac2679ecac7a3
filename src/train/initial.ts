/** The network that training begins with. */
import { fileURLToPath } from "node:url";
import { MetaDevice } from "../device/meta-device.ts";
import { type NetworkFile, onDevice, Random, readNetwork } from "../node.ts";
import { DEFAULT_SCALE } from "../picture/scales.ts";
import {
  isPretrained,
  type PretrainedName,
  pretrainedFile,
  refuseInterpolation,
  scalesOf,
} from "../upscale/method-names.ts";
import { readWeightFile } from "../upscale/weight-files.ts";
import { networkOf, type TrainConfig } from "./config.ts";

/**
 * What --init names: a weight file, or a network that comes with the library.
 *
 * @param scale the enlargement to train for. A file that does not say its own has this one. Of a network that comes
 *   with the library, the weights for it are taken, or those for its largest scale.
 * @throws DataError if the file cannot be read, or holds no network of this library
 */
export async function readInitial(init: string, scale?: number): Promise<NetworkFile> {
  refuseInterpolation(init);
  const path = isPretrained(init) ? fileURLToPath(fileOf(init, scale)) : init;
  return readNetwork(await readWeightFile(path), init, { scale });
}

/** Whether a file has every tensor of a network in its shape, so that none begins at random. */
export function hasAllWeights({ state }: NetworkFile, config: TrainConfig["network"]): boolean {
  const { architecture, options } = networkOf(config);
  const device = new MetaDevice({ tensors: Infinity, elements: Infinity });
  const model = onDevice(device, () => architecture.build(options, new Random(0)));
  return [...model.namedTensors()].every(([name, { shape }]) => `${state.get(name)?.shape}` === `${shape}`);
}

function fileOf(name: PretrainedName, scale = DEFAULT_SCALE): URL {
  return pretrainedFile(name, scale) ?? pretrainedFile(name, Math.max(...scalesOf(name)))!;
}
