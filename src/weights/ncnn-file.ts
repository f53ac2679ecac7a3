/**
 * Networks of ncnn: a text with a line for each layer (`.param`), and the weights in the order of the layers
 * (`.bin`). Here both are one piece, the text first; `readWeightFile` of the upscale room puts them together.
 *
 * A line is
 *
 *     TYPE NAME INPUTS OUTPUTS <names of the inputs> <names of the outputs> KEY=VALUE …
 *
 * where a key of -23300 - k and below means that parameter k is a list: its length, and its values. A
 * convolution's weights begin with four bytes that say how they are written; everything else is float32.
 */

import type { NamedArray } from "../nn/module.ts";
import { excerpt } from "../options/printable.ts";
import { DataError } from "../picture/errors.ts";
import { float16, float32 } from "./number-formats.ts";

/** A network of ncnn as a file describes it. */
export interface NcnnFile {
  /** Tensors by the names of their layers, in the order of the layers: NAME.weight, .bias, .slope (PReLU), .data. */
  readonly tensors: Map<string, NamedArray>;
  /**
   * What the layers do, in their order, a word for each: `C3` a convolution of 3x3 pixels, `P` PReLU, `R0.2` leaky
   * ReLU, `S` SiLU, `G` sigmoid, `K` concatenation, `+`, `-`, `*`, with a number if the other operand is one, `N2`
   * and `B2` enlarging by repetition and bicubic interpolation, `X2` pixel shuffle, `U2` its inverse, `M` constant.
   * What layers are connected to is left out.
   */
  readonly operations: string;
}

/** More than any network that is known here has; RRDBNet of 23 blocks has 1000. */
const MAX_LAYERS = 20_000;
const MAX_LINE_LENGTH = 4096;

/** Does a file begin as one of ncnn's texts does? */
export function looksLikeNcnn(bytes: Uint8Array): boolean {
  const begin = textStart(bytes);
  const start = String.fromCharCode(...bytes.subarray(begin, begin + 16));
  return /^7767517\s/.test(start);
}

/** Behind the mark that some editors put in front of UTF-8. */
function textStart([a, b, c]: Uint8Array): number {
  return a === 0xef && b === 0xbb && c === 0xbf ? 3 : 0;
}

/** @throws DataError if the bytes are no such network, or not all of it; for layers that are not known here too */
export function parseNcnn(bytes: Uint8Array, name: string): NcnnFile {
  const reader = new Reader(bytes, name);
  if (reader.line().trim() !== "7767517") reader.fail("it does not begin with ncnn's number, 7767517");
  const count = Number(/^\s*(\d+)\s+\d+\s*$/.exec(reader.line())?.[1]);
  if (!(count >= 1 && count <= MAX_LAYERS))
    reader.fail("its second line does not say how many layers there are");
  const layers = Array.from({ length: count }, () => layerOf(reader));
  if (reader.atEnd) {
    throw new DataError(
      `${name}: this is the text of an ncnn network alone. Its weights are in the file of the same name that ends in ` +
        ".bin: put it beside this one.",
    );
  }
  const tensors = new Map<string, NamedArray>();
  const words = layers.flatMap((layer) => operationOf(layer, reader, tensors));
  if (!reader.atEnd) reader.fail("the weights are more than the layers take. Do both parts belong together?");
  return { tensors, operations: words.join(" ") };
}

interface Layer {
  readonly type: string;
  readonly name: string;
  /** Parameters by their keys; lists have more or fewer values than one. */
  readonly params: ReadonlyMap<number, readonly number[]>;
}

function layerOf(reader: Reader): Layer {
  const line = reader.line();
  const [type, name, inputs, outputs, ...rest] = line.trim().split(/\s+/);
  const blobs = Number(inputs) + Number(outputs);
  if (name === undefined || !Number.isInteger(blobs) || blobs < 0 || rest.length < blobs) {
    reader.fail(`there is no layer in its line ${excerpt(line)}`);
  }
  const params = new Map<number, readonly number[]>();
  for (const text of rest.slice(blobs)) {
    const [, key, list] = /^(-?\d+)=(\S+)$/.exec(text) ?? [];
    const values = (list ?? "").split(",").map(Number);
    if (list === undefined || !values.every(Number.isFinite)) {
      reader.fail(`the layer ${excerpt(name)} has the parameter ${excerpt(text)}`);
    }
    if (Number(key) <= -23300) params.set(-23300 - Number(key), values.slice(1));
    else params.set(Number(key), values);
  }
  return { type, name, params };
}

