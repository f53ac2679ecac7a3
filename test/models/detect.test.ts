/** Networks of other programs: recognized by their tensors, and computing what those programs compute. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { setDefaultDevice } from "../../src/device/open.ts";
import {
  architectureNames,
  FSRCNN,
  loadModel,
  loadWeights,
  openMethod,
  parsePytorch,
  readNetwork,
  serializePytorch,
  serializeSafetensors,
  tensor,
} from "../../src/index.ts";
import { DataError } from "../../src/picture/errors.ts";
import { parseSafetensors } from "../../src/weights/safetensors.ts";
import { cpuTime } from "../support/cpu-time.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";

const folder = new URL("../golden/foreign-networks/", import.meta.url);
const read = (name: string) => readFileSync(new URL(name, folder));
const files = readdirSync(folder).filter((name) => /\.pth?$/.test(name));
const devices = [float32Device(), ...(await gpuDevices())];

const want: Readonly<Record<string, Record<string, string>>> = {
  "edsr-pytorch-x2.pt": { architecture: "EDSR", scale: "2", rgbRange: "255" },
  "edsr-pytorch-x3.pt": { architecture: "EDSR", scale: "3", rgbRange: "255" },
  "edsr-pytorch-x4.pt": { architecture: "EDSR", scale: "4", blocks: "2", channels: "4", resScale: "1" },
  "edsr-basicsr-x2.pth": { architecture: "EDSR", scale: "2", rgbRange: "255" },
  "edsr-basicsr-x3.pth": { architecture: "EDSR", scale: "3", rgbRange: "255" },
  "edsr-basicsr-x4.pth": { architecture: "EDSR", scale: "4", blocks: "2", channels: "4", resScale: "1" },
  "edsr-range-1-module.pth": { architecture: "EDSR", scale: "2", rgbRange: "1" },
  "pytorch_model_2x.pt": { architecture: "EDSR", scale: "2", rgbRange: "1", resScale: "1" },
  "srcnn_x3.pth": { architecture: "SRCNN", scale: "3", kernels: "9-5-5", filters: "6-4", padding: "zeros" },
  "4x-esrgan.pth": { architecture: "RRDBNet", scale: "4", blocks: "2", channels: "4", growth: "2" },
  "2x-compact-half.pth": { architecture: "Compact", scale: "2", layers: "2", channels: "6" },
  "3x-span.pth": { architecture: "SPAN", scale: "3", channels: "4", normalize: "true" },
  "espcn.pth": { architecture: "ESPCN", scale: "3", filters: "6-4", activation: "tanh", residual: "false" },
  "fsrcnn_x2.pth": { architecture: "FSRCNN", scale: "2", d: "6", s: "3", m: "2" },
  "fsrcnn_x3.pth": { architecture: "FSRCNN", scale: "3", d: "6", s: "3", m: "2" },
};

test("there is a file of every kind", () => expect(files.sort()).toEqual(Object.keys(want).sort()));

describe.each(devices.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  test.each(files)("%s", async (name) => {
    setDefaultDevice(device);
    const network = readNetwork(read(name), name);
    expect(network.metadata).toMatchObject(want[name]);
    const model = loadModel(read(name), name);
    expect(model.metadata()).toEqual(network.metadata);
    const { input, output } = Object.fromEntries(parseSafetensors(read(`${name}.safetensors`)).tensors);
    const y = model.forward(tensor(input.data, input.shape));
    expect(y.shape).toEqual(output.shape);
    const values = await y.data();
    const largest = output.data.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    const difference = values.reduce((a, b, i) => Math.max(a, Math.abs(b - output.data[i])), 0);
    expect(difference / largest).toBeLessThan(1e-5);
    model.dispose();
  });
});

setDefaultDevice(devices[0]);

test.each(["", "module.", "netG.module.", "generator.", "_orig_mod.", "module._orig_mod.", "my_network."])(
  'the same as safetensors, with "%s" before names',
  (prefix) => {
    const { state } = readNetwork(read("edsr-pytorch-x4.pt"));
    const prefixed = new Map([...state].map(([name, array]) => [prefix + name, array]));
    const network = readNetwork(serializeSafetensors(prefixed));
    expect(network.metadata).toMatchObject(want["edsr-pytorch-x4.pt"]);
    expect(network.state).toEqual(state);
  },
);

test("the one that makes pictures, of two networks in a file", () => {
  const { state } = readNetwork(read("4x-esrgan.pth"));
  const both = new Map([...state].map(([name, array]) => [`netG.${name}`, array]));
  both.set("netD.conv0.weight", { shape: [1, 3, 3, 3], data: new Float32Array(27) });
  const network = readNetwork(serializeSafetensors(both));
  expect(network.metadata).toMatchObject(want["4x-esrgan.pth"]);
  expect(network.state).toEqual(state);
});

test("names with prefixes without end are refused in time", async () => {
  const array = { shape: [1], data: new Float32Array(1) };
  const load = () => readNetwork(serializeSafetensors(new Map([["a.".repeat(2 ** 19), array]])));
  const time = await cpuTime(() => expect(load).toThrow(/none of the networks that are known here/));
  expect(time).toBeLessThan(10_000);
});

test("an unknown one is told by its own names, with a prefix, too", () => {
  const tensors = new Map(
    ["conv_first.weight", "layers.0.residual_group.blocks.0.norm1.weight"].map((name) => [
      `params.${name}`,
      { shape: [1], data: new Float32Array(1) },
    ]),
  );
  expect(() => readNetwork(serializeSafetensors(tensors), "x.pth")).toThrow(
    /this is SwinIR, .* are called params\.conv_first\.weight, params\.layers\.0/,
  );
});

describe("what the weights do not tell", () => {
  test.each([
    ["edsr-basicsr-x2.pth", ["the range of values: 0 to 255, less", "each block's residual: 1"]],
    ["edsr-pytorch-x2.pt", ["each block's residual: 1"]],
    ["pytorch_model_2x.pt", ["0 to 1, with no mean subtracted", "each block's residual: 1"]],
    ["espcn.pth", ["tanh", "the whole picture, and not"]],
    ["srcnn_x3.pth", ["beyond the edges: zeros", "the whole picture, and not"]],
    ["3x-span.pth", ["what is subtracted from pictures: the mean of DIV2K"]],
    ["fsrcnn_x3.pth", []],
  ])("%s", (name, texts) => {
    const { assumptions } = readNetwork(read(name), name);
    expect(assumptions.length).toBe(texts.length);
    for (const [i, text] of texts.entries()) expect(assumptions[i].text).toContain(text);
  });

  test("residuals of 256 channels count a tenth, as the paper's network is the only one of that size", () => {
    const wide = new Map(
      [...readNetwork(read("edsr-pytorch-x2.pt")).state].map(([name, { shape }]) => {
        const sizes = shape.map((size) => (size === 4 ? 256 : size === 16 ? 1024 : size));
        return [name, { shape: sizes, data: new Float32Array(sizes.reduce((a, b) => a * b, 1)) }] as const;
      }),
    );
    expect(readNetwork(serializePytorch(wide)).metadata).toMatchObject({ channels: "256", resScale: "0.1" });
  });

  test("the scale comes from the file's name or from the caller", async () => {
    const bytes = read("fsrcnn_x2.pth");
    for (const name of ["fsrcnn_x3.pth", "a/b/FSRCNN-X3.pth", "3x_fsrcnn.pth", "fsrcnn.x3.pt"]) {
      expect(readNetwork(bytes, name).metadata.scale, name).toBe("3");
    }
    // Sizes of filters are no scales.
    for (const sizes of ["4x4patch", "9x5", "9x5x5", "56x12x4", "x3x3", "3x3", "128x128"]) {
      expect(readNetwork(bytes, `fsrcnn_${sizes}_x2.pth`).metadata.scale, sizes).toBe("2");
      expect(readNetwork(bytes, `2x_fsrcnn_${sizes}.pth`).metadata.scale, sizes).toBe("2");
      expect(() => readNetwork(bytes, `fsrcnn_${sizes}.pth`), sizes).toThrow("Say by how much it enlarges");
    }
    for (const name of ["fsrcnn.pth", "x3/fsrcnn.pth", "box3.pth", "fsrcnn_x32.pth", "x2_to_x4.pth"]) {
      expect(() => readNetwork(bytes, name), name).toThrow(DataError);
      expect(() => readNetwork(bytes, name), name).toThrow("Say by how much it enlarges: --scale 3");
      expect(readNetwork(bytes, name, { scale: 4 }).metadata.scale).toBe("4");
    }
    expect((await openMethod({ method: bytes, scale: 2 })).upscaler.scale).toBe(2);
  });

  test.each(["fsrcnn_x3.pth", "srcnn_x3.pth"])("no other scale replaces that of a name: %s", (name) => {
    const message = `${name}: by its name it enlarges by 3, but scale 2 was asked for.`;
    expect(() => readNetwork(read(name), name, { scale: 2 })).toThrow(message);
    expect(readNetwork(read(name), name, { scale: 3 }).metadata.scale).toBe("3");
  });

  test("a scale that the network cannot have", () => {
    const load = (name: string, scale?: number) => readNetwork(read("fsrcnn_x2.pth"), name, { scale });
    expect(() => load("fsrcnn_x8.pth")).toThrow("fsrcnn_x8.pth: by its name it enlarges by 8, which");
    expect(() => load("net.pth", 8)).toThrow("net.pth: as was given it enlarges by 8, which");
  });
});

test("what another program calls its network does not count, the tensors do", async () => {
  const { tensors } = parsePytorch(read("srcnn_x3.pth"));
  for (const metadata of [
    { architecture: "SRCNN-pytorch", note: "" },
    { architecture: "EDSR", note: "x4" },
  ]) {
    const { metadata: found } = readNetwork(serializeSafetensors(tensors, metadata), "srcnn_x3.safetensors");
    expect(found).toMatchObject({ architecture: "SRCNN", scale: "3", kernels: "9-5-5" });
  }
  // Nor by our names, where it says no more than the scale.
  const { tensors: span } = parsePytorch(read("3x-span.pth"));
  const spanWith = (metadata: Record<string, string>) => serializeSafetensors(span, metadata);
  for (const metadata of [
    { architecture: "SPAN", scale: "3" },
    { architecture: "Compact", scale: "2" },
  ]) {
    expect(readNetwork(spanWith(metadata)).metadata).toMatchObject(want["3x-span.pth"]);
  }
  // What contradicts the tensors is refused.
  expect(() => loadModel(spanWith({ architecture: "SPAN", scale: "7" }), "net")).toThrow(/"scale"|lacks its/);
  // Of tensors that nobody knows, the name is all there is to say.
  const foreign = new Map([["weight", { shape: [1], data: new Float32Array(1) }]]);
  expect(() => loadModel(serializeSafetensors(foreign, { architecture: "VDSR" }), "net")).toThrow(
    /calls its network "VDSR"/,
  );
});

test.each([NaN, Infinity])("weights that hold %d are refused by the tensor's name", (value) => {
  const { tensors } = parsePytorch(read("espcn.pth"));
  tensors.get("first_part.2.weight")!.data[5] = value;
  const refused = () => loadModel(serializePytorch(tensors), "net.pth");
  expect(refused).toThrow(DataError);
  expect(refused).toThrow(`net.pth holds ${value} in the tensor first_part.2.weight.`);
});

test("tensors of the wrong sizes are refused before a network is built", () => {
  const { tensors } = parsePytorch(read("espcn.pth"));
  tensors.set("first_part.0.weight", { shape: [4096, 1, 5, 5], data: new Float32Array(4096 * 25) });
  expect(() => loadModel(serializePytorch(tensors), "net.pth")).toThrow(
    /more weights than the file|does not fit/,
  );
  const { state } = readNetwork(read("edsr-pytorch-x2.pt"));
  const odd = new Map([...state, ["tail.0.0.weight", { shape: [20, 4, 3, 3], data: new Float32Array(720) }]]);
  expect(() => loadModel(serializePytorch(odd), "net.pth")).toThrow(
    /"scale" of architecture EDSR is "2"|should be/,
  );
});

describe("one slope for all channels of a PReLU", () => {
  test.each([
    ["fsrcnn_x2.pth", /^(?:first|mid)_part\.\d+\.weight$/],
    ["2x-compact-half.pth", /^body\.\d+\.weight$/],
  ])("%s", (name, pattern) => {
    const { state } = readNetwork(read(name), name);
    const slope = Float32Array.of(0.125);
    const isSlope = (key: string) => pattern.test(key) && state.get(key)!.shape.length === 1;
    const single = new Map(
      [...state].map(([key, array]) => [key, isSlope(key) ? { shape: [1], data: slope } : array]),
    );
    const network = readNetwork(serializePytorch(single), name);
    expect([...network.state.keys()].filter(isSlope).length).toBeGreaterThan(1);
    for (const [key, { shape, data }] of network.state) {
      expect(shape).toEqual(state.get(key)!.shape);
      if (isSlope(key)) expect(data.every((value) => value === 0.125)).toBe(true);
    }
    loadModel(serializePytorch(single), name).dispose();
  });
});

describe("networks for other pictures say which", () => {
  const array = (...shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b)) });
  /** A file's state, with other shapes in place of some. */
  const changed = (name: string, shapes: Record<string, number[]>) => {
    const state = new Map(parsePytorch(read(name)).tensors);
    for (const [key, shape] of Object.entries(shapes)) {
      expect(state.has(key)).toBe(true);
      state.set(key, array(...shape));
    }
    return () => readNetwork(serializePytorch(state), name);
  };
  test.each([
    ["EDSR", "edsr-pytorch-x2.pt", { "head.0.weight": [4, 1, 3, 3] }, "an EDSR for 1 channel, and"],
    [
      "BasicSR's EDSR",
      "edsr-basicsr-x2.pth",
      { "conv_first.weight": [4, 1, 3, 3] },
      "an EDSR for 1 channel, and",
    ],
    [
      "SRCNN",
      "srcnn_x3.pth",
      { "conv1.weight": [6, 3, 9, 9], "conv3.weight": [3, 4, 5, 5] },
      "an SRCNN for 3 channels, and pixelgrad runs SRCNN on luma alone",
    ],
    [
      "ESPCN",
      "espcn.pth",
      { "first_part.0.weight": [6, 3, 5, 5], "last_part.0.weight": [27, 4, 3, 3] },
      "an ESPCN for 3 channels, and",
    ],
    ["FSRCNN", "fsrcnn_x2.pth", { "first_part.0.weight": [6, 3, 5, 5] }, "an FSRCNN for 3 channels, and"],
    [
      "Compact with transparency",
      "2x-compact-half.pth",
      { "body.0.weight": [6, 4, 3, 3], "body.6.weight": [16, 6, 3, 3] },
      "Compact from 4 channels to 4, and",
    ],
  ])("%s", (_, name, shapes, message) => {
    expect(changed(name, shapes)).toThrow(DataError);
    expect(changed(name, shapes)).toThrow(message);
  });

  test("and one without its end is called incomplete", () => {
    const { state } = readNetwork(read("4x-esrgan.pth"));
    const half = new Map([...state].filter(([key]) => !key.startsWith("conv_last")));
    expect(() => readNetwork(serializePytorch(half), "net.pth")).toThrow(
      "an RRDBNet without its last convolution",
    );
  });
});

