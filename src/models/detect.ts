/**
 * Which network a file of another program holds. Such files have tensors and their names, and nothing that
 * says what to do with them: the names tell the program, and the shapes the sizes. What neither tells is
 * assumed as that program has it, and noted.
 */
import type { NamedArray } from "../nn/module.ts";
import type { WeightContents } from "../nn/pytorch-file.ts";
import {
  firstByName,
  isAroundNetwork,
  isAveraged,
  isAveragedPath,
  isBesideWeights,
  isGeneratorPrefix,
  isVague,
  namesWeights,
  type PathName,
} from "../nn/weight-names.ts";
import { andList, firstOf } from "../options/lists.ts";
import { excerpt } from "../options/printable.ts";
import { DataError } from "../picture/errors.ts";
import { metadataOf, type Recognized } from "./architecture.ts";
import { recognizeCompact } from "./compact.ts";
import { DIV2K_RGB_MEAN } from "./edsr.ts";
import { nameOfOther } from "./other-networks.ts";
import { recognizeRRDBNet } from "./rrdbnet.ts";
import { recognizeSpan } from "./span.ts";
import { countOf, renamed, type State, shapeOf } from "./state.ts";
import { recognizeWren } from "./wren.ts";

export interface DetectOptions {
  /** What errors call the file. It may also tell the scale: "fsrcnn_x3.pth". */
  readonly name: string;
  /** By how much the network enlarges, for files that do not say. */
  readonly scale?: number;
}

/** Recognizes the files of one kind. Returns undefined for all others. */
type Detector = (state: State, options: DetectOptions) => Recognized | undefined;

/** More prefixes than any program puts before names. */
const MAX_PREFIXES = 8;

/** A network in a file, or why one that is nearly known cannot be used. */
type Found = { readonly path: readonly PathName[] } & (
  | { readonly network: Recognized; readonly error?: undefined }
  | { readonly network?: undefined; readonly error: DataError }
);

/**
 * Finds the network of a file. It may be the whole file, be in a dictionary with other things, or have a prefix
 * before all its names; weight-names.ts says what such names mean. What it recognizes comes before what names say:
 * `weightsIn` of nn/pytorch-file.ts, which takes weights of any kind, has names alone, and may take another part.
 *
 * @param networks the names of this library's networks, for errors.
 * @throws DataError if it is none of them, in which case the message names it where it is a well-known one; or
 *   if there are several, and their names do not say which one is meant.
 */
export function detect(
  contents: WeightContents,
  networks: readonly string[],
  options: DetectOptions,
): Recognized & { readonly taken?: string } {
  const found: Found[] = [];
  // What is called as weights are, and is no network that is known here.
  const unknown: (readonly PathName[])[] = [];
  const attempts: State[] = [];
  const look = (state: State, path: readonly PathName[]): void => {
    attempts.push(state);
    const dictionary = path.every(({ isDictionary }) => isDictionary)
      ? contents.dictionaries.get(textOf(path))
      : undefined;
    // Before a prefix is taken off: ESRGAN's first names begin with "model.", too.
    const result = recognize(state, dictionary?.metadata, options);
    if (result !== undefined) found.push({ path, ...result });
    else if (path.length < MAX_PREFIXES) {
      const { likely, others } = partsWithNetworks(state, dictionary?.names ?? []);
      const before = found.length;
      const lookInto = ({ state, ...name }: NetworkPart) => {
        const [known, inner] = [found.length, unknown.length];
        look(state, [...path, name]);
        if (found.length > known || !namesWeights(name.name) || isVague(name.name)) return;
        // In place of what is in it.
        unknown.length = inner;
        if ([...state.values()].some(({ shape }) => shape.length >= 2)) unknown.push([...path, name]);
      };
      likely.forEach(lookInto);
      // Not to take anything out of them, but to say that it is there.
      if (found.length > before) others.forEach(lookInto);
    }
  };
  look(contents.tensors, []);
  if (found.length === 0) throw unknownNetwork(attempts, networks, options.name);
  return choose(found, unknown, options.name);
}

