/**
 * Weight files of PyTorch, `.pth` and `.pt`: a pickle (pickle.ts) of dictionaries and lists, in which each
 * tensor is a call, `_rebuild_tensor_v2(storage, offset, shape, strides, …)`, and a storage a reference to
 * numbers outside the pickle. There are two ways to write them:
 *
 * - since PyTorch 1.6, a zip archive: the pickle is its entry `data.pkl`, each storage one of `data/0`, …;
 * - before that, one stream: three pickles with a magic number, a version and facts about the machine; the
 *   pickle itself; another one with the storages' keys; and then each storage, after its length.
 *
 * torch/serialization.py has both. Nothing in such a file is executed here: what its pickle may refer to is in
 * the table `names`, and is written in this file.
 */
import { bytes as bytesWanted, checkArguments, checkOptions } from "../options/arguments.ts";
import { oneOf } from "../options/kinds.ts";
import { excerpt } from "../options/printable.ts";
import { DataError } from "../picture/errors.ts";
import { numel, stridedIndex, stridesOf } from "../tensor/shape.ts";
import { describeForeignFile } from "./foreign-file.ts";
import type { NamedArray } from "./module.ts";
import {
  bfloat16,
  checkHalf,
  float16,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  type NumberFormat,
  uint8,
} from "./number-formats.ts";
import { Dict, type Name, PickleError, unpickle } from "./pickle.ts";
import { PickleWriter } from "./pickle-writer.ts";
import { namedArrays, texts } from "./safetensors.ts";
import { looksLikeZip, readStoredZip, writeStoredZip, ZipError } from "./stored-zip.ts";

// ---- What a file may refer to

/** Numbers that one or more tensors are made of. */
interface Storage {
  readonly key: string;
  readonly format: NumberFormat;
  /** How many numbers it has, by the file's word. */
  readonly length: number;
  /** Where it begins in the storage of this key. */
  readonly start: number;
}

