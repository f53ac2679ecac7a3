/** `pixelgrad upscale` and `pixelgrad info` as a user runs them. */
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { readImage, writePng } from "../../src/data/index.ts";
import { readPictureFile } from "../../src/files/picture-file.ts";
import {
  EDSR,
  ESPCN,
  loadPretrained,
  networkUpscaler,
  openDevice,
  openMethod,
  saveWeights,
  setDefaultDevice,
  upscale as upscalePicture,
} from "../../src/node.ts";
import { imresize } from "../../src/picture/imresize.ts";
import { Random } from "../../src/tensor/random.ts";
import { drawn, noise, temporaryFolder } from "../data/support.ts";
import { float32Device } from "../support/devices.ts";
import { picturesIn } from "../support/pictures.ts";
import { type RunOptions, runFile, runProgram } from "../support/run.ts";
import { writeStandIns } from "../support/stand-ins.ts";

const folder = temporaryFolder();
const path = (...parts: string[]) => join(folder, ...parts);
const run = (args: readonly string[], options?: RunOptions) => runProgram(["upscale", ...args], options);
/** By bicubic interpolation, which is fast and known to the bit, unless a method is named. */
const upscale = (input: string, output: string, ...more: string[]) =>
  run(["-i", path(input), "-o", path(output), ...(more.includes("-m") ? [] : ["-m", "bicubic"]), ...more]);

const picture = noise(30, 24, 3);
const random = new Random(1);
const cpu = float32Device();
let espcn: ESPCN;

beforeAll(async () => {
  await writePng(path("picture.png"), picture);
  setDefaultDevice(cpu);
  espcn = new ESPCN({ scale: 3, filters: [4, 3], residual: true, random });
  writeFileSync(path("espcn.safetensors"), await saveWeights(espcn));
  const edsr = new EDSR({ scale: 2, blocks: 1, channels: 8, random });
  writeFileSync(path("edsr.safetensors"), await saveWeights(edsr));
});

