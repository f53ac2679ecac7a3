import { checkArguments, type Wanted } from "../../options/arguments.ts";
import { whole } from "../../options/kinds.ts";
import { formatShape, normalizeAxis, ShapeError } from "../../tensor/shape.ts";
import { aTensor, type Tensor } from "../../tensor/tensor.ts";
import { slice } from "./slice.ts";

const size = whole(1);
const sizesWanted: Wanted<number | readonly number[]> = {
  wants: "a size of at least 1 or a list of such sizes",
  fits: (value): value is number | readonly number[] =>
    size.fits(value) || (Array.isArray(value) && value.length > 0 && value.every(size.fits)),
};

/**
 * x cut along `axis` (default 0) into parts of `sizes`, as torch.split: a list of sizes, or one size for all parts,
 * of which the last may then be smaller. The opposite of `concat`. The values are copied.
 */
export function split(x: Tensor, sizes: number | readonly number[], axis = 0): Tensor[] {
  checkArguments("split", { x: [x, aTensor], sizes: [sizes, sizesWanted] });
  const along = normalizeAxis("split", axis, x.shape.length);
  const length = x.shape[along];
  const list = typeof sizes === "number" ? equalParts(length, sizes) : sizes;
  if (list.reduce((sum, part) => sum + part, 0) !== length) {
    throw new ShapeError(
      `split: the sizes [${list.join(", ")}] do not add up to the ${length} of axis ${along} of a tensor of shape ` +
        `${formatShape(x.shape)}.`,
    );
  }
  let end = 0;
  return list.map((part) => {
    const starts = x.shape.map((_, k) => (k === along ? end : 0));
    end += part;
    return slice(
      x,
      starts,
      x.shape.map((size, k) => (k === along ? end : size)),
    );
  });
}

function equalParts(length: number, size: number): number[] {
  return Array.from({ length: Math.ceil(length / size) }, (_, i) => Math.min(size, length - i * size));
}
