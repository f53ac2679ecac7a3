/** What a PatchLoader needs of a dataset, which a program may have made by itself, and of the pairs that it loads. */
import {
  ArgumentError,
  aFunction,
  aText,
  checkProperties,
  isObject,
  listOf,
  optional,
  type Wanted,
} from "../options/arguments.ts";
import { oneOf, quote, whole } from "../options/kinds.ts";
import { DataError } from "../picture/errors.ts";
import { checkByteImage } from "../picture/image.ts";
import { aPairScale } from "./pair-sizes.ts";
import type { Pair, PairDataset, PairFiles } from "./pairs.ts";

const filesOfAPair: Wanted<PairFiles> = {
  wants: "the files of a pair, such as { name, high }",
  fits: (value): value is PairFiles => isObject(value) && typeof value.high === "string",
};

const propertiesWanted: Readonly<Record<keyof PairDataset, Wanted>> = {
  name: aText,
  length: whole(0),
  scale: aPairScale,
  colors: oneOf("rgb", "y"),
  inputSize: oneOf("low", "high"),
  names: listOf(aText),
  files: optional(listOf(filesOfAPair)),
  load: aFunction,
};

/** @throws RangeError for what is no dataset; DataError for one without pictures. */
export function checkDataset(caller: string, dataset: PairDataset): void {
  if (!isObject(dataset) || dataset.name === undefined) {
    throw new ArgumentError(caller, `wants a dataset, such as openFolder() returns, got ${quote(dataset)}.`);
  }
  checkProperties(caller, "the dataset", dataset, propertiesWanted);
  const { name, length } = dataset;
  if (length === 0) throw new DataError(`${name}: this dataset is empty.`);
  for (const list of ["names", "files"] as const) {
    const count = dataset[list]?.length ?? length;
    if (count === length) continue;
    const advice =
      list === "files" ? "Give it one for each pair, or leave `files` out" : "Give it one for each pair";
    throw new ArgumentError(
      caller,
      `the dataset ${name} has ${count} ${list} for ${length} pairs. ${advice}.`,
    );
  }
}

/** What load(index) of a dataset gave. @throws DataError for what is no pair of pictures with bytes. */
export function checkPair(caller: string, { name }: PairDataset, index: number, pair: Pair): void {
  const call = `load(${index}) of the dataset ${name}`;
  if (!isObject(pair)) {
    throw new DataError(`${call} must give { name, low, high }, and gave ${quote(pair)}.`, { caller });
  }
  for (const which of ["low", "high"] as const) checkByteImage(pair[which], `${caller}: ${which} of ${call}`);
}
