/**
 * How PyTorch writes files, `.pth` and `.pt`: a pickle (pickle.ts) of dictionaries and lists, in which each
 * tensor is a call, `_rebuild_tensor_v2(storage, offset, shape, strides, …)`, and a storage a reference to
 * numbers outside the pickle. There are two ways to write them:
 *
 * - since PyTorch 1.6, a zip archive: the pickle is its entry `data.pkl`, each storage one of `data/0`, …;
 * - before that, one stream: three pickles with a magic number, a version and facts about the machine; the
 *   pickle itself; another one with the storages' keys; and then each storage, after its length.
 *
 * torch/serialization.py has both. Nothing in such a file is executed here: what its pickle may refer to is in
 * the table `names`, and is written in this file or in pickled-classes.ts.
 */
import { excerpt } from "../options/printable.ts";
import {
  bfloat16,
  float16,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  type NumberFormat,
  uint8,
  uint16,
  uint32,
  uint64,
} from "./number-formats.ts";
import { Dict, type Name, PickleError, unpickle } from "./pickle.ts";
import { pickledClasses } from "./pickled-classes.ts";
import { looksLikeZip, readStoredZip, ZipError } from "./stored-zip.ts";

// ---- What a file may refer to

/** Numbers that one or more tensors are made of. */
export interface Storage {
  readonly key: string;
  readonly format: NumberFormat;
  /** How many numbers it has, by the file's word. */
  readonly length: number;
  /** Where it begins in the storage of this key. */
  readonly start: number;
}

/** A tensor, as the file describes it. */
export class StoredTensor {
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

export const numberTypes: readonly (readonly [storage: string, dtype: string, format: NumberFormat])[] = [
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

/** Types of numbers that have no storages of their own. */
const numbersOfUntyped: readonly NumberType[] = [
  { name: "torch.uint16", format: uint16 },
  { name: "torch.uint32", format: uint32 },
  { name: "torch.uint64", format: uint64 },
];

/** A module of a TorchScript program: its attributes are tensors and other modules, its class is code. */
export class ScriptModule extends Dict {
  override setState(state: unknown): void {
    if (!(state instanceof Dict)) return;
    for (const [name, value] of state.entries) this.entries.set(name, value);
  }
}

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
  // A parameter or buffer of a class of its own, and what rebuilds the tensor in it.
  "torch._tensor._rebuild_from_type_v2": ([rebuild, , args]) => {
    const { call } = (rebuild ?? {}) as Partial<Name>;
    if (call === undefined || !Array.isArray(args)) throw new PickleError("a tensor is broken");
    return call(args);
  },
  "torch.Size": ([sizes]) => sizes,
  "collections.OrderedDict": ([pairs = []]) => {
    const dict = new Dict();
    if (!Array.isArray(pairs)) throw new PickleError("a dictionary is broken");
    for (const pair of pairs) {
      if (!Array.isArray(pair) || pair.length !== 2) throw new PickleError("a dictionary is broken");
      dict.entries.set(pair[0], pair[1]);
    }
    return dict;
  },
};

const names: ReadonlyMap<string, Name> = new Map(
  [
    ...pickledClasses,
    ...Object.entries(calls).map(([name, call]) => ({ name, call })),
    ...numberTypes.flatMap(([storage, dtype, format]): NumberType[] => [
      { name: `torch.${storage}`, format },
      { name: `torch.cuda.${storage}`, format },
      { name: `torch.${dtype}`, format },
    ]),
    untyped,
    ...numbersOfUntyped,
  ].map((entry) => [entry.name, entry]),
);

/** What a TorchScript program refers to: its own classes, and what tells the types of its lists. */
const scriptNames: Pick<typeof names, "get"> = {
  get(name) {
    if (name.startsWith("__torch__.")) return { name, call: () => new ScriptModule() };
    return name.startsWith("torch.jit._pickle.") ? { name, call: ([value]) => value } : names.get(name);
  },
};

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
export interface PytorchArchive {
  readonly object: unknown;
  readonly littleEndian: boolean;
  /** Has it tensors without names, as constants of a TorchScript program are? */
  readonly hasConstants: boolean;
  bytesOf(storage: Storage): Uint8Array;
}

const reading = { names, persistent: storageOf };

/** The entries with weights: TorchScript's code beside them is compressed. */
const weightEntries = /(?:^|\/)(?:data\.pkl|constants\.pkl|byteorder|data\/[^/]+|constants\/\d+)$/;

function openZip(bytes: Uint8Array): PytorchArchive {
  const entries = readStoredZip(bytes, weightEntries);
  const pickles = [...entries.keys()].filter((name) => /(?:^|\/)data\.pkl$/.test(name));
  if (pickles.length !== 1) throw new ZipError("it does not have one entry data.pkl, as PyTorch's have");
  const folder = pickles[0].slice(0, -"data.pkl".length);
  const isScript = entries.has(`${folder}constants.pkl`);
  const order = entries.get(`${folder}byteorder`);
  return {
    object: unpickle(entries.get(pickles[0])!, isScript ? { ...reading, names: scriptNames } : reading).value,
    littleEndian: order === undefined || new TextDecoder().decode(order) !== "big",
    hasConstants: [...entries.keys()].some((name) => name.startsWith(`${folder}constants/`)),
    bytesOf({ key }) {
      const content = entries.get(`${folder}data/${key}`);
      if (content === undefined) throw new PickleError(`its storage ${excerpt(key)} is missing`);
      return content;
    },
  };
}

/** 0x1950a86a20f9469cfc6c as a pickle has it, after its protocol: PyTorch's streams begin with it. */
const magic = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];

/** Where a stream goes on after its magic number. Undefined if the file is none. */
function afterMagic(bytes: Uint8Array): number | undefined {
  // From protocol 4 on, a frame of 9 bytes stands before the number.
  const at = bytes[2] === 0x95 ? 11 : 2;
  return bytes[0] === 0x80 && magic.every((byte, i) => bytes[at + i] === byte)
    ? at + magic.length
    : undefined;
}

function openStream(bytes: Uint8Array): PytorchArchive {
  const version = unpickle(bytes, reading, afterMagic(bytes));
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
    hasConstants: false,
    bytesOf({ key }) {
      const content = storages.get(key);
      if (content === undefined) throw new PickleError(`its storage ${excerpt(key)} is missing`);
      return content;
    },
  };
}

/** Is this a file of PyTorch's, by its first bytes? An archive may be something else as well. */
export function looksLikePytorch(bytes: Uint8Array): boolean {
  return looksLikeZip(bytes) || afterMagic(bytes) !== undefined;
}

/** @throws PickleError or ZipError if it is broken, or refers to what is not in `names`. */
export function openArchive(bytes: Uint8Array): PytorchArchive {
  return looksLikeZip(bytes) ? openZip(bytes) : openStream(bytes);
}

/**
 * Dictionaries of weights have an attribute `_metadata` for the versions of modules, which PyTorch saves and
 * hands on with them. It leaves entries alone that name no module.
 */
export const metadataKey = "pixelgrad";