describe("one picture", () => {
  test("by default by wren, twice as large", async () => {
    const small = noise(10, 8, 3);
    await writePng(path("small.png"), small);
    const { code, stdout, stderr } = await run(["-i", path("small.png"), "-o", path("default.png")]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toMatch(
      /default\.png {2}20x16 {2}wren x2, for a picture without signs of damage {2}1 tile {2}[\d.]+ s$/,
    );
    setDefaultDevice(await openDevice()); // the one that the program has chosen
    const network = await loadPretrained("wren", { scale: 2 });
    expect(await readImage(path("default.png"))).toEqual(await networkUpscaler(network).upscale(small));
    setDefaultDevice(cpu);
  });

  test("without a method, each picture gets its network, and its line says why", async () => {
    const [weights, both] = [path("stand-ins"), path("both")];
    for (const name of [weights, both]) mkdirSync(name);
    await writeStandIns(weights, "wren", [2]);
    await writeStandIns(weights, "wren-photo", [1, 2]);
    const board = drawn(96, 80, 3, (x, y, c) =>
      ((x >> 4) + (y >> 3)) % 2 ? 40 + 20 * c + y : 200 - (x >> 1),
    );
    await writePng(join(both, "clean.png"), board);
    const { width, height, channels } = board;
    const raw = sharp(board.data, { raw: { width, height, channels } });
    await raw.clone().jpeg({ quality: 62 }).toFile(join(both, "phone.jpg"));
    const enlarge = (...more: string[]) => {
      const args = ["-i", both, "-g", "cpu", "--json", path("choices.json"), ...more];
      return runFile("test/support/cli-with-stand-ins.ts", [weights, "upscale", ...args]);
    };

    const { code, stderr } = await enlarge("-o", path("chosen"));
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stderr).toMatch(
      /clean\.png {2}192x160 {2}wren x2, for a picture without signs of damage {2}1 tile/,
    );
    expect(stderr).toMatch(/phone\.png {2}192x160 {2}wren-photo x2, for JPEG at quality about 62 {2}1 tile/);
    expect(JSON.parse(readFileSync(path("choices.json"), "utf8"))).toMatchObject([
      { method: "wren", choice: { method: "wren", damage: { noise: 0 } } },
      { method: "wren-photo", choice: { method: "wren-photo", damage: { jpegQuality: 62 } } },
    ]);

    const named = await enlarge("-o", path("named"), "-m", "wren");
    expect(named.stderr).toMatch(/phone\.png {2}192x160 {2}wren x2 {2}1 tile/);
    expect(readFileSync(path("named", "clean.png"))).toEqual(readFileSync(path("chosen", "clean.png")));
    expect(readFileSync(path("named", "phone.png"))).not.toEqual(readFileSync(path("chosen", "phone.png")));
    expect(JSON.parse(readFileSync(path("choices.json"), "utf8"))[1]).not.toHaveProperty("choice");

    const cleanedUp = await enlarge("-o", path("cleaned"), "-s", "1");
    expect(cleanedUp.stderr).toMatch(/phone\.png {2}96x80 {2}wren-photo x1, for JPEG at quality about 62/);
  });

  test("by an interpolation", async () => {
    const { code, stdout, stderr } = await upscale("picture.png", "large.png", "-m", "bicubic");
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toMatch(/large\.png {2}60x48 {2}bicubic x2 {2}1 tile {2}[\d.]+ s$/);
    expect(await readImage(path("large.png"))).toEqual(imresize(picture, 2));
  });

  test("to a size in pixels: by the smallest scale that suffices, unless there is one", async () => {
    const { stderr } = await upscale("picture.png", "wide.png", "--width", "70");
    expect(stderr).toMatch(/wide\.png {2}70x56 {2}bicubic x3 /);
    const { image } = await upscalePicture(picture, { method: "bicubic", size: { width: 70 } });
    expect(await readImage(path("wide.png"))).toEqual(image);
    const boxed = await upscale("picture.png", "boxed.png", "-s", "4", "--width", "70", "--height", "40");
    expect(boxed.stderr).toMatch(/boxed\.png {2}50x40 {2}bicubic x4 /);
    const far = await upscale("picture.png", "far.png", "-s", "2", "--width", "61");
    expect(far).toMatchObject({ code: 1 });
    expect(far.stderr).toMatch(
      /^pixelgrad upscale: scale 2 makes 60 x 48 pixels of this picture, fewer than the 61 x 49/,
    );
  });

  test("by a weight file, in tiles; --json tells all", async () => {
    const args = ["-m", path("espcn.safetensors"), "-g", "cpu", "-t", "10", "--json", path("report.json")];
    expect(await upscale("picture.png", "espcn.png", ...args)).toMatchObject({ code: 0 });
    expect(await readImage(path("espcn.png"))).toEqual(await networkUpscaler(espcn).upscale(picture));
    const [report] = JSON.parse(readFileSync(path("report.json"), "utf8"));
    expect(report).toMatchObject({
      ...{ input: path("picture.png"), output: path("espcn.png"), method: "ESPCN", scale: 3, adapter: "cpu" },
      ...{ width: 90, height: 72, channels: 3, depth: 8, window: { width: 18, height: 16 } },
    });
    expect(report.tiles).toBeGreaterThan(3);
    for (const key of ["ms", "peakBytes", "peakProcessBytes"]) expect(report[key]).toBeGreaterThan(0);
  });

  test("--half: nearly the same picture, of a network stored as float16", async () => {
    const args = ["-m", path("espcn.safetensors"), "-g", "cpu", "--half"];
    expect(await upscale("picture.png", "half.png", ...args)).toMatchObject({ code: 0 });
    const inHalf = await openMethod({ method: await saveWeights(espcn), half: true });
    const result = await readImage(path("half.png"));
    expect(result).toEqual(await inHalf.upscaler.upscale(picture));
    const full = await networkUpscaler(espcn).upscale(picture);
    const errors = full.data.map((value, i) => Math.abs(value - result.data[i]));
    expect(errors.some((error) => error > 0)).toBe(true);
    expect(Math.max(...errors)).toBeLessThanOrEqual(2);
    inHalf.close();
  });

  test.each([
    ["-f", "webp", "--quality", "100"],
    ["-f", "jpeg"],
  ])("other formats: %s %s", async (...args) => {
    const name = `format-${args[1]}`;
    expect(await upscale("picture.png", name, ...args)).toMatchObject({ code: 0 });
    const { format, width } = await sharp(path(name)).metadata();
    expect({ format, width }).toEqual({ format: args[1], width: 60 });
    if (args[1] === "webp") expect(await readImage(path(name))).toEqual(imresize(picture, 2));
  });

  test("what the output cannot hold is said in a line each, and in --json", async () => {
    const levels = Uint16Array.from({ length: 4 * 4 * 4 }, (_, i) => 900 * i);
    const deep = sharp(levels, { raw: { width: 4, height: 4, channels: 4 } }).toColourspace("rgb16");
    writeFileSync(path("rich.png"), await deep.png().toBuffer());
    const { code, stderr } = await upscale("rich.png", "rich.jpg", "--json", path("rich.json"));
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /rich\.jpg .*\n {2}16 bits per sample became 8: JPEG holds no more\n {2}put on white: JPEG holds no /,
    );
    const [{ notes, depth }] = JSON.parse(readFileSync(path("rich.json"), "utf8"));
    expect(depth).toBe(8);
    expect(notes.map(({ kind }: { kind: string }) => kind)).toEqual(["depth", "alpha"]);
    // What flags ask for is no loss.
    const asked = await upscale("rich.png", "asked.jpg", "--depth", "8", "--alpha", "drop");
    expect(asked.stderr).toMatch(/asked\.jpg {2}8x8 .* s$/);
  });

  test("TIFF and AVIF, of 16 and 12 bits", async () => {
    const levels = Uint16Array.from({ length: 8 * 8 * 3 }, (_, i) => 300 * i);
    const deep = sharp(levels, { raw: { width: 8, height: 8, channels: 3 } }).toColourspace("rgb16");
    writeFileSync(path("deep3.png"), await deep.png().toBuffer());
    for (const [name, margin] of [
      ["deep3.tiff", 0],
      ["deep3.avif", 600],
    ] as const) {
      expect(await upscale("deep3.png", name, "-m", "nearest")).toMatchObject({ code: 0 });
      const { image } = await readPictureFile(path(name));
      expect(image.data).toBeInstanceOf(Uint16Array);
      for (let i = 0; i < 3 * 8; i++) {
        const at = 2 * (i - (i % 3)) + (i % 3);
        expect(Math.abs(image.data[at] - levels[i])).toBeLessThanOrEqual(margin);
      }
    }
  });

  test("the format follows the output's name; an existing folder gets the input's name", async () => {
    await upscale("picture.png", "named.webp");
    expect((await sharp(path("named.webp")).metadata()).format).toBe("webp");
    mkdirSync(path("into"));
    await upscale("picture.png", "into", "-f", "JPG"); // as files are called
    expect(readdirSync(path("into"))).toEqual(["picture.jpg"]);
  });

  test("16 bits, a profile, an orientation and transparency go through", async () => {
    const levels = Uint16Array.from({ length: 12 * 8 * 4 }, (_, i) =>
      i % 4 === 3 ? 65535 - 600 * (i % 48) : 150 * i,
    );
    const raw = sharp(levels, { raw: { width: 12, height: 8, channels: 4 } }).toColourspace("rgb16");
    writeFileSync(
      path("deep.png"),
      await raw.withIccProfile("p3").withMetadata({ orientation: 6 }).png().toBuffer(),
    );
    expect((await sharp(path("deep.png")).metadata()).depth).toBe("ushort");
    expect(await upscale("deep.png", "deep-large.png")).toMatchObject({ code: 0 });
    const before = await sharp(path("deep.png")).metadata();
    const { depth, width, height, channels, icc, orientation } = await sharp(
      path("deep-large.png"),
    ).metadata();
    expect({ depth, width, height, channels, orientation }).toEqual({
      ...{ depth: "ushort", width: 16, height: 24, channels: 4, orientation: 1 },
    });
    expect(icc).toEqual(before.icc);
    // As JPEG: 8 bits, no alpha.
    expect(await upscale("deep.png", "deep.jpg")).toMatchObject({ code: 0 });
    expect(await sharp(path("deep.jpg")).metadata()).toMatchObject({
      channels: 3,
      depth: "uchar",
      width: 16,
    });
    await upscale("deep.png", "dropped.png", "--alpha", "drop", "--depth", "8");
    expect(await sharp(path("dropped.png")).metadata()).toMatchObject({ channels: 3, depth: "uchar" });
  });

  test("what exists is left alone, unless --overwrite", async () => {
    writeFileSync(path("old.png"), "old");
    const left = await upscale("picture.png", "old.png");
    expect(left.code).toBe(0);
    expect(left.stderr).toContain("exists and is left alone; --overwrite replaces it");
    expect(readFileSync(path("old.png"), "utf8")).toBe("old");
    expect(await upscale("picture.png", "old.png", "--overwrite")).toMatchObject({ code: 0 });
    expect((await readImage(path("old.png"))).width).toBe(60);
  });
});

