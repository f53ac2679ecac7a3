/**
 * Which network a file of another program holds. Such files have tensors and their names, and nothing that
 * says what to do with them: the names tell the program, and the shapes the sizes. What neither tells is
 * assumed as that program has it, and noted. Each network knows such files itself (`Architecture.recognize`);
 * here is where in a file it may be.
 */
import type { NamedArray } from "../nn/module.ts";
import { quote } from "../options/kinds.ts";
import { andList, firstOf } from "../options/lists.ts";
import { excerpt } from "../options/printable.ts";
import { DataError } from "../picture/errors.ts";
import { numel } from "../tensor/shape.ts";
import type { WeightContents } from "../weights/pytorch-file.ts";
import {
  firstByName,
  isAroundNetwork,
  isAveraged,
  isAveragedPath,
  isBesideWeights,
  isFigureName,
  isGeneratorPrefix,
  isVague,
  namesWeights,
  type PathName,
} from "../weights/weight-names.ts";
import { type Architecture, markersOf, type Option, type RecognizedNetwork } from "./architecture.ts";
import { nameOfOther } from "./other-networks.ts";
import { type DetectOptions, markersIn, type State, withBiases, withoutTensors } from "./state.ts";

/** What is asked of a network: its name, for errors, and whether it is the one in a file. */
type Known = Pick<Architecture, "name" | "options" | "markers" | "recognize">;

/** More prefixes than any program puts before names. */
const MAX_PREFIXES = 8;

/** A network in a file, or why one that is nearly known cannot be used. */
type Found = { readonly path: readonly PathName[] } & (
  | { readonly network: RecognizedNetwork; readonly error?: undefined }
  | { readonly network?: undefined; readonly error: DataError }
);

/**
 * Finds the network of a file. It may be the whole file, be in a dictionary with other things, or have a prefix
 * before all its names; weight-names.ts says what such names mean. What it recognizes comes before what names say:
 * `weightsIn` of weights/pytorch-file.ts, which takes weights of any kind, has names alone, and may take another part.
 *
 * @param networks those of this library. The first that recognizes a file counts.
 * @throws DataError if it is none of them, in which case the message names it where it is a well-known one; or
 *   if there are several, and their names do not say which one is meant.
 */
