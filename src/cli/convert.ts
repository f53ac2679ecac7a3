/** `pixelgrad convert` and `pixelgrad export`: a network in another format, for other programs. */
import { existsSync } from "node:fs";
import { parse } from "node:path";
import { writeWhole } from "../files/image-files.ts";
import { pathOf } from "../files/path-of.ts";
import type { Architecture, NetworkFile, Option, SuperResolver } from "../node.ts";
import { file, oneOf, quote, text } from "../options/kinds.ts";
import { andList, orList, quantity } from "../options/lists.ts";
import { DataError } from "../picture/errors.ts";
import { DEFAULT_SCALE } from "../picture/scales.ts";
import { isPretrained } from "../upscale/method-names.ts";
import { defineCommand, UsageError } from "./flags.ts";
import { scaleFlag } from "./method-flags.ts";
import { readNetworkFile } from "./methods.ts";
import { checkOutputs, checkWritable, inputsOf } from "./outputs.ts";
import { print, printError } from "./print.ts";

const formats = {
  ".safetensors": "safetensors",
  ".pth": "pytorch",
  ".pt": "pytorch",
  ".onnx": "onnx",
} as const;

type Format = (typeof formats)[keyof typeof formats];

const flags = {
  scale: { ...scaleFlag, help: "enlargement, for inputs that do not say; for names 2" },
  set: {
    kind: { ...text, symbol: "NAME=VALUE" },
    multiple: true,
    help:
      'an option of the network that the file does not tell, such as resScale=0.1: "pixelgrad info" says ' +
      "what is assumed",
  },
  colors: {
    kind: oneOf("rgb", "own"),
    help: "what an ONNX file takes: RGB, or what the network itself takes; default: rgb",
  },
  overwrite: { help: "replaces an output that exists" },
} as const;

export const convertCommand = defineCommand({
  about: `
Writes a network's weights in another format, which the name of the output chooses:

  .safetensors   for pixelgrad and for Python's safetensors
  .pth, .pt      for PyTorch: torch.load(path, weights_only=True) gives a dictionary of tensors
  .onnx          for ONNX Runtime, Triton and others: the network itself, for pictures of any size

The input is a weight file of pixelgrad or of another program (see "pixelgrad info FILE"), or the
name of a network that comes with pixelgrad. Nothing in it is executed. Tensors get the names of the
networks' PyTorch code, and options that weights do not tell go along as metadata.

An ONNX file takes red, green and blue, values 0 to 1, [batch, 3, height, width], and gives them
enlarged, not rounded. What networks for luma need besides is in the file; with --colors own, the
file has the network alone.`,
  flags: {
    files: { kind: file, required: true, multiple: true, help: "the input and the output" },
    ...flags,
    dtype: {
      kind: oneOf("float32", "float16"),
      help: "numbers of 4 or 2 bytes, for safetensors and PyTorch; default: float32",
    },
  },
  operands: "files",
  usage: "IN OUT",
  examples: [
    ["runs/edsr-x2-4x16/best.safetensors edsr-x2.onnx", "for ONNX Runtime"],
    ["net_g_latest.pth edsr-x4.safetensors", "BasicSR's EDSR, with all that it takes to run it"],
    ["EDSR_x4.pt edsr-x4.safetensors --set resScale=0.1", "what the weights do not tell"],
    ["espcn espcn-x3.pth -s 3", "a network that comes with pixelgrad, for PyTorch"],
  ],
  async run({ files, ...options }) {
    if (files.length !== 2) throw new UsageError(`wants an input and an output, got ${files.length} names`);
    await convert(files[0], files[1], options);
  },
});

export const exportCommand = defineCommand({
  about: `
Writes a network for ONNX Runtime, Triton and others: "pixelgrad convert" to ONNX, whose help says more.
Without a name for the output, it gets the input's with .onnx, in the current folder.`,
  flags: {
    files: { kind: file, required: true, multiple: true, help: "the input, and the output if it has a name" },
    ...flags,
  },
  operands: "files",
  usage: "IN [OUT]",
  examples: [
    ["4x-UltraSharp.pth", "4x-UltraSharp.onnx"],
    ["wren -s 4", "wren-x4.onnx"],
  ],
  async run({ files, ...options }) {
    if (files.length > 2) throw new UsageError(`wants an input and an output, got ${files.length} names`);
    const [input, output = onnxNameOf(input, options.scale)] = files;
    await convert(input, output, options);
  },
});

/** Name of the result, in the current folder. @throws DataError for the URL of no file */
function onnxNameOf(input: string, scale = DEFAULT_SCALE): string {
  return `${isPretrained(input) ? `${input}-x${scale}` : parse(pathOf(input)).name}.onnx`;
}

