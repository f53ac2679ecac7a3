/** `pixelgrad info`: what networks will run on, and what a weight file holds. */
import { cpus } from "node:os";
import type { SuperResolver } from "../node.ts";
import { file, path } from "../options/kinds.ts";
import { DEFAULT_SCALE } from "../picture/scales.ts";
import { defineCommand, UsageError } from "./flags.ts";
import { adapterFlag, scaleFlag } from "./method-flags.ts";
import { readNetworkFile } from "./methods.ts";
import { checkOutputs, inputsOf, jsonOutput, prepareJson, writeJson } from "./outputs.ts";
import { print, printError } from "./print.ts";

export const infoCommand = defineCommand({
  about: `
Without a file: lists the WebGPU adapters, names the one in use and measures how fast it is.

Networks run on a WebGPU adapter: a graphics card, or a program that does its work on the processor.
Of those present, the fastest kind is used: a card before a program. --adapter chooses another one,
here and in all commands. Measuring takes some seconds: the most additions and multiplications per
second that the adapter reaches, and the bytes per second of a plain copy. No network can run faster
than these allow.

With a weight file, or the name of a network that comes with pixelgrad: says which network it holds,
by how much it enlarges, its options and what the file does not say of them, how far it looks, and
how much memory and time it takes on the adapter in use. Files may be safetensors, PyTorch's .pth
and .pt, ncnn's .param with its .bin beside it, or Keras' .h5 and .keras (with the npm package
h5wasm); networks of other programs are recognized by the names and shapes of their tensors.`,
  flags: {
    file: { kind: path, multiple: true, help: "a weight file, or a network's name" },
    scale: { ...scaleFlag, help: `enlargement, for files that do not say; for names ${DEFAULT_SCALE}` },
    adapter: adapterFlag,
    json: { kind: file, help: "writes the same here, as JSON; - is standard output" },
  },
  operands: "file",
  usage: "[FILE]",
  examples: [
    ["", "the adapter in use by default"],
    ["-g NVIDIA", "one whose name contains this"],
    ["net_g_latest.pth", "what a file holds"],
  ],
  async run({ file: files, scale, adapter, json }) {
    if (files.length > 1) throw new UsageError(`looks at one file, got ${files.length}`);
    const [name] = files;
    if (name === undefined && scale !== undefined) throw new UsageError("--scale is for a file or a name");
    checkOutputs([jsonOutput(json)], inputsOf([], files));
    prepareJson(json);
    await writeJson(
      json,
      name === undefined ? await lookAtAdapters(adapter) : await lookAt(name, scale, adapter),
    );
  },
});

/** Prints what networks will run on; the same for --json. */
async function lookAtAdapters(adapter: string | undefined): Promise<object> {
  const { adaptersPresent, init, measureCeilings } = await import("../node.ts");
  const { isGpu } = await import("../device/gpu-device.ts");
  const adapters = await adaptersPresent();
  const device = await init({ adapter });
  const processor = `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown"}`;
  print(`processor   ${processor}, ${process.platform} ${process.arch}, Node ${process.version}`);
  const names = adapters.length > 0 ? adapters : ["none but cpu"];
  print(...names.map((name, i) => `${(i === 0 ? "adapters" : "").padEnd(12)}${name}`));
  print(`in use      ${device.name}`);
  const facts = { processor, adapters, adapter: device.name };
  if (!isGpu(device)) {
    print("            plain TypeScript, for comparison: a hundred times slower than any adapter");
    return facts;
  }
  const { profile, gpu } = device;
  const { maxStorageBufferBindingSize, maxBufferSize } = gpu.limits;
  print(`subgroups   ${profile.subgroupSize > 0 ? `of ${profile.subgroupSize}` : "none of one size"}`);
  print(`float16     ${profile.float16 ? "yes, for --half" : "no, so --half does not work here"}`);
  print(`limits      ${mebibytes(maxStorageBufferBindingSize)} for a tensor`);
  print(`            ${mebibytes(maxBufferSize)} for a buffer`);
  printError("Measuring …");
  const ceilings = await measureCeilings(device, { runs: 5, minRunMs: 20 });
  print(`arithmetic  ${figure(ceilings.flops / 1e9)} GFLOP/s at best`);
  for (const { bytes, rate } of ceilings.copies) {
    print(`copying     ${figure(rate / 1e9).padStart(5)} GB/s, of ${mebibytes(bytes)}`);
  }
  return { ...facts, profile, maxStorageBufferBindingSize, maxBufferSize, ceilings };
}

