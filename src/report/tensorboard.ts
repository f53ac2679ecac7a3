// Curves and pictures for TensorBoard: `tensorboard --logdir runs`.
//
// An event file is a sequence of records (TFRecord): the length of the data as a 64-bit number, a checksum of
// the length, the data, a checksum of the data; all numbers little endian. The data is a protocol buffer,
// `Event` of tensorflow/core/util/event.proto. A protocol buffer is a sequence of fields: a number that says
// which field and how it is written, then its value. Only the fields that are needed are below.

import { encodePng } from "../files/image-files.ts";
import { crc32c } from "../picture/crc.ts";
import type { Image } from "../picture/image.ts";

/** The record that an event file begins with. */
export function eventFileHeader(): Uint8Array {
  return event(bytes(3, Buffer.from("brain.Event:2")));
}

/** Numbers by name, such as { loss, "lr/adam" }, at a training step. */
export function scalarEvent(step: number, values: Readonly<Record<string, number>>): Uint8Array {
  const entries = Object.entries(values).map(([tag, value]) =>
    message(bytes(1, Buffer.from(tag)), float(2, value)),
  );
  return summaryEvent(step, entries);
}

/** A picture at a training step. */
export async function imageEvent(step: number, tag: string, image: Image): Promise<Uint8Array> {
  const { width, height, channels } = image;
  const png = await encodePng(image);
  const picture = message(varint(1, height), varint(2, width), varint(3, channels), bytes(4, png));
  return summaryEvent(step, [message(bytes(1, Buffer.from(tag)), bytes(4, picture))]);
}

function summaryEvent(step: number, values: readonly Uint8Array[]): Uint8Array {
  return event(varint(2, step), bytes(5, message(...values.map((value) => bytes(1, value)))));
}

/** The record of an event at the present time. */
function event(...fields: readonly Uint8Array[]): Uint8Array {
  const data = message(double(1, Date.now() / 1000), ...fields);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  return message(length, maskedCrc(length), data, maskedCrc(data));
}

/** TFRecord's masking: a plain checksum is weak for data that contains checksums. */
function maskedCrc(data: Uint8Array): Uint8Array {
  const crc = crc32c(data);
  const out = Buffer.alloc(4);
  out.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  return out;
}

// ---- Fields of protocol buffers: (number << 3 | type), value

function varint(field: number, value: number): Uint8Array {
  return message(digits(field << 3), digits(value));
}

function double(field: number, value: number): Uint8Array {
  const out = Buffer.alloc(8);
  out.writeDoubleLE(value);
  return message(digits((field << 3) | 1), out);
}

function bytes(field: number, value: Uint8Array): Uint8Array {
  return message(digits((field << 3) | 2), digits(value.length), value);
}

function float(field: number, value: number): Uint8Array {
  const out = Buffer.alloc(4);
  out.writeFloatLE(value);
  return message(digits((field << 3) | 5), out);
}

/** A whole number in groups of seven bits, the lowest first; all but the last have their eighth bit set. */
function digits(value: number): Uint8Array {
  const out: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) out.push((value % 128) + 128);
  return Uint8Array.from([...out, value]);
}

/** Parts, one after the other. */
function message(...fields: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(fields);
}
