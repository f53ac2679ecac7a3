/** `pixelgrad convert` and `pixelgrad info FILE`, as a user starts them; and weights of other programs as methods. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { convertCommand, exportCommand } from "../../src/cli/convert.ts";
import { type Command, parseFlags, UsageError } from "../../src/cli/flags.ts";
import { infoCommand } from "../../src/cli/info.ts";
import { readImage, writePng } from "../../src/data/index.ts";
import { setDefaultDevice } from "../../src/device/open.ts";
import {
  loadModel,
  parseSafetensors,
  parseWeights,
  Random,
  RRDBNet,
  readNetwork,
  serializePytorch,
  serializeSafetensors,
} from "../../src/index.ts";
import { DataError, textOf } from "../../src/picture/errors.ts";
import { pretrainedFile } from "../../src/upscale/method-names.ts";
import { noise, temporaryFolder } from "../data/support.ts";
import { float32Device } from "../support/devices.ts";
import { readOnnxWeights } from "../support/protobuf.ts";
import { root, runProgram } from "../support/run.ts";
import { torchSave } from "../support/torch-save.ts";

setDefaultDevice(float32Device());
const folder = temporaryFolder();
const path = (name: string) => join(folder, name);
const golden = (name: string) =>
  fileURLToPath(new URL(`../golden/foreign-networks/${name}`, import.meta.url));
const env = { PIXELGRAD_ADAPTER: "cpu" };
const pixelgrad = (...args: string[]) => runProgram(args, { env });

/** Runs a command in this process. */
const runHere = async (command: Command, args: readonly string[]) =>
  command.run(parseFlags(command, args), { program: "pixelgrad", signal: new AbortController().signal });

/** Runs a command in this process, which ends with an error that means this exit code. */
async function expectError(command: Command, args: readonly string[], code: number, message: RegExp) {
  await expect(runHere(command, args)).rejects.toThrow(code === 2 ? UsageError : DataError);
  await expect(runHere(command, args)).rejects.toThrow(message);
}