export function detect(
  contents: WeightContents,
  networks: readonly Known[],
  options: DetectOptions,
): RecognizedNetwork & { readonly taken?: string } {
  refusePart(options.name);
  const found: Found[] = [];
  // What is called as weights are, and is no network that is known here.
  const unknown: (readonly PathName[])[] = [];
  const attempts: State[] = [];
  const look = (whole: State, path: readonly PathName[]): void => {
    attempts.push(whole);
    const state = withoutFigures(whole);
    const dictionary = path.every(({ isDictionary }) => isDictionary)
      ? contents.dictionaries.get(textOf(path))
      : undefined;
    // Before a prefix is taken off: ESRGAN's first names begin with "model.", too.
    const result = recognize(state, dictionary?.metadata ?? {}, networks, options);
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
  const metadata = contents.dictionaries.get("")?.metadata;
  // A network that this version does not know: whoever builds it says so.
  if (found.length === 0 && metadata?.architecture !== undefined) {
    return { metadata, state: contents.tensors, assumptions: [] };
  }
  if (found.length === 0) throw unknownNetwork(attempts, networks, options.name);
  return choose(found, unknown, options.name);
}

/** @throws DataError if a file is called as one of several that make a network: "model-00001-of-00002.safetensors" */
function refusePart(name: string): void {
  const count = Number(/-\d{5}-of-(\d{5})\.\w+$/.exec(name)?.[1] ?? 1);
  if (count === 1) return;
  throw new DataError(`${name}: by its name this is one of ${count} files of a network. Save it as one.`);
}

/**
 * The tensors without figures of the training, such as counters and losses, which may stand among a network's own
 * weights. Of single numbers, names tell them from weights: others may change a network's pictures.
 */
function withoutFigures(state: State): State {
  const isFigure = (key: string, { shape }: NamedArray) => {
    const name = key.slice(key.lastIndexOf(".") + 1);
    return numel(shape) === 1
      ? isFigureName(name)
      : shape.length === 1 && isBesideWeights(key) && name === key;
  };
  return new Map([...state].filter(([key, array]) => !isFigure(key, array)));
}

/**
 * A network that is all of `state`. Undefined if it is none of those known.
 *
 * @param metadata what the file says of it. Other programs may say "architecture" and "scale", too, and mean names of
 *   their own.
 */
function recognize(
  given: State,
  metadata: Readonly<Record<string, string>>,
  networks: readonly Known[],
  known: DetectOptions,
): { network: RecognizedNetwork; error?: undefined } | { network?: undefined; error: DataError } | undefined {
  const own = networks.find(({ name }) => name === metadata.architecture);
  try {
    // Whoever builds it says what is wrong.
    if (own && Object.keys(own.options).every((key) => Object.hasOwn(metadata, key))) {
      return {
        network: {
          metadata,
          state: withoutTensors(given, markersIn(given, markersOf(own, metadata))),
          assumptions: [],
        },
      };
    }
    const state = withBiases(given);
    for (const architecture of networks) {
      const isTold = architecture === own;
      const scaleInFile = isTold && metadata.scale !== undefined ? Number(metadata.scale) : undefined;
      const network = architecture.recognize?.(state, { ...known, scaleInFile });
      if (network !== undefined)
        return { network: isTold ? withTold(network, own, metadata, known) : network };
    }
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return { error };
  }
  return undefined;
}

/**
 * A network that was recognized by its tensors, with what its file says besides, which need not be all.
 *
 * @throws DataError if the tensors say something else
 */
function withTold(
  network: RecognizedNetwork,
  { name: architecture, options }: Known,
  told: Readonly<Record<string, string>>,
  { name }: DetectOptions,
): RecognizedNetwork {
  const isAssumed = (key: string) => network.assumptions.some(({ option }) => option === key);
  const keys = Object.keys(options).filter((key) => Object.hasOwn(told, key));
  for (const key of keys) {
    const { [key]: own } = network.metadata;
    const { kind } = options[key as keyof typeof options] as Option;
    const [theirs, ours] = [told[key], own].map((text) => kind.read(text));
    // Whoever builds it says which values fit.
    if (!kind.fits(theirs) || isAssumed(key) || String(theirs) === String(ours)) continue;
    throw new DataError(
      `${name} says that "${key}" of architecture ${architecture} is ${quote(told[key])}, and by its tensors it is ` +
        `${own}. Save the weights again, with metadata that fit them, or with none.`,
    );
  }
  return {
    ...network,
    metadata: { ...told, ...network.metadata, ...Object.fromEntries(keys.map((key) => [key, told[key]])) },
    assumptions: network.assumptions.filter(({ option }) => !keys.includes(option)),
  };
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

/** The parts of a state that have more than scalars, and its own tensors that are more than one number. */
function partsOf(state: State, dictionaries: readonly string[]): { parts: NetworkPart[]; tensors: string[] } {
  const known = new Set(dictionaries);
  const lengths = [...new Set(dictionaries.map(({ length }) => length))].sort((a, b) => a - b);
  const groups = new Map<string, Map<string, NamedArray>>();
  const tensors: string[] = [];
  for (const [key, array] of state) {
    const length = lengths.find((n) => key[n] === "." && known.has(key.slice(0, n))) ?? prefixLength(key);
    if (length < 0) {
      if (numel(array.shape) > 1) tensors.push(key);
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
): RecognizedNetwork & { readonly taken?: string } {
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

/** @param attempts the tensors, by their names and by these without prefixes. */
function unknownNetwork(attempts: readonly State[], networks: readonly Known[], name: string): DataError {
  const label = attempts.map((state) => nameOfOther(state.keys())).find((one) => one !== undefined);
  const what = label ?? "none of the networks that are known here";
  const names = andList(networks.map((network) => network.name));
  return new DataError(
    `${name}: this is ${what}, which pixelgrad cannot run; it runs ${names}. Its tensors are called ` +
      `${firstOf([...attempts[0].keys()].map(excerpt), 4)}.`,
  );
}
