/** Networks from weight files: the file's metadata says which network to build, its tensors fill it. */
import { parseSafetensors } from "../nn/safetensors.ts";
import { EDSR } from "./edsr.ts";
import { ESPCN } from "./espcn.ts";
import { FSRCNN } from "./fsrcnn.ts";
import { SRCNN } from "./srcnn.ts";
import type { SuperResolver } from "./super-resolver.ts";

/**
 * How to build each architecture from its `metadata()`. The casts only say which type is meant: the constructors check
 * the values.
 */
const architectures: Readonly<Record<string, (read: Fields) => SuperResolver>> = {
  SRCNN: (read) =>
    new SRCNN({
      scale: read.number("scale") as 2,
      kernels: read.numbers("kernels") as [number, number, number],
      filters: read.numbers("filters") as [number, number],
      padding: read.text("padding") as "zeros",
      residual: read.flag("residual"),
    }),
  ESPCN: (read) =>
    new ESPCN({
      scale: read.number("scale") as 2,
      filters: read.numbers("filters") as [number, number],
      activation: read.text("activation") as "tanh",
      residual: read.flag("residual"),
    }),
  FSRCNN: (read) =>
    new FSRCNN({
      scale: read.number("scale") as 2,
      d: read.number("d"),
      s: read.number("s"),
      m: read.number("m"),
    }),
  // Its mean colour is among its tensors.
  EDSR: (read) =>
    new EDSR({
      scale: read.number("scale") as 2,
      blocks: read.number("blocks"),
      channels: read.number("channels"),
      resScale: read.number("resScale"),
      rgbRange: read.number("rgbRange"),
    }),
};

/**
 * A new network as `metadata` describes it: what `SuperResolver.metadata()` gave when it was saved. Its weights are
 * initial ones. Throws if the metadata name no architecture of this library or lack a field; `name` is what errors
 * call their source, such as a file's path.
 */
export function createModel(
  metadata: Readonly<Record<string, string>>,
  name = "the metadata",
): SuperResolver {
  const { architecture } = metadata;
  const known = Object.keys(architectures).join(", ");
  if (architecture === undefined) {
    throw new Error(
      `createModel: ${name} does not say which network the weights belong to. Files of saveWeights() do; with others, create the ` +
        `network yourself (${known}) and call loadWeights().`,
    );
  }
  if (!Object.hasOwn(architectures, architecture)) {
    throw new Error(
      `createModel: ${name} describes a network called ${JSON.stringify(architecture)}; known are ${known}. It was made by another ` +
        `version or program.`,
    );
  }
  return architectures[architecture](new Fields(metadata, name));
}

/**
 * The network whose weights are in a safetensors file that `saveWeights` made, given as bytes. Throws if the file is
 * broken or does not say which network it is of; `name` is what errors call it.
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

/** Metadata, read field by field; what is missing or unreadable is an error that names field and source. */
class Fields {
  readonly #metadata: Readonly<Record<string, string>>;
  readonly #source: string;

  constructor(metadata: Readonly<Record<string, string>>, source: string) {
    this.#metadata = metadata;
    this.#source = source;
  }

  text(field: string): string {
    const value = this.#metadata[field];
    if (value === undefined) {
      throw new Error(
        `createModel: ${this.#source} describes a network of architecture ${this.#metadata.architecture}, but lacks its ` +
          `"${field}". Save the weights again with saveWeights().`,
      );
    }
    return value;
  }

  number(field: string): number {
    const value = this.text(field);
    if (value.trim() === "" || !Number.isFinite(Number(value))) throw this.#unreadable(field, "a number");
    return Number(value);
  }

  /** Numbers joined by hyphens, as in 9-1-5. */
  numbers(field: string): number[] {
    const value = this.text(field);
    if (!/^\d+(-\d+)*$/.test(value)) throw this.#unreadable(field, "whole numbers joined by hyphens");
    return value.split("-").map(Number);
  }

  flag(field: string): boolean {
    const value = this.text(field);
    if (value !== "true" && value !== "false") throw this.#unreadable(field, "true or false");
    return value === "true";
  }

  #unreadable(field: string, wanted: string): Error {
    return new Error(
      `createModel: in ${this.#source}, "${field}" of architecture ${this.#metadata.architecture} is ` +
        `${JSON.stringify(this.#metadata[field])}, which should be ${wanted}.`,
    );
  }
}