describe("convert", () => {
  test("BasicSR's file becomes one of this library, and back to PyTorch's, bit for bit", async () => {
    const [ours, theirs] = [path("ours.safetensors"), path("theirs.pth")];
    const there = await pixelgrad("convert", golden("edsr-basicsr-x4.pth"), ours, "--set", "resScale=0.5");
    expect(there).toMatchObject({ code: 0 });
    expect(there.stdout).toBe(`${ours}: EDSR x4, 2 blocks of 4 channels, 2,147 parameters\n`);
    expect(there.stderr).toContain("does not say the range of values: 0 to 255");
    expect(there.stderr).not.toContain("resScale");
    const model = loadModel(readFileSync(ours));
    expect(model.metadata()).toMatchObject({ architecture: "EDSR", scale: "4", resScale: "0.5" });

    expect(await pixelgrad("convert", ours, theirs)).toMatchObject({ code: 0, stderr: "" });
    expect(parseWeights(readFileSync(theirs)).tensors).toEqual(await model.stateDict());
    expect(loadModel(readFileSync(theirs)).metadata()).toEqual(model.metadata());
  });

  test("what --set changes of what the file says is told", async () => {
    const [half, quarter] = [path("scaled-by-half.safetensors"), path("scaled-by-quarter.safetensors")];
    await pixelgrad("convert", golden("edsr-basicsr-x4.pth"), half, "--set", "resScale=0.5");
    expect(await pixelgrad("convert", half, quarter, "--set", "resScale=0.25")).toMatchObject({
      code: 0,
      stderr: `${half} says resScale=0.5. The output says resScale=0.25, by --set.`,
    });
    expect(loadModel(readFileSync(quarter)).metadata()).toMatchObject({ resScale: "0.25" });
  });

  test("what a file without metadata leaves open is assumed, and not what it says", async () => {
    const [plain, output] = [path("plain_x3.pth"), path("residual-x3.safetensors")];
    const { tensors } = parseSafetensors(readFileSync(pretrainedFile("srcnn", 3)!));
    writeFileSync(plain, serializePytorch(tensors));
    const asItIs = await pixelgrad("convert", plain, path("assumed-x3.safetensors"));
    expect(asItIs.stderr).toContain("does not say what the network makes: the whole picture");
    const set = ["--set", "residual=true", "--set", "padding=replicate"];
    expect(await pixelgrad("convert", plain, output, ...set)).toMatchObject({ code: 0, stderr: "" });
    // And with what says so in the state dict.
    await pixelgrad("convert", "srcnn", path("marked.pth"), "-s", "3");
    const marked = serializePytorch(parseWeights(readFileSync(path("marked.pth"))).tensors);
    expect(loadModel(marked, "marked_x3.pth").metadata()).toEqual(loadModel(readFileSync(output)).metadata());
  });

  test("SPAN keeps the tensor that says that no mean is subtracted", async () => {
    const [input, output] = [path("span-folded.safetensors"), path("span-folded.pth")];
    await pixelgrad("convert", golden("3x-span.pth"), input, "--set", "normalize=false");
    expect(await pixelgrad("convert", input, output)).toMatchObject({ code: 0, stderr: "" });
    for (const file of [input, output]) {
      expect(parseWeights(readFileSync(file)).tensors.has("no_norm"), file).toBe(true);
    }
  });

  test("--set of what the weights decide is named as the fault", async () => {
    const output = path("other.safetensors");
    for (const [setting, other] of [
      ["scale=3", "EDSR x3, 2 blocks of 4 channels"],
      ["blocks=99", "EDSR x4, 99 blocks of 4 channels"],
      ["blocks=1", "EDSR x4, 1 block of 4 channels"],
    ]) {
      const error = await runHere(convertCommand as Command, [
        ...[golden("edsr-basicsr-x4.pth"), output, "--set", setting, "--set", "resScale=0.5"],
      ]).catch((error) => error);
      expect(error).toBeInstanceOf(UsageError);
      expect(error.message).toBe(
        `--set ${setting} --set resScale=0.5 makes ${other} of ${golden("edsr-basicsr-x4.pth")}, and its weights are ` +
          "those of EDSR x4, 2 blocks of 4 channels. --set is for what the weights do not decide",
      );
    }
    expect(existsSync(output)).toBe(false);
  });

  test("a weight that float16 cannot hold is told in words that fit both the flag and the option", async () => {
    const { tensors, metadata } = parseSafetensors(readFileSync(pretrainedFile("espcn", 2)!));
    const large = new Map(tensors);
    const [name, { shape, data }] = [...tensors][0];
    large.set(name, { shape, data: data.map((value, i) => (i === 0 ? 7e4 : value)) });
    const input = path("large-weight.safetensors");
    writeFileSync(input, serializeSafetensors(large, metadata));
    for (const output of ["half.safetensors", "half.pth"]) {
      const error = runHere(convertCommand as Command, [input, path(output), "--dtype", "float16"]);
      expect(textOf(await error.catch((error) => error))).toBe(
        `tensor ${name} holds 70000, and float16 ends at 65504. Save it as float32.`,
      );
    }
  });

  test("files may be given as URLs, the output, too", async () => {
    mkdirSync(path("sp ace"));
    const url = pathToFileURL(path("sp ace/a b.safetensors")).href;
    expect(await pixelgrad("convert", "espcn", url)).toMatchObject({ code: 0, stderr: "" });
    expect(existsSync(path("sp ace/a b.safetensors"))).toBe(true);
    const before = process.cwd();
    process.chdir(path("sp ace"));
    try {
      await runHere(exportCommand as Command, [url]);
      expect(existsSync(path("sp ace/a b.onnx"))).toBe(true);
    } finally {
      process.chdir(before);
    }
  });

  test("export writes ONNX into the current folder, by the input's name", async () => {
    const before = process.cwd();
    const current = path("current-folder");
    mkdirSync(current);
    const exported = (...args: string[]) => runHere(exportCommand as Command, args);
    process.chdir(current);
    try {
      await exported("espcn", "-s", "3");
      await exported("espcn", "by-name.onnx", "-s", "3");
      expect(readFileSync("espcn-x3.onnx")).toEqual(readFileSync("by-name.onnx"));
      await expect(exported("espcn", "-s", "3")).rejects.toThrow("there is a file of this name");
      await exported(golden("espcn.pth"));
      expect(existsSync("espcn.onnx")).toBe(true);
      await expect(exported("espcn", "a.onnx", "b.onnx")).rejects.toThrow("an input and an output, got 3");
    } finally {
      process.chdir(before);
    }
  });

  test("a network by its name becomes ONNX", async () => {
    const onnx = path("espcn.onnx");
    expect(await pixelgrad("convert", "espcn", onnx, "-s", "3")).toMatchObject({ code: 0 });
    const weights = readOnnxWeights(readFileSync(onnx));
    expect(weights.get("last_part.0.weight")!.shape[0]).toBe(9);
    const own = path("espcn-own.onnx");
    expect(await pixelgrad("convert", "espcn", own, "-s", "3", "--colors", "own")).toMatchObject({ code: 0 });
    expect(readFileSync(own).length).toBeLessThan(readFileSync(onnx).length);
  });

  test("float16 takes half the bytes", async () => {
    for (const extension of ["safetensors", "pth"]) {
      const [whole, half] = [path(`whole.${extension}`), path(`half.${extension}`)];
      await pixelgrad("convert", "srcnn", whole);
      expect(await pixelgrad("convert", "srcnn", half, "--dtype", "float16")).toMatchObject({ code: 0 });
      expect(readFileSync(half).length).toBeLessThan(0.6 * readFileSync(whole).length);
      expect(readNetwork(readFileSync(half)).metadata.architecture).toBe("SRCNN");
    }
  });

  test("files that exist stay, and inputs in any case", async () => {
    const there = path("there.safetensors");
    writeFileSync(there, "something else");
    const refused = await pixelgrad("convert", golden("espcn.pth"), there);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain(
      `${there}: there is a file of this name. Name another one, or give --overwrite.`,
    );
    expect(readFileSync(there, "utf8")).toBe("something else");
    expect(await pixelgrad("convert", golden("espcn.pth"), there, "--overwrite")).toMatchObject({ code: 0 });
    expect(loadModel(readFileSync(there)).scale).toBe(3);
    const same = await pixelgrad("convert", there, there, "--overwrite");
    expect(same).toMatchObject({ code: 2 });
    expect(same.stderr).toContain("is an input");
  });

  test.each<[string[], number, RegExp]>([
    [["a.pth"], 2, /wants an input and an output, got 1 name/],
    [[golden("espcn.pth"), "a.png"], 2, /a\.png does not end in \.safetensors, \.pth, \.pt or \.onnx/],
    [[golden("espcn.pth"), "a.onnx", "--dtype", "float16"], 2, /ONNX files are written in float32 alone/],
    [[golden("espcn.pth"), "a.pth", "--colors", "own"], 2, /--colors is for ONNX files alone/],
    [
      [golden("espcn.pth"), "a.pth", "--set", "resScale=1"],
      2,
      /ESPCN has the options scale, filters, activation/,
    ],
    [
      [golden("espcn.pth"), "a.pth", "--set", "activation=sine"],
      2,
      /--set activation wants tanh or relu, got "sine"/,
    ],
    [[golden("espcn.pth"), "a.pth", "--set", "scale=2"], 2, /makes ESPCN x2.* those of ESPCN x3/],
    [[golden("espcn.pth"), "a.pth", "-s", "4"], 2, /espcn\.pth enlarges by \d, and --scale is 4/],
    [["espcn", "a.pth", "-s", "8"], 2, /espcn enlarges by 2, 3 or 4, and --scale is 8/],
    [["nowhere.pth", "a.pth"], 1, /nowhere\.pth: cannot be read: there is no such file/],
    [[golden("espcn.pth"), "no/folder/a.pth"], 1, /there is no folder no\/folder/],
  ])("%j", async (args, code, message) => {
    await expectError(convertCommand as Command, args, code, message);
    expect(existsSync(join(root, "a.pth"))).toBe(false);
  });
});

