/**
 * The program of a worker thread that reads weight files of Keras with the package h5wasm, which is the HDF5 library in
 * WebAssembly: it sees no files but the one that it gets, and a thread can be stopped whatever it does.
 *
 * Three layouts hold a network's layers, in Keras' order of them:
 *
 *     attribute layer_names, LAYER's attribute weight_names    Keras 1 and 2, and `.h5` of Keras 3
 *     the same, in the group model_weights                     a whole model as `.h5`
 *     groups LAYER/vars with numbered data sets                `.weights.h5` of Keras 3, also in `.keras`
 */
import { parentPort } from "node:worker_threads";
import type { Attribute, Dataset, Entity, Group } from "h5wasm";

/** The layers with weights, in their order. */
export interface KerasContents {
  readonly layers: readonly KerasLayer[];
  /** The layers' settings as JSON, if the file has them. */
  readonly config?: string;
}

export interface KerasLayer {
  readonly name: string;
  readonly weights: readonly { readonly shape: readonly number[]; readonly data: Float32Array }[];
}

/** A file's contents, or why there are none. */
export type KerasAnswer =
  | KerasContents
  /** `broken`: the library cannot be used any more. */
  | { readonly error: string; readonly broken?: boolean }
  /** The package is not installed. */
  | { readonly missing: true };

/** More than the largest networks have; and groups in groups. */
const MAX_LAYERS = 10_000;
const MAX_DEPTH = 8;

/** Says why a file is not read. Whatever else is thrown comes from the HDF5 library. */
class Refusal extends Error {}

const port = parentPort!;
const opened = open();

/** The library, which throws for what it cannot do; undefined if it is not installed. */
async function open() {
  const hdf5 = await import("h5wasm").catch(() => undefined);
  if (hdf5 === undefined) return undefined;
  const { FS, activate_throwing_error_handler: throwErrors } = await hdf5.ready;
  throwErrors();
  return { FS, File: hdf5.File };
}

port.on("message", async (bytes: Uint8Array) => {
  port.postMessage(await read(bytes).catch(failure));
});

async function read(bytes: Uint8Array): Promise<KerasAnswer> {
  const library = await opened;
  if (library === undefined) return { missing: true };
  const { FS, File } = library;
  const path = "/weights.h5";
  FS.writeFile(path, bytes);
  try {
    const file = new File(path, "r");
    try {
      return contentsOf(new Reader(bytes.length), file);
    } finally {
      file.close();
    }
  } finally {
    FS.unlink(path);
  }
}

function contentsOf(reader: Reader, file: Group): KerasContents {
  const config = file.attrs.model_config && textsOf(file.attrs.model_config)[0];
  const inModel = file.keys().includes("model_weights") ? asGroup(file.get("model_weights")) : file;
  const names = inModel.attrs.layer_names;
  const layers = names ? namedLayers(reader, inModel, textsOf(names)) : numberedLayers(reader, file);
  if (layers.length === 0) throw new Refusal("it has no layers with weights");
  return { layers, config };
}

function namedLayers(reader: Reader, group: Group, names: readonly string[]): KerasLayer[] {
  if (names.length > MAX_LAYERS) throw new Refusal(`it has ${names.length} layers`);
  const layers = names.map((name): KerasLayer => {
    const layer = asGroup(group.get(name));
    const weights = layer.attrs.weight_names ? textsOf(layer.attrs.weight_names) : [];
    return { name, weights: weights.map((weight) => reader.values(layer.get(weight))) };
  });
  return layers.filter(({ weights }) => weights.length > 0);
}

/** Groups are in the order of the alphabet, and "conv2d_10" comes after "conv2d_9". */
function numberedLayers(reader: Reader, file: Group): KerasLayer[] {
  const layers: KerasLayer[] = [];
  const inOrder = (names: readonly string[]) =>
    [...names].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const visit = (group: Group, path: readonly string[]) => {
    if (path.length > MAX_DEPTH) throw new Refusal("its groups are nested too deeply");
    for (const key of inOrder(group.keys())) {
      // What training needs besides.
      if (key === "optimizer") continue;
      const inner = group.get(key);
      if (!isGroup(inner)) continue;
      reader.count();
      if (key !== "vars") {
        visit(inner, [...path, key]);
        continue;
      }
      const weights = inOrder(inner.keys()).map((name) => reader.values(inner.get(name)));
      const name = path.filter((part) => !/^(?:layers|_layer_checkpoint_dependencies)$/.test(part)).join(".");
      if (weights.length > 0) layers.push({ name, weights });
    }
  };
  visit(file, []);
  return layers;
}

/** Reads numbers, and never more than the file has. */
class Reader {
  readonly #size: number;
  #bytes = 0;
  #parts = 0;

  constructor(size: number) {
    this.#size = size;
  }

  count(): void {
    if (++this.#parts > 4 * MAX_LAYERS) throw new Refusal("it has too many parts");
  }

  values(entity: Entity | null): KerasLayer["weights"][number] {
    this.count();
    if (!isDataset(entity)) throw new Refusal("a part of it is missing");
    const { metadata } = entity;
    const { type, size, littleEndian, shape, total_size: count } = metadata;
    if (type !== FLOAT || !littleEndian || (size !== 4 && size !== 8)) {
      throw new Refusal("it holds weights that are no floats of 32 or 64 bits");
    }
    // Also for compressed ones, which Keras does not write: little would become much.
    this.#bytes += count * size;
    if (shape === null || !(this.#bytes <= this.#size)) {
      throw new Refusal(`its layers have more bytes of weights than its ${this.#size}`);
    }
    const { value } = entity;
    if (value instanceof Float32Array || value instanceof Float64Array) {
      const data = Float32Array.from(value);
      const lost = data.findIndex((number, i) => !Number.isFinite(number) && Number.isFinite(value[i]));
      if (lost >= 0) throw new Refusal(`it holds the weight ${value[lost]}, and float32 ends at 3.4e38`);
      return { shape: [...shape], data };
    }
    // A number by itself is no array.
    if (typeof value === "number") return { shape: [...shape], data: Float32Array.of(value) };
    throw new Refusal("a part of its weights cannot be read");
  }
}

/** HDF5's number of the class of floats. */
const FLOAT = 1;

function isGroup(entity: Entity | null): entity is Group {
  return entity !== null && "type" in entity && entity.type === "Group";
}

function isDataset(entity: Entity | null): entity is Dataset {
  return entity !== null && "type" in entity && entity.type === "Dataset";
}

function asGroup(entity: Entity | null): Group {
  if (isGroup(entity)) return entity;
  throw new Refusal("a layer of it is missing");
}

function textsOf(attribute: Attribute): string[] {
  const { value } = attribute;
  const texts = Array.isArray(value) ? value : [value];
  // An empty list is one of numbers.
  return texts.filter((text): text is string => typeof text === "string");
}

function failure(error: unknown): KerasAnswer {
  if (error instanceof Refusal) return { error: error.message };
  const text = error instanceof Error ? error.message : String(error);
  // HDF5's errors have many lines, from the general to the particular: "#006: FILE line 577 in FUNCTION: reason".
  const reason = [...text.matchAll(/#\d+: .*? in \w+\(\): (.*)/g)].at(-1)?.[1];
  return reason === undefined ? { error: text.split("\n")[0], broken: true } : { error: reason };
}
