/** What a weight file's name, its tensors' names and their shapes tell: they recognize other programs' files. */
import type { NamedArray } from "../nn/module.ts";
import { oneOf } from "../options/kinds.ts";
import { quantity } from "../options/lists.ts";
import { DataError } from "../picture/errors.ts";
import { numel } from "../tensor/shape.ts";

export type State = ReadonlyMap<string, NamedArray>;

/** What is known of a file besides its tensors. */
export interface DetectOptions {
  /** What errors call the file. It may also tell the scale: "fsrcnn_x3.pth". */
  readonly name: string;
  /** Enlargement by the network, for files that do not say, nor do their names. */
  readonly scale?: number;
  /** What the file itself says of it, which comes before its name. */
  readonly scaleInFile?: number;
}

export function shapeOf(state: State, key: string): readonly number[] | undefined {
  return state.get(key)?.shape;
}

/** How many of a series there are: tensors whose names fit, each with another number. */
export function countOf(state: State, pattern: RegExp): number {
  return new Set([...state.keys()].map((key) => pattern.exec(key)?.[1]).filter((i) => i !== undefined)).size;
}

/** Renames tensors by the first pattern that fits; those that no pattern fits keep their names. */
export function renameTensors(state: State, parts: readonly (readonly [RegExp, string])[]): State {
  return new Map(
    [...state].map(([key, array]) => {
      const part = parts.find(([pattern]) => pattern.test(key));
      return [part ? key.replace(...part) : key, array];
    }),
  );
}

/** Which of these names are markers in a state: tensors of one zero, that say something by being there. */
export function markersIn(state: State, names: readonly string[]): string[] {
  return names.filter((name) => {
    const { shape = [], data = [] } = state.get(name) ?? {};
    return data.length === 1 && numel(shape) === 1 && data[0] === 0;
  });
}

/** A state without the tensors of some names. */
export function withoutTensors(state: State, names: readonly string[]): Map<string, NamedArray> {
  return new Map([...state].filter(([name]) => !names.includes(name)));
}

/** The same with a slope for each channel in PReLUs after convolutions, where a program has one for all of them. */
export function withSlopes(state: State): State {
  return new Map(
    [...state].map(([key, array]) => {
      const before = state.get(key.replace(/\d+(?=\.weight$)/, (place) => `${Number(place) - 1}`));
      const [channels, , , width] = before?.shape ?? [];
      // A damaged file may claim any number of channels.
      const isOne = `${array.shape}` === "1" && width > 0 && before!.data.length >= channels;
      return [
        key,
        isOne ? { shape: [channels], data: new Float32Array(channels).fill(array.data[0]) } : array,
      ];
    }),
  );
}

/** Convolutions that enlarge, whose weights have the outputs second. */
const transposed = /^last_part\.weight$/;

/** EDSR's layers that add a mean colour, which have biases whatever the others have. */
const shifts = /^(?:sub|add)_mean\./;

/**
 * The same with biases of zeros, if no convolution has any: PyTorch's `bias=False`.
 *
 * @param those convolutions that have them or have not; default: all.
 */
export function withBiases(state: State, those = /^/): State {
  const isOne = (key: string) => those.test(key) && !shifts.test(key);
  if ([...state.keys()].some((key) => key.endsWith(".bias") && isOne(key))) return state;
  return new Map(
    [...state].flatMap(([key, array]): [string, NamedArray][] => {
      if (array.shape.length !== 4 || !key.endsWith(".weight") || !isOne(key)) return [[key, array]];
      const outputs = array.shape[transposed.test(key) ? 1 : 0];
      // A damaged file may claim any number of channels.
      if (!(array.data.length >= outputs)) return [[key, array]];
      const bias = { shape: [outputs], data: new Float32Array(outputs) };
      return [
        [key, array],
        [key.replace(/weight$/, "bias"), bias],
      ];
    }),
  );
}

/**
 * The colours and the scale of a network that ends in a pixel shuffle, from the channels that come in, and those
 * that go into the shuffle.
 *
 * @throws DataError if the network is of another kind, such as one for pictures with transparency, or has no end.
 */
