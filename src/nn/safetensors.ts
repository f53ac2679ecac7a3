/**
 * The safetensors format: 8 bytes with the length of a JSON header (little endian), the header, the tensors'
 * bytes. The header maps names to `{ dtype, shape, data_offsets: [begin, end] }`, with offsets from the end
 * of the header, and `__metadata__` to strings. Specification: huggingface/safetensors on GitHub.
 */
import {
  bytes as bytesWanted,
  checkArguments,
  checkOptions,
  isObject,
  isPlain,
  type Wanted,
} from "../options/arguments.ts";
import { oneOf, quote } from "../options/kinds.ts";
import { excerpt } from "../options/printable.ts";
import { DataError } from "../picture/errors.ts";
import { numel } from "../tensor/shape.ts";
import { describeForeignFile } from "./foreign-file.ts";
import { aModule, isNamedArray, type Module, type NamedArray } from "./module.ts";

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

export interface SafetensorsOptions {
  /** F32 keeps every bit; F16 takes half the bytes and keeps about three digits. Default F32. */
  readonly dtype?: "F32" | "F16";
}

/** A safetensors file of these tensors, as bytes. Throws a RangeError if a value is too large for `dtype`. */
export function serializeSafetensors(
  tensors: ReadonlyMap<string, NamedArray>,
  metadata: Readonly<Record<string, string>> = {},
  options: SafetensorsOptions = {},
): Uint8Array<ArrayBuffer> {
  checkArguments("serializeSafetensors", {
    "the first argument": [tensors, namedArrays],
    metadata: [metadata, texts],
  });
  checkOptions("serializeSafetensors", options, { dtype: oneOf("F32", "F16") });
  const { dtype = "F32" } = options;
  const { bytes: size, write } = types[dtype];
  const header: Record<string, Entry | Readonly<Record<string, string>>> = { __metadata__: metadata };
  let length = 0;
  for (const [name, { shape, data }] of tensors) {
    header[name] = { dtype, shape, data_offsets: [length, length + data.length * size] };
    length += data.length * size;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const start = 8 + Math.ceil(json.length / 8) * 8; // spaces after the header align the tensors
  const bytes = new Uint8Array(start + length).fill(0x20, 0, start);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(start - 8), true);
  bytes.set(json, 8);
  let at = start;
  for (const [name, { data }] of tensors) {
    for (const value of data) {
      if (dtype === "F16" && Math.abs(value) >= HALF_LIMIT && Math.abs(value) < Infinity) {
        throw new RangeError(
          `safetensors: tensor ${name} holds ${value}, and F16 ends at 65504. Save it as F32.`,
        );
      }
      write(view, at, value);
      at += size;
    }
  }
  return bytes;
}

const namedArrays: Wanted = {
  wants: "a Map from names to { shape, data }, where data is a Float32Array of as many values",
  fits: (value): value is ReadonlyMap<string, NamedArray> =>
    value instanceof Map &&
    [...value].every(([name, array]) => typeof name === "string" && isNamedArray(array)),
};

const texts: Wanted = {
  wants: "an object whose values are texts",
  fits: (value): value is Record<string, string> =>
    isPlain(value) && Object.values(value).every((text) => typeof text === "string"),
};

/** The specification's limit of the header, in bytes. */
const MAX_HEADER = 100_000_000;

/**
 * Reads a safetensors file with F32, F16, BF16 or I64 tensors, whose values may be any, NaN as well. The
 * tensors take at most twice the file's bytes: as the specification says, they must fill the file without
 * gaps, and no two may share bytes. `name` is what errors call the file.
 *
 * @throws DataError if the bytes are not such a file or not all of it.
 */
export function parseSafetensors(
  bytes: Uint8Array,
  name = "the safetensors file",
): { tensors: Map<string, NamedArray>; metadata: Record<string, string> } {
  checkArguments("parseSafetensors", { "the first argument": [bytes, bytesWanted] });
  const broken = (what: string): Error =>
    new DataError(`${name} is not a complete safetensors file: ${what}. Save or download it again.`);
  const foreign = describeForeignFile(bytes, name);
  if (foreign !== undefined) throw new DataError(foreign);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8) throw broken(`it has only ${bytes.length} bytes`);
  const headerLength = Number(view.getBigUint64(0, true));
  if (headerLength > bytes.length - 8) {
    throw broken(`its header claims ${headerLength} bytes of the file's ${bytes.length}`);
  }
  if (headerLength > MAX_HEADER) throw broken(`its header is larger than ${MAX_HEADER} bytes`);
  let header: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + headerLength));
    header = JSON.parse(text);
  } catch {
    throw broken("its header is not JSON");
  }
  if (!isObject(header)) throw broken("its header is not a JSON object");
  const { __metadata__: metadata = {}, ...entries } = header;
  if (!isObject(metadata)) throw broken("its __metadata__ is not a JSON object");
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value === "string") continue;
    throw broken(`the metadata ${quote(key)} should be a text and is ${quote(value)}`);
  }
  const tensors = new Map<string, NamedArray>();
  for (const { key, dtype, shape, begin } of checkEntries(
    entries,
    bytes.length - 8 - headerLength,
    name,
    broken,
  )) {
    const { bytes: width, read } = types[dtype];
    const start = 8 + headerLength + begin;
    const data = new Float32Array(numel(shape));
    for (let i = 0; i < data.length; i++) data[i] = read(view, start + i * width);
    tensors.set(key, { shape, data });
  }
  return { tensors, metadata: metadata as Record<string, string> };
}

interface CheckedEntry {
  readonly key: string;
  readonly dtype: keyof typeof types;
  readonly shape: readonly number[];
  readonly begin: number;
}

