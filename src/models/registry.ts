/** Networks by name, for configurations and for weight files, whose metadata says which one to build. */
import { parseSafetensors } from "../nn/safetensors.ts";
import { quote } from "../options/kinds.ts";
import type { Architecture } from "./architecture.ts";
import { edsr } from "./edsr.ts";
import { espcn } from "./espcn.ts";
import { fsrcnn } from "./fsrcnn.ts";
import { srcnn } from "./srcnn.ts";
import type { SuperResolver } from "./super-resolver.ts";

/** The networks of this library. A new one is a file beside these and an entry here. */
export const architectures = [srcnn, espcn, fsrcnn, edsr] as const;

/** The names of all architectures: "SRCNN", "ESPCN", … */
export const architectureNames: readonly string[] = architectures.map(({ name }) => name);

function find(name: string): Architecture | undefined {
  return architectures.find((architecture: Architecture) => architecture.name === name);
}

/** What the network of a name says about itself. Throws a RangeError if there is none. */
export function architectureOf(name: string): Architecture {
  const architecture = find(name);
  if (architecture) return architecture;
  throw new RangeError(
    `There is no network called ${quote(name)}; there are ${architectureNames.join(", ")}.`,
  );
}

/**
 * A new network as `metadata` describes it: the result of `SuperResolver.metadata()` when it was saved. Its
 * weights are random. Throws if the metadata name no architecture of this library or lack a field; errors
 * call the metadata `name`, such as a file's path.
 */
export function createModel(
  metadata: Readonly<Record<string, string>>,
  name = "the metadata",
): SuperResolver {
  const names = architectureNames.join(", ");
  if (metadata.architecture === undefined) {
    throw new Error(
      `createModel: ${name} does not say which network the weights belong to. Files of saveWeights() do; ` +
        `with others, create the network yourself (${names}) and call loadWeights().`,
    );
  }
  const architecture = find(metadata.architecture);
  if (architecture === undefined) {
    throw new Error(
      `createModel: ${name} calls its network ${quote(metadata.architecture)}; known are ${names}. ` +
        `It was made by another version or program.`,
    );
  }
  const options = Object.entries(architecture.options).map(([key, { kind }]) => {
    const text = metadata[key];
    if (text === undefined) {
      throw new Error(
        `createModel: ${name} describes a network of architecture ${architecture.name}, but lacks its ` +
          `"${key}". Save the weights again with saveWeights().`,
      );
    }
    const value = kind.read(text);
    if (!kind.fits(value)) {
      throw new Error(
        `createModel: in ${name}, "${key}" of architecture ${architecture.name} is ${quote(text)}, which ` +
          `should be ${kind.wants}.`,
      );
    }
    return [key, value];
  });
  return architecture.build(Object.fromEntries(options));
}

/**
 * The network of a safetensors file that `saveWeights` made, from the file's bytes. Throws if the file is
 * broken or does not say which network it belongs to; errors call it `name`.
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