/** A tensor, as the file describes it. */
class StoredTensor {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(storage: unknown, offset: unknown, shape: unknown, strides: unknown) {
    if (!isStorage(storage)) throw new PickleError("a tensor has no storage");
    if (!isSize(offset) || !isSizes(shape) || !isSizes(strides) || shape.length !== strides.length) {
      throw new PickleError("a tensor's place in its storage is broken");
    }
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

/** A type of numbers. Files name it by the class of its storages, and by a name of its own. */
interface NumberType extends Name {
  readonly format: NumberFormat;
}

const numberTypes: readonly (readonly [storage: string, dtype: string, format: NumberFormat])[] = [
  ["FloatStorage", "float32", float32],
  ["HalfStorage", "float16", float16],
  ["BFloat16Storage", "bfloat16", bfloat16],
  ["DoubleStorage", "float64", float64],
  ["LongStorage", "int64", int64],
  ["IntStorage", "int32", int32],
  ["ShortStorage", "int16", int16],
  ["CharStorage", "int8", int8],
  ["ByteStorage", "uint8", uint8],
  ["BoolStorage", "bool", uint8],
];

/** Storages of bytes, whose tensors say which numbers these are. */
const untyped = { name: "torch.storage.UntypedStorage", format: uint8 } satisfies NumberType;

/** Calls that give nothing which weights need. */
const nothing = () => null;

const calls: Readonly<Record<string, Name["call"]>> = {
  "torch._utils._rebuild_tensor": ([storage, offset, shape, strides]) =>
    new StoredTensor(storage, offset, shape, strides),
  "torch._utils._rebuild_tensor_v2": ([storage, offset, shape, strides]) =>
    new StoredTensor(storage, offset, shape, strides),
  "torch._utils._rebuild_tensor_v3": ([storage, offset, shape, strides, , , type]) => {
    if (!isStorage(storage) || !isNumberType(type)) throw new PickleError("a tensor has no type");
    const { format } = type;
    const length = Math.floor(storage.length / format.bytes);
    return new StoredTensor({ ...storage, format, length }, offset, shape, strides);
  },
  "torch._utils._rebuild_parameter": ([tensor]) => tensor,
  "torch._utils._rebuild_parameter_with_state": ([tensor]) => tensor,
  "torch.Size": ([sizes]) => sizes,
  "torch.device": nothing,
  "collections.OrderedDict": ([pairs = []]) => {
    const dict = new Dict();
    if (!Array.isArray(pairs)) throw new PickleError("a dictionary is broken");
    for (const pair of pairs) {
      if (!Array.isArray(pair) || pair.length !== 2) throw new PickleError("a dictionary is broken");
      dict.entries.set(pair[0], pair[1]);
    }
    return dict;
  },
  "collections.Counter": nothing,
  "builtins.set": nothing,
  "__builtin__.set": nothing,
  "_codecs.encode": nothing, // bytes, in files of Python 3 for Python 2
};

const names: ReadonlyMap<string, Name> = new Map(
  [
    ...Object.entries(calls).map(([name, call]) => ({ name, call })),
    ...numberTypes.flatMap(([storage, dtype, format]): NumberType[] => [
      { name: `torch.${storage}`, format },
      { name: `torch.cuda.${storage}`, format },
      { name: `torch.${dtype}`, format },
    ]),
    untyped,
  ].map((entry) => [entry.name, entry]),
);

function isNumberType(value: unknown): value is NumberType {
  return typeof value === "object" && value !== null && "format" in value && "name" in value;
}

function isStorage(value: unknown): value is Storage {
  return typeof value === "object" && value !== null && "format" in value && "key" in value;
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= MAX_RANK && value.every(isSize);
}

/** More axes than any weights have. */
const MAX_RANK = 16;

/** A reference out of the pickle: ("storage", type, key, device, length[, part of another storage]). */
function storageOf(reference: unknown): Storage {
  if (!Array.isArray(reference) || reference[0] !== "storage") {
    throw new PickleError("it refers to something that is no storage");
  }
  const [, type, key, , length, view] = reference;
  if (!isNumberType(type) || typeof key !== "string" || !isSize(length)) {
    throw new PickleError("a storage's description is broken");
  }
  const { format } = type;
  if (!Array.isArray(view)) return { key, format, length, start: 0 };
  // In streams, a storage may be a part of the one that is written: (key of the part, offset, length).
  const [, start, size] = view;
  if (!isSize(start) || !isSize(size) || start + size > length)
    throw new PickleError("a storage's part is broken");
  return { key, format, length: size, start };
}

// ---- The two ways to write a file

/** The object of a file, and the bytes of its storages. */
interface Opened {
  readonly object: unknown;
  readonly littleEndian: boolean;
  bytesOf(storage: Storage): Uint8Array;
}

const reading = { names, persistent: storageOf };

function openZip(bytes: Uint8Array): Opened {
  const entries = readStoredZip(bytes);
  const pickles = [...entries.keys()].filter((name) => /(?:^|\/)data\.pkl$/.test(name));
  if (pickles.length !== 1) throw new ZipError("it does not have one entry data.pkl, as PyTorch's have");
  const folder = pickles[0].slice(0, -"data.pkl".length);
  if (entries.has(`${folder}constants.pkl`)) {
    throw new PickleError("it is a TorchScript program", "code of TorchScript");
  }
  const order = entries.get(`${folder}byteorder`);
  return {
    object: unpickle(entries.get(pickles[0])!, reading).value,
    littleEndian: order === undefined || new TextDecoder().decode(order) !== "big",
    bytesOf({ key }) {
      const content = entries.get(`${folder}data/${key}`);
      if (content === undefined) throw new PickleError(`its storage ${excerpt(key)} is missing`);
      return content;
    },
  };
}

/** 0x1950a86a20f9469cfc6c as PyTorch's streams begin with it: a pickle of its own. */
const magic = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];

function looksLikeStream(bytes: Uint8Array): boolean {
  return magic.every((byte, i) => bytes[i] === byte || i === 1); // the protocol may be another one
}

function openStream(bytes: Uint8Array): Opened {
  const version = unpickle(bytes, reading, magic.length);
  if (version.value !== 1001) throw new PickleError("its version is not 1001");
  const machine = unpickle(bytes, reading, version.end);
  const littleEndian = machine.value instanceof Dict && machine.value.entries.get("little_endian") !== false;
  // The storages' lengths are in numbers. How large these are, only the object's references say.
  const widths = new Map<string, number>();
  const object = unpickle(
    bytes,
    {
      names,
      persistent(reference) {
        const storage = storageOf(reference);
        widths.set(storage.key, storage.format.bytes);
        return storage;
      },
    },
    machine.end,
  );
  const keys = unpickle(bytes, reading, object.end);
  if (!Array.isArray(keys.value)) throw new PickleError("its list of storages is missing");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const storages = new Map<string, Uint8Array>();
  let at = keys.end;
  for (const key of keys.value) {
    const width = widths.get(key);
    if (width === undefined) throw new PickleError("it has a storage that no tensor is made of");
    if (at + 8 > bytes.length) throw new PickleError("it is cut short");
    const length = width * Number(view.getBigUint64(at, littleEndian));
    at += 8;
    if (length > bytes.length - at) throw new PickleError("it is cut short");
    storages.set(key, bytes.subarray(at, at + length));
    at += length;
  }
  return {
    object: object.value,
    littleEndian,
    bytesOf({ key }) {
      const content = storages.get(key);
      if (content === undefined) throw new PickleError(`its storage ${excerpt(key)} is missing`);
      return content;
    },
  };
}

/** Is this a file of PyTorch's, by its first bytes? An archive may be something else as well. */
export function looksLikePytorch(bytes: Uint8Array): boolean {
  return looksLikeZip(bytes) || looksLikeStream(bytes);
}

/** Does an archive begin as PyTorch's do, whatever became of its end? */
function mentionsPickle(bytes: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(bytes.subarray(0, 4096)).includes("data.pkl");
}

// ---- Reading

/** Where programs put the weights in a dictionary with other things. The first that is there counts. */
const wrappers = [
  ...[
    "params_ema",
    "params-ema",
    "g_ema",
    "params",
    "state_dict",
    "model_state_dict",
    "model",
    "net",
    "network",
  ],
  ...["generator", "netG", "G", "weights"],
];

/** More dictionaries in dictionaries than any program writes. */
const MAX_DEPTH = 8;

/** More entries than any network has tensors. */
const MAX_TENSORS = 2 ** 16;

/**
 * Reads a weight file of PyTorch: the tensors of its dictionary, by their names. Where the weights are one
 * entry of several, as "params_ema" or "state_dict", they are taken out of it; within them, the names of inner
 * dictionaries come before those of their tensors, with a dot. Numbers of every type become float32. The
 * tensors take at most four times the file's bytes. `name` is what errors call the file.
 *
 * The metadata are those that `serializePytorch` has written; another program that writes the file again drops
 * them.
 *
 * @throws DataError if the bytes are not such a file or not all of it; if it refers to anything but tensors,
 *   dictionaries, lists, texts and numbers; if tensors lie outside their storages, or are of complex or
 *   quantized numbers.
 */
export function parsePytorch(
  bytes: Uint8Array,
  name = "the PyTorch file",
): { tensors: Map<string, NamedArray>; metadata: Record<string, string> } {
  checkArguments("parsePytorch", { "the first argument": [bytes, bytesWanted] });
  if (!looksLikePytorch(bytes)) {
    const foreign = describeForeignFile(bytes, name);
    throw new DataError(foreign ?? `${name}: this is no file of PyTorch's.`);
  }
  try {
    const opened = looksLikeZip(bytes) ? openZip(bytes) : openStream(bytes);
    const dict = weightsOf(opened.object);
    return { tensors: materialize(namedTensorsOf(dict), opened, bytes.length), metadata: metadataOf(dict) };
  } catch (error) {
    if (error instanceof PickleError && error.refused !== undefined) {
      throw new DataError(
        `${name} refers to ${excerpt(error.refused)}, and a weight file holds tensors alone: pixelgrad ` +
          `executes nothing out of a file. In Python, save the weights without anything else: ` +
          `torch.save(model.state_dict(), "net.pth").`,
        { cause: error },
      );
    }
    if (error instanceof ZipError && !mentionsPickle(bytes)) {
      const foreign = describeForeignFile(bytes, name);
      if (foreign !== undefined) throw new DataError(foreign, { cause: error });
    }
    if (!(error instanceof PickleError || error instanceof ZipError)) throw error;
    throw new DataError(
      `${name} is not a complete PyTorch file: ${error.message}. Save or download it again.`,
      { cause: error },
    );
  }
}

/** The dictionary of the weights: the file's own, or one that it has under a name that programs use. */
function weightsOf(object: unknown): Dict {
  let dict = object;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    if (!(dict instanceof Dict)) break;
    const { entries } = dict;
    if ([...entries.values()].some((value) => value instanceof StoredTensor)) break;
    const wrapper = wrappers.find((key) => entries.get(key) instanceof Dict);
    if (wrapper === undefined) break;
    dict = entries.get(wrapper);
  }
  if (dict instanceof Dict) return dict;
  throw new PickleError("it holds no dictionary of tensors");
}

