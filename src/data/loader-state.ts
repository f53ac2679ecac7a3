/** Where a loader is in its sequence of patches. */
import { checkArguments, isObject, type Wanted } from "../options/arguments.ts";
import { whole } from "../options/kinds.ts";
import { DataError } from "../picture/errors.ts";
import type { PairDataset } from "./pairs.ts";

/** A place in a loader's endless sequence of patches; fit for JSON. */
export interface LoaderState {
  seed: number;
  epoch: number;
  /** Patches of this epoch that next() has returned. */
  position: number;
  /** Length of the dataset, to notice a different one. */
  pictures: number;
}

const aState: Wanted<LoaderState> = {
  wants: "what state() returned",
  fits: (value): value is LoaderState =>
    isObject(value) &&
    whole().fits(value.seed) &&
    [value.epoch, value.position, value.pictures].every(whole(0).fits),
};

/** Throws a RangeError or DataError unless a loader of the dataset can go on from there. */
export function checkState(state: LoaderState, { name, length }: PairDataset): void {
  checkArguments("PatchLoader.restore", { state: [state, aState] });
  const { epoch, position, pictures } = state;
  if (pictures !== length) {
    throw new DataError(
      `${name} has ${length} pictures, but the state is of a dataset with ${pictures}. Open the dataset that ` +
        "training began with.",
    );
  }
  if (position >= pictures) {
    throw new DataError(
      `epoch ${epoch}, position ${position} of ${pictures} pictures is not a place; pass what state() returned.`,
      { caller: "PatchLoader.restore" },
    );
  }
}
