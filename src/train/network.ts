import { readBytes } from "../data/files.ts";
import { DataError } from "../data/index.ts";
import {
  type Architecture,
  architectureOf,
  completeOptions,
  type NetworkOptions,
  parseSafetensors,
  type SuperResolver,
} from "../node.ts";
import type { NetworkConfig } from "./config.ts";

/** A network that a configuration names: what there is to know of it, and all its options. */
export interface Network {
  readonly architecture: Architecture;
  readonly options: NetworkOptions;
}

/** Throws a RangeError if there is no such network, or an option does not fit. */
export function networkOf(config: NetworkConfig): Network {
  const architecture = architectureOf(config.architecture);
  return { architecture, options: completeOptions(architecture, config) };
}

/**
 * Takes over from a weight file every tensor that this network has under the same name and in the same shape,
 * so that a network for x3 can begin with what one for x2 has learned, as in EDSR's paper: all but the
 * enlargement itself. Returns the names of those that the file lacks, which keep their random values. Throws
 * a DataError if nothing fits.
 */
export async function initialWeights(model: SuperResolver, path: string): Promise<string[]> {
  const { tensors } = parseSafetensors(await readBytes(path), path);
  const { missing, misshapen } = model.loadStateDict(tensors, { strict: false });
  const lacking = [...missing, ...misshapen];
  if (lacking.length === model.namedTensors().size) {
    throw new DataError(
      `${path}: none of its tensors has the name and shape of one of this network's. Begin with weights of ` +
        `the same architecture and options.`,
    );
  }
  return lacking;
}