/** All tensors of a dictionary and of those in it. What is none is left out. */
function namedTensorsOf(dict: Dict): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  let visits = 0;
  const visit = (inner: Dict, prefix: string, depth: number): void => {
    if (depth > MAX_DEPTH) throw new PickleError(`its dictionaries are in one another ${depth} deep`);
    for (const [key, value] of inner.entries) {
      if (++visits > MAX_TENSORS) throw new PickleError(`it has more than ${MAX_TENSORS} entries`);
      if (typeof key !== "string" && typeof key !== "number") continue;
      const name = `${prefix}${key}`;
      if (value instanceof StoredTensor) tensors.set(name, value);
      else if (value instanceof Dict) visit(value, `${name}.`, depth + 1);
    }
  };
  visit(dict, "", 1);
  if (tensors.size === 0) throw new PickleError("it holds no tensors");
  return tensors;
}

/** The values of tensors, each read once even if it has several names. */
function materialize(
  tensors: ReadonlyMap<string, StoredTensor>,
  { bytesOf, littleEndian }: Opened,
  fileLength: number,
): Map<string, NamedArray> {
  const arrays = new Map<string, NamedArray>();
  const byPlace = new Map<string, NamedArray>();
  let elements = 0;
  for (const [name, tensor] of tensors) {
    const { storage, offset, shape, strides } = tensor;
    const { key, format, start } = storage;
    const place = [key, format.bytes, start, offset, shape.join(), strides.join()].join(";");
    let array = byPlace.get(place);
    if (array === undefined) {
      elements += numel(shape);
      // Every number of a file takes a byte or more of it, unless tensors overlap.
      if (!(elements <= fileLength)) {
        throw new PickleError(`its tensors have more numbers than its ${fileLength} bytes can hold`);
      }
      array = { shape, data: valuesOf(name, tensor, bytesOf(storage), littleEndian) };
      byPlace.set(place, array);
    }
    arrays.set(name, array);
  }
  return arrays;
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
  return data;
}

