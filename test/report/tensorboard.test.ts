/**
 * Event files, read back by a reader that shares only the checksum with the writer; the checksum, against the
 * examples of RFC 3720; and one file, byte for byte, that TensorBoard 2.21's own reader has accepted.
 */
import { createHash } from "node:crypto";
import { afterEach, describe, expect, test, vi } from "vitest";
import { decodeImage } from "../../src/data/index.ts";
import { crc32c } from "../../src/picture/crc.ts";
import { eventFileHeader, imageEvent, scalarEvent } from "../../src/report/tensorboard.ts";

/** What `make` returns at a time in seconds. */
function at<T>(seconds: number, make: () => T): T {
  vi.setSystemTime(1000 * seconds);
  return make();
}
afterEach(() => void vi.useRealTimers());

describe("CRC-32C", () => {
  const bytes = (value: (i: number) => number) => Uint8Array.from({ length: 32 }, (_, i) => value(i));
  test.each([
    ["32 zeros", bytes(() => 0), 0x8a9136aa],
    ["32 ones", bytes(() => 255), 0x62a8ab43],
    ["ascending", bytes((i) => i), 0x46dd794e],
    ["descending", bytes((i) => 31 - i), 0x113fdb5c],
    ["123456789", new TextEncoder().encode("123456789"), 0xe3069283],
    ["nothing", new Uint8Array(), 0],
  ])("%s", (_, data, want) => expect(crc32c(data)).toBe(want));
});

/** The data of each record; checks lengths and checksums. */
function records(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const unmasked = (at: number) => {
    const rotated = (view.getUint32(at, true) - 0xa282ead8) >>> 0;
    return ((rotated << 15) | (rotated >>> 17)) >>> 0;
  };
  const all: Uint8Array[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(view.getBigUint64(at, true));
    const data = file.subarray(at + 12, at + 12 + length);
    expect(unmasked(at + 8)).toBe(crc32c(file.subarray(at, at + 8)));
    expect(unmasked(at + 12 + length)).toBe(crc32c(data));
    all.push(data);
    at += length + 16;
  }
  return all;
}

/** A protocol buffer's fields: numbers, and bytes for all that has a length. */
function fields(data: Uint8Array): [number, number | Uint8Array][] {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = data[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(value);
    }
  };
  const all: [number, number | Uint8Array][] = [];
  while (at < data.length) {
    const key = varint();
    const field = key >> 3;
    const type = key & 7;
    expect([0, 1, 2, 5]).toContain(type);
    if (type === 0) {
      all.push([field, varint()]);
      continue;
    }
    const length = type === 1 ? 8 : type === 5 ? 4 : varint();
    const value = data.subarray(at, at + length);
    const number =
      type === 1 ? view.getFloat64(at, true) : type === 5 ? view.getFloat32(at, true) : undefined;
    all.push([field, number ?? value]);
    at += length;
  }
  expect(at).toBe(data.length);
  return all;
}

const text = (value: number | Uint8Array) => new TextDecoder().decode(value as Uint8Array);

test("a file's first record names the format", () => {
  const [record, ...others] = records(at(1700000000.5, eventFileHeader));
  expect(others).toEqual([]);
  const [[timeField, time], [versionField, version]] = fields(record);
  expect([timeField, time]).toEqual([1, 1700000000.5]);
  expect([versionField, text(version)]).toEqual([3, "brain.Event:2"]);
});

test.each([0, 1, 127, 128, 300_000, 2 ** 31, 2 ** 40])("scalars at step %d", (step) => {
  const [record] = records(at(3, () => scalarEvent(step, { "train/loss": 0.25, "train/lr": 1e-4 })));
  const [time, count, [summaryField, summary]] = fields(record);
  expect([time, count, summaryField]).toEqual([[1, 3], [2, step], 5]);
  const values = fields(summary as Uint8Array).map(([field, value]) => {
    const [[tagField, tag], [valueField, number]] = fields(value as Uint8Array);
    return [field, tagField, text(tag), valueField, number];
  });
  expect(values).toEqual([
    [1, 1, "train/loss", 2, 0.25],
    [1, 1, "train/lr", 2, Math.fround(1e-4)],
  ]);
});

test("a picture", async () => {
  const data = Uint8Array.from({ length: 3 * 7 * 5 }, (_, i) => (i * 37) % 256);
  const image = { width: 7, height: 5, channels: 3 as const, data };
  const [record] = records(await imageEvent(9, "valid/comparison", image));
  const value = fields(fields(record)[2][1] as Uint8Array)[0][1] as Uint8Array;
  const [[, tag], [field, picture]] = fields(value);
  expect([text(tag), field]).toEqual(["valid/comparison", 4]);
  const [height, width, channels, png] = fields(picture as Uint8Array);
  expect([height, width, channels, png[0]]).toEqual([[1, 5], [2, 7], [3, 3], 4]);
  expect(await decodeImage(png[1] as Uint8Array, "the event's picture")).toEqual(image);
});

test("the file that TensorBoard has accepted", () => {
  const file = Buffer.concat([
    at(1700000000.5, eventFileHeader),
    at(1700000001, () => scalarEvent(1, { "train/loss": 0.5 })),
    at(1700000002.25, () => scalarEvent(300_000, { "train/loss": 0.25, "valid/psnr": 33.125 })),
  ]);
  const accepted = "68cbb01a783b8e01422b103ba69e1c38c47dbefaf6f29746285bb6ac2fec7d4a";
  expect(createHash("sha256").update(file).digest("hex")).toBe(accepted);
});
