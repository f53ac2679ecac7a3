/**
 * Weights in files of TensorFlow (frozen graphs, .pb) and ONNX. Both are protocol buffers: a message is a
 * list of fields, each a number and contents, and contents may be messages again. Field numbers are from
 * tensorflow's graph.proto, node_def.proto, attr_value.proto and tensor.proto, and from onnx.proto.
 */
import type { NamedArray } from "../../src/nn/module.ts";

/** Contents by field number, in the order of the file: numbers, or bytes. */
type Message = Map<number, (number | Buffer)[]>;

export function parseMessage(bytes: Buffer): Message {
  const message: Message = new Map();
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const field = Math.floor(key / 8);
    const fixed = { 1: 8, 5: 4 }[key % 8];
    if (key % 8 === 0) {
      append(field, varint());
    } else {
      const length = fixed ?? varint();
      append(field, bytes.subarray(at, at + length));
      at += length;
    }
  }
  return message;

  function append(field: number, contents: number | Buffer) {
    message.set(field, [...(message.get(field) ?? []), contents]);
  }
}

const messages = (message: Message, field: number) =>
  (message.get(field) ?? []).map((contents) => parseMessage(contents as Buffer));
const text = (message: Message, field: number) => String(message.get(field)?.[0] ?? "");
const floats = (bytes: Buffer) =>
  Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));

/** The float constants of a frozen TensorFlow graph, by name. */
export function readTensorflowConstants(bytes: Buffer): Map<string, NamedArray> {
  const constants = new Map<string, NamedArray>();
  for (const node of messages(parseMessage(bytes), 1)) {
    if (text(node, 2) !== "Const") continue;
    const value = messages(node, 5).find((attribute) => text(attribute, 1) === "value")!;
    const [tensor] = messages(messages(value, 2)[0], 8);
    if (tensor.get(1)?.[0] !== 1) continue; // not DT_FLOAT
    const [shapeMessage] = messages(tensor, 2);
    const shape = messages(shapeMessage, 2).map((dim) => dim.get(1)![0] as number);
    // The values as bytes, or one by one.
    const data = floats((tensor.get(4) ?? tensor.get(5))![0] as Buffer);
    constants.set(text(node, 1), { shape, data });
  }
  return constants;
}

/** The float weights (initializers) of an ONNX model, by name. */
export function readOnnxWeights(bytes: Buffer): Map<string, NamedArray> {
  const [graph] = messages(parseMessage(bytes), 7);
  const weights = messages(graph, 5).map((tensor): [string, NamedArray] => [
    text(tensor, 8),
    { shape: tensor.get(1) as number[], data: floats(tensor.get(9)![0] as Buffer) },
  ]);
  return new Map(weights);
}
