/** What pictures to train on have and training does not use: said before the first step, and in the log. */
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { loadPair } from "../../src/data/pairs.ts";
import { evaluate, findPictures } from "../../src/evaluate/index.ts";
import { writePng } from "../../src/files/image-files.ts";
import { interpolator, parseSafetensors } from "../../src/node.ts";
import { openPictures } from "../../src/train/datasets.ts";
import { resume, type TrainConfig, train } from "../../src/train/index.ts";
import { float32Device } from "../support/devices.ts";
import { drawnPicture, picturesIn } from "../support/pictures.ts";
import { temporaryPaths, tiny } from "./support.ts";

const unused = temporaryPaths();
const device = float32Device();
const format = { scale: 2, colors: "rgb", inputSize: "low" } as const;

/** Writes a picture with more channels, or more bits. The same `k` is the same picture. */
async function writePicture(path: string, k: number, alpha: (i: number) => number, deep = false) {
  const { width, height, data } = drawnPicture(k);
  const pixels = Array.from({ length: width * height }, (_, i) => [
    ...data.subarray(3 * i, 3 * i + 3),
    alpha(i),
  ]);
  const samples = Uint8Array.from(pixels.flat());
  const raw = { width, height, channels: 4 as const };
  if (!deep) return sharp(samples, { raw }).png().toFile(path);
  const wide = Uint16Array.from(data, (value) => 256 * value + 99);
  return sharp(wide, { raw: { width, height, channels: 3 } })
    .toColourspace("rgb16")
    .png()
    .toFile(path);
}

async function trained(folder: string, change: Partial<TrainConfig> = {}) {
  const said: string[] = [];
  const out = unused();
  const config: TrainConfig = { ...tiny, data: [folder], out, steps: 2, evalEvery: 2, ...change };
  await train(config, { device, onMessage: (line) => said.push(line) });
  const [first] = readFileSync(join(out, "log.jsonl"), "utf8").split("\n");
  return { said, log: JSON.parse(first), weights: readFileSync(join(out, "last.safetensors")) };
}

test("plain pictures need no word; CMYK, whose fourth channel is no alpha, one on its colours", async () => {
  const folder = await picturesIn(unused(), 3);
  const { said, log } = await trained(folder);
  expect(said.filter((line) => /files? ha(s|ve)/.test(line))).toEqual([]);
  expect([log.notes, log.leftOut]).toEqual([[], []]);
  await sharp(join(folder, "0.png")).toColourspace("cmyk").jpeg().toFile(join(folder, "printed.jpg"));
  const { notes } = (await trained(folder)).log;
  expect(notes.map(({ kind }: { kind: string }) => kind)).toEqual(["color"]);
});

test("alpha, 16 bits, frames and files that are no pictures: a line each, and the same in the log", async () => {
  const folder = await picturesIn(unused(), 2);
  await writePicture(join(folder, "clear.png"), 2, (i) => (i % 7 === 0 ? 0 : 255));
  await writePicture(join(folder, "deep.png"), 3, () => 255, true);
  const frames = [join(folder, "0.png"), join(folder, "1.png")];
  const animation = await sharp(frames, { join: { animated: true } })
    .webp({ loop: 0 })
    .toBuffer();
  await sharp(animation, { animated: true }).toFile(join(folder, "moves.webp"));
  await writePicture(join(folder, "z.png"), 4, () => 128);
  mkdirSync(join(folder, "old"));
  const { said, log } = await trained(folder, { validPictures: 9 });
  const notes = [
    {
      kind: "alpha",
      text: "2 of 6 files have an alpha channel; what is transparent is put on white: clear.png, z.png",
    },
    {
      kind: "depth",
      text: "1 of 6 files has 16 bits per sample, of which the upper 8 are used: deep.png",
    },
    {
      kind: "frames",
      text: "1 of 6 files has several frames or pages, of which the first is used: moves.webp",
    },
  ];
  expect(said).toEqual(expect.arrayContaining(notes.map(({ text }) => text)));
  expect(log.notes).toEqual(notes);
  expect(log.leftOut).toEqual([`${basename(folder)}: left out old (a folder)`]);
});

