/** The networks of examples/pytorch compute what those of this library do, and weights go there and back. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { setDefaultDevice } from "../../src/device/open.ts";
import { evaluate } from "../../src/evaluate/index.ts";
import { encodePng, readImage } from "../../src/files/image-files.ts";
import {
  Compact,
  EDSR,
  ESPCN,
  FSRCNN,
  loadModel,
  networkUpscaler,
  parseWeights,
  Random,
  RRDBNet,
  rand,
  readNetwork,
  SPAN,
  SRCNN,
  type SuperResolver,
  saveWeights,
  serializePytorch,
  serializeSafetensors,
  Wren,
} from "../../src/index.ts";
import { buildNetwork } from "../../src/models/registry.ts";
import { type Image, toRgb, withoutAlpha } from "../../src/picture/index.ts";
import { drawn, temporaryFolder } from "../data/support.ts";
import { float32Device } from "../support/devices.ts";
import { python, runPython } from "../support/python.ts";
import { root, runFile } from "../support/run.ts";

setDefaultDevice(float32Device());
const random = new Random(8);

describe.skipIf(python === undefined)("PyTorch", () => {
  const networks: Readonly<Record<string, SuperResolver>> = {
    "edsr-x2": new EDSR({ scale: 2, blocks: 2, channels: 6, resScale: 0.3, random }),
    "edsr-x3": new EDSR({ scale: 3, blocks: 1, channels: 4, rgbRange: 1, rgbMean: [0.5, 0.4, 0.3], random }),
    "edsr-x4": new EDSR({ scale: 4, blocks: 1, channels: 4, random }),
    "espcn-x2": new ESPCN({ scale: 2, filters: [5, 4], residual: true, activation: "relu", random }),
    "espcn-x3": new ESPCN({ scale: 3, filters: [5, 4], random }),
    "fsrcnn-x3": new FSRCNN({ scale: 3, d: 5, s: 3, m: 2, random }),
    "compact-x1": new Compact({ scale: 1, layers: 2, channels: 4, random }),
    "compact-x3": new Compact({ scale: 3, layers: 1, channels: 4, activation: "relu", colors: "y", random }),
    "rrdbnet-x2": new RRDBNet({ scale: 2, blocks: 1, channels: 4, growth: 3, unshuffle: 2, random }),
    "rrdbnet-x4": new RRDBNet({ scale: 4, blocks: 2, channels: 4, growth: 3, random }),
    "span-x2": new SPAN({ scale: 2, blocks: 1, channels: 4, random }),
    "span-x4": new SPAN({ scale: 4, blocks: 2, channels: 4, normalize: true, random }),
    "wren-x1": new Wren({ scale: 1, blocks: 1, channels: 4, random }),
    "wren-x2": new Wren({ scale: 2, blocks: 2, channels: 5, random }),
    "wren-x3": new Wren({ scale: 3, blocks: 1, channels: 4, colors: "y", random }),
    "srcnn-x2": new SRCNN({ scale: 2, filters: [5, 4], residual: true, random }),
    "srcnn-x3": new SRCNN({ scale: 3, filters: [5, 4], kernels: [5, 3, 1], padding: "zeros", random }),
  };

  test("computes the same, and gives every weight back bit for bit", async () => {
    const folder = temporaryFolder();
    for (const [name, model] of Object.entries(networks)) {
      writeFileSync(join(folder, `${name}.safetensors`), await saveWeights(model, { note: "kept" }));
      writeFileSync(join(folder, `${name}.pth`), serializePytorch(await model.stateDict(), model.metadata()));
      const x = rand([2, model.planes, 11, 14], { random });
      const y = model.forward(x);
      const pictures = new Map([
        ["input", { shape: x.shape, data: await x.data() }],
        ["output", { shape: y.shape, data: await y.data() }],
      ]);
      writeFileSync(join(folder, `${name}.pictures.safetensors`), serializeSafetensors(pictures));
    }
    const differences = JSON.parse(runPython("compare-networks.py", [folder])) as Record<string, number>;
    expect(Object.keys(differences)).toEqual(Object.keys(networks).sort());
    for (const [name, model] of Object.entries(networks)) {
      expect(differences[name], name).toBeLessThan(1e-5);
      const state = await model.stateDict();
      const again = readFileSync(join(folder, `${name}.again.safetensors`));
      expect(parseWeights(again).tensors, name).toEqual(state);
      expect(parseWeights(again).metadata).toEqual({ ...model.metadata(), note: "kept" });
      expect(await loadModel(again).stateDict()).toEqual(state);
      // What torch.save writes has no metadata: the network is recognized by its tensors.
      const network = readNetwork(readFileSync(join(folder, `${name}.again.pth`)), `${name}.pth`);
      expect(await buildNetwork(network).stateDict(), name).toEqual(state);
      const { architecture, scale, residual, padding, activation, normalize } = model.metadata();
      const options = { architecture, scale, residual, padding, activation, normalize };
      expect(network.metadata).toMatchObject(JSON.parse(JSON.stringify(options)));
    }
  });

  test("goes on where it was stopped, and begins a scale with the weights of another", async () => {
    const folder = temporaryFolder();
    const data = join(folder, "pictures");
    mkdirSync(data);
    for (const i of [0, 1]) {
      const image = drawn(40, 44, 3, (x, y, c) => 128 + 100 * Math.sin((x * (c + 2) + y * (i + 2)) / 5));
      writeFileSync(join(data, `${i}.png`), await encodePng(image));
    }
    const [before, after, larger] = ["x2", "tuned", "x3"].map((name) => join(folder, `${name}.safetensors`));
    writeFileSync(before, await saveWeights(new Wren({ scale: 2, blocks: 1, channels: 4, random })));
    const train = (...args: string[]) => {
      const common = ["--data", data, "--batch", "1", "--patch", "8", "--log-every", "1", "--ema", "0.9"];
      const script = join(root, "examples/pytorch/train.py");
      const env = { ...process.env, OMP_NUM_THREADS: "1" };
      const options = { encoding: "utf8", timeout: 120_000, env } as const;
      const { status, stdout, stderr } = spawnSync(python!, [script, ...common, ...args], options);
      expect(status, stderr).toBe(0);
      return [...stdout.matchAll(/^step (\d+) of/gm)].map(([, step]) => Number(step));
    };
    const tuned = ["--init", before, "--valid", data, "--out", after, "--resume"];
    expect(train(...tuned, "--steps", "2", "--bf16")).toEqual([1, 2]);
    expect(train(...tuned, "--steps", "4", "--warmup", "1", "--hold", "0.5")).toEqual([3, 4]);
    const log = readFileSync(`${after}.log.jsonl`, "utf8").trim().split("\n");
    expect(log.map((line) => JSON.parse(line).step)).toEqual([2, 4]);
    const { metadata } = parseWeights(readFileSync(after));
    expect(metadata.step).toBe("4");
    expect(JSON.parse(metadata.config)).toMatchObject({
      network: { architecture: "Wren", scale: 2 },
      steps: 4,
    });

    // A state of before there were markers.
    const old = join(folder, "old.safetensors");
    writeFileSync(
      before,
      await saveWeights(new ESPCN({ scale: 2, filters: [5, 4], residual: true, random })),
    );
    const espcn = ["--init", before, "--out", old, "--resume"];
    expect(train(...espcn, "--steps", "1")).toEqual([1]);
    const forget = `import sys, torch
state = torch.load(sys.argv[1])
for part in ("model", "average"): del state[part]["residual"]
torch.save(state, sys.argv[1])`;
    expect(spawnSync(python!, ["-c", forget, `${old}.state`]).status).toBe(0);
    expect(train(...espcn, "--steps", "2")).toEqual([2]);
    writeFileSync(before, await saveWeights(new Wren({ scale: 2, blocks: 1, channels: 4, random })));

    expect(train("--init", after, "--scale", "3", "--out", larger, "--steps", "1", "--lr", "1e-9")).toEqual([
      1,
    ]);
    const [small, large] = [after, larger].map((path) => loadModel(readFileSync(path), path));
    expect(large.scale).toBe(3);
    const [from, to] = [await small.stateDict(), await large.stateDict()];
    for (const [name, { data: values }] of to) {
      if (name.startsWith("tail.")) continue;
      for (const [i, value] of values.entries()) expect(value).toBeCloseTo(from.get(name)!.data[i], 5);
    }

    // LR pictures from files: two of the first picture, none of the second.
    const low = join(folder, "low");
    mkdirSync(low);
    const black = drawn(20, 22, 3, () => 0);
    for (const name of ["0~a", "0~b"]) writeFileSync(join(low, `${name}.png`), await encodePng(black));
    const pairs = ["--low", low, "--valid", data, "--valid-low", low];
    train("--init", before, ...pairs, "--out", after, "--steps", "1", "--lr", "0");
    const { psnr } = JSON.parse(readFileSync(`${after}.log.jsonl`, "utf8").trim().split("\n").at(-1)!);
    expect(psnr).toBeLessThan(10); // of black pictures
  });

  test("opens the pictures that degrade.ts opens, as it does, and pairs each with its own", async () => {
    const [high, low] = ["high", "low"].map((name) => join(temporaryFolder(), name));
    for (const folder of [high, low]) mkdirSync(folder);
    const samples = (count: number, f: (i: number) => number) =>
      Uint8Array.from({ length: count }, (_, i) => f(i));
    const raw = (data: Uint8Array, channels: 1 | 3 | 4) =>
      sharp(data, { raw: { width: 8, height: 6, channels } });
    const color = samples(144, (i) => (i * 37) % 256);
    await raw(color, 3).png().toFile(join(high, "a.png"));
    await raw(
      samples(144, (i) => 255 - color[i]),
      3,
    )
      .webp({ lossless: true })
      .toFile(join(high, "a.webp"));
    for (const orientation of [3, 6]) {
      await raw(color, 3)
        .withMetadata({ orientation })
        .png()
        .toFile(join(high, `turned~${orientation}.png`));
    }
    const deep = Uint16Array.from({ length: 48 }, (_, i) => i * 1300);
    const grey = sharp(deep, { raw: { width: 8, height: 6, channels: 1 } }).toColourspace("grey16");
    await grey.png().toFile(join(high, "deep.png"));
    await raw(
      samples(192, (i) => (i * 53) % 256),
      4,
    )
      .png()
      .toFile(join(high, "glass.png"));
    for (const folder of [high, low]) writeFileSync(join(folder, "._a.png"), "macOS");

    const { code, stderr } = await runFile("examples/degrade.ts", [high, low, "2", "2"]);
    expect([code, stderr]).toEqual([0, ""]);
    const pairs = JSON.parse(runPython("open-pairs.py", [high, low, "2"])) as number[][][][][];
    const bytes = ({ data, width, height }: Image) =>
      [0, 1, 2].map((c) =>
        Array.from({ length: height }, (_, y) =>
          Array.from({ length: width }, (_, x) => data[3 * (y * width + x) + c]),
        ),
      );
    const names = ["a.png", "a.webp", "deep", "glass", "turned~3", "turned~6"];
    const paths = ["a.png", "a.webp", "deep.png", "glass.png", "turned~3.png", "turned~6.png"];
    expect(pairs).toHaveLength(2 * names.length);
    for (const [i, name] of names.entries()) {
      const image = toRgb(withoutAlpha(await readImage(join(high, paths[i])), "white"));
      for (const copy of [0, 1]) {
        const [small, large] = pairs[2 * i + copy];
        expect(large, name).toEqual(bytes(image));
        expect(small, name).toEqual(bytes(await readImage(join(low, `${name}~${copy}.png`))));
      }
    }
    writeFileSync(join(low, "a~0.png"), readFileSync(join(low, "a.png~0.png")));
    expect(() => runPython("open-pairs.py", [high, low, "2"])).toThrow("may be LR of several pictures");
  });

  test("measures pictures without any error, and holds the rate to the end", async () => {
    const [data, blank] = ["data", "blank"].map((name) => join(temporaryFolder(), name));
    for (const folder of [data, blank]) mkdirSync(folder);
    const wave = drawn(40, 44, 3, (x, y) => 128 + 100 * Math.sin((x + y) / 5));
    writeFileSync(join(data, "wave.png"), await encodePng(wave));
    const white = drawn(40, 44, 3, () => 255);
    writeFileSync(join(blank, "white.png"), await encodePng(white));
    const [init, out] = ["init", "out"].map((name) => join(temporaryFolder(), `${name}.safetensors`));
    const model = new Wren({ scale: 2, blocks: 1, channels: 4, random });
    for (const [name, parameter] of model.namedTensors()) {
      if (name.startsWith("tail.")) parameter.assign(new Float32Array(parameter.size)); // bicubic alone
    }
    writeFileSync(init, await saveWeights(model));
    const args = [
      "--init",
      init,
      "--data",
      data,
      "--valid",
      blank,
      "--out",
      out,
      "--patch",
      "8",
      "--batch",
      "1",
    ];
    const script = join(root, "examples/pytorch/train.py");
    const rest = ["--steps", "2", "--hold", "1", "--lr", "1e-9"];
    const { status, stderr } = spawnSync(python!, [script, ...args, ...rest], { encoding: "utf8" });
    expect(status, stderr).toBe(0);
    expect(JSON.parse(readFileSync(`${out}.log.jsonl`, "utf8"))).toEqual({ step: 2, psnr: null, lr: 1e-9 });
  });

  test("trains by torchrun with two processes, from weights of this library to such", async () => {
    const folder = temporaryFolder();
    const data = join(folder, "pictures");
    mkdirSync(data);
    // Soft edges at many places, of which more can be learned than bicubic interpolation knows.
    const images = Array.from({ length: 3 }, (_, i) =>
      drawn(96, 80, 3, (x, y, c) => 128 + 120 * Math.tanh(3 * Math.sin((x * (c + 2) + y * (i + 2)) / 9))),
    );
    for (const [i, image] of images.entries()) writeFileSync(join(data, `${i}.png`), await encodePng(image));
    const [before, after] = ["before", "after"].map((name) => join(folder, `${name}.safetensors`));
    const model = new ESPCN({ scale: 2, filters: [16, 8], activation: "relu", residual: true, random });
    writeFileSync(before, await saveWeights(model));
    const torchrun = join(dirname(python!), "torchrun");
    const args = [
      "--init",
      before,
      "--data",
      data,
      "--out",
      after,
      "--steps",
      "20",
      "--patch",
      "16",
      "--lr",
      "1e-3",
    ];
    const { status, stdout, stderr } = spawnSync(
      torchrun,
      ["--standalone", "--nproc-per-node", "2", join(root, "examples/pytorch/train.py"), ...args],
      { encoding: "utf8", timeout: 180_000, env: { ...process.env, OMP_NUM_THREADS: "1" } },
    );
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(
      /step 10 of 20, loss [\d.]+, .*\nstep 20 of 20, loss [\d.]+, .*\n2 processes on c/,
    );
    const pictures = images.map((_, i) => ({ name: `${i}`, high: join(data, `${i}.png`) }));
    const psnr = async (path: string) => {
      const upscaler = networkUpscaler(loadModel(readFileSync(path), path));
      return (await evaluate(upscaler, pictures, {})).mean.psnr;
    };
    const [first, last] = [await psnr(before), await psnr(after)];
    console.log(`20 steps by torchrun: from ${first.toFixed(2)} to ${last.toFixed(2)} dB`);
    expect(last).toBeGreaterThan(first);
  });
});
