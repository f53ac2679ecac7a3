/**
 * The safetensors format: 8 bytes with the length of a JSON header (little endian), the header, the tensors'
 * bytes. The header maps names to `{ dtype, shape, data_offsets: [begin, end] }`, with offsets from the end
 * of the header, and `__metadata__` to strings. Specification: huggingface/safetensors on GitHub.
 */

import { isNamedArray, type NamedArray } from "../nn/module.ts";
import {
  ArgumentError,
  bytes as bytesWanted,
  checkArguments,
  checkOptions,
  isObject,
  isPlain,
  type Wanted,
} from "../options/arguments.ts";
import { ownBytes } from "../options/classes.ts";
import { oneOf, quote } from "../options/kinds.ts";
import { andList } from "../options/lists.ts";
import { excerpt } from "../options/printable.ts";
import { DataError } from "../picture/errors.ts";
import { numel } from "../tensor/shape.ts";
import { describeForeignFile } from "./foreign-file.ts";
import {
  bfloat16,
  checkHalf,
  describeLoss,
  float16,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  lostToFloat32,
  uint8,
  uint16,
  uint32,
  uint64,
} from "./number-formats.ts";

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

export interface SafetensorsOptions {
  /** F32 keeps every bit; F16 takes half the bytes and keeps about three digits. Default F32. */
  readonly dtype?: "F32" | "F16";
}

/**
 * A safetensors file of these tensors, as bytes. Throws a RangeError if a value is too large for `dtype`, or a tensor
 * is called `__metadata__`.
 */
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
  if (tensors.has("__metadata__")) {
    throw new ArgumentError(
      "serializeSafetensors",
      'a tensor is called "__metadata__", and so are the metadata in such a file. Give it another name.',
    );
  }
  const { dtype = "F32" } = options;
  const { bytes: size, write } = { F32: float32, F16: float16 }[dtype];
  // Without a prototype, so that a tensor may have any name, __proto__ as well.
  const header: Record<string, Entry | Readonly<Record<string, string>>> = Object.create(null);
  header.__metadata__ = metadata;
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
    if (dtype === "F16") checkHalf("serializeSafetensors", name, data);
    for (const value of data) {
      write(view, at, value);
      at += size;
    }
  }
  return bytes;
}

export const namedArrays: Wanted = {
  wants: "a Map from names to { shape, data }, where data is a Float32Array of as many values",
  fits: (value): value is ReadonlyMap<string, NamedArray> =>
    value instanceof Map &&
    [...value].every(([name, array]) => typeof name === "string" && isNamedArray(array)),
};

export const texts: Wanted<Record<string, string>> = {
  wants: "an object whose values are texts",
  fits: (value): value is Record<string, string> =>
    isPlain(value) && Object.values(value).every((text) => typeof text === "string"),
};

/** The specification's limit of the header, in bytes. */
const MAX_HEADER = 100_000_000;

/**
 * Reads a safetensors file of F32, F16, BF16, F64, whole numbers or booleans, all of which become float32. Values
 * may be any, NaN as well. The tensors take at most four times the file's bytes: as the specification says, they
 * must fill the file without gaps, and no two may share bytes. `name` is what errors call the file.
 *
 * @throws DataError if the bytes are not such a file or not all of it, or it has a number beyond float32.
 */
export function parseSafetensors(
  given: Uint8Array,
  name = "the safetensors file",
): { tensors: Map<string, NamedArray>; metadata: Record<string, string> } {
  checkArguments("parseSafetensors", { "the first argument": [given, bytesWanted] });
  const bytes = ownBytes(given);
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
  const { __metadata__, ...entries } = header;
  const metadata = __metadata__ ?? {};
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
    for (let i = 0; i < data.length; i++) data[i] = read(view, start + i * width, true);
    if (dtype === "F64") {
      const lost = lostToFloat32(data, (i) => read(view, start + i * width, true));
      if (lost !== undefined) throw new DataError(`${name} ${describeLoss(lost, excerpt(key))}.`);
    }
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
        `${name}: tensor ${excerpt(key)} has type ${excerpt(dtype)}; ` +
          `${andList(Object.keys(types))} can be read.`,
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

// biome-ignore format: floats, integers, and those without a sign, a line each
const types = {
  F32: float32, F16: float16, BF16: bfloat16, F64: float64,
  I64: int64, I32: int32, I16: int16, I8: int8,
  U64: uint64, U32: uint32, U16: uint16, U8: uint8, BOOL: uint8,
};

function isType(dtype: string): dtype is keyof typeof types {
  return Object.hasOwn(types, dtype);
}

function isEntry(value: unknown): value is Entry {
  if (!isObject(value)) return false;
  const { dtype, shape, data_offsets: offsets } = value;
  const areSizes = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((size) => Number.isSafeInteger(size) && size >= 0);
  return typeof dtype === "string" && areSizes(shape) && areSizes(offsets) && offsets.length === 2;
}
