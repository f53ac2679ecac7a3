/** Weight files: there and back, from other programs, and broken ones. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { setDefaultDevice } from "../../src/device/open.ts";
import { EDSR } from "../../src/models/edsr.ts";
import { type NamedArray, PReLU } from "../../src/nn/index.ts";
import { DataError } from "../../src/picture/errors.ts";
import { Random } from "../../src/tensor/random.ts";
import { loadWeights, parseSafetensors, saveWeights, serializeSafetensors } from "../../src/weights/index.ts";
import { cpuTime } from "../support/cpu-time.ts";
import { float32Device } from "../support/devices.ts";

setDefaultDevice(float32Device());

const array = (shape: number[], values: number[]): NamedArray => ({ shape, data: Float32Array.from(values) });
const tensors = new Map([
  ["a.weight", array([2, 3], [1, -2, 0.1, 4, Number.POSITIVE_INFINITY, -0])],
  ["b", array([], [7])],
  ["ünï", array([1], [1e-45])], // the smallest f32 above 0
]);

/** A file with this header and these tensor bytes. */
function file(header: unknown, data: Uint8Array | number[] = []): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

describe("serialize and parse", () => {
  test("there and back, with metadata", () => {
    const bytes = serializeSafetensors(tensors, { scale: "2", note: "ä" });
    const read = parseSafetensors(bytes);
    expect(read.tensors).toEqual(tensors);
    expect(read.metadata).toEqual({ scale: "2", note: "ä" });
    expect(Object.is(read.tensors.get("a.weight")!.data[5], -0)).toBe(true);
  });

  test("tensors start at a multiple of 8, as other readers need", () => {
    for (const name of ["a", "ab", "abc", "abcd", "abcde"]) {
      const bytes = serializeSafetensors(new Map([[name, array([1], [5])]]));
      expect(new DataView(bytes.buffer).getBigUint64(0, true) % 8n).toBe(0n);
      expect(parseSafetensors(bytes).tensors.get(name)!.data[0]).toBe(5);
    }
  });

  test("bytes that begin inside a larger buffer", () => {
    const bytes = serializeSafetensors(tensors);
    const larger = new Uint8Array(bytes.length + 10);
    larger.set(bytes, 3);
    expect(parseSafetensors(larger.subarray(3, 3 + bytes.length)).tensors).toEqual(tensors);
  });

  test("no tensors at all", () => {
    expect(parseSafetensors(serializeSafetensors(new Map())).tensors.size).toBe(0);
    expect(parseSafetensors(file({})).metadata).toEqual({});
  });

  test("files written by Python", () => {
    // Made with the safetensors package of Python: test/golden/make.py.
    const bytes = readFileSync(new URL("../golden/edsr.safetensors", import.meta.url));
    const { tensors, metadata } = parseSafetensors(bytes, "edsr.safetensors");
    expect(Object.keys(JSON.parse(metadata.golden).cases)).toContain("x2");
    expect(tensors.get("x2/before/body.0.body.0.weight")!.shape).toEqual([8, 8, 3, 3]);
    for (const { shape, data } of tensors.values()) {
      expect(data.length).toBe(shape.reduce((product, size) => product * size, 1));
      expect(data.every(Number.isFinite)).toBe(true);
    }
  });

  test("every type of number, as Python writes it", () => {
    const read = (name: string) =>
      parseSafetensors(readFileSync(new URL(`../golden/weight-files/${name}`, import.meta.url))).tensors;
    expect(read("types-native.safetensors")).toEqual(read("types.safetensors"));
    expect([...read("types-native.safetensors").get("u32")!.data]).toEqual([0, 1, 2 ** 32]);
  });

  test("tensors of any name but that of the metadata", () => {
    const names = new Map(
      ["__proto__", "constructor", ""].map((name, i) => [name, array([1], [i])] as const),
    );
    expect(parseSafetensors(serializeSafetensors(names)).tensors).toEqual(names);
    const metadata = new Map([["__metadata__", array([1], [1])]]);
    expect(() => serializeSafetensors(metadata)).toThrow(RangeError);
    expect(() => serializeSafetensors(metadata)).toThrow(
      'serializeSafetensors: a tensor is called "__metadata__", and so are the metadata in such a file. Give it',
    );
  });

  test("F16 and BF16", () => {
    const halves = [0x3c00, 0xc000, 0x0001, 0x03ff, 0x0400, 0x7bff, 0x7c00, 0xfc00, 0x7e00, 0x8000, 0x3555];
    const brain = [0x3f80, 0xc000, 0x0001, 0x7f80, 0xff80, 0x7fc0, 0x8000, 0x3eab];
    const data = Uint8Array.from([...halves, ...brain].flatMap((bits) => [bits & 255, bits >> 8]));
    const { tensors } = parseSafetensors(
      file(
        {
          half: { dtype: "F16", shape: [halves.length], data_offsets: [0, 22] },
          brain: { dtype: "BF16", shape: [2, 4], data_offsets: [22, 38] },
        },
        data,
      ),
    );
    expect([...tensors.get("half")!.data]).toEqual([
      ...[1, -2, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, 65504],
      ...[Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, -0, 0.333251953125],
    ]);
    expect([...tensors.get("brain")!.data]).toEqual([
      ...[1, -2, 2 ** -133, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, -0, 0.333984375],
    ]);
  });
});