/** The header's entries, in its order, if they are right and cover the `size` bytes after it exactly once. */
function checkEntries(
  entries: Readonly<Record<string, unknown>>,
  size: number,
  name: string,
  broken: (what: string) => Error,
): CheckedEntry[] {
  const places: { key: string; begin: number; end: number }[] = [];
  const checked = Object.entries(entries).map(([key, entry]): CheckedEntry => {
    if (!isEntry(entry)) throw broken(`its header does not say what and where tensor ${excerpt(key)} is`);
    const { dtype, shape, data_offsets } = entry;
    if (!isType(dtype)) {
      throw new DataError(
        `${name}: tensor ${excerpt(key)} has type ${excerpt(dtype)}; F32, F16, BF16 and I64 can be read.`,
      );
    }
    const [begin, end] = data_offsets;
    if (end - begin !== numel(shape) * types[dtype].bytes || end > size) {
      throw broken(
        `tensor ${excerpt(key)} of shape ${quote(shape)} goes from byte ${begin} to ${end}, past the end or ` +
          `a wrong length`,
      );
    }
    places.push({ key, begin, end });
    return { key, dtype, shape, begin };
  });
  let covered = 0;
  for (const { key, begin, end } of places.sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) {
      const fault = begin < covered ? "shares bytes with another tensor" : "leaves bytes before it unused";
      throw broken(`tensor ${excerpt(key)}, from byte ${begin} to ${end}, ${fault}`);
    }
    covered = end;
  }
  if (covered !== size) throw broken(`${size - covered} bytes at its end belong to no tensor`);
  return checked;
}

const types = {
  F32: {
    bytes: 4,
    read: (view: DataView, at: number) => view.getFloat32(at, true),
    write: (view: DataView, at: number, value: number) => view.setFloat32(at, value, true),
  },
  F16: {
    bytes: 2,
    read: (view: DataView, at: number) => halfToNumber(view.getUint16(at, true)),
    write: (view: DataView, at: number, value: number) => view.setUint16(at, numberToHalf(value), true),
  },
  BF16: {
    bytes: 2, // the upper half of an F32
    read: (view: DataView, at: number) =>
      new Float32Array(Uint32Array.of(view.getUint16(at, true) << 16).buffer)[0],
  },
  I64: {
    bytes: 8, // counts, such as the num_batches_tracked of a BatchNorm2d
    read: (view: DataView, at: number) => Number(view.getBigInt64(at, true)),
  },
};

function isType(dtype: string): dtype is keyof typeof types {
  return Object.hasOwn(types, dtype);
}

/** IEEE 754 binary16: 1 sign, 5 exponent (bias 15) and 10 fraction bits. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

/** From here on, the nearest binary16 is infinity. */
const HALF_LIMIT = 65520;

/** The nearest binary16; of two equally near ones the even one, as IEEE 754 rounds. */
function numberToHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(size)) return 0x7e00;
  if (size >= HALF_LIMIT) return sign | 0x7c00;
  // Numbers below 2^-14 share its exponent and have no leading 1.
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  // From 2^52 to 2^53 a double holds whole numbers alone: the sum rounds as IEEE 754 wants it.
  const steps = size / 2 ** (exponent - 10) + 2 ** 52 - 2 ** 52;
  // `steps` includes the leading 1 as 1024, which adds 1 to the exponent here. Rounding may give 2048, which
  // adds 2.
  return sign | (((exponent + 14) << 10) + steps);
}

function isEntry(value: unknown): value is Entry {
  if (!isObject(value)) return false;
  const { dtype, shape, data_offsets: offsets } = value;
  const areSizes = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((size) => Number.isSafeInteger(size) && size >= 0);
  return typeof dtype === "string" && areSizes(shape) && areSizes(offsets) && offsets.length === 2;
}

/** The bytes of a safetensors file with a module's weights, its metadata(), and `metadata` besides. */
export async function saveWeights(
  module: Module,
  metadata: Readonly<Record<string, string>> = {},
  options: SafetensorsOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  checkArguments("saveWeights", { "the first argument": [module, aModule] });
  if (!texts.fits(metadata)) {
    throw new RangeError(
      `saveWeights: the second argument is metadata, such as { note: "first try" }, got ` +
        `${quote(metadata)}. To write the file: await writeFile(path, await saveWeights(model)).`,
    );
  }
  return serializeSafetensors(await module.stateDict(), { ...module.metadata(), ...metadata }, options);
}

/**
 * Loads a file from {@link saveWeights}, or any safetensors file with this module's names and shapes. Returns
 * its metadata. `name` is what errors call the file.
 *
 * @throws DataError, without changing the module, if the file is broken, belongs to another architecture, or
 *   holds values that are not finite.
 */
export function loadWeights(module: Module, bytes: Uint8Array, name?: string): Record<string, string> {
  checkArguments("loadWeights", { "the first argument": [module, aModule] });
  if (!bytesWanted.fits(bytes)) {
    throw new RangeError(
      `loadWeights: the second argument is the file's bytes (a Uint8Array), got ${quote(bytes)}. ` +
        `To read the file: loadWeights(model, await readFile(path), path).`,
    );
  }
  const { tensors, metadata } = parseSafetensors(bytes, name);
  for (const [key, own] of Object.entries(module.metadata())) {
    if (metadata[key] !== undefined && metadata[key] !== own) {
      throw new DataError(
        `${name ?? "The safetensors file"} holds weights of another network: its ${key} is ` +
          `${excerpt(metadata[key])}, and this network's is ${own}. Create the network with the options it was ` +
          `trained with.`,
      );
    }
  }
  module.loadStateDict(tensors, { source: name });
  return metadata;
}
