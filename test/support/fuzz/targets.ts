/** The parsers of files and of command lines that come from others. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { ZipFile } from "yazl";
import { parseFlags, UsageError } from "../../../src/cli/flags.ts";
import { trainCommand } from "../../../src/cli/train.ts";
import { unzipPictures } from "../../../src/data/unzip.ts";
import { CpuDevice } from "../../../src/device/cpu-device.ts";
import { onDevice } from "../../../src/device/open.ts";
import type { Header } from "../../../src/files/header.ts";
import { encodePng } from "../../../src/files/image-files.ts";
import { metadataOf } from "../../../src/files/metadata-in-file.ts";
import { readBmp } from "../../../src/formats/bmp.ts";
import { fitTo, metadataOfResult } from "../../../src/formats/fit-metadata.ts";
import { readPnm } from "../../../src/formats/pnm.ts";
import { readFrom } from "../../../src/formats/read.ts";
import { orientationOf } from "../../../src/formats/turn.ts";
import { architectures, EDSR, ESPCN, FSRCNN, loadModel, RRDBNet, SRCNN } from "../../../src/models/index.ts";
import { DataError } from "../../../src/picture/errors.ts";
import { Random } from "../../../src/tensor/random.ts";
import { readCheckpoint, serializeCheckpoint } from "../../../src/train/checkpoint.ts";
import { presetsOf, type TrainConfig } from "../../../src/train/config.ts";
import { checkConfig } from "../../../src/train/settings.ts";
import { KerasReader } from "../../../src/upscale/keras-file.ts";
import { readWeightFile } from "../../../src/upscale/weight-files.ts";
import { Y4mReader } from "../../../src/video/index.ts";
import {
  parsePytorch,
  parseSafetensors,
  saveWeights,
  serializePytorch,
  serializeSafetensors,
} from "../../../src/weights/index.ts";
import { looksLikeNcnn, parseNcnn } from "../../../src/weights/ncnn-file.ts";
import { drawSeeds } from "../fuzz-pictures.ts";
import { inOnePiece, rrdbnetAsNcnn } from "../ncnn.ts";
import { torchSave } from "../torch-save.ts";
import type { Target } from "./fuzz.ts";

const isDataError = (error: Error) => error instanceof DataError;
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const MIB = 2 ** 20;
const jsonWords = [
  "{",
  "}",
  "[]",
  "null",
  "true",
  '""',
  '"',
  ",",
  ":",
  "\\u0000",
  "1e999",
  "__proto__",
  '{"a":',
];

/** The networks run nowhere here. */
const device = new CpuDevice("float32");

async function weightFiles(): Promise<Uint8Array[]> {
  const random = new Random(1);
  const models = onDevice(device, () => [
    new EDSR({ blocks: 1, channels: 1, random }),
    new ESPCN({ filters: [1, 1], random }),
    new FSRCNN({ d: 1, s: 1, m: 1, random }),
    new SRCNN({ filters: [1, 1], kernels: [1, 1, 1], random }),
  ]);
  return Promise.all(models.map((model) => saveWeights(model)));
}

const safetensors: Target = {
  name: "safetensors",
  async seeds() {
    const values = { shape: [2, 3], data: new Float32Array(6) };
    const others = [{}, { dtype: "F16" as const }].map((options) =>
      serializeSafetensors(
        new Map([
          ["a", values],
          ["b.c", values],
        ]),
        { note: "x" },
        options,
      ),
    );
    return [...(await weightFiles()), ...others];
  },
  parse: (input) => parseSafetensors(input, "fuzz.safetensors"),
  refuses: isDataError,
  budget: 64 * MIB,
  words: [...jsonWords, "F16", "BF16", "data_offsets", "__metadata__", "shape", '"dtype":"F32"'],
};

const weights: Target = {
  ...safetensors,
  name: "weights",
  seeds: weightFiles,
  parse: (input) => onDevice(device, () => loadModel(input, "fuzz.safetensors").dispose()),
  words: [
    ...safetensors.words,
    '"blocks":"',
    '"channels":"',
    "EDSR",
    "ESPCN",
    "architecture",
    "9-1-5",
    "yes",
  ],
};