describe("transparent pixels", () => {
  test("are white to the network, whatever colour they hide", async () => {
    const folder = unused();
    mkdirSync(folder);
    const path = join(folder, "a.png");
    await writePicture(path, 1, (i) => (i % 2 === 0 ? 0 : 255));
    const { high } = await loadPair({ name: "a", high: path }, format);
    const { data } = drawnPicture(1);
    const want = data.map((value, i) => (Math.floor(i / 3) % 2 === 0 ? 255 : value));
    expect(high.data).toEqual(want);
  });

  test("an opaque alpha channel changes nothing, in training and in evaluate", async () => {
    const [plain, opaque, clear] = [await picturesIn(unused(), 3), unused(), unused()];
    for (const [folder, alpha] of [
      [opaque, 255],
      [clear, 254],
    ] as const) {
      mkdirSync(folder);
      for (let k = 0; k < 3; k++) await writePicture(join(folder, `${k}.png`), k, () => alpha);
    }
    const tensors = ({ weights }: { weights: Buffer }) => weights.subarray(-400);
    expect(tensors(await trained(opaque))).toEqual(tensors(await trained(plain)));
    const bicubic = interpolator("bicubic", 2);
    const measured = (folder: string) =>
      evaluate(bicubic, findPictures(folder, { scale: 2 }), { withSsim: false });
    expect((await measured(opaque)).mean.psnr).toBe((await measured(plain)).mean.psnr);
    await expect(measured(clear)).rejects.toThrow(/0\.png: it has 4 channels, the last one for transparency/);
  });
});

test("pictures that are too small are all named before the first step", async () => {
  const folder = await picturesIn(unused(), 3);
  for (const name of ["00.png", "01.png"]) {
    await sharp({ create: { width: 15, height: 30, channels: 3, background: "red" } })
      .png()
      .toFile(join(folder, name));
  }
  await expect(trained(folder)).rejects.toThrow(
    /^Too small to train on, as a patch takes 16x16 .*00\.png \(15x30\), \S*01\.png \(15x30\)\. Leave such/,
  );
});

test("files that were cut short are found before the first step, in every format", async () => {
  const folder = await picturesIn(unused(), 9);
  const whole = join(folder, "0.png");
  for (const format of ["png", "jpeg", "webp", "avif", "tiff", "gif"] as const) {
    const path = join(folder, `cut.${format}`);
    const bytes = await sharp(whole).toFormat(format).toBuffer();
    writeFileSync(path, bytes.subarray(0, bytes.length - 40));
    await expect(trained(folder), format).rejects.toThrow(/cut\.\w+: .*(damaged|cut short)/);
    rmSync(path);
  }
  // All of them are named.
  for (const name of ["00.png", "01.png"])
    writeFileSync(join(folder, name), readFileSync(whole).subarray(0, -40));
  await expect(trained(folder)).rejects.toThrow(
    /00\.png: .*cannot be decoded.* Nor can these .*\/01\.png\.$/,
  );
});

test("whole files whose end looks odd are no hindrance", async () => {
  const folder = await picturesIn(unused(), 3);
  const jpeg = await sharp(join(folder, "0.png")).jpeg().toBuffer();
  writeFileSync(join(folder, "no-end.jpg"), jpeg.subarray(0, -2));
  writeFileSync(join(folder, "film.jpg"), Buffer.concat([jpeg, Buffer.alloc(2 ** 17, 7)]));
  const png = readFileSync(join(folder, "1.png"));
  writeFileSync(join(folder, "without-IEND.png"), png.subarray(0, -12));
  const gif = await sharp(join(folder, "1.png")).gif().toBuffer();
  writeFileSync(join(folder, "padded.gif"), Buffer.concat([gif, Buffer.alloc(99)]));
  await trained(folder);
});

describe("LR files", () => {
  /** DIV2K's layout, with LR of two pictures to train on and one to measure on, and HR that is larger. */
  async function layout(highSizes: readonly (readonly [number, number])[], low: readonly [number, number]) {
    const root = unused();
    for (const [i, [width, height]] of highSizes.entries()) {
      const split = i < 2 ? "train" : "valid";
      const [hr, lr] = [`DIV2K_${split}_HR`, `DIV2K_${split}_LR_bicubic/X2`].map((name) => join(root, name));
      for (const folder of [hr, lr]) mkdirSync(folder, { recursive: true });
      await writePng(join(hr, `${i}.png`), drawnPicture(i, width, height));
      await writePng(join(lr, `${i}x2.png`), drawnPicture(i, ...low));
    }
    return root;
  }

  test("of HR that was cut: a line says so, and the log", async () => {
    const root = await layout(
      [
        [65, 40],
        [60, 40],
        [66, 37],
      ],
      [30, 18],
    );
    const { said, log } = await trained(root);
    const text =
      "3 of 3 pairs are cropped, so that HR is 2 times LR: 0.png (HR 65x40 to 60x36), 1.png (HR 60x40 to 60x36), " +
      "2.png (HR 66x37 to 60x36)";
    expect(said).toContain(text);
    expect(log.notes).toEqual([{ kind: "size", text }]);
  });

  test("off by a pixel: refused before the first step", async () => {
    const root = await layout(
      [
        [72, 60],
        [72, 60],
        [72, 60],
      ],
      [35, 30],
    );
    await expect(trained(root)).rejects.toThrow(
      /0x2\.png is 35x30, .*0\.png \(72x60\) must be 36x30;.* Of 2 pairs, 2 do not fit\./,
    );
  });
});

