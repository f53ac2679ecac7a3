/** Networks by name, for configurations and for weight files, whose metadata says which one to build. */
import { MetaDevice, MetaDeviceFull } from "../device/meta-device.ts";
import { onDevice } from "../device/open.ts";
import type { NamedArray } from "../nn/module.ts";
import {
  ArgumentError,
  bytes as bytesWanted,
  checkArguments,
  checkOptions,
  isObject,
  type Wanted,
} from "../options/arguments.ts";
import { ownBytes } from "../options/classes.ts";
import { quote, text, whole } from "../options/kinds.ts";
import { DataError } from "../picture/errors.ts";
import { Random } from "../tensor/random.ts";
import { numel } from "../tensor/shape.ts";
import { looksLikeNcnn, parseNcnn } from "../weights/ncnn-file.ts";
import { withValues } from "../weights/pytorch-file.ts";
import { openWeights } from "../weights/weight-file.ts";
import type { Architecture, Assumption, NetworkOptions } from "./architecture.ts";
import { compact } from "./compact.ts";
import { detect } from "./detect.ts";
import { edsr } from "./edsr.ts";
import { espcn } from "./espcn.ts";
import { fsrcnn } from "./fsrcnn.ts";
import { recognizeKeras } from "./keras.ts";
import { namedAsInPytorch } from "./ncnn.ts";
import { rrdbnet } from "./rrdbnet.ts";
import { span } from "./span.ts";
import { srcnn } from "./srcnn.ts";
import type { SuperResolver } from "./super-resolver.ts";
import { wren } from "./wren.ts";

/** The networks of this library. A new one is a file beside these and an entry here. */
export const architectures = [srcnn, espcn, fsrcnn, edsr, compact, span, rrdbnet, wren] as const;

/** The names of all architectures: "SRCNN", "ESPCN", … */
export const architectureNames: readonly string[] = architectures.map(({ name }) => name);

function find(name: string): Architecture | undefined {
  return architectures.find((architecture: Architecture) => architecture.name === name);
}

/** What the network of a name says about itself. Throws a RangeError if there is none. */
export function architectureOf(name: string): Architecture {
  const architecture = find(name);
  if (architecture) return architecture;
  throw new ArgumentError(
    "architectureOf",
    `there is no network called ${quote(name)}; there are ${architectureNames.join(", ")}.`,
  );
}

/**
 * A new network as `metadata` describes it: the result of `SuperResolver.metadata()` when it was saved. Its
 * weights are random. Errors call the metadata `name`, such as a file's path. It can be as large as the
 * metadata say: for those of a file, `loadModel` compares them with the file first.
 *
 * @throws DataError if the metadata name no architecture of this library or lack a field.
 */
export function createModel(
  metadata: Readonly<Record<string, string>>,
  name = "createModel: the metadata",
): SuperResolver {
  return build(describe("createModel", metadata, name));
}

/** What to build. */
interface Description {
  readonly architecture: Architecture;
  readonly options: NetworkOptions;
}

function build({ architecture, options }: Description, random?: Random): SuperResolver {
  return architecture.build(options, random);
}

/** The network that metadata describe. */
function describe(caller: string, metadata: Readonly<Record<string, string>>, name: string): Description {
  if (!isObject(metadata)) {
    throw new ArgumentError(
      caller,
      `the metadata must be an object such as model.metadata(), got ${quote(metadata)}.`,
    );
  }
  const names = architectureNames.join(", ");
  if (metadata.architecture === undefined) {
    throw new DataError(
      `${name} does not say which network the weights belong to. Files of saveWeights() do; ` +
        `with others, create the network yourself (${names}) and call loadWeights().`,
    );
  }
  const architecture = find(metadata.architecture);
  if (architecture === undefined) {
    throw new DataError(
      `${name} calls its network ${quote(metadata.architecture)}; known are ${names}. ` +
        `It was made by another version or program. If it is a network of your own: loadWeights(new Net(), bytes).`,
    );
  }
  const options = Object.entries(architecture.options).map(([key, { kind }]) => {
    const text = Object.hasOwn(metadata, key) ? metadata[key] : undefined;
    if (text === undefined) {
      throw new DataError(
        `${name} describes a network of architecture ${architecture.name}, but lacks its ` +
          `"${key}". Save the weights again with saveWeights().`,
      );
    }
    const value = typeof text === "string" ? kind.read(text) : undefined;
    if (!kind.fits(value)) {
      throw new DataError(
        `${name} says that "${key}" of architecture ${architecture.name} is ${quote(text)}, which ` +
          `should be ${kind.wants}.`,
      );
    }
    return [key, value];
  });
  return { architecture, options: Object.fromEntries(options) };
}

export interface LoadModelOptions {
  /**
   * By how much the network enlarges, for files that do not say: those of SRCNN and FSRCNN from other programs,
   * whose names do not tell the scale either.
   */
  readonly scale?: number;
}