test.each(["model-00001-of-00002.safetensors", "a/pytorch_model-00002-of-00011.bin"])(
  "a part of a network in several files: %s",
  (name) => {
    expect(() => readNetwork(read("espcn.pth"), name)).toThrow(DataError);
    expect(() => readNetwork(read("espcn.pth"), name)).toThrow(
      /by its name this is one of \d+ files of a network/,
    );
    expect(readNetwork(read("espcn.pth"), "model-00001-of-00001.pth").metadata.architecture).toBe("ESPCN");
  },
);

test("a network of one's own takes the weights of such a file, too", async () => {
  const model = new FSRCNN({ scale: 2, d: 6, s: 3, m: 2 });
  expect(loadWeights(model, read("fsrcnn_x2.pth"), "fsrcnn_x2.pth")).toEqual({});
  expect(await model.stateDict()).toEqual(parsePytorch(read("fsrcnn_x2.pth")).tensors);
});

test("what another network is, is said by name", () => {
  const values = { shape: [1], data: new Float32Array(1) };
  const refusal = (...names: string[]) => {
    try {
      readNetwork(serializePytorch(new Map(names.map((name) => [name, values]))), "net.pth");
      return "it was read";
    } catch (error) {
      expect(error).toBeInstanceOf(DataError);
      return (error as Error).message;
    }
  };
  const refused = refusal("layers.0.residual_group.blocks.0.norm1.weight");
  expect(refused).toContain("net.pth: this is SwinIR, which pixelgrad cannot run; it runs SRCNN, ESPCN, ");
  for (const name of architectureNames) expect(refused).toContain(name);
  expect(refusal("module.layers.0.swin1.norm1.weight")).toContain("this is DRCT");
  expect(refusal("stage.0.attn.relative_position_bias_table")).toContain("this is a transformer");
  expect(refusal("body.0.body.0.body.3.conv_du.0.weight")).toContain("this is RCAN");
  expect(refusal("feats.0.eval_conv.weight", "upsampler.MetaUpsample")).toContain("this is SPANPlus,");
  expect(refusal("something.weight")).toContain("Its tensors are called something.weight.");
});
