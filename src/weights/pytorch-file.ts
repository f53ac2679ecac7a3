/**
 * Reads weight files of PyTorch. pytorch-archive.ts opens them; here, the weights are found among all that a
 * file holds, and their values are read.
 */

import type { NamedArray } from "../nn/module.ts";
import { bytes as bytesWanted, checkArguments } from "../options/arguments.ts";
import { ownBytes } from "../options/classes.ts";
import { excerpt } from "../options/printable.ts";
import { DataError } from "../picture/errors.ts";
import { numel, stridedIndex, stridesOf } from "../tensor/shape.ts";
import { describeForeignFile } from "./foreign-file.ts";
import { describeLoss, float32, float64, lostToFloat32 } from "./number-formats.ts";
import { Dict, PickleError } from "./pickle.ts";
import { NumpyArray } from "./pickled-classes.ts";
import {
  looksLikePytorch,
  metadataKey,
  openArchive,
  type PytorchArchive,
  ScriptModule,
  StoredTensor,
} from "./pytorch-archive.ts";
import { ZipError } from "./stored-zip.ts";
import { firstByName, isVague, namesWeights } from "./weight-names.ts";

/** More dictionaries in dictionaries than any program writes. */
const MAX_DEPTH = 8;

/** More tensors and dictionaries than any network has. */
const MAX_TENSORS = 2 ** 16;

/** More numbers, texts and the like than any program keeps beside weights. */
const MAX_OTHERS = 2 ** 20;

/** Lists of dictionaries are shorter. */
const MAX_LIST = 64;

/**
 * Reads a weight file of PyTorch: the tensors of its dictionary, by their names. Where the weights are one
 * entry of several, as "params_ema" or "state_dict", they are taken out of it, the averaged ones first
 * (weight-names.ts), unless two are alike by name and size. Within them, the names of inner dictionaries come
 * before those of their tensors, with a dot. Numbers of every type become float32. The tensors take at most four
 * times the file's bytes. `name` is what errors call the file.
 *
 * The metadata are those that `serializePytorch` has written; another program that writes the file again drops
 * them.
 *
 * @throws DataError if the bytes are not such a file or not all of it; if it refers to anything but tensors,
 *   dictionaries, lists, texts and numbers; if tensors lie outside their storages, or are of complex or
 *   quantized numbers.
 */
export function parsePytorch(
  given: Uint8Array,
  name = "the PyTorch file",
): { tensors: Map<string, NamedArray>; metadata: Record<string, string> } {
  checkArguments("parsePytorch", { "the first argument": [given, bytesWanted] });
  const bytes = ownBytes(given);
  return inFile(name, bytes, () => {
    const opened = openArchive(bytes);
    const { tensors, whole } = contentsOf(opened);
    const { prefix, metadata } = weightsIn(whole);
    const weights = [...tensors].flatMap(([path, tensor]): [string, StoredTensor][] =>
      path.startsWith(prefix) ? [[path.slice(prefix.length), tensor]] : [],
    );
    return { tensors: withValues(lazily(new Map(weights), opened, bytes.length)), metadata };
  });
}

/** All that a file holds, before anybody has chosen. */
export interface WeightContents {
  /** Tensors by their paths in the file. Values are read when they are asked for, which may throw a DataError. */
  readonly tensors: ReadonlyMap<string, NamedArray>;
  /** Dictionaries by their paths; the whole file's is "". */
  readonly dictionaries: ReadonlyMap<string, Dictionary>;
}

/** A dictionary of a file, beside its tensors. */
export interface Dictionary {
  readonly metadata: Readonly<Record<string, string>>;
  /** The names of the dictionaries in it, which may have dots. */
  readonly names: readonly string[];
}

/** Opens a file as `parsePytorch` does, and takes nothing out of it. @throws DataError */
export function openPytorch(bytes: Uint8Array, name: string): WeightContents {
  return inFile(name, bytes, () => {
    const opened = openArchive(bytes);
    const { tensors, whole } = contentsOf(opened);
    const dictionaries = withInner(whole).map(({ prefix, metadata, parts }): [string, Dictionary] => [
      prefix.slice(0, -1),
      { metadata, names: parts.map(({ name }) => name) },
    ]);
    const values = lazily(tensors, opened, bytes.length, (read) => inFile(name, bytes, read));
    return { tensors: values, dictionaries: new Map(dictionaries) };
  });
}

