/** Weight files of PyTorch: those that it has written, those that are written here, and hostile ones. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { NamedArray } from "../../src/nn/module.ts";
import { ArgumentError } from "../../src/options/arguments.ts";
import { DataError } from "../../src/picture/errors.ts";
import { PickleWriter } from "../../src/weights/pickle-writer.ts";
import { parsePytorch } from "../../src/weights/pytorch-file.ts";
import { serializePytorch, writeTensor } from "../../src/weights/pytorch-writer.ts";
import { parseSafetensors } from "../../src/weights/safetensors.ts";
import { readStoredZip, writeStoredZip } from "../../src/weights/stored-zip.ts";
import { parseWeights } from "../../src/weights/weight-file.ts";
import { testData } from "../data/support.ts";
import { cpuTime } from "../support/cpu-time.ts";

const folder = new URL("../golden/weight-files/", import.meta.url);
const golden = (name: string) => readFileSync(new URL(name, folder));
const files = readdirSync(folder).filter((name) => name.endsWith(".pth"));

const latin1 = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

/** Bit for bit, also where values are NaN or -0. */
function expectSame(got: ReadonlyMap<string, NamedArray>, want: ReadonlyMap<string, NamedArray>) {
  expect([...got.keys()].sort()).toEqual([...want.keys()].sort());
  for (const [name, { shape, data }] of want) {
    expect(got.get(name)!.shape, name).toEqual(shape);
    expect(Buffer.from(got.get(name)!.data.buffer).equals(Buffer.from(data.buffer)), name).toBe(true);
  }
}