describe("info", () => {
  test("says what a file holds, and what it does not say", async () => {
    const json = path("info.json");
    const { code, stdout } = await pixelgrad("info", golden("fsrcnn_x3.pth"), "--json", json);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^network {5}FSRCNN x3, 6 and 3 channels, 2 layers of mapping$/m);
    expect(stdout).toMatch(/^parameters {2}877, /m);
    const info = JSON.parse(readFileSync(json, "utf8"));
    expect(info).toMatchObject({
      architecture: "FSRCNN",
      scale: 3,
      parameters: 877,
      adapter: "cpu",
      halo: 6,
    });
    // 6 * 25 + 6 * 3 + 2 * 27 * 3 + 3 * 6 + 6 * 81 multiplications for each pixel
    expect(info.multiplyAddsPerPixel).toBe(834);
    expect(info.secondsPerMegapixel).toBeGreaterThan(0);
    // At least its largest feature map, at most a kilobyte for each pixel.
    expect(info.bytesPerMegapixel).toBeGreaterThan(4 * 9e6);
    expect(info.bytesPerMegapixel).toBeLessThan(1e9);
    // The averaged weights of two.
    const { state } = readNetwork(readFileSync(golden("2x-compact-half.pth")));
    const checkpoint = ["params", "params_ema"].flatMap((prefix) =>
      [...state].map(([key, array]) => [`${prefix}.${key}`, array] as const),
    );
    writeFileSync(path("two.safetensors"), serializeSafetensors(new Map(checkpoint)));
    // These by the fastest adapter: each measures the time of a picture, which takes the CPU device seconds.
    const two = await runProgram(["info", path("two.safetensors"), "--json", json]);
    expect(two.stdout).toMatch(/^weights {5}params_ema, the averaged weights; not params$/m);
    expect(JSON.parse(readFileSync(json, "utf8")).weights).toMatch(/^params_ema/);
    // One whose influence reaches further than its tiles overlap.
    const wide = new RRDBNet({ scale: 4, blocks: 5, channels: 2, growth: 1, random: new Random(1) });
    writeFileSync(path("rrdbnet.pth"), serializePytorch(await wide.stateDict()));
    const rrdbnet = await runProgram(["info", path("rrdbnet.pth"), "--json", json]);
    expect(rrdbnet.stdout).toMatch(/^looks {7}79 pixels far: at 159 x 159 .*\n {12}tiles overlap by 64: /m);
    expect(JSON.parse(readFileSync(json, "utf8"))).toMatchObject({
      halo: 64,
      exactHalo: 79,
      receptiveField: 159,
    });
    const edsr = await runProgram(["info", golden("edsr-basicsr-x2.pth")]);
    expect(edsr.stdout).toMatch(/^assumed {5}the range of values: .* \(rgbRange\)$/m);
  });

  test.each<[string[], number, RegExp]>([
    [["bicubic"], 1, /bicubic is an interpolation/],
    [["a.pth", "b.pth"], 2, /looks at one file, got 2/],
    [["-s", "3"], 2, /--scale is for a file or a name/],
    [[golden("espcn.pth"), "-s", "4"], 2, /espcn\.pth enlarges by \d, and --scale is 4/],
  ])("%j", (args, code, message) => expectError(infoCommand as Command, args, code, message));
});

