// Curves and pictures for TensorBoard: `tensorboard --logdir runs`.
//
// An event file is a sequence of records (TFRecord): the length of the data as a 64-bit number, a checksum of that
// number, the data, its checksum; all little endian. The data of each is a protocol buffer, `Event` of
// tensorflow/core/util/event.proto. A protocol buffer is a sequence of fields: a number that says which field and
// how it is written, then the value; of all the possible ones only those below are needed.

import { crc32c } from "../data/crc.ts";
import type { Image } from "../data/index.ts";
import { encodePng } from "../data/index.ts";

/** The record that an event file begins with. */
export function eventFileHeader(seconds = Date.now() / 1000): Uint8Array {
  return record(message(double(1, seconds), bytes(3, text("brain.Event:2"))));
}

/** Numbers by name, such as { loss, "lr/adam" }, at a step of the training. */
export function scalarEvent(
  step: number,
  values: Readonly<Record<string, number>>,
  seconds = Date.now() / 1000,
): Uint8Array {
  const entries = Object.entries(values).map(([tag, value]) => message(bytes(1, text(tag)), float(2, value)));
  return event(step, seconds, entries);
}

/** A picture at a step of the training. */
export async function imageEvent(
  step: number,
  tag: string,
  image: Image,
  seconds = Date.now() / 1000,
): Promise<Uint8Array> {
  const { width, height, channels } = image;
  const png = await encodePng(image);
  const picture = message(varint(1, height), varint(2, width), varint(3, channels), bytes(4, png));
  return event(step, seconds, [message(bytes(1, text(tag)), bytes(4, picture))]);
}

function event(step: number, seconds: number, values: readonly Uint8Array[]): Uint8Array {
  const summary = message(...values.map((value) => bytes(1, value)));
  return record(message(double(1, seconds), varint(2, step), bytes(5, summary)));
}

/** The data with its length and their checksums around it. */
function record(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(data.length + 16);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(out.subarray(0, 8)), true);
  out.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return out;
}

/** TFRecord's masking: a checksum of data that contains checksums would be a weak one. */
function maskedCrc(data: Uint8Array): number {
  const crc = crc32c(data);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

// ---- Fields of protocol buffers: (number << 3 | type), value

function varint(field: number, value: number): Uint8Array {
  return message(digits(field << 3), digits(value));
}

function double(field: number, value: number): Uint8Array {
  const out = new DataView(new ArrayBuffer(8));
  out.setFloat64(0, value, true);
  return message(digits((field << 3) | 1), new Uint8Array(out.buffer));
}

function bytes(field: number, value: Uint8Array): Uint8Array {
  return message(digits((field << 3) | 2), digits(value.length), value);
}

function float(field: number, value: number): Uint8Array {
  const out = new DataView(new ArrayBuffer(4));
  out.setFloat32(0, value, true);
  return message(digits((field << 3) | 5), new Uint8Array(out.buffer));
}

/** A whole number in groups of seven bits, the lowest first, all but the last marked with a one in front. */
function digits(value: number): Uint8Array {
  const out: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) out.push((value % 128) + 128);
  return Uint8Array.from([...out, value]);
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** Fields, one behind the other. */
function message(...fields: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(fields);
}