// ---- Metadata

/**
 * Dictionaries of weights have an attribute `_metadata` for the versions of modules, which PyTorch saves and
 * hands on with them. It leaves entries alone that name no module.
 */
const metadataKey = "pixelgrad";

function metadataOf({ attributes }: Dict): Record<string, string> {
  const inner = (dict: unknown, key: string) => (dict instanceof Dict ? dict.entries.get(key) : undefined);
  const own = inner(inner(attributes, "_metadata"), metadataKey);
  if (!(own instanceof Dict)) return {};
  const texts = [...own.entries].filter((entry): entry is [string, string] =>
    entry.every((text) => typeof text === "string"),
  );
  return Object.fromEntries(texts);
}

// ---- Writing

export interface PytorchFileOptions {
  /** float32 keeps every bit; float16 takes half the bytes and keeps about three digits. Default float32. */
  readonly dtype?: "float32" | "float16";
}

/**
 * A weight file of these tensors as `torch.save(model.state_dict(), path)` writes it, which
 * `torch.load(path, weights_only=True)` reads.
 *
 * @throws RangeError if a value is too large for `dtype`, or the file would have 4 GiB or more.
 */
export function serializePytorch(
  tensors: ReadonlyMap<string, NamedArray>,
  metadata: Readonly<Record<string, string>> = {},
  options: PytorchFileOptions = {},
): Uint8Array<ArrayBuffer> {
  checkArguments("serializePytorch", {
    "the first argument": [tensors, namedArrays],
    metadata: [metadata, texts],
  });
  checkOptions("serializePytorch", options, { dtype: oneOf("float32", "float16") });
  const { dtype = "float32" } = options;
  const storageClass = numberTypes.find(([, name]) => name === dtype)![0];
  const { bytes: width, write } = { float32, float16 }[dtype];
  const pickle = new PickleWriter();
  const storages: [string, Uint8Array][] = [];
  const emptyDict = () => pickle.call("collections", "OrderedDict", () => {});
  emptyDict();
  pickle.items(() => {
    for (const [name, { shape, data }] of tensors) {
      const key = String(storages.length);
      if (dtype === "float16") checkHalf(data, `serializePytorch: tensor ${name}`);
      const content = new Uint8Array(width * data.length);
      const view = new DataView(content.buffer);
      for (const [i, value] of data.entries()) write(view, width * i, value);
      storages.push([`archive/data/${key}`, content]);
      pickle.text(name);
      pickle.call("torch._utils", "_rebuild_tensor_v2", () => {
        pickle.reference(() => {
          pickle.text("storage");
          pickle.name("torch", storageClass);
          pickle.text(key);
          pickle.text("cpu");
          pickle.number(data.length);
        });
        pickle.number(0);
        pickle.tuple(() => shape.forEach((size) => void pickle.number(size)));
        pickle.tuple(() => stridesOf(shape).forEach((stride) => void pickle.number(stride)));
        pickle.boolean(false);
        emptyDict(); // hooks
      });
    }
  });
  pickle.attributes(() => {
    pickle.text("_metadata");
    emptyDict();
    pickle.items(() => {
      pickle.text(metadataKey);
      pickle.dict(() => {
        for (const [key, value] of Object.entries(metadata)) {
          pickle.text(key);
          pickle.text(value);
        }
      });
    });
  });
  const text = (value: string) => new TextEncoder().encode(value);
  return writeStoredZip(
    new Map([
      ["archive/data.pkl", pickle.end()],
      ["archive/byteorder", text("little")],
      ...storages,
      ["archive/version", text("3\n")],
    ]),
  );
}