/** A network that is all of `state`. Undefined if it is none of those known. */
function recognize(
  state: State,
  metadata: Readonly<Record<string, string>> | undefined,
  options: DetectOptions,
): { network: Recognized; error?: undefined } | { network?: undefined; error: DataError } | undefined {
  if (metadata?.architecture !== undefined) return { network: { metadata, state, assumptions: [] } };
  try {
    for (const detector of detectors) {
      const network = detector(state, options);
      if (network !== undefined) return { network };
    }
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return { error };
  }
  return undefined;
}

/** Part of a state: a dictionary of the file, or the tensors with a prefix, by their names without it. */
interface NetworkPart extends PathName {
  readonly state: State;
}

/**
 * The parts of a state that may be a network as a whole, by their names: what all names begin with; dictionaries
 * of the file, except for those of optimizers and the like; prefixes that say that weights follow; or the only
 * one that remains when such things are left out. Single numbers beside them, such as counters, are ignored.
 * `others` are those that may be a network, too, if one of the likely ones is.
 *
 * @param dictionaries the names of those among the parts that are dictionaries of the file.
 */
function partsWithNetworks(
  state: State,
  dictionaries: readonly string[],
): { likely: readonly NetworkPart[]; others: readonly NetworkPart[] } {
  const { parts, tensors } = partsOf(state, dictionaries);
  if (parts.length === 1 && tensors.length === 0) return { likely: parts, others: [] };
  const candidates = parts.filter(({ name }) => !isBesideWeights(name));
  // A mean that is subtracted outside the network would be lost.
  const hasAround = [...candidates.map(({ name }) => name), ...tensors].some(isAroundNetwork);
  const isWhole = !hasAround && tensors.length === 0;
  const isLikely = ({ name, isDictionary }: NetworkPart) =>
    isDictionary || (isWhole && namesWeights(name)) || (!hasAround && isGeneratorPrefix(name));
  const likely = candidates.filter(isLikely);
  if (likely.length > 0) return { likely, others: candidates.filter((part) => !isLikely(part)) };
  return { likely: isWhole && candidates.length === 1 ? candidates : [], others: [] };
}

/** The parts of a state that have more than single numbers, and its own tensors that are more than one. */
function partsOf(state: State, dictionaries: readonly string[]): { parts: NetworkPart[]; tensors: string[] } {
  const known = new Set(dictionaries);
  const lengths = [...new Set(dictionaries.map(({ length }) => length))].sort((a, b) => a - b);
  const groups = new Map<string, Map<string, NamedArray>>();
  const tensors: string[] = [];
  for (const [key, array] of state) {
    const length = lengths.find((n) => key[n] === "." && known.has(key.slice(0, n))) ?? prefixLength(key);
    if (length < 0) {
      if (array.shape.length > 0) tensors.push(key);
      continue;
    }
    const name = key.slice(0, length);
    const group = groups.get(name) ?? new Map();
    groups.set(name, group.set(key.slice(length + 1), array));
  }
  const parts = [...groups]
    .filter(([, group]) => [...group.values()].some(({ shape }) => shape.length > 0))
    .map(([name, group]) => ({ name, isDictionary: known.has(name), state: group }));
  return { parts, tensors };
}

/** Where the prefix of a name ends: "model" of "model.0.weight", "ema_0.999" of "ema_0.999.weight". Or -1. */
function prefixLength(key: string): number {
  const dot = key.indexOf(".");
  if (dot < 0 || key[dot - 1] !== "0") return dot;
  const decay = /^\.99\d*(?=\.)/.exec(key.slice(dot, dot + 16));
  return decay !== null && isAveraged(key.slice(0, dot)) ? dot + decay[0].length : dot;
}

const textOf = (path: readonly PathName[]): string => path.map(({ name }) => name).join(".");

/**
 * Of several networks, the one whose name comes first (weight-names.ts), and that can be used.
 *
 * @param unknown what has the name of weights, too, and is no network that is known here.
 */
function choose(
  found: readonly Found[],
  unknown: readonly (readonly PathName[])[],
  name: string,
): Recognized & { readonly taken?: string } {
  const top = firstByName(found);
  const usable = top.filter(({ error }) => error === undefined);
  const [{ path, network, error }, ...others] = usable.length > 0 ? usable : top;
  if (error !== undefined) throw error;
  const different = others.filter((other) => !haveSameWeights(network.state, other.network!.state));
  if (different.length > 0) {
    throw new DataError(
      `${name} holds several networks, and pixelgrad cannot tell which one is meant: ` +
        `${listOf([path, ...different.map((other) => other.path)])}. Save the weights of one of them alone.`,
    );
  }
  const taken = new Set(top);
  const left = [...found.filter((other) => !taken.has(other)).map((other) => other.path), ...unknown];
  if (left.length === 0) return network;
  const why = isAveragedPath(path) ? ", the averaged weights" : "";
  return { ...network, taken: `${excerpt(textOf(path))}${why}; not ${listOf(left)}` };
}

