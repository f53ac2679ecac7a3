/** The network that training begins with. */
import { fileURLToPath } from "node:url";
import { type NetworkFile, readNetwork } from "../node.ts";
import { isPretrained, type PretrainedName, pretrainedFile, scalesOf } from "../upscale/method-names.ts";
import { readWeightFile } from "../upscale/weight-files.ts";

/**
 * What --init names: a weight file, or a network that comes with the library.
 *
 * @param scale the enlargement to train for. A file that does not say its own has this one. Of a network that comes
 *   with the library, the weights for it are taken, or those for its largest scale.
 * @throws DataError if the file cannot be read, or holds no network of this library
 */
export async function readInitial(init: string, scale?: number): Promise<NetworkFile> {
  const path = isPretrained(init) ? fileURLToPath(fileOf(init, scale)) : init;
  return readNetwork(await readWeightFile(path), init, { scale });
}

function fileOf(name: PretrainedName, scale = 2): URL {
  return pretrainedFile(name, scale) ?? pretrainedFile(name, Math.max(...scalesOf(name)))!;
}