/** Types of numbers of PyTorch's that are not read. */
const otherNumbers = /^torch\.(?:float[48]_\w+|bits\w+|u?int\w+)$/;

/** Tensors that are not read, by what files refer to for them, and what makes ordinary ones of them. */
const otherTensors: readonly (readonly [name: RegExp, what: string, remedy: string])[] = [
  [/^torch\.(?:cuda\.)?(?:Complex\w*Storage|complex\w+)$/, "complex numbers", "torch.view_as_real(tensor)"],
  [
    /^torch\.(?:cuda\.)?(?:QU?Int\w+Storage|qu?int\w+)$|\._rebuild_qtensor$/,
    "quantized tensors",
    "tensor.dequantize()",
  ],
  [/\._rebuild_sparse_\w+$/, "sparse tensors", "tensor.to_dense()"],
  [/\._rebuild_n(?:ested_tensor|jt)$/, "nested tensors", "tensor.unbind() has a list of them"],
  [
    /\._rebuild_meta_tensor_no_storage$/,
    'tensors of the device "meta", without values',
    "load the weights into the network",
  ],
  [/^torch\._utils\._rebuild_\w+$/, "tensors of a special kind", "tensor.float().cpu()"],
];

/** What `read` returns. Its errors about the file become DataErrors. */
function inFile<T>(name: string, bytes: Uint8Array, read: () => T): T {
  if (!looksLikePytorch(bytes)) {
    const foreign = describeForeignFile(bytes, name);
    throw new DataError(foreign ?? `${name}: this is no file of PyTorch's.`);
  }
  try {
    return read();
  } catch (error) {
    if (error instanceof PickleError && error.refused !== undefined) {
      throw new DataError(`${name} ${refusal(error.refused)}`, { cause: error });
    }
    if (error instanceof ZipError && !mentionsPickle(bytes)) {
      const foreign = describeForeignFile(bytes, name);
      if (foreign !== undefined) throw new DataError(foreign, { cause: error });
    }
    if (error instanceof UnusableWeights) throw new DataError(`${name} ${error.message}`, { cause: error });
    if (!(error instanceof PickleError || error instanceof ZipError)) throw error;
    throw new DataError(
      `${name} is not a complete PyTorch file as torch.save writes it: ${error.message}. Save or download it again.`,
      { cause: error },
    );
  }
}

/** A file that is whole and has no weights, or none that float32 holds. */
class UnusableWeights extends Error {}

/** What to do about a file that refers to `refused`, in words after its name. */
function refusal(refused: string): string {
  if (otherNumbers.test(refused)) {
    return (
      `has numbers of the type ${excerpt(refused)}, which is not read. In Python, save them as float32, by ` +
      "tensor.float()."
    );
  }
  const other = otherTensors.find(([name]) => name.test(refused));
  if (other !== undefined) {
    const [, what, remedy] = other;
    return (
      `has ${what} (${excerpt(refused)}), which are not read. In Python, make ordinary tensors of them before you ` +
      `save: ${remedy}.`
    );
  }
  return (
    `refers to ${excerpt(refused)}, and a weight file holds tensors alone: pixelgrad executes nothing out of ` +
    `a file. In Python, save the weights without anything else: torch.save(model.state_dict(), "net.pth").`
  );
}

/** Does an archive begin as PyTorch's do, whatever became of its end? */
function mentionsPickle(bytes: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(bytes.subarray(0, 4096)).includes("data.pkl");
}

// ---- Which part of the file

/** A dictionary of a file, or a list of dictionaries. */
interface Part {
  readonly name: string;
  /** What comes before the names of its tensors, with a dot at its end. */
  readonly prefix: string;
  readonly isList: boolean;
  readonly metadata: Record<string, string>;
  /** Parts in it that have tensors. */
  readonly parts: Part[];
  /** Has it tensors of two dimensions or more, itself or in its parts? Each network has. */
  hasMatrices: boolean;
  /** How many numbers its tensors have, those of its parts included. */
  numbers: number;
}

interface Contents {
  /** Tensors by their paths: the names of dictionaries and their own, with dots between. */
  readonly tensors: Map<string, StoredTensor>;
  readonly whole: Part;
}