/** Paths in a sentence: the first of them, if they are many. */
function listOf(paths: readonly (readonly PathName[])[]): string {
  const texts = paths.map((path) => excerpt(textOf(path)));
  return texts.length > 5 ? firstOf(texts, 4) : andList(texts);
}

function haveSameWeights(a: State, b: State): boolean {
  if (a.size !== b.size) return false;
  return [...a].every(([key, { data }]) => {
    const other = b.get(key)?.data;
    return other === data || (other?.length === data.length && data.every((value, i) => value === other[i]));
  });
}

// ---- EDSR

/** EDSR-PyTorch, whose names are this library's; also torchSR and super-image. */
const edsr: Detector = (state, { name }) => {
  const head = shapeOf(state, "head.0.weight");
  if (head === undefined || !state.has("body.0.body.0.weight") || !state.has("tail.0.0.weight"))
    return undefined;
  if ([...state.keys()].some((key) => /conv_du|\.body\.1\./.test(key))) return undefined; // RCAN; EDSR with batch normalization
  // Its files begin so, and its code leaves the two shifts out that it writes into them.
  const isSuperImage = /(?:^|[\\/])pytorch_model_[234]x\.pt$/.test(name);
  const shift = state.get("sub_mean.bias");
  const rgbRange = isSuperImage ? 1 : shift === undefined || shift.data.some((value) => value < -2) ? 255 : 1;
  const shifts = meanShifts(isSuperImage ? 0 : rgbRange);
  const withShifts = isSuperImage ? new Map([...state, ...shifts]) : new Map([...shifts, ...state]);
  const range = isSuperImage
    ? "0 to 1, with no mean subtracted, since by its name the file is super-image's"
    : shift === undefined
      ? div2kRange
      : undefined;
  return describeEdsr(withShifts, rgbRange, range, isSuperImage ? 1 : undefined);
};

/** BasicSR's EDSR: other names, and the mean colour, DIV2K's, in the code. */
const basicsrEdsr: Detector = (state) => {
  if (
    !["conv_first.weight", "conv_after_body.weight", "body.0.conv1.weight"].every((key) => state.has(key))
  ) {
    return undefined;
  }
  const blocks = countOf(state, /^body\.(\d+)\.conv1\.weight$/);
  const names = renamed(state, [
    [/^conv_first\./, "head.0."],
    [/^body\.(\d+)\.conv1\./, "body.$1.body.0."],
    [/^body\.(\d+)\.conv2\./, "body.$1.body.2."],
    [/^conv_after_body\./, `body.${blocks}.`],
    [/^upsample\./, "tail.0."],
    [/^conv_last\./, "tail.1."],
  ]);
  return describeEdsr(new Map([...meanShifts(255), ...names]), 255, div2kRange);
};

const div2kRange = "0 to 255, less the mean of DIV2K";

/** @param range the range of values, in words, if it was assumed. */
export function describeEdsr(state: State, rgbRange: number, range?: string, resScale?: number): Recognized {
  const [channels] = shapeOf(state, "head.0.weight") ?? [];
  const blocks = countOf(state, /^body\.(\d+)\.body\.0\.weight$/);
  // Two steps by 2 or three, or one step whose channels say by how much.
  const steps = countOf(state, /^tail\.0\.(\d+)\.weight$/);
  const [first = 0] = shapeOf(state, "tail.0.0.weight") ?? [];
  const scale = Math.round(Math.sqrt(first / channels)) ** steps;
  // Large networks diverge without it; the papers' has 256 channels.
  const factor = resScale ?? (channels >= 256 ? 0.1 : 1);
  const assumptions = [{ option: "resScale", text: `the factor of each block's residual: ${factor}` }];
  if (range !== undefined) assumptions.unshift({ option: "rgbRange", text: `the range of values: ${range}` });
  return {
    metadata: metadataOf("EDSR", { scale, blocks, channels, resScale: factor, rgbRange }),
    state,
    assumptions,
  };
}