describe("a degradation", () => {
  const photo = { kind: "photo", seed: 0 } as const;
  const weights = (out: string) => readFileSync(join(out, "last.safetensors"));

  test("photo: a run that was stopped goes on to the same weights, at scale 1 too", async () => {
    const folder = await picturesIn(unused(), 4);
    for (const scale of [1, 2] as const) {
      const network = { architecture: "Compact", scale, layers: 1, channels: 4 } as const;
      const config: TrainConfig = {
        ...{ ...tiny, network, data: [folder], degradation: photo, schedule: { kind: "constant" } },
        ...{ steps: 4, evalEvery: 2 },
      };
      const [whole, halves] = [unused(), unused()];
      await train({ ...config, out: whole }, { device });
      await train({ ...config, out: halves, steps: 2 }, { device });
      await resume(halves, { device, change: (saved) => ({ ...saved, steps: 4 }) });
      const [one, two] = [whole, halves].map((out) => parseSafetensors(weights(out)).tensors);
      expect(two).toEqual(one);
    }
  });

  test.each([
    ["DIV2K_train_HR", "DIV2K_valid_HR"],
    ["DIV2K_train_HR/DIV2K_train_HR", "div2k_valid_hr"],
  ])("takes DIV2K's HR pictures, and none of its LR: %s", async (large, heldOut) => {
    const root = unused();
    for (const [folder, count] of [
      [large, 3],
      [heldOut, 2],
    ] as const) {
      mkdirSync(join(root, folder), { recursive: true });
      await picturesIn(join(root, folder), count);
    }
    const config: TrainConfig = { ...tiny, data: [root], degradation: photo };
    const { train: training, valid } = openPictures(config, format);
    expect([training.length, valid.length]).toEqual([3, 2]);
    expect(training.files!.every(({ low, drawnFrom }) => low === undefined && drawnFrom === photo)).toBe(
      true,
    );
    expect(() => openPictures({ ...config, track: "mild" }, format)).toThrow(
      /: `track` chooses among DIV2K's own LR pictures, and `degradation` makes others/,
    );
  });
});

describe("pictures that are there twice", () => {
  const warning =
    /^Of (\d) pictures? to measure on, (\d) (?:is|are) also trained on: (.*)\. The figures will be too good/;
  const about = ({ said, log }: Awaited<ReturnType<typeof trained>>) => {
    const lines = said.filter((line) => warning.test(line));
    expect(log.warnings).toEqual(lines);
    return lines.map((line) => warning.exec(line)!.slice(1));
  };

  test("held-out pictures that are trained on are told: the folder itself, a link, copies", async () => {
    const folder = await picturesIn(unused(), 4);
    const change = { validPictures: 10 };
    expect(about(await trained(folder, change))).toEqual([]);
    const others = await picturesIn(unused(), 0);
    await writePicture(join(others, "new.png"), 7, () => 255);
    expect(about(await trained(folder, { ...change, valid: others }))).toEqual([]);
    const link = unused();
    symlinkSync(folder, link);
    for (const valid of [folder, link]) {
      expect(about(await trained(folder, { ...change, valid }))).toEqual([
        ["4", "4", "0.png, 1.png, 2.png and 1 more"],
      ]);
    }
    copyFileSync(join(folder, "2.png"), join(others, "copy.png"));
    expect(about(await trained(folder, { ...change, valid: others }))).toEqual([["2", "1", "copy.png"]]);
    // Within one folder, of which the last is held out.
    copyFileSync(join(folder, "0.png"), join(folder, "9.png"));
    const one = await trained(folder, change);
    expect(about(one)).toEqual([["1", "1", "9.png"]]);
    expect(one.said.join("\n")).toMatch(
      /^Of 1 picture to measure on, 1 is also .*^Measured on 1 held-out picture: /ms,
    );
  });

  test("a held-out picture that is trained on in another format is told", async () => {
    const folder = await picturesIn(unused(), 3);
    for (const k of [0, 1, 2])
      await sharp(join(folder, `${k}.png`))
        .jpeg()
        .toFile(join(folder, `${k}.jpg`));
    expect(about(await trained(folder))).toEqual([["1", "1", "2.png (as 2.jpg)"]]);
    const jpeg = unused();
    mkdirSync(jpeg);
    for (const k of [0, 1, 2]) renameSync(join(folder, `${k}.jpg`), join(jpeg, `${k}.jpg`));
    // In a folder of their own, numbers are the names of other pictures.
    expect(about(await trained(folder, { valid: jpeg }))).toEqual([]);
  });

  test("a folder or a file that is named twice counts once, which is told", async () => {
    const folder = await picturesIn(unused(), 4);
    const [link, mixed] = [unused(), unused()];
    symlinkSync(folder, link);
    await picturesIn(mixed, 2);
    symlinkSync(join(folder, "1.png"), join(mixed, "z.png"));
    const open = (data: string[], valid?: string) => {
      const lines: string[] = [];
      const { train, valid: heldOut } = openPictures({ ...tiny, data, valid }, format, (line) => {
        lines.push(line);
      });
      return { counts: [train.length, heldOut.length], lines };
    };
    const once = { counts: [3, 1], lines: [] };
    expect(open([folder])).toEqual(once);
    for (const same of [folder, link, `${folder}/.`]) {
      const line = `${same}: counts once, as it is the same folder as ${folder}`;
      expect(open([folder, same])).toEqual({ ...once, lines: [line] });
    }
    const line = `${mixed}: left out z.png (the same file as in ${basename(folder)})`;
    expect(open([folder, mixed])).toEqual({ counts: [4, 2], lines: [line] });
    expect(open([folder, mixed], folder)).toEqual({ counts: [6, 4], lines: [line] });
  });
});