/** What a layer does, in words; reads its weights. */
function operationOf(layer: Layer, reader: Reader, tensors: Map<string, NamedArray>): string[] {
  const { type, name } = layer;
  const param = (key: number, otherwise = 0) => layer.params.get(key)?.[0] ?? otherwise;
  const store = (kind: string, shape: readonly number[], data: Float32Array) => {
    const key = `${name}.${kind}`;
    if (tensors.has(key)) reader.fail(`two layers are called ${excerpt(name)}`);
    tensors.set(key, { shape, data });
  };
  const unknown = (what: string): never => {
    throw new DataError(
      `${reader.name}: the layer ${excerpt(name)} of this ncnn network is ${what}, which none of the networks that ` +
        "are read from ncnn has: Compact, SPAN and RRDBNet. Look for the model as .pth or safetensors.",
    );
  };
  switch (type) {
    case "Input":
    case "Split":
    case "Noop":
      return [];
    case "Convolution": {
      const [out, width, size] = [param(0), param(1), param(6)];
      const isPlain =
        [param(11, width), ...[2, 12, 3, 13].map((key) => width * param(key, 1))].every((v) => v === width) &&
        [4, 14, 15, 16].every((key, i) => param(key, i === 0 ? 0 : param(4)) === (width - 1) / 2) &&
        [8, 18, 19].every((key) => param(key) === 0);
      if (!isPlain)
        unknown("a convolution with a stride, another padding than half its size, or whole numbers");
      const channels = size / (out * width * width);
      if (![out, width, channels].every((v) => Number.isInteger(v) && v > 0)) {
        reader.fail(`the sizes of the layer ${excerpt(name)} do not fit each other`);
      }
      store("weight", [out, channels, width, width], reader.weights(size));
      if (param(5) === 1) store("bias", [out], reader.numbers(out));
      const activation = param(9);
      if (activation === 0) return [`C${width}`];
      if (activation === 1) return [`C${width}`, "R0"];
      if (activation === 2) return [`C${width}`, `R${param(10)}`];
      return unknown(`a convolution with the activation ${activation}`);
    }
    case "PReLU":
      store("slope", [param(0)], reader.numbers(param(0)));
      return ["P"];
    case "MemoryData": {
      const shape = [0, 1, 2].map((key) => Math.max(1, param(key)));
      store("data", shape, reader.numbers(shape.reduce((a, b) => a * b)));
      return ["M"];
    }
    case "ReLU":
      return [`R${param(0)}`];
    case "Swish":
      return ["S"];
    case "Sigmoid":
      return ["G"];
    case "Concat":
      return param(0) === 0 ? ["K"] : unknown("a concatenation along another axis than the channels");
    case "PixelShuffle":
      return param(1) === 0 ? [`X${param(0)}`] : unknown("a pixel shuffle in another order");
    case "Reorg":
      return param(1) === 0 ? [`U${param(0)}`] : unknown("a pixel unshuffle in another order");
    case "Interp": {
      const kind = { 1: "N", 2: "L", 3: "B" }[param(0)];
      return kind && param(1) === param(2)
        ? [`${kind}${param(1)}`]
        : unknown("a resize to a size of its own");
    }
    case "BinaryOp": {
      const sign = ["+", "-", "*"][param(0)];
      if (sign === undefined) unknown(`the operation ${param(0)} of two operands`);
      return [param(1) === 1 ? `${sign}${param(2)}` : sign];
    }
    case "Eltwise": {
      // The sum of two, each with a factor.
      const [first = 1, second = 1, ...others] = layer.params.get(1) ?? [];
      if (param(0) !== 1 || second !== 1 || others.length > 0) unknown("an operation on two operands");
      return first === 1 ? ["+"] : [`*${first}`, "+"];
    }
    default:
      return unknown(`a ${excerpt(type)}`);
  }
}

/** Reads lines, then numbers. */
class Reader {
  readonly name: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;

  constructor(bytes: Uint8Array, name: string) {
    this.name = name;
    this.#bytes = bytes;
    this.#at = textStart(bytes);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  fail(why: string): never {
    throw new DataError(
      `${this.name}: this is no whole ncnn network: ${why.replace(/([^.?])$/, "$1.")} Download both parts again, or ` +
        "look for the model as .pth or safetensors.",
    );
  }

  line(): string {
    const end = this.#bytes.subarray(this.#at, this.#at + MAX_LINE_LENGTH).indexOf(10);
    if (end < 0) this.fail("its text ends too early, or has a line of more than 4096 bytes");
    const text = String.fromCharCode(...this.#bytes.subarray(this.#at, this.#at + end));
    this.#at += end + 1;
    return text;
  }

  numbers(count: number): Float32Array {
    return this.#take(count, 4, (at) => float32.read(this.#view, at, true));
  }

  /** Numbers with a word before them that says how they are written. */
  weights(count: number): Float32Array {
    this.#need(4);
    const word = this.#view.getUint32(this.#at, true);
    this.#at += 4;
    if (word === 0 || word === 0x0002c056) return this.numbers(count);
    if (word !== 0x01306b47) {
      const kind = word === 0x000d4b38 ? "whole numbers of 8 bits" : "a table of 256 values";
      throw new DataError(
        `${this.name}: the weights of this ncnn network are written as ${kind}, and pixelgrad reads floats of 32 and ` +
          "16 bits. Look for the model in one of these.",
      );
    }
    const values = this.#take(count, 2, (at) => float16.read(this.#view, at, true));
    this.#at += (2 * count) % 4; // the next numbers begin at a multiple of four
    return values;
  }

  /** Takes memory only for what the file has. */
  #take(count: number, size: number, read: (at: number) => number): Float32Array {
    if (!(Number.isInteger(count) && count > 0)) this.fail("a layer has no numbers");
    this.#need(count * size);
    const values = Float32Array.from({ length: count }, (_, i) => read(this.#at + i * size));
    this.#at += count * size;
    return values;
  }

  #need(bytes: number): void {
    const present = this.#bytes.length - this.#at;
    if (bytes > present) this.fail(`a layer has ${bytes} bytes of weights, and ${present} are left`);
  }
}