describe("a folder", () => {
  test("all of it; bad pictures are reported, the rest is done, and the exit code is 1", async () => {
    await picturesIn(path("mixed"), 3);
    writeFileSync(path("mixed", "0-empty.png"), "");
    writeFileSync(path("mixed", "1-text.jpg"), "no picture");
    writeFileSync(path("mixed", "notes.txt"), "not meant");
    const whole = readFileSync(path("mixed", "2.png"));
    writeFileSync(path("mixed", "2-cut.png"), whole.subarray(0, whole.length / 2));
    const { code, stderr } = await upscale("mixed", "mixed-large", "--json", path("mixed.json"));
    expect(code).toBe(1);
    expect(readdirSync(path("mixed-large"))).toEqual(["0.png", "1.png", "2.png"]);
    expect(stderr).toMatch(/^\[1\/6\] .*0-empty\.png: the file is empty/m);
    expect(stderr).toMatch(/^\[\d\/6\] .*1-text\.jpg: not a PNG, JPEG, .* or PPM picture/m);
    expect(stderr).toMatch(/^\[\d\/6\] .*2-cut\.png: this PNG picture of \d+ bytes cannot be decoded/m);
    expect(stderr).toMatch(/^\[2\/6\] .*0\.png {2}80x72 {2}bicubic x2 {2}1 tile {2}.*ETA/m);
    expect(stderr).toMatch(
      /pixelgrad upscale: 3 of 6 pictures were not enlarged, for the reasons above: .*0-empty\.png, .*1-text\.jpg, .*2-cut\.png\.$/,
    );
    const reports = JSON.parse(readFileSync(path("mixed.json"), "utf8"));
    expect(reports.filter(({ error }: { error?: string }) => error !== undefined)).toHaveLength(3);
    // Again: what is done stays.
    const again = await upscale("mixed", "mixed-large");
    expect(again.code).toBe(1);
    expect(again.stderr.match(/left alone/g)).toHaveLength(3);
  });

  test("Ctrl-C between two tiles: what is whole stays, no half files, and the next run goes on", async () => {
    mkdirSync(path("many"));
    for (let k = 0; k < 6; k++) await writePng(path("many", `${k}.png`), noise(150, 100, 3, k));
    const args = [
      "-i",
      path("many"),
      "-o",
      path("many-large"),
      "-m",
      path("edsr.safetensors"),
      "-g",
      "cpu",
      "-t",
      "50",
    ];
    let stopped = false;
    const broken = await run(args, {
      onError: (stderr, signal) => {
        if (stopped || !stderr.includes("[1/6]")) return;
        stopped = true;
        signal("SIGINT");
      },
    });
    expect(broken.code).toBe(130);
    expect(broken.stderr).toMatch(/Stopped\.$/);
    const done = readdirSync(path("many-large"));
    expect(done).toContain("0.png");
    expect(done.length).toBeLessThan(6);
    for (const file of done) expect(file).toMatch(/^\d\.png$/);
    for (const file of done) expect((await readImage(path("many-large", file))).width).toBe(300);
  });

  test("pictures that differ in their extensions alone keep them; what is no picture is left out", async () => {
    await picturesIn(path("twins"), 2);
    const jpeg = await sharp(path("twins", "0.png")).jpeg().toBuffer();
    for (const name of ["0.jpg", "2.JFIF", "._1.png"]) writeFileSync(path("twins", name), jpeg);
    writeFileSync(path("twins", "scan.psd"), "8BPS");
    mkdirSync(path("twins", "folder.png"));
    const { code, stderr } = await upscale("twins", "twins-large");
    expect(code).toBe(0);
    expect(readdirSync(path("twins-large"))).toEqual(["0.jpg.png", "0.png.png", "1.png", "2.png"]);
    expect(stderr).toContain(
      "twins: left out ._1.png (hidden), folder.png (a folder), scan.psd (not PNG, JPEG, WebP, TIFF, AVIF, GIF, BMP or PPM)",
    );
  });

  test("nothing is written over what is read, whatever it is called", async () => {
    await picturesIn(path("photos"), 1);
    symlinkSync(path("photos"), path("link"));
    const before = readFileSync(path("photos", "0.png"));
    for (const [input, output, ...more] of [
      ["photos", "photos"],
      ["photos", "link"],
      ["photos/0.png", "link/0.png"],
      ["photos", "elsewhere", "--json", path("link", "0.png")],
      ["photos/0.png", "once.png", "--json", path("once.png")],
    ]) {
      const { code, stderr } = await upscale(input, output, "--overwrite", ...more);
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: expect.stringMatching(/is an input|written twice/),
      });
    }
    expect(readFileSync(path("photos", "0.png"))).toEqual(before);
    expect(existsSync(path("once.png"))).toBe(false);
  });
});

