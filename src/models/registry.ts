/** Networks by name, for configurations and for weight files, whose metadata says which one to build. */
import { parseSafetensors } from "../nn/safetensors.ts";
import { quote } from "../options/kinds.ts";
import type { Architecture } from "./architecture.ts";
import { architectures } from "./architectures.ts";
import type { SuperResolver } from "./super-resolver.ts";

const byName: ReadonlyMap<string, Architecture> = new Map(
  architectures.map((architecture) => [architecture.name, architecture]),
);

/** The names of all architectures: "SRCNN", "ESPCN", … */
export const architectureNames: readonly string[] = [...byName.keys()];

/** What the network of a name says about itself. Throws a RangeError if there is none. */
export function architectureOf(name: string): Architecture {
  const architecture = byName.get(name);
  if (architecture) return architecture;
  throw new RangeError(
    `There is no network called ${quote(name)}; there are ${architectureNames.join(", ")}.`,
  );
}

/**
 * A new network as `metadata` describes it: what `SuperResolver.metadata()` gave when it was saved. Its
 * weights are initial ones. Throws if the metadata name no architecture of this library or lack a field;
 * `name` is what errors call their source, such as a file's path.
 */
export function createModel(
  metadata: Readonly<Record<string, string>>,
  name = "the metadata",
): SuperResolver {
  const known = architectureNames.join(", ");
  if (metadata.architecture === undefined) {
    throw new Error(
      `createModel: ${name} does not say which network the weights belong to. Files of saveWeights() do; ` +
        `with others, create the network yourself (${known}) and call loadWeights().`,
    );
  }
  const architecture = byName.get(metadata.architecture);
  if (architecture === undefined) {
    throw new Error(
      `createModel: ${name} calls its network ${quote(metadata.architecture)}; known are ${known}. ` +
        `It was made by another version or program.`,
    );
  }
  return architecture.build(readOptions(architecture, metadata, name));
}

/** A network's options from metadata, which must have all of them. */
function readOptions(
  { name, options }: Architecture,
  metadata: Readonly<Record<string, string>>,
  source: string,
) {
  const values = Object.entries(options).map(([key, { kind }]) => {
    const text = metadata[key];
    if (text === undefined) {
      throw new Error(
        `createModel: ${source} describes a network of architecture ${name}, but lacks its "${key}". Save ` +
          `the weights again with saveWeights().`,
      );
    }
    const value = kind.read(text);
    if (!kind.fits(value)) {
      throw new Error(
        `createModel: in ${source}, "${key}" of architecture ${name} is ${quote(text)}, which should be ` +
          `${kind.wants}.`,
      );
    }
    return [key, value];
  });
  return Object.fromEntries(values);
}

/**
 * The network whose weights are in a safetensors file that `saveWeights` made, given as bytes. Throws if the
 * file is broken or does not say which network it is of; `name` is what errors call it.
 */
export function loadModel(bytes: Uint8Array, name = "the safetensors file"): SuperResolver {
  const { tensors, metadata } = parseSafetensors(bytes, name);
  const model = createModel(metadata, name);
  try {
    model.loadStateDict(tensors, { source: name });
  } catch (error) {
    model.dispose();
    throw error;
  }
  return model;
}