describe("refusals begin with the file's name, and name no function that nobody called", () => {
  const edsr = {
    architecture: "EDSR",
    scale: "2",
    blocks: "2",
    channels: "4",
    resScale: "1",
    rgbRange: "255",
  };
  const { channels: _, ...incomplete } = edsr;
  const files: [name: string, metadata: Record<string, string>, message: string][] = [
    [
      "no-channels.safetensors",
      incomplete,
      ' describes a network of architecture EDSR, but lacks its "channels". Save the weights again with ' +
        "saveWeights().",
    ],
    [
      "no-tensors.safetensors",
      edsr,
      " describes EDSR x2, 2 blocks of 4 channels, which has more weights than the file's 0 in 0 tensors. The " +
        "file is damaged or incomplete.",
    ],
    [
      "scale-9.safetensors",
      { ...edsr, scale: "9" },
      ' says that "scale" of architecture EDSR is "9", which should be 2, 3, 4 or 8.',
    ],
  ];

  test.each(files)("convert, upscale and loadModel: %s", async (name, metadata, message) => {
    const file = path(name);
    writeFileSync(file, serializeSafetensors(new Map(), metadata));
    const picture = path("any.png");
    await writePng(picture, noise(8, 8, 3));
    const convert = pixelgrad("convert", file, path(`${name}.pth`));
    const upscale = pixelgrad("upscale", picture, "-o", path("any-out.png"), "-m", file);
    expect(await convert).toMatchObject({ code: 1, stderr: `pixelgrad convert: ${file}${message}` });
    expect(await upscale).toMatchObject({ code: 1, stderr: `pixelgrad upscale: ${file}${message}` });
    const bytes = readFileSync(file);
    expect(() => loadModel(bytes, file)).toThrow(new DataError(`${file}${message}`));
  });

  test("train --init", async () => {
    const file = path("of-another-program.safetensors");
    writeFileSync(file, serializeSafetensors(new Map(), { architecture: "VDSR" }));
    expect(await pixelgrad("train", "edsr", "--init", file)).toMatchObject({
      code: 1,
      stderr:
        `pixelgrad train edsr: ${file} calls its network "VDSR"; known are SRCNN, ESPCN, FSRCNN, EDSR, Compact, ` +
        "SPAN, RRDBNet, Wren. It was made by another version or program. If it is a network of your own: " +
        "loadWeights(new Net(), bytes).",
    });
  });
});