/** Files as PyTorch writes them, in both forms, and ours; the networks of some are known here. */
const pth: Target = {
  name: "pth",
  async seeds() {
    const folder = new URL("../../golden/weight-files/", import.meta.url);
    const names = readdirSync(folder).filter((name) => name.endsWith(".pth"));
    const own = (await weightFiles()).map((file) => {
      const { tensors, metadata } = parseSafetensors(file);
      return serializePytorch(tensors, metadata);
    });
    const [weights] = (await weightFiles()).map((file) => parseSafetensors(file).tensors);
    const checkpoint = torchSave({ ema: weights, params: weights, optimizer: [{ state: weights }], step: 3 });
    return [...names.map((name) => readFileSync(new URL(name, folder))), ...own, checkpoint];
  },
  parse(input) {
    parsePytorch(input, "fuzz.pth");
    try {
      onDevice(device, () => loadModel(input, "fuzz.pth").dispose());
    } catch (error) {
      if (!isDataError(error as Error)) throw error; // else a file that is right, of some other network
    }
  },
  refuses: isDataError,
  budget: 256 * MIB,
  words: [
    ...["cposix\nsystem\n", "ctorch._utils\n_rebuild_tensor_v2\n", "ctorch\nFloatStorage\n"],
    ...[
      "ccollections\nOrderedDict\n",
      "X\x07\0\0\0storage",
      "K\x01",
      "J\xff\xff\xff\x7f",
      "\x8a\x06\0\0\0\0\0\x01",
    ],
    ...["(", "t", "}", "]", "u", "R", "Q", "b", ".", "2", "h\0", "q\0", "\x94", "\x81", "\x85\x86\x87"],
    ...[
      "PK\x01\x02",
      "PK\x03\x04",
      "PK\x05\x06",
      "PK\x06\x06",
      "PK\x06\x07",
      "data.pkl",
      "data/0",
      "byteorder",
    ],
  ],
};

/** ncnn's text and weights in one piece. */
const ncnn: Target = {
  name: "ncnn",
  async seeds() {
    const folder = new URL("../../golden/ncnn/", import.meta.url);
    const names = readdirSync(folder).filter((name) => name.endsWith(".param"));
    const dense = onDevice(
      device,
      () => new RRDBNet({ scale: 2, blocks: 1, channels: 1, growth: 1, random: new Random(1) }),
    );
    return [
      ...(await Promise.all(names.map((name) => readWeightFile(new URL(name, folder))))),
      inOnePiece(await rrdbnetAsNcnn(dense, 1)),
    ];
  },
  parse(input) {
    if (!looksLikeNcnn(input)) throw new DataError("another kind of file");
    parseNcnn(input, "fuzz.param");
    onDevice(device, () => loadModel(input, "fuzz.param").dispose());
  },
  refuses: isDataError,
  budget: 64 * MIB,
  words: [
    ...["7767517\n", "Convolution ", "PReLU ", "ReLU ", "Swish ", "Sigmoid ", "Concat ", "MemoryData "],
    ...["Interp ", "BinaryOp ", "Eltwise ", "PixelShuffle ", "Split ", "Input ", "\n", " 1 1 "],
    ...["0=", "6=", " 1=3", " 9=2", "-23310=1,0.2", "-23301=2,1,1", "=1e99", "=-1", "Gk0\x01", "8K\r\0"],
  ],
};

/** What is made of Keras' files; scripts/soak/fuzz-h5.ts has these files themselves. */
const keras: Target = {
  ...safetensors,
  name: "keras",
  async seeds() {
    const folder = new URL("../../golden/keras/", import.meta.url);
    const names = readdirSync(folder).filter((name) => /\.(?:h5|keras)$/.test(name));
    const reader = new KerasReader();
    const files: Uint8Array[] = [];
    for (const name of names) files.push(await reader.read(readFileSync(new URL(name, folder)), name));
    reader.close();
    return files;
  },
  parse: (input) => onDevice(device, () => loadModel(input, "fuzz.h5", { scale: 2 }).dispose()),
  words: [...safetensors.words, "conv2d_1_scale_2.0", '"shape":[3,3,', "Rescaling", '\\"scale\\":', "keras"],
};