/** All tensors of an object, and the dictionaries that they are in. What is neither is left out. */
function contentsOf({ object, hasConstants }: PytorchArchive): Contents {
  const tensors = new Map<string, StoredTensor>();
  let [entries, others, isDeeper] = [0, 0, false];
  let [hasNameless, hasNumpy] = [object instanceof StoredTensor, object instanceof NumpyArray];
  const visit = (container: unknown, name: string, prefix: string, depth: number): Part => {
    const isList = Array.isArray(container);
    const metadata = container instanceof Dict ? metadataOf(container) : {};
    const part: Part = { name, prefix, isList, metadata, parts: [], hasMatrices: false, numbers: 0 };
    const add = (hasMatrices: boolean, numbers: number) => {
      part.hasMatrices ||= hasMatrices;
      part.numbers += numbers;
    };
    if (isList) hasNameless ||= container.slice(0, MAX_LIST).some((item) => item instanceof StoredTensor);
    for (const [key, value] of entriesOf(container)) {
      hasNumpy ||= value instanceof NumpyArray;
      const isTensor = value instanceof StoredTensor;
      const counts = isTensor || value instanceof Dict || Array.isArray(value);
      if (counts && ++entries > MAX_TENSORS) throw new PickleError(`it has more than ${MAX_TENSORS} entries`);
      if (++others > MAX_OTHERS) throw new PickleError(`it has more than ${MAX_OTHERS} entries`);
      if (!counts || (typeof key !== "string" && typeof key !== "number")) continue;
      const path = `${prefix}${key}`;
      const before = tensors.size;
      if (isTensor) {
        tensors.set(path, value);
        add(value.shape.length >= 2, numel(value.shape));
      } else if (depth === MAX_DEPTH) isDeeper = true;
      else {
        const inner = visit(value, String(key), `${path}.`, depth + 1);
        if (tensors.size === before) continue;
        // Modules are a network's own parts.
        part.parts.push(...(value instanceof ScriptModule ? inner.parts : [inner]));
        add(inner.hasMatrices, inner.numbers);
      }
    }
    return part;
  };
  const whole = visit(object, "", "", 1);
  if (tensors.size > 0) return { tensors, whole };
  if (isDeeper) throw new PickleError(`its dictionaries are in one another more than ${MAX_DEPTH} deep`);
  if (hasConstants) {
    throw new UnusableWeights(
      "is a TorchScript program that is frozen: its weights have lost their names. Save the model before " +
        "torch.jit.freeze.",
    );
  }
  if (hasNameless) {
    throw new UnusableWeights(
      "holds tensors without names, by themselves or in a list, and those of a network have names. In Python, save " +
        'a dictionary: torch.save(model.state_dict(), "net.pth").',
    );
  }
  throw new UnusableWeights(
    `holds no ${object instanceof Dict ? "" : "dictionary of "}tensors` +
      `${hasNumpy ? ", as arrays of numpy are none" : ""}, ` +
      'so there are no weights in it. In Python, save them: torch.save(model.state_dict(), "net.pth").',
  );
}

/** What is in a dictionary, or the dictionaries in a list. */
function entriesOf(container: unknown): Iterable<[unknown, unknown]> {
  if (container instanceof Dict) return container.entries;
  if (!Array.isArray(container) || container.length > MAX_LIST) return [];
  return [...container.entries()].filter(([, item]) => item instanceof Dict);
}

/**
 * The part with the weights: the whole, or one in it whose name says so. The first of several in a list. Where
 * two are equal by name and size, both are left where they are.
 *
 * This is for networks of any kind, of which names and sizes are all that is known. `detect` of the models room
 * looks for those of this library, and goes by what it recognizes before it goes by names, so of a file with several
 * networks the two may take another one.
 */
function weightsIn(whole: Part): Part {
  let part = whole;
  for (;;) {
    const best = part.isList ? part.parts[0] : namedPart(part.parts);
    if (best === undefined) return part;
    part = best;
  }
}

/** The part whose name says most clearly that it has the weights. Undefined if there is none, or several. */
function namedPart(parts: readonly Part[]): Part | undefined {
  const named = parts.filter(({ name }) => namesWeights(name));
  const most = (several: readonly Part[]) => several.reduce((n, { numbers }) => Math.max(n, numbers), 0);
  // Figures may be called "avg", too.
  const largest = most(named.filter(({ name }) => !isVague(name)));
  const clear = named.filter(({ name, numbers }) => !isVague(name) || numbers >= largest);
  const withMatrices = clear.filter(({ hasMatrices }) => hasMatrices);
  const first = firstByName(
    (withMatrices.length > 0 ? withMatrices : clear).map((part) => ({
      part,
      path: [{ name: part.name, isDictionary: true }],
    })),
  ).map(({ part }) => part);
  const best = first.filter(({ numbers }) => numbers === most(first));
  return best.length === 1 ? best[0] : undefined;
}