test("a run goes on where names are encoded otherwise, as after a move from a Mac, in the same order", async () => {
  const names = ["a", "bz", "b\u00e9", "c", "d"];
  const folderOf = (form: "NFC" | "NFD") => {
    const folder = unused();
    mkdirSync(folder);
    for (const [k, name] of names.entries()) {
      const file = join(folder, `${name.normalize(form)}.png`);
      writeFileSync(file, sources[k]);
    }
    return folder;
  };
  const source = await picturesIn(unused(), names.length);
  const sources = names.map((_, k) => readFileSync(join(source, `${k}.png`)));
  const [before, after] = [folderOf("NFC"), folderOf("NFD")];
  const whole = await trained(before, { steps: 4 });
  const out = unused();
  const stop = new AbortController();
  const onProgress = ({ step }: { step: number }) => step >= 2 && stop.abort();
  const config = { ...tiny, data: [before], out, steps: 4, evalEvery: 2 };
  await train(config, { device, signal: stop.signal, onProgress });
  await resume(out, { device, change: (saved) => ({ ...saved, data: [after] }) });
  const tensors = (bytes: Uint8Array) => parseSafetensors(bytes).tensors;
  expect(tensors(readFileSync(join(out, "last.safetensors")))).toEqual(tensors(whole.weights));

  renameSync(join(after, "a.png"), join(after, "aa.png"));
  const change = (saved: TrainConfig) => ({ ...saved, data: [after], steps: 5 });
  await expect(resume(out, { device, change })).rejects.toThrow(
    "of those to train on number 1 was a and is aa. Resume",
  );
});

test("other pictures of the same names are told when a run goes on, and the best is measured on them", async () => {
  const folder = await picturesIn(unused(), 3);
  const out = unused();
  const config = { ...tiny, data: [folder], out, steps: 4, evalEvery: 2 };
  await train(config, { device });
  const more = async (steps: number, data = folder) => {
    const said: string[] = [];
    const change = (saved: TrainConfig) => ({ ...saved, steps, data: [data] });
    await resume(out, { device, change, onMessage: (line) => said.push(line) });
    return said.filter((line) => / are not those /.test(line));
  };
  const moved = unused();
  cpSync(folder, moved, { recursive: true });
  expect(await more(5, moved)).toEqual([]);
  const others = await picturesIn(unused(), 0);
  for (let k = 0; k < 3; k++) await writePicture(join(others, `${k}.png`), k + 5, () => 255);
  expect(await more(6, others)).toEqual([
    expect.stringMatching(/^The files to train on are not those that training began with, though /),
    expect.stringMatching(/^The held-out pictures are not those .* reach [\d.]+ dB, not [\d.]+$/),
  ]);
  expect(await more(7, others)).toEqual([]);
});