describe("what goes wrong is one paragraph and an exit code", () => {
  test.each([
    [["-i", "none.png", "-o", "x.png"], 1, /none\.png: there is no such file or folder/],
    [["-i", "picture.png", "-o", "no/such/x.png"], 1, /no\/such\/x\.png: cannot be written/],
    [
      ["-i", "picture.png", "-o", "x.png", "-m", "sinc"],
      1,
      /sinc: there is no such method \(wren, .*espcn, srcnn, bicubic, bilinear, nearest\), and as a weight file/,
    ],
    [["-i", "picture.png", "-o", "x.png", "-m", "picture.png"], 1, /picture\.png/],
    [
      ["-i", "picture.png", "-o", "x.png", "-m", "espcn.safetensors", "-s", "2", "-g", "cpu"],
      1,
      /espcn\.safetensors enlarges by 3, but scale 2 was asked for/,
    ],
    [
      ["-i", "picture.png", "-o", "x.png", "-m", "espcn", "-s", "8"],
      2,
      /espcn enlarges by 2, 3 or 4, and --scale is 8/,
    ],
    [["-i", "picture.png", "-o", "x.bmp"], 2, /BMP is only read; PNG, JPEG, WebP, TIFF and AVIF are written/],
    [
      ["-i", "picture.png", "-o", "x.jpg", "--depth", "16"],
      2,
      /--depth 16 is for PNG, TIFF and AVIF, and the output is JPEG/,
    ],
    [["-i", "picture.png", "-o", "x.jpg", "--alpha", "keep"], 2, /--alpha keep is not for JPEG/],
    [
      ["-i", "picture.png", "-o", "x.png", "--quality", "90"],
      2,
      /--quality is for JPEG, WebP and AVIF, and PNG loses nothing/,
    ],
    [["-i", "picture.png", "-o", "x.jpg", "--quality", "101"], 2, /wants a whole number from 1 to 100/],
    [["-i", "picture.png", "-o", "x.png", "--max-memory", "lots"], 2, /wants a size such as 512M or 2G/],
    [
      ["-i", "picture.png", "-o", "x.png", "--max-memory", "1M"],
      1,
      /Allow more memory.* the program itself takes \d+ MiB, .*: --max-memory \d+M suffices/,
    ],
    [["-i", "-", "-o", "x.y4m"], 2, /give both -i - and -o -/],
    [["-i", "picture.png"], 2, /--output PATH is missing/],
    [
      ["-i", "picture.png", "-o", "x.png", "-m", "bicubic", "--half"],
      2,
      /--half is for networks, and bicubic/,
    ],
  ])("%j", async (args, code, message) => {
    const named = args.map((arg) => (/\.(png|jpg|y4m|safetensors)$/.test(arg) ? path(arg) : arg));
    const result = await run(named);
    expect(result.stderr).toMatch(message);
    expect(result.code).toBe(code);
    expect(result.stdout).toBe("");
    for (const name of ["x.png", "x.jpg"]) expect(existsSync(path(name))).toBe(false);
  });

  test("too little --max-memory names an amount that suffices", async () => {
    await writePng(path("large.png"), noise(200, 200, 3));
    const args = [
      "-i",
      path("large.png"),
      "-o",
      path("x.png"),
      "-m",
      "wren",
      "--tile",
      "200",
      "--max-memory",
    ];
    const refused = await run([...args, "100M"]);
    expect(refused.code).toBe(1);
    const [, named] = /--max-memory (\d+M) suffices/.exec(refused.stderr)!;
    expect(await run([...args, named])).toMatchObject({ code: 0 });
  });

  test("a folder that is read-only", async () => {
    if (process.getuid?.() === 0) return; // nothing is read-only to root
    mkdirSync(path("locked"));
    chmodSync(path("locked"), 0o500);
    const { code, stderr } = await upscale("picture.png", "locked/x.png");
    expect(code).toBe(1);
    expect(stderr).toContain("cannot be written");
  });
});

