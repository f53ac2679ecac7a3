/** Networks of ncnn: recognized, and computing what PyTorch does; test/golden/ncnn/make.py wrote them. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { onDevice } from "../../src/device/open.ts";
import {
  buildNetwork,
  loadModel,
  parseSafetensors,
  parseWeights,
  RRDBNet,
  readNetwork,
} from "../../src/node.ts";
import { DataError } from "../../src/picture/errors.ts";
import { tensor } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { readWeightFile } from "../../src/upscale/weight-files.ts";
import { temporaryFolder } from "../data/support.ts";
import { float32Device } from "../support/devices.ts";
import { inOnePiece, type NcnnParts, rrdbnetAsNcnn } from "../support/ncnn.ts";
import { root, runProgram } from "../support/run.ts";

const golden = (file: string) => join(root, "test/golden/ncnn", file);
const device = float32Device();
const outputs = parseSafetensors(readFileSync(golden("outputs.safetensors"))).tensors;

const networks: Record<string, Record<string, string>> = {
  "compact-prelu-x2": {
    architecture: "Compact",
    scale: "2",
    layers: "2",
    channels: "6",
    activation: "prelu",
  },
  "compact-prelu-x4-half": { architecture: "Compact", scale: "4", layers: "2", activation: "prelu" },
  "compact-leaky-x3": { architecture: "Compact", scale: "3", layers: "2", activation: "prelu" },
  "compact-relu-x1": { architecture: "Compact", scale: "1", layers: "2", activation: "relu" },
  "span-x2": { architecture: "SPAN", scale: "2", blocks: "6", channels: "4", normalize: "false" },
  "rrdbnet-x4": { architecture: "RRDBNet", scale: "4", blocks: "2", growth: "2", unshuffle: "1" },
  "rrdbnet-x2": { architecture: "RRDBNet", scale: "2", blocks: "2", channels: "4", unshuffle: "2" },
  "rrdbnet-x1-half": { architecture: "RRDBNet", scale: "1", blocks: "2", growth: "2", unshuffle: "4" },
  "span-normalized-x4": { architecture: "SPAN", scale: "4", blocks: "6", normalize: "true" },
};

test.each(Object.entries(networks))(
  "%s is recognized, and computes as in PyTorch",
  async (name, expected) => {
    const network = readNetwork(await readWeightFile(golden(`${name}.param`)), name);
    expect(network.metadata).toMatchObject(expected);
    expect(network.assumptions).toEqual([]);
    const model = onDevice(device, () => buildNetwork(network));
    const [x, y] = ["x", "y"].map((part) => outputs.get(`${name}/${part}`)!);
    const result = await model.forward(tensor(x.data, x.shape, { device })).data();
    const largest = y.data.reduce((max: number, v: number) => Math.max(max, Math.abs(v)), 0);
    const worst = result.reduce((max, v, i) => Math.max(max, Math.abs(v - y.data[i])), 0);
    expect(worst / largest).toBeLessThan(1e-5);
    model.dispose();
  },
);

const dense = onDevice(
  device,
  () => new RRDBNet({ scale: 4, blocks: 2, channels: 4, growth: 2, random: new Random(1) }),
);

test("RRDBNet, with its two ways to write a residual", async () => {
  const network = readNetwork(inOnePiece(await rrdbnetAsNcnn(dense, 2)), "x4plus.param");
  expect(network.metadata).toMatchObject({
    architecture: "RRDBNet",
    scale: "4",
    blocks: "2",
    channels: "4",
    growth: "2",
  });
  const state = await dense.stateDict();
  expect([...network.state.keys()].sort()).toEqual([...state.keys()].sort());
  for (const [key, { data }] of network.state) expect(data).toEqual(state.get(key)!.data);
});

test("a file for x2 that shrinks the result of a network for x4 is read as that network, and says so", async () => {
  const [text, weights] = ["param", "bin"].map((part) =>
    readFileSync(golden(`compact-prelu-x4-half.${part}`)),
  );
  const lines = text.toString().trimEnd().replace(" out0 ", " big ").replace("12 13", "13 14");
  const shrinking = `${lines}\nInterp half 1 1 big out0 0=3 1=5.0e-01 2=5.0e-01\n`;
  const { metadata, assumptions } = readNetwork(inOnePiece({ text: shrinking, weights }), "x2.param");
  expect(metadata.scale).toBe("4");
  expect(assumptions[0].text).toMatch(/resizes its result by 0\.5 afterwards, which is left out/);
});

test("one slope for all channels of a PReLU", () => {
  const [text, weights] = ["param", "bin"].map((part) => readFileSync(golden(`compact-prelu-x2.${part}`)));
  // Six slopes are behind each of the first three convolutions, and one of them stays.
  const [slopes, one] = [24, 4];
  const ends = [676, 2024, 3372].map((end) => [end + one, end + slopes]);
  const parts = [0, ...ends.flat(), weights.length];
  const kept = [0, 2, 4, 6].map((i) => weights.subarray(parts[i], parts[i + 1]));
  const single = {
    text: text.toString().replaceAll(/(PReLU .*) 0=6/g, "$1 0=1"),
    weights: Buffer.concat(kept),
  };
  const network = readNetwork(inOnePiece(single), "net.param");
  expect(network.metadata).toMatchObject(networks["compact-prelu-x2"]);
  const first = network.state.get("body.1.weight")!;
  expect(first.shape).toEqual([6]);
  expect(first.data).toEqual(new Float32Array(6).fill(weights.readFloatLE(676)));
  onDevice(device, () => buildNetwork(network)).dispose();
});

test("convolutions without biases", () => {
  const [text, weights] = ["param", "bin"].map((part) => readFileSync(golden(`compact-prelu-x2.${part}`)));
  // Behind each convolution's weights.
  const ends = [652, 676, 2000, 2024, 3348, 3372, 5992, 6040];
  const parts = [0, ...ends, weights.length];
  const kept = [0, 2, 4, 6, 8].map((i) => weights.subarray(parts[i], parts[i + 1]));
  const plain = { text: text.toString().replaceAll(" 5=1 ", " 5=0 "), weights: Buffer.concat(kept) };
  const network = readNetwork(inOnePiece(plain), "net.param");
  expect(network.metadata).toMatchObject(networks["compact-prelu-x2"]);
  const whole = readNetwork(inOnePiece({ text: text.toString(), weights }), "net.param").state;
  for (const [key, { data }] of whole) {
    const want = key.endsWith(".bias") ? new Float32Array(data.length) : data;
    expect(network.state.get(key)!.data, key).toEqual(want);
  }
  onDevice(device, () => buildNetwork(network)).dispose();
});

describe("files", () => {
  const folder = temporaryFolder();

  test("either of the two is named; a text without an end of line does", async () => {
    const whole = await readWeightFile(golden("span-x2.param"));
    expect(await readWeightFile(golden("span-x2.bin"))).toEqual(whole);
    expect(parseWeights(whole).tensors.get("conv_6.weight")!.shape).toEqual([4, 3, 3, 3]);
    writeFileSync(join(folder, "a.param"), readFileSync(golden("span-x2.param"), "latin1").trimEnd());
    copyFileSync(golden("span-x2.bin"), join(folder, "a.bin"));
    expect(await readWeightFile(join(folder, "a.bin"))).toEqual(whole);
  });

  test("a text alone says where its weights are", async () => {
    const alone = join(folder, "alone.param");
    copyFileSync(golden("span-x2.param"), alone);
    await expect(async () => loadModel(await readWeightFile(alone), alone)).rejects.toThrow(
      /alone\.param: this is the text of an ncnn network alone.*ends in \.bin: put it beside/,
    );
  });

  test("convert writes them for others, and upscale enlarges with them", async () => {
    const out = join(folder, "out");
    mkdirSync(out);
    const run = (...args: string[]) => runProgram(args, { env: { PIXELGRAD_ADAPTER: "cpu" } });
    const converted = await run("convert", golden("compact-leaky-x3.param"), join(out, "x3.pth"));
    expect(converted.stderr).toBe("");
    const described = await run("info", golden("compact-leaky-x3.bin"));
    expect(described.stdout).toContain("Compact x3, 2 layers of 6 channels");
    const model = onDevice(device, () => loadModel(readFileSync(join(out, "x3.pth")), "x3.pth"));
    expect(model.scale).toBe(3);
    model.dispose();
  });
});

describe("refuses by name", () => {
  const parts = (name = "compact-prelu-x2"): NcnnParts => ({
    text: readFileSync(golden(`${name}.param`), "latin1"),
    weights: readFileSync(golden(`${name}.bin`)),
  });
  const changed = (from: string | RegExp, to: string, name?: string): NcnnParts => {
    const { text, weights } = parts(name);
    if (text.replace(from, to) === text) throw new Error(`${from} is not in the text`);
    return { text: text.replace(from, to), weights };
  };
  const rrdbnet = (from: string | RegExp, to: string) => changed(from, to, "rrdbnet-x2");

  test.each<[string, () => NcnnParts, RegExp]>([
    [
      "an unknown layer",
      () => changed("PixelShuffle ", "Deconvolution "),
      /layer pixelshuffle_5 .* is a Deconvolution, which none/,
    ],
    ["a stride", () => changed("3=1", "3=2"), /conv_1 .* a convolution with a stride/],
    ["dilation", () => changed(" 2=1", " 2=2"), /conv_1 .* a convolution with a stride/],
    ["whole numbers", () => changed("6=162", "6=162 8=1"), /whole numbers/],
    ["another activation", () => changed("6=162", "6=162 9=3"), /the activation 3/],
    ["sizes that do not fit", () => changed("6=162", "6=163"), /sizes of the layer conv_1 do not fit/],
    ["2^40 numbers", () => changed("0=6 1=3", "0=1099511627776 1=3"), /sizes of the layer conv_1 do not fit/],
    [
      "many numbers",
      () => changed("6=162", "6=162000000"),
      /conv_1 do not fit|has 648000000 bytes of weights, and \d+ are left/,
    ],
    ["a slope for none", () => changed("0=6\n", "0=0\n"), /a layer has no numbers/],
    ["two layers of a name", () => changed("conv_2 ", "conv_1 "), /two layers are called conv_1/],
    ["no count", () => changed("12 13", "99999999 13"), /does not say how many layers/],
    ["a layer too many", () => changed("12 13", "13 13"), /no layer in its line|text ends too early/],
    ["a parameter that is no number", () => changed("5=1", "5=x"), /has the parameter 5=x/],
    [
      "an unshuffle in another order",
      () => rrdbnet("1 1 in0 1 0=2 1=0", "1 1 in0 1 0=2 1=1"),
      /layer pixelunshuffle_0 .* is a pixel unshuffle in another order/,
    ],
    [
      "another unshuffle than the channels are for",
      () => rrdbnet("1 1 in0 1 0=2 1=0", "1 1 in0 1 0=4 1=0"),
      /from 12 channels to 3, with a pixel unshuffle by 4 in front, and these do not fit/,
    ],
    [
      "no unshuffle",
      () => rrdbnet(/Reorg .*\n/, "Noop a 1 1 in0 1\n"),
      /from 12 channels to 3, with a pixel unshuffle by 1/,
    ],
    [
      "another order",
      () => ({
        text: readFileSync(golden("compact-relu-x1.param"), "latin1").replace("9=1", "9=0"),
        weights: readFileSync(golden("compact-relu-x1.bin")),
      }),
      /none of those that are read from ncnn: .*begin with C3, C3, R0, C3/,
    ],
    [
      "a line without an end",
      () => ({ text: `7767517\n${"x".repeat(5000)}`, weights: new Uint8Array(9) }),
      /line of more than 4096/,
    ],
    [
      "weights cut short",
      () => ({ ...parts(), weights: parts().weights.subarray(0, 999) }),
      /bytes of weights, and \d+ are left/,
    ],
    [
      "weights of another network",
      () => ({ ...parts(), weights: Buffer.concat([parts().weights, Buffer.alloc(8)]) }),
      /more than the layers take/,
    ],
    [
      "8 bits",
      () => ({
        ...parts(),
        weights: Buffer.concat([Buffer.of(0x38, 0x4b, 0x0d, 0), parts().weights.subarray(4)]),
      }),
      /whole numbers of 8 bits/,
    ],
    [
      "NaN",
      () => ({
        ...parts(),
        weights: Buffer.concat([
          parts().weights.subarray(0, 4),
          Buffer.of(0, 0, 0xc0, 0x7f),
          parts().weights.subarray(8),
        ]),
      }),
      /NaN/,
    ],
  ])("%s", (_, make, message) => {
    const load = () => onDevice(device, () => loadModel(inOnePiece(make()), "net.param"));
    expect(load).toThrow(DataError);
    expect(load).toThrow(message);
    expect(load).toThrow(/net\.param/);
  });
});