describe("files that PyTorch has written", () => {
  test("are there", () => expect(files.length).toBe(11));

  test.each(files)("%s", (file) => {
    const want = parseSafetensors(golden(file.replace(".pth", ".safetensors"))).tensors;
    expectSame(parsePytorch(golden(file), file).tensors, want);
    expectSame(parseWeights(golden(file), file).tensors, want);
  });

  test("tensors with the same place in a file share their values", () => {
    const { tensors } = parsePytorch(golden("layouts.pth"));
    expect(tensors.get("tied")!.data).toBe(tensors.get("whole")!.data);
  });

  test.each(files)(
    "%s cut short, and with a byte changed anywhere: read or refused, never broken",
    (file) => {
      const bytes = golden(file);
      for (let length = 0; length < bytes.length; length += 7) {
        expect(() => parsePytorch(bytes.subarray(0, length), "x.pth")).toThrow(DataError);
      }
      for (let at = 0; at < bytes.length; at++) {
        const changed = Uint8Array.from(bytes);
        changed[at] ^= 0x55;
        try {
          parsePytorch(changed, "x.pth");
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      }
    },
  );
});

const zoo = testData("weights/zoo");
describe.skipIf(zoo === undefined)("published files", () => {
  test.each([
    ["ntire2026_team00_SPAN.pth", 44, "conv_1.eval_conv.weight", [28, 3, 3, 3]],
    ["ntire2026_team18_DISP.pth", 38, "conv_1.eval_conv.weight", [32, 3, 3, 3]],
  ])("%s", (file, count, name, shape) => {
    const { tensors } = parsePytorch(readFileSync(join(zoo!, file)), file);
    expect(tensors.size).toBe(count);
    expect(tensors.get(name)!.shape).toEqual(shape);
    for (const { data } of tensors.values()) expect(data.every(Number.isFinite)).toBe(true);
  });
});

describe("files that are written here", () => {
  const state = new Map<string, NamedArray>([
    ["a.weight", { shape: [2, 3], data: Float32Array.of(1, -2, 3.5, NaN, -0, 1e-42) }],
    ["größe", { shape: [], data: Float32Array.of(7) }],
    ["wide", { shape: [70_000], data: new Float32Array(70_000).fill(0.1) }],
  ]);

  test("come back bit for bit, with their metadata", () => {
    const metadata = { architecture: "ESPCN", note: "é" };
    const bytes = serializePytorch(state, metadata);
    expectSame(parsePytorch(bytes).tensors, state);
    expect(parsePytorch(bytes).metadata).toEqual(metadata);
  });

  test("contents begin at multiples of 64 bytes, as PyTorch wants them to map files into memory", () => {
    const bytes = serializePytorch(state);
    for (const content of readStoredZip(bytes).values()) expect(content.byteOffset % 64).toBe(0);
  });

  test("float16 takes half the bytes, and refuses what it cannot hold", () => {
    const bytes = serializePytorch(state, {}, { dtype: "float16" });
    expect(bytes.length).toBeLessThan(0.51 * serializePytorch(state).length);
    expect(parsePytorch(bytes).tensors.get("a.weight")!.data[2]).toBe(3.5);
    const large = new Map([["x", { shape: [1], data: Float32Array.of(1e5) }]]);
    expect(() => serializePytorch(large, {}, { dtype: "float16" })).toThrow(
      new ArgumentError(
        "serializePytorch",
        "tensor x holds 100000, and float16 ends at 65504. Save it as float32.",
      ),
    );
  });
});

// ---- Hostile files

const storage = (key: string, count: string) =>
  `(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0${key}X\x03\0\0\0cpu${count}tQ`;
const four = "K\x04";
/** A tensor [n] of a storage with 4 numbers. */
const tensorOf = (sizes: string, strides: string, offset = "K\0") =>
  `ctorch._utils\n_rebuild_tensor_v2\n(${storage("0", four)}${offset}(${sizes}t(${strides}t\x89}tR`;
const plain = tensorOf(four, "K\x01");
const dictOf = (...entries: string[]) =>
  `\x80\x02}(${entries.map((entry, i) => `X\x01\0\0\0${"abcdefgh"[i]}${entry}`).join("")}u.`;
const archive = (pickle: string, others: Record<string, Uint8Array> = {}) =>
  writeStoredZip(
    new Map(Object.entries({ "x/data.pkl": latin1(pickle), "x/data/0": new Uint8Array(16), ...others })),
  );

test("the parts of the hostile files are right by themselves", () => {
  expect(parsePytorch(archive(dictOf(plain))).tensors.get("a")!.shape).toEqual([4]);
});

describe("what is not a tensor is refused by its name, and nothing is executed", () => {
  test.each<[string, string, string]>([
    ["a command", "cposix\nsystem\n(X\x06\0\0\0touch xtR.", "posix.system"],
    ["one of Windows", "cnt\nsystem\n(X\x03\0\0\0dirtR.", "nt.system"],
    ["eval", "\x80\x02c__builtin__\neval\n(X\x03\0\0\x01+1tR.", "__builtin__.eval"],
    ["by protocol 4", "\x80\x04\x8c\x08builtins\x8c\x04exec\x93(X\x01\0\0\x01tR.", "builtins.exec"],
    ["by INST", "(X\x02\0\0\0lsios\nsystem\n.", "os.system"],
    ["getattr", "\x80\x02cbuiltins\ngetattr\n(tR.", "builtins.getattr"],
    ["hidden in a dictionary", dictOf(plain, "csubprocess\nPopen\n(tR"), "subprocess.Popen"],
    ["a network as a whole", "\x80\x02cmodels.rrdbnet\nRRDBNet\n)\x81.", "models.rrdbnet.RRDBNet"],
    ["a name out of JavaScript", "\x80\x02c__proto__\nconstructor\n)R.", "__proto__.constructor"],
    ["a name that a terminal would obey", "c\x1b[31m\nx\n.", "\\x1b[31m.x"],
  ])("%s", (_, pickle, name) => {
    const message = `evil.pth refers to ${name}, and a weight file holds tensors alone`;
    expect(() => parsePytorch(archive(pickle), "evil.pth")).toThrow(DataError);
    expect(() => parsePytorch(archive(pickle), "evil.pth")).toThrow(message);
    // In a stream the same.
    const stream = Buffer.concat([
      golden("types-stream.pth").subarray(0, 15),
      latin1("\x80\x02M\xe9\x03."),
      latin1("\x80\x02}."),
      latin1(pickle),
    ]);
    expect(() => parsePytorch(stream, "evil.pth")).toThrow(message);
  });

  test.each(["float8_e4m3fn", "float8_e5m2", "float4_e2m1fn_x2", "uint4"])(
    "numbers of the type %s, with what to do",
    (type) => {
      const load = () => parsePytorch(archive(dictOf(`ctorch\n${type}\n`)), "net.pth");
      expect(load).toThrow(DataError);
      expect(load).toThrow(
        `net.pth has numbers of the type torch.${type}, which is not read. In Python, save`,
      );
    },
  );
});

// The names are those that PyTorch 2.15 writes for such tensors.
test.each([
  ["torch", "ComplexFloatStorage", "complex numbers", "torch.view_as_real(tensor)"],
  ["torch", "complex32", "complex numbers", "torch.view_as_real(tensor)"],
  ["torch", "QInt8Storage", "quantized tensors", "tensor.dequantize()"],
  ["torch._utils", "_rebuild_qtensor", "quantized tensors", "tensor.dequantize()"],
  ["torch._utils", "_rebuild_sparse_tensor", "sparse tensors", "tensor.to_dense()"],
  ["torch._utils", "_rebuild_nested_tensor", "nested tensors", "tensor.unbind() has"],
  ["torch.nested._internal.nested_tensor", "_rebuild_njt", "nested tensors", "tensor.unbind()"],
  ["torch._utils", "_rebuild_meta_tensor_no_storage", 'tensors of the device "meta"', "load the weights"],
  ["torch._utils", "_rebuild_device_tensor_from_numpy", "tensors of a special kind", "tensor.float().cpu()"],
])("tensors that are not read, %s.%s, by their kind, with what to do", (module, name, kind, remedy) => {
  const load = () => parsePytorch(archive(dictOf(`c${module}\n${name}\n(tR`)), "net.pth");
  expect(load).toThrow(DataError);
  expect(load).toThrow(`net.pth has ${kind}`);
  expect(load).toThrow(
    `(${module}.${name}), which are not read. In Python, make ordinary tensors of them before you save: ${remedy}`,
  );
});

describe("programs of TorchScript", () => {
  const text = (letters: string) => `X${String.fromCharCode(letters.length)}\0\0\0${letters}`;
  const module = (type: string, ...attributes: string[]) =>
    `c__torch__.net\n${type}\n)\x81}(${text("training")}\x89${attributes.join("")}ub`;
  const conv = module(
    "Conv2d",
    text("weight"),
    plain,
    text("sizes"),
    "ctorch.jit._pickle\nbuild_intlist\n](K\x01e\x85R",
  );
  const script = (pickle: string) =>
    compressed(
      archive(`\x80\x02${pickle}.`, {
        "x/constants.pkl": latin1(")."),
        "x/code/__torch__/net.py": latin1("class Conv2d(Module):".repeat(9)),
      }),
      /code\//,
    );

  test("are read for their tensors, by the names of modules, though their code is compressed", () => {
    const { tensors } = parsePytorch(script(module("Net", text("body"), module("List", text("0"), conv))));
    expect([...tensors.keys()]).toEqual(["body.0.weight"]);
    expect(tensors.get("body.0.weight")!.shape).toEqual([4]);
  });

  test("no module is taken for a dictionary with weights", () => {
    const inner = module("Sequential", text("0"), conv);
    expect([...parsePytorch(script(module("Net", text("model"), inner))).tensors.keys()]).toEqual([
      "model.0.weight",
    ]);
  });

  test("that are frozen have weights without names", () => {
    const frozen = archive(`\x80\x02${module("Net")}.`, {
      "x/constants.pkl": latin1(")."),
      "x/constants/0": new Uint8Array(4),
    });
    expect(() => parsePytorch(frozen, "net.pt")).toThrow(DataError);
    expect(() => parsePytorch(frozen, "net.pt")).toThrow(
      "net.pt is a TorchScript program that is frozen: its weights have lost their names.",
    );
  });

  test("their classes mean nothing in other files, nor other names in them", () => {
    expect(() => parsePytorch(archive(`\x80\x02${conv}.`), "net.pth")).toThrow(
      "refers to __torch__.net.Conv2d",
    );
    const evil = module("Net", text("a"), "cposix\nsystem\n(X\x01\0\0\0xtR");
    expect(() => parsePytorch(script(evil), "net.pth")).toThrow("refers to posix.system");
  });
});

/** The archive with some entries compressed, as zip writes them. */
function compressed(bytes: Uint8Array, which: RegExp): Uint8Array {
  const entries = [...readStoredZip(bytes)].map(([name, content]) => ({
    name: latin1(name),
    content: which.test(name) ? deflateRawSync(content) : content,
    size: content.length,
    method: which.test(name) ? 8 : 0,
  }));
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, content, size, method } of entries) {
    const [local, central] = [Buffer.alloc(30), Buffer.alloc(46)];
    for (const [header, signature, from] of [
      [local, 0x04034b50, 4],
      [central, 0x02014b50, 6],
    ] as const) {
      header.writeUInt32LE(signature);
      header.writeUInt16LE(method, from + 4);
      header.writeUInt32LE(content.length, from + 14);
      header.writeUInt32LE(size, from + 18);
      header.writeUInt16LE(name.length, from + 22);
    }
    central.writeUInt32LE(at, 42);
    parts.push(Buffer.concat([local, name, content]));
    directory.push(Buffer.concat([central, name]));
    at += parts.at(-1)!.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

test("an archive that was zipped anew says so, and is not called damaged", () => {
  const bytes = compressed(archive(dictOf(plain)), /data\.pkl/);
  expect(() => parsePytorch(bytes, "net.pth")).toThrow(DataError);
  expect(() => parsePytorch(bytes, "net.pth")).toThrow(
    "net.pth is not a complete PyTorch file as torch.save writes it: its entry x/data.pkl is compressed, which torch.save's never are",
  );
});

test("several archives in one may be a distributed checkpoint", () => {
  const one = archive(dictOf(plain));
  const end = one.length - 22;
  const wide = Buffer.alloc(76);
  wide.writeUInt32LE(0x06064b50);
  wide.writeBigUInt64LE(2n, 32);
  wide.writeBigUInt64LE(BigInt(Buffer.from(one).readUInt32LE(end + 16)), 48);
  wide.writeUInt32LE(0x07064b50, 56);
  wide.writeBigUInt64LE(BigInt(end), 64);
  const archive64 = Buffer.concat([one.subarray(0, end), wide, one.subarray(end)]);
  expect(parsePytorch(archive64).tensors.size).toBe(1);
  const two = Buffer.concat([archive(dictOf(plain, plain)), archive64]);
  expect(() => parsePytorch(two, "__0_0.distcp")).toThrow(
    /damaged, or it is a part of a distributed checkpoint/,
  );
});

test.each([4, 5])("streams of protocol %i, whose number has a frame before it", (protocol) => {
  const bytes = golden("types-stream.pth");
  const frame = [0x80, protocol, 0x95, 0x0d, 0, 0, 0, 0, 0, 0, 0];
  const framed = Buffer.concat([Buffer.from(frame), bytes.subarray(2)]);
  expectSame(parsePytorch(framed).tensors, parsePytorch(bytes).tensors);
});

test("an OrderedDict by its name in typing", () => {
  const bytes = archive(`\x80\x02ctyping\nOrderedDict\n)R(X\x01\0\0\0a${plain}u.`);
  expect([...parsePytorch(bytes).tensors.keys()]).toEqual(["a"]);
});

test("a file of numpy's arrays says that these are no tensors", () => {
  const load = () => parsePytorch(archive(dictOf("cnumpy.core.multiarray\n_reconstruct\n)R")), "net.pth");
  expect(load).toThrow(
    "net.pth holds no tensors, as arrays of numpy are none, so there are no weights in it.",
  );
});

test.each([
  ["a list", `\x80\x02](${plain}${plain}e.`],
  ["a tuple", `\x80\x02(${plain}${plain}t.`],
  ["one by itself", `\x80\x02${plain}.`],
  ["a list in a dictionary", dictOf(`](${plain}${plain}e`)],
])("tensors without names: %s", (_, pickle) => {
  const load = () => parsePytorch(archive(pickle), "net.pth");
  expect(load).toThrow(DataError);
  expect(load).toThrow(
    "net.pth holds tensors without names, by themselves or in a list, and those of a network",
  );
});

test("a file without tensors has no false reason for it", () => {
  expect(() => parsePytorch(archive("\x80\x02}."), "net.pth")).toThrow(
    "net.pth holds no tensors, so there are no weights in it. In Python, save",
  );
  expect(() => parsePytorch(archive("\x80\x02K\x05."), "net.pth")).toThrow(
    "net.pth holds no dictionary of tensors, so there are no weights in it.",
  );
});

const nested = (depth: number) => "}X\x01\0\0\0a".repeat(depth) + plain + "s".repeat(depth);
/** Doubles a list with each instruction: the last would have 2^n elements. */
const laughs = (n: number) => `]q\0${"2\x86".repeat(n)}`;
const stream = (rest: string) => Buffer.concat([golden("types-stream.pth").subarray(0, 15), latin1(rest)]);

describe("files that would fill the memory or take for ever are refused in no time", () => {
  test.each<[string, () => Uint8Array, RegExp | string]>([
    [
      "2^40 elements",
      () => archive(dictOf(tensorOf("\x8a\x06\0\0\0\0\0\x01", "K\0"))),
      "more numbers than its",
    ],
    [
      "a million times the same",
      () => archive(dictOf(tensorOf("J\x40\x42\x0f\0", "K\0"))),
      "more numbers than its",
    ],
    [
      "sizes whose product is infinite",
      () => archive(dictOf(tensorOf("\x8a\x07\0\0\0\0\0\0\x01".repeat(16), "K\0".repeat(16)))),
      "more numbers than",
    ],
    [
      "past the end of its storage",
      () => archive(dictOf(tensorOf("K\x05", "K\x01"))),
      "the tensor a reaches past the end of its storage",
    ],
    ["by its strides", () => archive(dictOf(tensorOf("K\x02", "K\x04"))), "reaches past the end"],
    ["by its offset", () => archive(dictOf(tensorOf("K\x02", "K\x01", "K\x03"))), "reaches past the end"],
    [
      "before its storage",
      () => archive(dictOf(tensorOf("K\x02", "K\x01", "J\xff\xff\xff\xff"))),
      "place in its storage is broken",
    ],
    [
      "a storage shorter than it says",
      () => archive(dictOf(plain), { "x/data/0": new Uint8Array(12) }),
      "reaches past the end",
    ],
    [
      "no storage",
      () => writeStoredZip(new Map([["x/data.pkl", latin1(dictOf(plain))]])),
      "its storage 0 is missing",
    ],
    ["dictionaries in dictionaries", () => archive(`\x80\x02${nested(100_000)}.`), "in one another"],
    ["a dictionary in itself", () => archive("\x80\x02}q\0X\x01\0\0\0ah\0s."), "in one another"],
    ["a million laughs", () => archive(`\x80\x02${laughs(2_000_000)}.`), "has more than"],
    ["a tree of dictionaries", () => archive(tree(20)), "has more than 65536 entries"],
    [
      "instructions without end",
      () => archive(`\x80\x02${"N0".repeat(3_000_000)}N.`),
      "has more than 2097152 instructions",
    ],
    ["a text of 4 GiB", () => archive("\x80\x02X\xff\xff\xff\xffabc."), "it is cut short"],
    [
      "a text of 2^63 bytes",
      () => archive("\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7fabc."),
      "it is cut short",
    ],
    [
      "a number of 2^31 digits",
      () => archive("\x80\x02\x8b\xff\xff\xff\x7f."),
      "a number of 2147483647 bytes",
    ],
    ["a stack without anything", () => archive("\x80\x02."), "its stack is empty"],
    ["an object out of nowhere", () => archive("\x80\x02h\x05."), "an object that it lacks"],
    ["not to its end", () => archive("\x80\x02}"), "it is cut short"],
    ["no tensors", () => archive("\x80\x02}."), "x.pth holds no tensors"],
    ["a number", () => archive("\x80\x02K\x05."), "x.pth holds no dictionary of tensors"],
    [
      "a stream's storage of 2^60 numbers",
      () =>
        stream(`\x80\x02M\xe9\x03.\x80\x02}.${dictOf(plain)}\x80\x02](X\x01\0\0\x000e.\0\0\0\0\0\0\0\x10`),
      "it is cut short",
    ],
    ["a stream of another version", () => stream("\x80\x02K\x01."), "its version is not 1001"],
  ])("%s", async (_, make, message) => {
    const bytes = make();
    const before = process.memoryUsage();
    const time = await cpuTime(() => {
      expect(() => parsePytorch(bytes, "x.pth")).toThrow(DataError);
      expect(() => parsePytorch(bytes, "x.pth")).toThrow(message);
    });
    // Milliseconds for all but those with millions of instructions.
    expect(time).toBeLessThan(5000);
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    expect(arrayBuffers - before.arrayBuffers + heapUsed - before.heapUsed).toBeLessThan(2 ** 28);
  });

  /** Dictionaries, each of which has the next one twice. */
  function tree(depth: number): string {
    let pickle = `}q\0X\x01\0\0\0a${plain}s0`;
    for (let i = 1; i <= depth; i++) {
      const [inner, outer] = [i - 1, i].map((n) => String.fromCharCode(n));
      // Wide rather than deep, since depth has a limit of its own.
      pickle += `}q${outer}(${Array.from({ length: 40 }, (_, k) => `K${String.fromCharCode(k)}h${inner}`).join("")}u0`;
    }
    return `\x80\x02${pickle}h${String.fromCharCode(5)}.`;
  }
});

describe("archives", () => {
  const good = archive(dictOf(plain));
  /** With one byte or several set, counted from the directory's entry of data.pkl. */
  const changed = (at: number, ...values: number[]) => {
    const bytes = Uint8Array.from(good);
    const directory = Buffer.from(bytes).indexOf("PK\x01\x02");
    bytes.set(values, directory + at);
    return bytes;
  };
  test.each<[string, () => Uint8Array, string]>([
    [
      "compressed, as a zip bomb is",
      () => changed(10, 8),
      "its entry x/data.pkl is compressed, which torch.save's never are",
    ],
    ["that claim a larger size", () => changed(24, 0xff, 0xff, 0xff, 0x7f), "is compressed"],
    ["past the end", () => changed(20, 0, 0, 1, 0, 0, 0, 1, 0), "its entry x/data.pkl is cut short"],
    ["encrypted", () => changed(8, 1), "is encrypted"],
    ["that begin elsewhere", () => changed(42, 1), "is not where its directory says"],
    ["without their end", () => good.subarray(0, good.length - 10), "its directory is missing"],
    ["two of one name", () => writeTwice(), "there are two entries x/data.pkl in it"],
    ["that overlap", () => overlapping(), "overlaps the next"],
  ])("%s", (_, make, message) => {
    expect(() => parsePytorch(make(), "x.pth")).toThrow(DataError);
    expect(() => parsePytorch(make(), "x.pth")).toThrow(message);
  });

  function writeTwice(): Uint8Array {
    const bytes = Buffer.from(archive(dictOf(plain), { "x/data.pkm": latin1(dictOf(plain)) }));
    // In the header, and in the directory.
    for (const find of ["indexOf", "lastIndexOf"] as const) {
      bytes.write("x/data.pkl", bytes[find]("x/data.pkm"));
    }
    return bytes;
  }

  function overlapping(): Uint8Array {
    const bytes = Buffer.from(archive(dictOf(plain), { "x/version": latin1("3\n") }));
    const last = bytes.lastIndexOf("PK\x01\x02");
    const place = bytes.readUInt32LE(last + 42);
    // The last entry's header, with its place in the first one's contents.
    const copy = Uint8Array.from(bytes.subarray(place, place + 30 + "x/version".length));
    copy.set([0, 0], 28);
    const first = bytes.indexOf("}(");
    bytes.set(copy, first);
    bytes.writeUInt32LE(first, last + 42);
    return bytes;
  }

  test("with a comment behind them, and with sizes in 8 bytes, are read", () => {
    const commented = Buffer.concat([good, latin1("a comment")]);
    commented.writeUInt16LE(9, good.length - 2);
    expect(readStoredZip(commented).size).toBe(2);
  });
});

test("a number of float64 that float32 cannot hold", () => {
  const pickle = new PickleWriter();
  pickle.dict(() => {
    pickle.text("body.weight");
    writeTensor(pickle, [2], "0", "DoubleStorage");
  });
  const numbers = new Uint8Array(Float64Array.of(1, -1e300).buffer);
  const bytes = writeStoredZip(
    new Map([
      ["archive/data.pkl", pickle.end()],
      ["archive/data/0", numbers],
    ]),
  );
  expect(() => parsePytorch(bytes, "w.pth")).toThrow(
    new DataError(
      "w.pth holds -1e+300 in the tensor body.weight, and float32, in which networks compute, ends at 3.4e38.",
    ),
  );
});