describe("written as F16", () => {
  const roundTrip = (values: readonly number[]) => {
    const data = Float32Array.from(values);
    const bytes = serializeSafetensors(
      new Map([["a", { shape: [data.length], data }]]),
      {},
      { dtype: "F16" },
    );
    return { bytes, read: parseSafetensors(bytes).tensors.get("a")! };
  };

  test("every half comes back, in half the bytes", () => {
    const all = Float32Array.from({ length: 0x7c01 }, (_, bits) => halfOf(bits));
    const both = [...all, ...all.map((value) => -value)];
    const { bytes, read } = roundTrip(both);
    expect(read.data.every((value, i) => Object.is(value, both[i]))).toBe(true);
    const whole = serializeSafetensors(new Map([["a", read]]));
    expect(whole.length - bytes.length).toBeGreaterThanOrEqual(2 * both.length - 8);
  });

  test("between two halves, the nearer one; in the middle, the even one", () => {
    const step = 2 ** -10; // of the halves from 1 to 2
    const cases: [value: number, half: number][] = [
      [1 + 0.49 * step, 1],
      [1 + 0.51 * step, 1 + step],
      [1 + 0.5 * step, 1],
      [1 + 1.5 * step, 1 + 2 * step],
      [2 - 0.5 * step, 2],
      [-(1 + 1.5 * step), -(1 + 2 * step)],
      [2 ** -25, 0],
      [1.5 * 2 ** -24, 2 ** -23],
      [1023.75 * 2 ** -24, 2 ** -14],
      [65519, 65504],
      [1e-30, 0],
    ];
    expect([...roundTrip(cases.map(([value]) => value)).read.data]).toEqual(cases.map(([, half]) => half));
  });

  test("what F16 cannot hold is refused by name", () => {
    expect(() => roundTrip([1, 65520])).toThrow(
      "serializeSafetensors: tensor a holds 65520, and float16 ends at 65504. Save it as float32.",
    );
    expect([...roundTrip([Infinity, -Infinity, Number.NaN]).read.data]).toEqual([
      Infinity,
      -Infinity,
      Number.NaN,
    ]);
  });

  /** The value of a positive binary16, by its definition. */
  function halfOf(bits: number): number {
    const [exponent, fraction] = [bits >> 10, bits & 1023];
    if (exponent === 31) return Infinity;
    return exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
});

test("metadata that are null are none, as to Python's safetensors", () => {
  const bytes = file(
    { __metadata__: null, a: { dtype: "F32", shape: [1], data_offsets: [0, 4] } },
    [0, 0, 0, 0],
  );
  expect(parseSafetensors(bytes)).toEqual({
    tensors: new Map([["a", { shape: [1], data: new Float32Array(1) }]]),
    metadata: {},
  });
});

describe("broken files", () => {
  test("cut short anywhere", () => {
    const bytes = serializeSafetensors(tensors, { scale: "2" });
    for (let length = 1; length < bytes.length; length++) {
      // of 0 bytes: foreign-file.test.ts
      expect(() => parseSafetensors(bytes.subarray(0, length), "w.safetensors"), `${length} bytes`).toThrow(
        /^w\.safetensors is not a complete safetensors file: .*\. Save or download it again\.$/,
      );
    }
  });

  const entry = { dtype: "F32", shape: [1], data_offsets: [0, 4] };
  test.each<[string, unknown, RegExp]>([
    ["a header that is not JSON", "{ no", /its header is not JSON/],
    ["a header that is a list", [], /its header is not a JSON object/],
    ["a header that is null", "null", /its header is not a JSON object/],
    ["metadata that is a number", { __metadata__: 3 }, /its __metadata__ is not a JSON object/],
    ["an entry that is null", { a: null }, /does not say what and where tensor a is/],
    ["an entry without a type", { a: { ...entry, dtype: undefined } }, /what and where tensor a is/],
    ["an entry without a shape", { a: { ...entry, shape: undefined } }, /what and where tensor a is/],
    ["an entry without a place", { a: { ...entry, data_offsets: undefined } }, /what and where tensor a is/],
    ["a negative size", { a: { ...entry, shape: [-1] } }, /what and where tensor a is/],
    ["a fraction as an offset", { a: { ...entry, data_offsets: [0, 4.5] } }, /what and where tensor a is/],
    ["three offsets", { a: { ...entry, data_offsets: [0, 4, 8] } }, /what and where tensor a is/],
    ["an end before the beginning", { a: { ...entry, data_offsets: [4, 0] } }, /goes from byte 4 to 0/],
    [
      "a place past the end",
      { a: { ...entry, data_offsets: [4, 8] } },
      /goes from byte 4 to 8, past the end/,
    ],
    ["a shape of another length", { a: { ...entry, shape: [2] } }, /of shape \[2\] .* or a wrong length/],
  ])("%s", (_, header, message) => {
    expect(() => parseSafetensors(file(header, [0, 0, 0, 0]), "w.safetensors")).toThrow(message);
    expect(() => parseSafetensors(file(header, [0, 0, 0, 0]), "w.safetensors")).toThrow(/^w\.safetensors/);
  });

  test("a header longer than any file", () => {
    const bytes = new Uint8Array(100).fill(255);
    expect(() => parseSafetensors(bytes)).toThrow(
      /^the safetensors file is not .* its header claims 18446744073709552000 bytes of the file's 100/,
    );
  });

  test("a number that float32 cannot hold, and not what is infinite in the file", () => {
    const withNumber = (number: number) =>
      file(
        { a: { dtype: "F64", shape: [1], data_offsets: [0, 8] } },
        new Uint8Array(Float64Array.of(number).buffer),
      );
    expect(() => parseSafetensors(withNumber(1e300), "w.safetensors")).toThrow(
      "w.safetensors holds 1e+300 in the tensor a, and float32, in which networks compute, ends at 3.4e38.",
    );
    expect([...parseSafetensors(withNumber(Infinity)).tensors.get("a")!.data]).toEqual([Infinity]);
  });

  test.each(["F8_E4M3", "C64", "F4", "toString"])("tensors of type %s", (dtype) => {
    const bytes = file({ a: { dtype, shape: [1], data_offsets: [0, 8] } }, new Uint8Array(8));
    expect(() => parseSafetensors(bytes, "w.safetensors")).toThrow(
      `w.safetensors: tensor a has type ${dtype}; F32, F16, BF16, F64, I64, I32, I16, I8, U64, U32, U16, U8 and ` +
        "BOOL can be read.",
    );
  });
});

describe("hostile files", () => {
  const f32 = (begin: number, end: number) => ({
    dtype: "F32",
    shape: [(end - begin) / 4],
    data_offsets: [begin, end],
  });

  test.each([
    ["two tensors over the same bytes", { a: f32(0, 8), b: f32(0, 8) }, "shares bytes"],
    ["one within another", { a: f32(0, 16), b: f32(4, 8), c: f32(16, 20) }, "shares bytes"],
    ["overlapping by a part", { b: f32(4, 12), a: f32(0, 8), c: f32(12, 20) }, "shares bytes"],
    [
      "a gap",
      { a: f32(0, 8), b: f32(12, 20) },
      "tensor b, from byte 12 to 20, leaves bytes before it unused",
    ],
    ["bytes before the first", { a: f32(4, 20) }, "leaves bytes before it unused"],
    ["bytes after the last", { a: f32(0, 16) }, "4 bytes at its end belong to no tensor"],
    ["no tensors, but bytes", {}, "20 bytes at its end belong to no tensor"],
    ["an end before its beginning", { a: { ...f32(0, 20), data_offsets: [20, 0] } }, "a wrong length"],
    ["a size beyond 2^53", { a: { ...f32(0, 20), shape: [2 ** 50, 2 ** 50] } }, "a wrong length"],
    [
      "a number in the metadata",
      { __metadata__: { scale: 2 }, a: f32(0, 20) },
      'metadata "scale" should be a text and is 2',
    ],
    [
      "an object in the metadata",
      { __metadata__: { a: { b: 1 } }, c: f32(0, 20) },
      'metadata "a" should be a text',
    ],
    ["a list for metadata", { __metadata__: ["a"], c: f32(0, 20) }, "__metadata__ is not a JSON object"],
  ])("%s", (_, header, message) => {
    const bytes = file(header, new Uint8Array(20));
    expect(() => parseSafetensors(bytes, "w.safetensors")).toThrow(DataError);
    expect(() => parseSafetensors(bytes, "w.safetensors")).toThrow(message);
  });

  test("thousands of names for the same bytes: refused at once", async () => {
    const names = Array.from({ length: 5000 }, (_, i) => [`t${i}`, f32(0, 200_000)]);
    const bytes = file(Object.fromEntries(names), new Uint8Array(200_000));
    const time = await cpuTime(() =>
      expect(() => parseSafetensors(bytes)).toThrow("shares bytes with another tensor"),
    );
    expect(time).toBeLessThan(1000);
  });

  test("empty tensors have no bytes to share", () => {
    const bytes = file(
      { a: f32(0, 8), b: f32(8, 8), c: f32(8, 8), d: f32(8, 12), e: f32(12, 12) },
      new Uint8Array(12),
    );
    expect(parseSafetensors(bytes).tensors.size).toBe(5);
  });

  test("names do not reach a terminal as they are", () => {
    const bytes = file(
      { "\u001b[31m\u009b1mx": { ...f32(0, 4), dtype: "\u001b]0;y\u0007" } },
      new Uint8Array(4),
    );
    expect(() => parseSafetensors(bytes)).toThrow("tensor \\x1b[31m\\x9b1mx has type \\x1b]0;y\\x07; F32");
  });

  test("a header that is not UTF-8", () => {
    const bytes = file({ a: f32(0, 4) }, new Uint8Array(4));
    bytes[10] = 0xff;
    expect(() => parseSafetensors(bytes)).toThrow("its header is not JSON");
  });
});

describe("weights of networks", () => {
  const edsr = (options: Partial<ConstructorParameters<typeof EDSR>[0]>, seed: number) =>
    new EDSR({ blocks: 1, channels: 4, ...options, random: new Random(seed) });

  test("a path in place of metadata or bytes", async () => {
    const model = new EDSR({ scale: 2, blocks: 1, channels: 4 });
    const path = "x.safetensors" as never; // as JavaScript would let it pass
    await expect(saveWeights(model, path)).rejects.toThrow(/^saveWeights: .* got "x.safetensors".*writeFile/);
    expect(() => loadWeights(model, path)).toThrow(/^loadWeights: .* got "x.safetensors".*readFile/);
    model.dispose();
  });

  test("there and back, with the network's options", async () => {
    const [model, other] = [edsr({}, 1), edsr({}, 2)];
    const bytes = await saveWeights(model, { step: "100" });
    const metadata = loadWeights(other, bytes, "w.safetensors");
    expect(metadata).toMatchObject({
      architecture: "EDSR",
      scale: "2",
      blocks: "1",
      channels: "4",
      step: "100",
    });
    expect(await other.stateDict()).toEqual(await model.stateDict());
    expect(await saveWeights(other, { step: "100" })).toEqual(bytes); // to the last byte
  });

  test("files without metadata, as other programs write them, load by their names and shapes", async () => {
    const model = edsr({}, 1);
    const other = edsr({}, 2);
    expect(loadWeights(other, serializeSafetensors(await model.stateDict()))).toEqual({});
    expect(await other.stateDict()).toEqual(await model.stateDict());
  });

  test.each([
    [{ scale: 4 }, "its scale is 2, and this network's is 4"],
    [{ blocks: 2 }, "its blocks is 1, and this network's is 2"],
    [{ resScale: 0.1 }, "its resScale is 1, and this network's is 0.1"],
    [{ rgbRange: 1 }, "its rgbRange is 255, and this network's is 1"],
  ] as const)("weights of another architecture: %o", async (options, message) => {
    const bytes = await saveWeights(edsr({}, 1));
    const model = edsr(options, 2);
    const before = await model.stateDict();
    expect(() => loadWeights(model, bytes, "runs/a/best.safetensors")).toThrow(
      `runs/a/best.safetensors holds weights of another network: ${message}. Create the network with`,
    );
    expect(await model.stateDict()).toEqual(before);
  });

  test("weights of another network without metadata: the message names the file", async () => {
    const bytes = serializeSafetensors(await edsr({ channels: 8 }, 1).stateDict());
    expect(() => loadWeights(edsr({}, 1), bytes, "other.safetensors")).toThrow(
      /^other\.safetensors does not fit this EDSR: head\.0\.weight is \[8,3,3,3\] and should be \[4,3,3,3\]/,
    );
    expect(() => loadWeights(new PReLU(), bytes, "other.safetensors")).toThrow("it lacks weight");
  });

  test("a broken file changes nothing", async () => {
    const model = edsr({}, 1);
    const before = await model.stateDict();
    const bytes = await saveWeights(edsr({}, 2));
    expect(() => loadWeights(model, bytes.subarray(0, bytes.length - 1), "w.safetensors")).toThrow(
      /^w\.safetensors is not a complete safetensors file/,
    );
    expect(await model.stateDict()).toEqual(before);
  });
});