/**
 * The network of a weight file, from the file's bytes: of a safetensors file that `saveWeights` made, or of one
 * that another program made of a network of this library, as safetensors, as PyTorch's `.pth` or as ncnn's `.param`
 * with the `.bin` appended. Then the names and shapes of its tensors tell which one it is. Those of Keras' files count
 * where the metadata say `format: keras`: methods and commands in Node make such a safetensors file of `.h5` and
 * `.keras` before they call this. Errors call the file `name`.
 *
 * @throws DataError if the file is broken, holds another network than it says or one that this library lacks,
 *   or has values that `loadStateDict` refuses, such as NaN.
 */
export function loadModel(
  bytes: Uint8Array,
  name = "the weight file",
  options: LoadModelOptions = {},
): SuperResolver {
  if (!bytesWanted.fits(bytes)) {
    throw new ArgumentError(
      "loadModel",
      `the first argument must be the bytes of a weight file, a Uint8Array, got ${quote(bytes)}. ` +
        `To read a file: loadModel(await readFile(path), path).`,
    );
  }
  return buildNetwork(readNetworkFor("loadModel", bytes, name, options), name);
}

/** A network as a weight file describes it, before it is built. */
export interface NetworkFile {
  /** The architecture and its options, and what else the file says. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The weights, by this library's names. */
  readonly state: ReadonlyMap<string, NamedArray>;
  /** What the file does not say. */
  readonly assumptions: readonly Assumption[];
  /** Which weights were taken of a file with several, in words: "params_ema, the averaged weights; not params". */
  readonly taken?: string;
}

const aNetworkFile: Wanted<NetworkFile> = {
  wants: "what readNetwork() returns",
  fits: (value): value is NetworkFile =>
    isObject(value) && isObject(value.metadata) && value.state instanceof Map,
};

/** Reads a weight file as `loadModel` does, and builds nothing. @throws DataError */
export function readNetwork(
  bytes: Uint8Array,
  name = "the weight file",
  options: LoadModelOptions = {},
): NetworkFile {
  return readNetworkFor("readNetwork", bytes, name, options);
}

/** The same for a function that errors call `caller`. */
function readNetworkFor(
  caller: string,
  given: Uint8Array,
  name: string,
  options: LoadModelOptions,
): NetworkFile {
  checkArguments(caller, { "the first argument": [given, bytesWanted], name: [name, text] });
  checkOptions(caller, options, { scale: whole(1) });
  const bytes = ownBytes(given);
  if (looksLikeNcnn(bytes)) {
    const { state, assumptions } = namedAsInPytorch(parseNcnn(bytes, name), name);
    // What .pth leaves open, such as Compact's activation, ncnn's layers say.
    const contents = { tensors: state, dictionaries: new Map() };
    return { ...detect(contents, architectures, { name, ...options }), assumptions };
  }
  const contents = openWeights(bytes, name);
  const { tensors, dictionaries } = contents;
  const { format, config } = dictionaries.get("")?.metadata ?? {};
  const ofKeras = format === "keras" && recognizeKeras(tensors, { name, ...options }, config);
  if (ofKeras) return ofKeras;
  const network = detect(contents, architectures, { name, ...options });
  return { ...network, state: withValues(network.state) };
}

/** The architecture of a file's network, and its options. @throws DataError if it is none of this library's */
export function networkIn(
  network: NetworkFile,
  name = "the weight file",
): { readonly architecture: Architecture; readonly options: NetworkOptions } {
  checkArguments("networkIn", { "the first argument": [network, aNetworkFile] });
  return describe("networkIn", network.metadata, name);
}

/** A network in words: "EDSR x2, 4 blocks of 16 channels". @throws DataError if it is none of this library's */
export function describeNetwork(network: NetworkFile, name = "the weight file"): string {
  checkArguments("describeNetwork", { "the first argument": [network, aNetworkFile] });
  const { architecture, options } = describe("describeNetwork", network.metadata, name);
  return architecture.describe(options);
}

/**
 * Builds the network of a file, on the default device. Errors call the file `name`.
 *
 * @throws DataError if the weights are not those of the network, or have values that `loadStateDict` refuses
 */
export function buildNetwork(network: NetworkFile, name = "the weight file"): SuperResolver {
  checkArguments("buildNetwork", { "the first argument": [network, aNetworkFile] });
  const { metadata, state } = network;
  const description = describe("buildNetwork", metadata, name);
  refuseLarger(description, state, name);
  const model = build(description);
  try {
    model.loadStateDict(state, { source: name });
  } catch (error) {
    model.dispose();
    throw error;
  }
  return model;
}

/**
 * Throws if a network has more tensors or more numbers than its file. The metadata of a small file can
 * describe one that fills the memory, and it would be built before its weights turn out to be missing.
 */
function refuseLarger(description: Description, file: ReadonlyMap<string, NamedArray>, name: string): void {
  const elements = [...file.values()].reduce((sum, { shape }) => sum + numel(shape), 0);
  const device = new MetaDevice({ tensors: file.size, elements });
  try {
    // A generator of its own: the default one goes on as if there had been no rehearsal.
    onDevice(device, () => build(description, new Random(0)).dispose());
  } catch (error) {
    if (!(error instanceof MetaDeviceFull)) throw error;
    const { architecture, options } = description;
    throw new DataError(
      `${name} describes ${architecture.describe(options)}, which has more weights than the file's ` +
        `${elements} in ${file.size} tensors. The file is damaged or incomplete.`,
    );
  }
}