interface ConvertOptions {
  readonly scale?: number;
  readonly set: readonly string[];
  readonly dtype?: "float32" | "float16";
  readonly colors?: "rgb" | "own";
  readonly overwrite: boolean;
}

async function convert(
  input: string,
  outputFile: string,
  { scale, set, dtype, colors, overwrite }: ConvertOptions,
): Promise<void> {
  const output = pathOf(outputFile);
  const format = formatOf(output);
  if (format === "onnx" && dtype === "float16")
    throw new UsageError("ONNX files are written in float32 alone");
  if (format !== "onnx" && colors !== undefined) throw new UsageError("--colors is for ONNX files alone");
  checkOutputs([{ flag: "the output", path: output }], inputsOf([], [input]));
  if (existsSync(output) && !overwrite) {
    throw new DataError(`${output}: there is a file of this name. Name another one, or give --overwrite.`);
  }
  checkWritable(output);

  const library = await import("../node.ts");
  const { exportOnnx, serializePytorch, serializeSafetensors } = library;
  // Nothing is computed, so that no adapter is needed.
  await library.init({ adapter: "cpu" });
  const file = await readNetworkFile(input, scale);
  library.describeNetwork(file, input); // which refuses what is no network of this library
  const changed = changes(library.architectureOf(file.metadata.architecture), set);
  const network = { ...file, metadata: { ...file.metadata, ...changed } };
  const model = buildChanged(library, file, network, input, set);
  const metadata = { ...network.metadata, ...model.metadata() };
  const state = await model.stateDict();
  const writers: Readonly<Record<Format, () => Promise<Uint8Array> | Uint8Array>> = {
    safetensors: () => serializeSafetensors(state, metadata, { dtype: dtype === "float16" ? "F16" : "F32" }),
    pytorch: () => serializePytorch(state, metadata, { dtype }),
    onnx: () => exportOnnx(model, { colors }),
  };
  await writeWhole(output, await writers[format]());
  const assumed = new Set(file.assumptions.map(({ option }) => option));
  for (const { option, text } of file.assumptions) {
    if (option in changed) continue;
    printError(`${input} does not say ${text}. That is assumed; --set ${option}=… says otherwise.`);
  }
  for (const [option, value] of Object.entries(changed)) {
    const before = file.metadata[option];
    if (before === undefined || before === value || assumed.has(option)) continue;
    printError(`${input} says ${option}=${before}. The output says ${option}=${value}, by --set.`);
  }
  print(
    `${output}: ${library.describeNetwork(network, input)}, ${quantity(model.parameterCount(), "parameter")}`,
  );
}

/** What --set changes of a network's options. @throws UsageError */
function changes({ name, options }: Architecture, set: readonly string[]): Record<string, string> {
  const entries = set.map((setting) => {
    const [, key, value] = /^([^=]+)=(.*)$/.exec(setting) ?? [];
    if (key === undefined) throw new UsageError(`--set wants NAME=VALUE, got ${quote(setting)}`);
    if (!Object.hasOwn(options, key)) {
      throw new UsageError(`--set ${key}: ${name} has the options ${andList(Object.keys(options))}`);
    }
    const { kind } = options[key as keyof typeof options] as Option;
    if (!kind.fits(kind.read(value)))
      throw new UsageError(`--set ${key} wants ${kind.wants}, got ${quote(value)}`);
    return [key, value];
  });
  return Object.fromEntries(entries);
}

/** The network of a file as --set changes it. @throws UsageError if the weights are those of the unchanged one alone */
function buildChanged(
  library: typeof import("../node.ts"),
  file: NetworkFile,
  changed: NetworkFile,
  input: string,
  set: readonly string[],
): SuperResolver {
  try {
    return library.buildNetwork(changed, input);
  } catch (error) {
    if (set.length === 0 || !(error instanceof DataError)) throw error;
    library.buildNetwork(file, input).dispose(); // which says what else may be wrong with it
    const [own, other] = [file, changed].map((network) => library.describeNetwork(network, input));
    throw new UsageError(
      `--set ${set.join(" --set ")} makes ${other} of ${input}, and its weights are those of ${own}. --set is for ` +
        "what the weights do not decide",
    );
  }
}

/** The format that a name asks for. @throws UsageError */
function formatOf(path: string): Format {
  const extension = Object.keys(formats).find((one) => path.toLowerCase().endsWith(one));
  if (extension !== undefined) return formats[extension as keyof typeof formats];
  throw new UsageError(`${path} does not end in ${orList(Object.keys(formats))}`);
}