export function picturesOf(
  name: string,
  architecture: string,
  { inputs, outputs = 0 }: { readonly inputs: number; readonly outputs: number | undefined },
): { colors: "rgb" | "y"; scale: number } {
  const scale = Math.sqrt(outputs / inputs);
  const isWhole = Number.isInteger(scale) && scale > 0;
  if (isWhole && (inputs === 3 || inputs === 1)) return { colors: inputs === 3 ? "rgb" : "y", scale };
  if (outputs === 0) throw withoutEnd(name, architecture);
  throw otherPictures(name, architecture, inputs, isWhole ? inputs : planesBeforeShuffle(outputs));
}

/** How many planes a pixel shuffle makes of so many channels, in words if they do not tell. */
function planesBeforeShuffle(channels: number): number | string {
  const planes = [1, 3, 4].filter((count) => [2, 3, 4, 8].includes(Math.sqrt(channels / count)));
  return planes.length === 1 ? planes[0] : `${channels} in front of its pixel shuffle`;
}

/** The error about a network whose last tensors are missing. */
export function withoutEnd(name: string, architecture: string): DataError {
  return new DataError(
    `${name}: this is ${architecture} without its last convolution. The file is damaged or incomplete.`,
  );
}

/** The error about a network for pictures of another kind, such as those with transparency. */
export function otherPictures(
  name: string,
  architecture: string,
  inputs: number,
  outputs: number | string,
): DataError {
  return new DataError(
    `${name}: this is ${architecture} from ${inputs} ${inputs === 1 ? "channel" : "channels"} to ${outputs}, and ` +
      "pixelgrad runs networks whose pictures have 3 channels (RGB) or 1 (luma). " +
      "Look for such a one.",
  );
}

/** @throws DataError if a network is for other colours than the paper's, which has so many planes */
export function checkColors(name: string, architecture: string, channels: number, planes: 1 | 3): void {
  if (channels === planes) return;
  throw new DataError(
    `${name}: this is an ${architecture} for ${quantity(channels, "channel")}, and pixelgrad runs ${architecture} on ` +
      `${planes === 1 ? "luma" : "RGB"} alone. Look for such a one.`,
  );
}

/** About SRCNN and ESPCN of other programs, of which none is known that learns the difference alone. */
export const assumedWhole = {
  option: "residual",
  text: "what the network makes: the whole picture, and not what has to be added to a bicubic enlargement",
};

/** The scales of networks for luma. */
export const lumaScale = oneOf(2, 3, 4);

/**
 * The enlargement of a network for luma whose weights do not tell it. What a file's name says is the file's word, which
 * no other replaces.
 */
export function scaleOf({ name, scale: given, scaleInFile }: DetectOptions): number {
  if (scaleInFile !== undefined) return scaleInFile; // whoever builds it says whether it can be
  const named = scaleInName(name);
  if (named !== undefined && given !== undefined && named !== given) {
    throw new DataError(`${name}: by its name it enlarges by ${named}, but scale ${given} was asked for.`);
  }
  const scale = named ?? given;
  if (lumaScale.fits(scale)) return scale;
  if (scale !== undefined) {
    const source = named === undefined ? "as was given" : "by its name";
    throw new DataError(`${name}: ${source} it enlarges by ${scale}, which should be ${lumaScale.wants}.`);
  }
  const others = marksIn(name, /\d{1,2}/);
  const reason =
    others.length === 1
      ? `by its name it would enlarge by ${others[0]}, which should be ${lumaScale.wants}, and the weights ` +
        "of this network do not tell its scale"
      : 'neither the weights of this network tell its scale nor does the file\'s name, as "fsrcnn_x3.pth" does';
  throw new DataError(
    `${name}: ${reason}. Say by how much it enlarges: --scale 3, or { scale: 3 } in a program.`,
  );
}

/**
 * The only scale that a file's name speaks of: "x3", or "3x" where no number follows. Sizes are none, such as those
 * of the filters in "srcnn_9x5x5_x3" and "srcnn-9-5-5".
 */
export function scaleInName(path: string): number | undefined {
  const scales = marksIn(path, /[2-8]/);
  return scales.length === 1 ? scales[0] : undefined;
}

/** The different numbers with an x that a file's name has, each once. */
function marksIn(path: string, { source: number }: RegExp): number[] {
  const name = path.split(/[\\/]/).at(-1)!;
  const pattern = `(?<![a-z0-9])x(${number})(?![0-9]|x[0-9])|(?<![0-9x])(${number})x(?![a-z0-9])`;
  const marks = name.matchAll(new RegExp(pattern, "gi"));
  return [...new Set(Array.from(marks, ([, behind, before]) => Number(behind ?? before)))];
}