describe("as methods and for training", () => {
  test("upscale takes them; the scale may come from the flag", async () => {
    await writePng(path("small.png"), noise(9, 8, 3));
    const upscale = (...args: string[]) => pixelgrad("upscale", "-i", path("small.png"), ...args);
    for (const [file, scale] of [
      ["edsr-basicsr-x3.pth", 3],
      ["pytorch_model_2x.pt", 2],
    ] as const) {
      const output = path(`${file}.png`);
      const { code, stderr } = await upscale("-o", output, "-m", golden(file));
      expect(code).toBe(0);
      expect((await readImage(output)).width).toBe(9 * scale);
      // Once, however many pictures there are.
      expect(
        stderr.match(/does not say the range of values: .* --set rgbRange=… says otherwise\.\n/g)?.length,
      ).toBe(1);
    }
    copyFileSync(golden("fsrcnn_x2.pth"), path("net.pth"));
    const refused = await upscale("-o", path("net.png"), "-m", path("net.pth"));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("Say by how much it enlarges: --scale 3");
    expect(await upscale("-o", path("net.png"), "-m", path("net.pth"), "-s", "2")).toMatchObject({ code: 0 });
    expect((await readImage(path("net.png"))).width).toBe(18);
  });

  test("upscale says which weights were taken of several, and which were not", async () => {
    await writePng(path("tiny.png"), noise(6, 5, 3));
    const { state } = readNetwork(readFileSync(golden("2x-compact-half.pth")));
    const judge = { shape: [3, 3, 3, 3], data: new Float32Array(81) };
    const file = path("two.pth");
    writeFileSync(file, torchSave({ params: state, params_ema: new Map([["conv.weight", judge]]) }));
    const { code, stderr } = await pixelgrad("upscale", path("tiny.png"), "-o", path("two.png"), "-m", file);
    expect(code).toBe(0);
    expect(stderr).toContain(`${file}: the weights are those of params; not params_ema.\n`);
  });

  test.each([
    ["edsr-basicsr-x4.pth", 4, 255],
    ["edsr-range-1-module.pth", 2, 1],
  ])(
    "train --init begins with them, by their range of values: %s, x%d, %d",
    async (file, scale, rgbRange) => {
      const data = path(`data-${rgbRange}`);
      mkdirSync(data);
      for (const i of [1, 2, 3]) await writePng(join(data, `${i}.png`), noise(40, 40, 3, i));
      const network = [
        "--scale",
        `${scale}`,
        "--blocks",
        "2",
        "--channels",
        "4",
        "--patch",
        "8",
        "--batch",
        "1",
      ];
      const out = path(`trained-${rgbRange}`);
      const rest = ["--data", data, "--init", golden(file), "--out", out, "--steps", "1"];
      const { code, stdout, stderr } = await pixelgrad("train", "edsr", ...network, ...rest);
      expect(code, stderr).toBe(0);
      expect(stdout).toContain(`Weights: from ${golden(file)}\n`);
      const { metadata } = parseSafetensors(readFileSync(join(out, "last.safetensors")), "last.safetensors");
      expect(metadata.rgbRange).toBe(`${rgbRange}`);
    },
  );
});
