/** Weight files of Keras: recognized, and computing what Keras does; test/golden/keras/make.py wrote them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { onDevice, setDefaultDevice } from "../../src/device/open.ts";
import {
  buildNetwork,
  loadModel,
  openMethod,
  parseSafetensors,
  readNetwork,
  serializeSafetensors,
} from "../../src/node.ts";
import { DataError } from "../../src/picture/errors.ts";
import { tensor } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { KerasReader } from "../../src/upscale/keras-file.ts";
import { temporaryFolder } from "../data/support.ts";
import { float32Device } from "../support/devices.ts";
import { root, runProgram } from "../support/run.ts";

const folder = join(root, "test/golden/keras");
const golden = (file: string) => join(folder, file);
const device = float32Device();
/** One for all files, since a thread takes longer to start than a file to be read. */
const reader = new KerasReader();
afterAll(() => reader.close());
const read = (name: string) => reader.read(readFileSync(golden(name)), name);
const outputs = parseSafetensors(readFileSync(golden("outputs.safetensors"))).tensors;

const krasser = { architecture: "EDSR", channels: "4", resScale: "1", rgbRange: "2" };
const example = { architecture: "EDSR", scale: "4", blocks: "1", channels: "4", rgbRange: "1" };
const srcnn = { architecture: "SRCNN", kernels: "9-3-5", filters: "5-4", residual: "false" };
const blocks = "the factor of each block's residual: 1";
const beyond = "what lies beyond the edges: the outermost pixels again";
const whole = "what the network makes: the whole picture, and not";

const networks: Record<string, [metadata: Record<string, string>, assumed: string[]]> = {
  "edsr-krasser-x2.h5": [
    { ...krasser, scale: "2", blocks: "1" },
    ["the range of values: 0 to 2, less twice", blocks],
  ],
  "edsr-krasser-x3.h5": [{ ...krasser, scale: "3", blocks: "1" }, ["0 to 2", blocks]],
  "edsr-krasser-x4.h5": [{ ...krasser, scale: "4", blocks: "2" }, ["0 to 2", blocks]],
  "edsr-example-x4.h5": [example, [blocks]],
  "edsr-example-x4.keras": [example, [blocks]],
  "edsr-example-x4.weights.h5": [example, ["the range of values: 0 to 1, with no mean", blocks]],
  "edsr-centered-x4.keras": [{ ...example, rgbRange: "2" }, [blocks]],
  "srcnn-valid-x3.h5": [{ ...srcnn, scale: "3", padding: "replicate" }, [beyond, whole]],
  "srcnn-same-x2.h5": [{ ...srcnn, scale: "2", padding: "zeros" }, []],
  "srcnn-same-x2.weights.h5": [{ ...srcnn, scale: "2", padding: "replicate" }, [beyond, whole]],
};

test("there is a file of every kind", () => {
  const files = readdirSync(folder).filter((name) => /^(?!other).*\.(?:h5|keras)$/.test(name));
  expect(files.sort()).toEqual(Object.keys(networks).sort());
});

test.each(Object.entries(networks))(
  "%s is recognized, and computes as in Keras",
  async (name, [metadata, assumed]) => {
    const network = readNetwork(await read(name), name);
    expect(network.metadata).toMatchObject(metadata);
    expect(network.assumptions.map(({ text }) => text)).toEqual(
      assumed.map((text) => expect.stringContaining(text)),
    );
    const model = onDevice(device, () => buildNetwork(network));
    const [x, y] = ["x", "y"].map((part) => outputs.get(`${name}/${part}`)!);
    const result = model.forward(tensor(x.data, x.shape, { device }));
    // "Valid" convolutions compute no pixels near the edge; what ours see beyond it is another thing than in Keras.
    const [height, width] = result.shape.slice(2);
    const missing = (height - y.shape[2]) / 2;
    const margin = network.metadata.padding === "replicate" ? model.halo - missing : 0;
    const values = await result.data();
    let [worst, largest] = [0, 0];
    for (const [at, value] of y.data.entries()) {
      const [row, column] = [Math.floor(at / y.shape[3]) % y.shape[2], at % y.shape[3]];
      const isNear = (i: number, side: number) => i < margin || i >= side - margin;
      if (isNear(row, y.shape[2]) || isNear(column, y.shape[3])) continue;
      const plane = Math.floor(at / (y.shape[2] * y.shape[3]));
      const ours = values[(plane * height + row + missing) * width + column + missing];
      worst = Math.max(worst, Math.abs(ours - value));
      largest = Math.max(largest, Math.abs(value));
    }
    expect(largest).toBeGreaterThan(0);
    expect(worst / largest).toBeLessThan(1e-5);
    model.dispose();
  },
);

test("several layouts hold the same network", async () => {
  const states = await Promise.all(
    ["edsr-example-x4.keras", "edsr-example-x4.weights.h5", "edsr-example-x4.h5"].map(async (name) => {
      const { state } = readNetwork(await read(name), name);
      return [...state].map(([key, { shape }]) => [key, shape]);
    }),
  );
  expect(states[1]).toEqual(states[0]);
  expect(states[2]).toEqual(states[0]);
});