const y4m: Target = {
  name: "y4m",
  seeds: () =>
    // Bytes of a frame of 4 x 4 pixels.
    Object.entries({ C420jpeg: 24, C444p10: 96, Cmono: 16, "C422 XCOLORRANGE=FULL": 32 }).map(
      ([space, bytes]) =>
        Buffer.concat([
          Buffer.from(`YUV4MPEG2 W4 H4 F25:1 Ip ${space}\nFRAME\n`),
          Buffer.alloc(bytes, 7),
          Buffer.from("FRAME Ix\n"),
          Buffer.alloc(bytes, 9),
        ]),
    ),
  async parse(input) {
    const reader = new Y4mReader(Readable.from([input], { objectMode: true }));
    const format = await reader.header();
    let frames = 0;
    for await (const _ of reader.frames(format)) if (++frames > 100) break;
  },
  refuses: isDataError,
  budget: 128 * MIB,
  words: ["FRAME\n", "YUV4MPEG2 ", " W", " H", " C420p16", " It", "\n", " C411", "\x1b[31m"],
};

/** The messages of a checkpoint's folder name it; in memory nothing else differs. */
function inFolder(make: (folder: string) => (input: Uint8Array) => unknown): (input: Uint8Array) => unknown {
  let parse: ((input: Uint8Array) => unknown) | undefined;
  return (input) => {
    if (!parse) {
      const folder = mkdtempSync(join(tmpdir(), "pixelgrad-fuzz-"));
      process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
      parse = make(folder);
    }
    return parse(input);
  };
}

const [config] = Object.values(presetsOf(architectures[1]));

const checkpoint: Target = {
  name: "checkpoint",
  seeds() {
    const data = new Float32Array(4);
    const state = {
      version: 1 as const,
      config,
      device: "cpu",
      step: 3,
      seconds: 1,
      loader: { seed: config.seed, epoch: 0, position: 2, pictures: 3 },
      pictures: { train: ["a"], valid: ["b"] },
      psnr: 30,
      best: { step: 2, psnr: 31 },
      lengths: { log: 10, events: 20 },
    } as unknown as Parameters<typeof serializeCheckpoint>[0]["state"];
    const tensors = new Map([["a", { shape: [4], data }]]);
    const whole = [undefined, tensors].map((average) =>
      serializeCheckpoint({ state, weights: tensors, average, sums: { m: data, v: data } }),
    );
    // Changes show in the checksum. Earlier versions wrote none; then it is the state that is looked at.
    const without = whole.map((bytes) => {
      const { tensors, metadata } = parseSafetensors(bytes);
      const { sha256: _, ...others } = metadata;
      return serializeSafetensors(tensors, others);
    });
    return [...whole, ...without];
  },
  parse: inFolder((folder) => (input) => {
    writeFileSync(join(folder, "checkpoint.safetensors"), input);
    return readCheckpoint(folder);
  }),
  refuses: isDataError,
  budget: 64 * MIB,
  words: [
    ...safetensors.words,
    '\\"step\\":',
    '\\"lengths\\":',
    '\\"config\\":',
    '\\"version\\":1',
    "model.",
    "adam.m",
  ],
};

const configuration: Target = {
  name: "configuration",
  seeds: () => architectures.flatMap((architecture) => Object.values(presetsOf(architecture)).map(json)),
  parse(input) {
    let value: unknown;
    try {
      value = JSON.parse(Buffer.from(input).toString());
    } catch {
      return; // only what is JSON reaches the parser
    }
    checkConfig(value as TrainConfig);
  },
  refuses: (error) => error instanceof RangeError,
  budget: 64 * MIB,
  words: [...jsonWords, '"network":', '"schedule":', '"kind":"step"', '"steps":', '"architecture":"SRCNN"'],
};

const zip: Target = {
  name: "zip",
  async seeds() {
    const picture = await encodePng({ width: 3, height: 2, channels: 3, data: new Uint8Array(18).fill(9) });
    const archive = async (compress: boolean) => {
      const file = new ZipFile();
      file.addBuffer(Buffer.from(picture), "a/1.png", { compress });
      file.addBuffer(Buffer.from(picture), "a/2.png", { compress });
      file.addBuffer(Buffer.from("text"), "notes.txt", { compress });
      file.end();
      const chunks: Buffer[] = [];
      for await (const chunk of file.outputStream) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks);
    };
    return [await archive(true), await archive(false)];
  },
  parse: inFolder((folder) => async (input) => {
    const [archive, target] = [join(folder, "a.zip"), join(folder, "out")];
    rmSync(target, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(archive, input);
    await unzipPictures(archive, target);
  }),
  refuses: isDataError,
  budget: 128 * MIB,
  words: [
    "PK\x01\x02",
    "PK\x03\x04",
    "PK\x05\x06",
    "PK\x06\x06",
    "PK\x06\x07",
    "../",
    "/",
    "\\",
    ".png",
    "\xff\xff\xff\xff",
  ],
};