/** A part and those in it, in their order. */
function withInner(part: Part): Part[] {
  return [part, ...part.parts.flatMap(withInner)];
}

// ---- Values

/** A tensor whose values are read when they are asked for. */
class LazyArray implements NamedArray {
  readonly shape: readonly number[];
  readonly #read: () => Float32Array;

  constructor(shape: readonly number[], read: () => Float32Array) {
    this.shape = shape;
    this.#read = read;
  }

  get data(): Float32Array {
    return this.#read();
  }
}

/** The same tensors with values that are there. */
export function withValues(tensors: ReadonlyMap<string, NamedArray>): Map<string, NamedArray> {
  return new Map([...tensors].map(([name, { shape, data }]) => [name, { shape, data }]));
}

/**
 * Tensors whose values are read on demand, each once even if it has several names.
 *
 * @param guard what every reading runs in.
 */
function lazily(
  tensors: ReadonlyMap<string, StoredTensor>,
  { bytesOf, littleEndian }: PytorchArchive,
  fileLength: number,
  guard = (read: () => Float32Array) => read(),
): Map<string, NamedArray> {
  const byPlace = new Map<string, Float32Array>();
  let elements = 0;
  const read = (name: string, tensor: StoredTensor): Float32Array => {
    const { storage, offset, shape, strides } = tensor;
    const { key, format, start } = storage;
    const place = [key, format.bytes, start, offset, shape.join(), strides.join()].join(";");
    const known = byPlace.get(place);
    if (known !== undefined) return known;
    elements += numel(shape);
    // Every number of a file takes a byte or more of it, unless tensors overlap.
    if (!(elements <= fileLength)) {
      throw new PickleError(`its tensors have more numbers than its ${fileLength} bytes can hold`);
    }
    const values = valuesOf(name, tensor, bytesOf(storage), littleEndian);
    byPlace.set(place, values);
    return values;
  };
  return new Map(
    [...tensors].map(([name, tensor]) => [
      name,
      new LazyArray(tensor.shape, () => guard(() => read(name, tensor))),
    ]),
  );
}

function valuesOf(
  name: string,
  { storage, offset, shape, strides }: StoredTensor,
  bytes: Uint8Array,
  littleEndian: boolean,
): Float32Array {
  const size = numel(shape);
  const data = new Float32Array(size);
  if (size === 0) return data;
  const { format, length, start } = storage;
  const last = offset + shape.reduce((sum, n, axis) => sum + (n - 1) * strides[axis], 0);
  if (!(last < length) || !((start + length) * format.bytes <= bytes.length)) {
    throw new PickleError(`the tensor ${excerpt(name)} reaches past the end of its storage`);
  }
  const from = (start + offset) * format.bytes;
  const isContiguous = stridesOf(shape).every(
    (stride, axis) => stride === strides[axis] || shape[axis] === 1,
  );
  if (format === float32 && littleEndian && isContiguous) {
    new Uint8Array(data.buffer).set(bytes.subarray(from, from + 4 * size));
    return data;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const index = isContiguous ? (i: number) => i : stridedIndex(shape, strides);
  for (let i = 0; i < size; i++) data[i] = format.read(view, from + index(i) * format.bytes, littleEndian);
  if (format === float64) {
    const lost = lostToFloat32(data, (i) => format.read(view, from + index(i) * format.bytes, littleEndian));
    if (lost !== undefined) throw new UnusableWeights(`${describeLoss(lost, excerpt(name))}.`);
  }
  return data;
}

// ---- Metadata

function metadataOf({ attributes }: Dict): Record<string, string> {
  const inner = (dict: unknown, key: string) => (dict instanceof Dict ? dict.entries.get(key) : undefined);
  const own = inner(inner(attributes, "_metadata"), metadataKey);
  if (!(own instanceof Dict)) return {};
  const texts = [...own.entries].filter((entry): entry is [string, string] =>
    entry.every((text) => typeof text === "string"),
  );
  return Object.fromEntries(texts);
}