test.each(["edsr-example-x4.keras", "srcnn-same-x2.h5"])("convolutions without biases: %s", async (name) => {
  const bytes = await read(name);
  const { tensors, metadata } = parseSafetensors(bytes);
  const weights = new Map([...tensors].filter(([key]) => key.endsWith(".0")));
  const [whole, plain] = [bytes, serializeSafetensors(weights, metadata)].map((file) =>
    readNetwork(file, name),
  );
  expect(plain.metadata).toEqual(whole.metadata);
  for (const [key, { data }] of whole.state) {
    const isBias = key.endsWith(".bias") && !key.includes("_mean.");
    expect(plain.state.get(key)!.data, key).toEqual(isBias ? new Float32Array(data.length) : data);
  }
});

describe("names that they have in Keras' order", () => {
  test("twelve layers: the tenth comes after the ninth", async () => {
    const { tensors } = parseSafetensors(await read("edsr-example-x4.weights.h5"));
    const names = [...tensors.keys()].filter((key) => key.endsWith(".0"));
    expect(names).toEqual(Array.from({ length: 7 }, (_, i) => `conv2d${i > 0 ? `_${i}` : ""}.0`));
  });
});

describe("programs", () => {
  const out = temporaryFolder();
  const run = (...args: string[]) => runProgram(args, { env: { PIXELGRAD_ADAPTER: "cpu" } });

  test("openMethod, convert and train take the path", async () => {
    const method = golden("edsr-krasser-x2.h5");
    setDefaultDevice(device);
    const opened = await openMethod({ method });
    expect(opened.upscaler.scale).toBe(2);
    opened.close();
    const converted = await run("convert", golden("edsr-krasser-x2.h5"), join(out, "x2.pth"));
    expect(converted.stderr).toMatch(/the range of values: 0 to 2/);
    expect(converted.code).toBe(0);
    const model = onDevice(device, () => loadModel(readFileSync(join(out, "x2.pth")), "x2.pth"));
    expect(model.metadata().rgbRange).toBe("2");
    model.dispose();
    const trained = await run("train", "--init", golden("srcnn-valid-x3.h5"), "--preset", "none");
    expect(trained.stderr).toMatch(/--preset wants quick/);
  });
});

describe("refuses by name", () => {
  test.each([
    ["other-srcnn-rgb.h5", /this is an SRCNN for 3 channels, and pixelgrad runs SRCNN on luma/],
    ["other-rdn.h5", /this is RDN \(idealo's image-super-resolution\), which pixelgrad cannot run; it runs/],
    ["other-rdn.weights.h5", /none of the networks that are known here.*called conv2d\.0/],
    ["other-rrdn.h5", /this is RRDN \(idealo's image-super-resolution\)/],
    ["other-normalization.h5", /this is a network with batch normalization/],
  ])("%s", async (name, message) => {
    const bytes = await read(name);
    const recognize = () => readNetwork(bytes, name, { scale: 2 });
    expect(recognize).toThrow(DataError);
    expect(recognize).toThrow(message);
    expect(recognize).toThrow(name);
  });

  test("bytes, which are read without a thread", () => {
    const load = () => loadModel(readFileSync(golden("srcnn-same-x2.h5")), "net.h5");
    expect(load).toThrow(/an HDF5 file, as Keras.*by their paths.*npx pixelgrad convert net\.h5/);
  });
});

describe("hostile files", () => {
  const good = readFileSync(golden("srcnn-same-x2.weights.h5"));
  const shape = Buffer.from(BigInt64Array.of(9n, 9n, 1n, 5n).buffer);
  const withShape = (...sides: bigint[]) => {
    const at = good.indexOf(shape);
    expect(at).toBeGreaterThan(0);
    const bytes = Buffer.from(good);
    // The present sides and the largest ones.
    for (const copy of [0, 32]) Buffer.from(BigInt64Array.from(sides).buffer).copy(bytes, at + copy);
    return bytes;
  };

  test.each<[string, () => Uint8Array, RegExp]>([
    ["cut short", () => good.subarray(0, 9000), /truncated file/],
    ["its first bytes alone", () => good.subarray(0, 8), /cannot be read as weights of Keras/],
    [
      "2^40 numbers",
      () => withShape(2n ** 20n, 2n ** 20n, 1n, 1n),
      /more bytes of weights than its|cannot be read/,
    ],
    [
      "2^60 numbers",
      () => withShape(2n ** 30n, 2n ** 30n, 1n, 1n),
      /more bytes of weights than its|cannot be read/,
    ],
  ])("%s", async (_, make, message) => {
    const before = process.memoryUsage().rss;
    await expect(reader.read(make(), "net.h5")).rejects.toThrow(message);
    await expect(reader.read(make(), "net.h5")).rejects.toThrow(DataError);
    await expect(reader.read(make(), "net.h5")).rejects.toThrow(/^net\.h5: /);
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 28);
    // The next file is read as if nothing had been.
    expect(parseSafetensors(await reader.read(good, "good.h5")).tensors.size).toBe(6);
  });

  test("changed at random: read or refused, and the next file is read", async () => {
    const random = new Random(1);
    for (let i = 0; i < 100; i++) {
      const bytes = Buffer.from(good);
      for (let k = 0; k < 1 + random.int(8); k++) bytes[random.int(bytes.length)] = random.int(256);
      await reader.read(bytes, "net.h5").catch((error) => expect(error).toBeInstanceOf(DataError));
    }
    await read("srcnn-same-x2.weights.h5");
  });

  test("a thread that takes too long is stopped", async () => {
    const impatient = new KerasReader(() => 1);
    await expect(impatient.read(good, "net.h5")).rejects.toThrow(/reading it takes more than 0 s/);
    impatient.close();
  });
});