const flags: Target = {
  name: "flags",
  seeds: () =>
    [
      "--data a b --scale 2 --steps 100 --lr 1e-3 --schedule cosine",
      "--preset quick --resume runs/a --steps 7",
      "--filters 8-8 --patch 12 --batch 2 --warmup 0 --activation relu --residual yes",
      "--valid x --ema 0.9 --seed 3 --adapter cpu --eval-every 5",
    ].map((line) => Buffer.from(line.replaceAll(" ", "\0"))),
  parse: (input) => parseFlags(trainCommand(architectures[1]), Buffer.from(input).toString().split("\0")),
  refuses: (error) => error instanceof UsageError,
  budget: 64 * MIB,
  words: ["--", "-", "=", "\0", "--scale", "--no-", "__proto__", "NaN", "1e999", "-1", "9-9-9"],
};

/** The readers of pictures that are not libvips': those of BMP and of PPM and its kin. */
function raster(format: "bmp" | "pnm", read: typeof readBmp, words: readonly string[]): Target {
  return {
    name: format,
    seeds: async () => (await drawSeeds())[format],
    parse(input) {
      const picture = read(readFrom(input), input.length, `fuzz.${format}`);
      // decode.ts refuses larger ones before it reads the samples, by its own limit.
      if (picture.width * picture.height <= 2 ** 20) picture.samples(input);
      picture.profile?.(input);
    },
    refuses: isDataError,
    budget: 64 * MIB,
    words,
  };
}
const bmp = raster("bmp", readBmp, ["BM", "\x28\0\0\0", "\x7c\0\0\0", "\0\0", "\xff\xff\xff\xff"]);
const pnm = raster("pnm", readPnm, [
  "P1",
  "P4",
  "P6\n",
  "P7\n",
  "ENDHDR\n",
  "#",
  "65535 ",
  "TUPLTYPE RGB\n",
  "\n",
]);

/** What files say besides samples: EXIF, XMP, IPTC, comments, profiles, chunks and segments. */
const metadata: Target = {
  name: "metadata",
  async seeds() {
    const { png, jpeg, tiff, webp } = await drawSeeds();
    return [...png, ...jpeg, ...tiff, ...webp];
  },
  parse(input) {
    const format = ({ 137: "png", 255: "jpeg", 73: "tiff", 77: "tiff" } as const)[input[0]] ?? "webp";
    const size = { width: 40, height: 28 };
    const blob = Buffer.from(input);
    const header = {
      format,
      ...size,
      channels: 3,
      depth: 8,
      orientation: 1,
      frames: 1,
      looksWhole: true,
      space: "srgb",
    } as const;
    // What a decoder hands on is any bytes.
    const found = {
      exif: blob,
      icc: blob,
      xmp: blob,
      iptc: blob,
      density: 72,
    } as unknown as Header["metadata"];
    const file = metadataOf({ ...header, metadata: found }, input);
    orientationOf(input);
    for (const to of ["png", "jpeg", "tiff", "webp", "avif"] as const) {
      const { metadata } = fitTo(file, to, 3);
      metadataOfResult(metadata, size, to);
    }
  },
  refuses: isDataError,
  budget: 128 * MIB,
  words: [
    "Exif\0\0",
    "II*\0\x08\0\0\0",
    "MM\0*",
    "8BIM\x04\x04",
    "eXIf",
    "iTXt",
    "zTXt",
    "cICP",
    "<x:xmpmeta",
    "\xff\xe1",
  ],
};

export const targets: readonly Target[] = [
  ...[safetensors, weights, pth, ncnn, keras, y4m, checkpoint, configuration, zip, flags, bmp, pnm, metadata],
];
