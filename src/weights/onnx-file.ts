import { ArgumentError } from "../options/arguments.ts";
/**
 * The file format of ONNX: a protocol buffer, in which a message is a list of fields, each a number and its
 * contents. Field numbers are those of onnx.proto; only what networks need is here.
 */

/** Where its operations are defined. 17 is that of ONNX 1.12, which every runtime of today reads. */
export const OPSET = 17;
const IR_VERSION = 8;

// ---- Protocol buffers

type Bytes = Uint8Array<ArrayBuffer>;

/** A whole number, seven bits to a byte, the lowest first; negative ones as if they had 64 bits. */
function varint(value: number | bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

function concatBytes(parts: readonly ArrayLike<number>[]): Bytes {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function integer(field: number, value: number | bigint): Bytes {
  return Uint8Array.from([...varint(8 * field), ...varint(value)]);
}

function float(field: number, value: number): Bytes {
  return concatBytes([varint(8 * field + 5), new Uint8Array(Float32Array.of(value).buffer)]);
}

/** Bytes, a text, or a message made of its fields. */
function contents(field: number, ...parts: readonly (Uint8Array | string)[]): Bytes {
  const bytes = parts.map((part) => (typeof part === "string" ? new TextEncoder().encode(part) : part));
  const length = bytes.reduce((sum, part) => sum + part.length, 0);
  return concatBytes([varint(8 * field + 2), varint(length), ...bytes]);
}

// ---- ONNX

/** A number is an integer here; a float is written as one by `{ float }`. */
export type Attribute = number | string | readonly number[] | { readonly float: number };

export interface OnnxNode {
  /** The operation's name in ONNX: "Conv". */
  readonly type: string;
  /** Names of values; "" for one that is left out. */
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A constant or a weight. */
export interface OnnxTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** float32, or int64 for sizes. */
  readonly data: Float32Array | BigInt64Array;
}

/** An input or an output of the whole: a size is a number, or a name where any will do. */
export interface OnnxValue {
  readonly name: string;
  readonly shape: readonly (number | string)[];
}

export interface OnnxModel {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly tensors: readonly OnnxTensor[];
  readonly input: OnnxValue;
  readonly output: OnnxValue;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Protocol buffers end below this. */
const MAX_BYTES = 2 ** 31 - 2 ** 16;

/** @throws RangeError for a network of 2 GiB or more, which ONNX keeps in several files. */
export function serializeOnnx({ name, nodes, tensors, input, output, metadata }: OnnxModel): Bytes {
  const weights = tensors.reduce((sum, { data }) => sum + data.byteLength, 0);
  if (weights > MAX_BYTES) {
    throw new ArgumentError(
      "serializeOnnx",
      `${weights} bytes of weights are more than one ONNX file can have.`,
    );
  }
  const graph = [
    ...nodes.map((node, i) => contents(1, ...nodeOf(node, i))),
    contents(2, name),
    ...tensors.map((tensor) => contents(5, ...tensorOf(tensor))),
    contents(11, ...sizedValue(input)),
    contents(12, ...sizedValue(output)),
  ];
  return concatBytes([
    integer(1, IR_VERSION),
    contents(2, "pixelgrad"),
    contents(7, ...graph),
    contents(8, contents(1, ""), integer(2, OPSET)),
    ...Object.entries(metadata).map(([key, value]) => contents(14, contents(1, key), contents(2, value))),
  ]);
}

function nodeOf({ type, inputs, output, attributes }: OnnxNode, i: number): Bytes[] {
  return [
    ...inputs.map((input) => contents(1, input)),
    contents(2, output),
    contents(3, `${type} ${i}`),
    contents(4, type),
    ...Object.entries(attributes).map(([key, value]) => contents(5, contents(1, key), ...attributeOf(value))),
  ];
}

function attributeOf(value: Attribute): Bytes[] {
  if (typeof value === "number") return [integer(3, value), integer(20, 2)];
  if (typeof value === "string") return [contents(4, value), integer(20, 3)];
  if ("float" in value) return [float(2, value.float), integer(20, 1)];
  return [...value.map((item) => integer(8, item)), integer(20, 7)];
}

function tensorOf({ name, shape, data }: OnnxTensor): Bytes[] {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return [
    ...shape.map((size) => integer(1, size)),
    integer(2, data instanceof Float32Array ? 1 : 7),
    contents(8, name),
    contents(9, raw),
  ];
}

function sizedValue({ name, shape }: OnnxValue): Bytes[] {
  const sizes = shape.map((size) =>
    contents(1, typeof size === "number" ? integer(1, size) : contents(2, size)),
  );
  return [contents(1, name), contents(2, contents(1, integer(1, 1), contents(2, ...sizes)))];
}