describe("video", () => {
  const video = (frames: number) =>
    Buffer.concat([
      Buffer.from("YUV4MPEG2 W16 H12 F25:1 Ip A1:1 C420jpeg\n"),
      ...Array.from({ length: frames }, (_, k) => [
        Buffer.from("FRAME\n"),
        Buffer.from(noise(16, 18, 1, k).data),
      ]).flat(),
    ]);

  test("from standard input to standard output, and nothing else there", async () => {
    const args = ["-i", "-", "-o", "-", "-m", path("espcn.safetensors"), "-g", "cpu"];
    const { code, stderr, output } = await run(args, { input: video(3) });
    expect(code).toBe(0);
    expect(stderr).toMatch(/3 frames {2}48x36 {2}ESPCN x3/);
    const header = "YUV4MPEG2 W48 H36 F25:1 Ip A1:1 C420jpeg\n";
    const frame = 6 + (48 * 36 * 3) / 2;
    expect(output.subarray(0, header.length).toString()).toBe(header);
    expect(output).toHaveLength(header.length + 3 * frame);
    const hashes = new Set<string>();
    for (let k = 0; k < 3; k++) {
      const at = header.length + k * frame;
      expect(output.subarray(at, at + 6).toString()).toBe("FRAME\n");
      hashes.add(
        createHash("sha1")
          .update(output.subarray(at, at + frame))
          .digest("hex"),
      );
      const y = await networkUpscaler(espcn).upscaleY(noise(16, 18, 1, k).data.subarray(0, 192), 16, 12);
      const luma = output.subarray(at + 6, at + 6 + 48 * 36);
      for (const [i, value] of y.entries()) {
        expect(Math.abs(luma[i] - Math.min(255, Math.max(0, value)))).toBeLessThanOrEqual(0.51);
      }
    }
    expect(hashes.size).toBe(3);
    const half = await run([...args, "--half"], { input: video(3) });
    const errors = half.output.map((value, i) => Math.abs(value - output[i]));
    expect(half).toMatchObject({ code: 0, output: { length: output.length } });
    expect(errors.some((error) => error > 0)).toBe(true);
    expect(errors.every((error) => error <= 1)).toBe(true);
  });

  test("a trace has the frames, also of an interpolation", async () => {
    const trace = path("video-trace.json");
    const args = ["-i", "-", "-o", "-", "-m", "bicubic", "--profile", trace];
    expect(await run(args, { input: video(2) })).toMatchObject({ code: 0 });
    const { traceEvents } = JSON.parse(readFileSync(trace, "utf8"));
    const begun = (event: { name: string; ph: string }) =>
      event.name === "enlarge a frame" && event.ph === "b";
    expect(traceEvents.filter(begun)).toHaveLength(2);
  });

  test("standard error says what is no video, or cut short", async () => {
    const wrong = await run(["-i", "-", "-o", "-"], { input: Buffer.from("RIFF....AVI ") });
    expect(wrong).toMatchObject({ code: 1, stdout: "" });
    expect(wrong.stderr).toContain("this is no y4m video");
    const cut = await run(["-i", "-", "-o", "-"], { input: video(2).subarray(0, 500) });
    expect(cut.code).toBe(1);
    expect(cut.stderr).toContain("it ends within frame 2");
    const none = await run(["-i", "-", "-o", "-", "-m", "bicubic"], { input: video(0) });
    expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining("no frame behind the header") });
    const half = await run(["-i", "-", "-o", "-", "-m", "bicubic", "--half"], { input: video(1) });
    expect(half).toMatchObject({ code: 2, stderr: expect.stringContaining("--half is for networks") });
    const flag = await run(["-i", "-", "-o", "-", "--depth", "16"], { input: video(1) });
    expect(flag.code).toBe(2);
  });
});

test("info names the adapter in use and its ceilings", async () => {
  const json = path("info.json");
  const result = await runProgram(["info", "--json", json]);
  expect(result.code).toBe(0);
  const info = JSON.parse(readFileSync(json, "utf8"));
  expect(result.stdout).toContain(`in use      ${info.adapter}`);
  expect(result.stdout).toContain(`float16     ${info.profile.float16 ? "yes" : "no"}`);
  expect(info.adapters.length).toBeGreaterThan(0);
  expect(info.maxStorageBufferBindingSize).toBeGreaterThanOrEqual(128 * 2 ** 20);
  expect(info.ceilings.flops).toBeGreaterThan(1e8);
  expect(info.ceilings.copies).toHaveLength(4);
  const cpu = await runProgram(["info", "-g", "cpu"]);
  expect(cpu.code).toBe(0);
  expect(cpu.stdout).toContain("in use      cpu");
});