/** The tensors of EDSR's layers that subtract and add the mean color, times `range`. */
export function meanShifts(range: number, mean: readonly number[] = DIV2K_RGB_MEAN): [string, NamedArray][] {
  const identity = Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
  const shift = (name: string, factor: number): [string, NamedArray][] => [
    [`${name}.weight`, { shape: [3, 3, 1, 1], data: identity }],
    [`${name}.bias`, { shape: [3], data: Float32Array.from(mean, (value) => factor * value) }],
  ];
  return [...shift("sub_mean", -range), ...shift("add_mean", range)];
}

// ---- Networks of luma

/** ESPCN-pytorch, whose names are this library's. */
const espcn: Detector = (state) => {
  const last = shapeOf(state, "last_part.0.weight");
  const [first] = shapeOf(state, "first_part.0.weight") ?? [];
  if (last === undefined || first === undefined || !state.has("first_part.2.weight")) return undefined;
  const [pixels, second] = last;
  const options = { scale: Math.sqrt(pixels), filters: [first, second], activation: "tanh", residual: false };
  const assumptions = [{ option: "activation", text: "the activation: tanh, as in the paper" }];
  return { metadata: metadataOf("ESPCN", options), state, assumptions };
};

/** FSRCNN-pytorch, whose names are this library's. */
const fsrcnn: Detector = (state, options) => {
  const last = shapeOf(state, "last_part.weight");
  const shrink = shapeOf(state, "mid_part.0.weight");
  if (last === undefined || shrink === undefined || !state.has("first_part.1.weight")) return undefined;
  const [s, d] = shrink;
  const m = countOf(state, /^mid_part\.(\d+)\.bias$/) - 2;
  return { metadata: metadataOf("FSRCNN", { scale: scaleOf(options), d, s, m }), state, assumptions: [] };
};

/** SRCNN-pytorch, whose names are this library's. */
const srcnn: Detector = (state, options) => {
  const shapes = [1, 2, 3].map((i) => shapeOf(state, `conv${i}.weight`));
  const [first, second, third] = shapes;
  if (first?.[1] !== 1 || third?.[0] !== 1 || second === undefined || state.size !== 6) return undefined;
  const kernels = shapes.map((shape) => shape![2]);
  const filters = [first[0], second[0]];
  const described = { scale: scaleOf(options), kernels, filters, padding: "zeros", residual: false };
  const assumptions = [{ option: "padding", text: "what lies beyond the edges: zeros" }];
  return { metadata: metadataOf("SRCNN", described), state, assumptions };
};

/** The enlargement of a network whose weights do not tell it. */
export function scaleOf({ name, scale }: DetectOptions): number {
  const inName = /(?:^|[^a-z])x([2-8])(?![0-9])|(?:^|[^0-9])([2-8])x(?![a-z0-9])/i.exec(
    name.split(/[\\/]/).at(-1)!,
  );
  const number = scale ?? Number(inName?.[1] ?? inName?.[2]);
  if (Number.isInteger(number)) return number;
  throw new DataError(
    `${name}: the weights of this network are alike for every scale, and the file's name does not end in one, ` +
      `as "fsrcnn_x3.pth" does. Say by how much it enlarges: --scale 3, or { scale: 3 } in a program.`,
  );
}

// ---- All of them

/** The first that recognizes a file counts. */
const detectors: readonly Detector[] = [
  edsr,
  basicsrEdsr,
  espcn,
  fsrcnn,
  srcnn,
  ...[recognizeCompact, recognizeSpan, recognizeRRDBNet, recognizeWren].map(
    (recognize): Detector =>
      (state, { name }) =>
        recognize(state, name),
  ),
];

/** @param attempts the tensors, by their names and by these without prefixes. */
function unknownNetwork(attempts: readonly State[], networks: readonly string[], name: string): DataError {
  const label = attempts.map((state) => nameOfOther(state.keys())).find((one) => one !== undefined);
  const what = label ?? "none of the networks that are known here";
  return new DataError(
    `${name}: this is ${what}, which pixelgrad cannot run; it runs ${andList(networks)}. Its tensors are called ` +
      `${firstOf([...attempts[0].keys()].map(excerpt), 4)}.`,
  );
}
