/**
 * Times somebody's network, from its weight file, in pixelgrad and in other programs, in turns, on the same
 * adapter and picture: `npm run model -- --help`.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readImage } from "../../dist/data/index.js";
import { summarize } from "../../dist/measure/statistics.js";
import { exportOnnx, init, loadModel, noGrad, tensor } from "../../dist/node.js";
import { crop, imresize, lumaOf, toPlanar, toRgb } from "../../dist/picture/index.js";
import { readWeightFile } from "../../dist/upscale/weight-files.js";
import { environmentFor } from "./driver.mjs";
import { modelTable } from "./model-table.mjs";

const help = `npm run model -- FILE --picture PICTURE [flags]

Times the network of a weight file (.param of ncnn, .pth, .safetensors) in pixelgrad and in ONNX Runtime,
in turns, on the same adapter and picture, and says by how much their results differ from those of ONNX
Runtime on the CPU. The exit code is 1 if those in float32 differ by more than a thousandth.

  --picture FILE    a part of it is enlarged
  --size WxH        of that part (default 320x180)
  --adapter NAME    lavapipe (default), swiftshader, or gpu
  --rounds N        one repetition of every program in each, after one that does not count (default 4)
  --python PROGRAM  a Python that has the package ncnn: compares with ncnn, for .param files, with float16 as
                    it is by default, and with float32`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    picture: { type: "string" },
    size: { type: "string", default: "320x180" },
    adapter: { type: "string", default: "lavapipe" },
    rounds: { type: "string", default: "4" },
    python: { type: "string" },
    peer: { type: "string" }, // in a process that this one has started
    help: { type: "boolean", default: false },
  },
});
const [file] = positionals;
const [width, height] = options.size.split("x").map(Number);
const rounds = Number(options.rounds);

if (options.peer) await work(options.peer);
else if (options.help || !file || !options.picture) {
  console.log(help);
  process.exitCode = options.help ? 0 : 2;
} else if (wrong()) {
  console.error(wrong());
  process.exitCode = 2;
} else {
  const folder = mkdtempSync(join(tmpdir(), "pixelgrad-peers-"));
  try {
    await compare(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What is wrong with the flags. */
function wrong() {
  if (!/^[1-9]\d*x[1-9]\d*$/.test(options.size))
    return `--size wants WxH, such as 320x180, got ${options.size}.`;
  if (!Number.isInteger(rounds) || rounds < 1) {
    return `--rounds wants a whole number above 0, got ${options.rounds}.`;
  }
  if (options.python && !/\.(?:param|bin)$/.test(file)) {
    return `--python compares with ncnn, which reads .param and .bin; leave it out for ${file}.`;
  }
}

async function compare(folder) {
  await init({ adapter: "cpu" });
  const model = loadModel(await readWeightFile(file), file);
  writeFileSync(join(folder, "net.onnx"), await exportOnnx(model, { colors: "own" }));
  // The same numbers for all, in 0 to 1: red, green and blue, one plane after the other; or luma alone.
  const picture = toRgb(await readImage(options.picture));
  const scale = Math.max(width / picture.width, height / picture.height);
  const large = imresize(picture, {
    width: Math.ceil(scale * picture.width),
    height: Math.ceil(scale * picture.height),
  });
  const part = crop(large, 0, 0, width, height);
  writeFileSync(join(folder, "in.f32"), toPlanar(model.colors === "y" ? lumaOf(part) : part));

  const own = fileURLToPath(import.meta.url);
  const flags = ["--size", options.size, "--adapter", options.adapter, "--picture", folder];
  const node = (peer) => [process.execPath, own, file, ...flags, "--peer", peer];
  const ncnn = (precision) => [
    options.python,
    fileURLToPath(new URL("ncnn_peer.py", import.meta.url)),
    file.replace(/\.(?:param|bin)$/, ""),
    join(folder, "in.f32"),
    `${width}`,
    `${height}`,
    precision,
  ];
  const commands = {
    "ort-cpu": node("ort-cpu"),
    pixelgrad: node("pixelgrad"),
    "ort-webgpu": node("ort-webgpu"),
    ...(options.python && { "ncnn, float16": ncnn("float16"), "ncnn, float32": ncnn("float32") }),
  };
  const environment = await environmentFor(options.adapter);
  const peers = Object.entries(commands).map(([name, command]) => start(name, command, environment, folder));
  try {
    for (let round = 0; round <= rounds; round++) {
      for (const peer of peers) await peer.turn(round > 0);
    }
  } finally {
    for (const peer of peers) peer.stop();
  }
  const { lines, failures } = modelTable(
    peers.map(({ name, seconds, values }) => ({ name, values, seconds: summarize(seconds).median })),
  );
  for (const line of lines) console.log(line);
  for (const failure of failures) console.error(failure);
  if (failures.length > 0) process.exitCode = 1;
}

/** A program that computes once for each line it reads, writes the result to a file, and says the seconds. */
function start(name, [program, ...args], env, folder) {
  const child = spawn(program, [...args, join(folder, `${name}.f32`)], {
    env,
    stdio: ["pipe", "pipe", "ignore"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const peer = { name, seconds: [], values: undefined };
  peer.turn = async (counts) => {
    child.stdin.write("\n");
    const { value, done } = await lines.next();
    if (done)
      throw new Error(`${name} ended without a result. Run it alone to see why: ${[program, ...args]}`);
    if (counts) peer.seconds.push(Number(value));
    else peer.values = floats(join(folder, `${name}.f32`));
  };
  peer.stop = () => child.kill("SIGKILL");
  return peer;
}

function floats(path) {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

/** Runs as one of the programs that are compared, until it is stopped. */
async function work(peer) {
  const [folder, output] = [options.picture, positionals.at(-1)];
  const pixels = floats(join(folder, "in.f32"));
  const compute = await (peer === "pixelgrad" ? pixelgrad : onnxRuntime)(peer, folder, pixels);
  for await (const _ of createInterface({ input: process.stdin })) {
    const start = performance.now();
    const values = await compute();
    const seconds = (performance.now() - start) / 1000;
    writeFileSync(output, values);
    console.log(seconds);
  }
}

async function pixelgrad(_peer, _folder, pixels) {
  await init({ adapter: options.adapter });
  const model = loadModel(await readWeightFile(file), file);
  const x = tensor(pixels, [1, model.planes, height, width]);
  return async () => {
    const y = noGrad(() => model.forward(x));
    const values = await y.data();
    y.dispose();
    return values;
  };
}

async function onnxRuntime(peer, folder, pixels) {
  const { default: ort } = await import("onnxruntime-node");
  const session = await ort.InferenceSession.create(join(folder, "net.onnx"), {
    executionProviders: [peer === "ort-cpu" ? "cpu" : "webgpu"],
  });
  const planes = pixels.length / (width * height);
  const input = new ort.Tensor("float32", pixels, [1, planes, height, width]);
  return async () => (await session.run({ input })).output.data;
}