/** Prints what a weight file holds; the same for --json. */
async function lookAt(name: string, scale: number | undefined, adapter: string | undefined): Promise<object> {
  const library = await import("../node.ts");
  const network = await readNetworkFile(name, scale);
  const description = library.describeNetwork(network, name);
  const device = await library.init({ adapter });
  const model = library.buildNetwork(network, name);
  const { architecture, ...options } = model.metadata();
  const parameters = model.parameterCount();
  const perPixel = library.multiplyAddsPerPixel(model);
  const { colors, inputSize, halo, exactHalo } = model;
  const enlarged = inputSize === "high" ? ", enlarged by bicubic interpolation before" : "";
  const values = Object.entries(options).map((entry) => entry.join(" "));
  print(`network     ${description}`);
  print(`options     ${values.join(", ")}`);
  if (network.taken !== undefined) print(`weights     ${network.taken}`);
  for (const { option, text } of network.assumptions) print(`assumed     ${text} (${option})`);
  print(`parameters  ${parameters.toLocaleString("en-US")}, ${figure((4 * parameters) / 2 ** 20)} MiB`);
  print(`pictures    ${colors === "rgb" ? "RGB" : "luma; colours by bicubic interpolation"}${enlarged}`);
  const side = 2 * exactHalo + 1;
  print(`looks       ${exactHalo} pixels far: at ${side} x ${side} of its input for a pixel`);
  if (halo < exactHalo)
    print(`            tiles overlap by ${halo}: what is beyond moves few samples by a level of 255`);
  print(`work        ${figure(perPixel / 1e3)} thousand multiply-adds for a pixel of its input`);
  print(`in use      ${device.name}`);
  printError("Measuring …");
  const { bytes, seconds, side: measuredSide } = await measureNetwork(library, model);
  print(`memory      about ${mebibytes(1e6 * bytes)} for a megapixel at once; larger pictures take tiles`);
  print(
    `time        about ${figure(1e6 * seconds)} s for a megapixel, by a picture of ${measuredSide} x ${measuredSide}`,
  );
  model.dispose();
  return {
    file: name,
    architecture,
    description,
    options,
    assumptions: network.assumptions,
    parameters,
    ...(network.taken !== undefined && { weights: network.taken }),
    scale: model.scale,
    colors,
    inputSize,
    halo,
    exactHalo,
    receptiveField: side,
    multiplyAddsPerPixel: perPixel,
    adapter: device.name,
    bytesPerMegapixel: 1e6 * bytes,
    secondsPerMegapixel: 1e6 * seconds,
    measuredSide,
  };
}

/** Memory and time for each pixel of a picture. The time is the least of some tries. */
async function measureNetwork(
  library: typeof import("../node.ts"),
  model: SuperResolver,
): Promise<{ bytes: number; seconds: number; side: number }> {
  const upscaler = library.networkUpscaler(model);
  // Little enough that memory is the limit, and not what a kernel can bind.
  const room = 2 ** 26;
  const bytes = room / upscaler.pixelsWithin(room);
  const channels = model.planes;
  // Small pictures first: an adapter that is slow need not see a large one.
  for (let side = 32; ; side *= 2) {
    const data = Float32Array.from({ length: channels * side ** 2 }, (_, i) => (i % 251) / 250);
    const planes = { width: side, height: side, channels, data };
    let seconds = Infinity;
    for (let i = 0; i < 3; i++) {
      const start = performance.now();
      await upscaler.upscalePlanes(planes, { padding: "none" });
      seconds = Math.min(seconds, (performance.now() - start) / 1000);
    }
    if (seconds > 0.2 || side >= 512) return { bytes, seconds: seconds / side ** 2, side };
  }
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

function figure(value: number): string {
  return value.toPrecision(3);
}
