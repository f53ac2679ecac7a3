/** What a classifier is trained by. */

import { linearGrid } from "../../device/kernel.ts";
import {
  ArgumentError,
  checkArguments,
  checkOptions,
  numberList,
  type Wanted,
} from "../../options/arguments.ts";
import { quote } from "../../options/kinds.ts";
import { tensor } from "../../tensor/create.ts";
import { defineOp, refuseFloat16 } from "../../tensor/op.ts";
import { formatShape, numel, type Shape, ShapeError, sameShape } from "../../tensor/shape.ts";
import { aTensor, Tensor } from "../../tensor/tensor.ts";
import { withHelpers } from "../elementwise/numeric.ts";
import { fillOnGpu } from "../layout/copy.ts";
import { reshape } from "../layout/reshape.ts";
import { type LossOptions, lossOptions } from "../loss/index.ts";
import { mean, sum } from "../reduce/sum.ts";
import { logSoftmax } from "../softmax/index.ts";
import { pickGradKernel, pickKernel } from "./cross-entropy.wgsl.ts";

/** x [outer, classes, inner], class indices [outer, inner] -> -x at these classes [outer, inner]. */
const pickOp = defineOp<{ x: Tensor; target: Tensor }>({
  name: "crossEntropy",
  shape: ({ target }) => target.shape,
  cpu({ x, target }, _, y) {
    const [, classes, inner] = x.shape;
    for (let i = 0; i < y.data.length; i++) {
      const index = target.data[i];
      const at = (Math.floor(i / inner) * classes + index) * inner + (i % inner);
      y.data[i] = isClass(index, classes) ? -x.data[at] : Number.NaN;
    }
  },
  gpu(device, { x, target }, _, y) {
    const [, classes, inner] = x.shape;
    device.run(pickKernel, {
      functions: withHelpers(CLASS_OF),
      buffers: { x: x.gpuStorage, t: target.gpuStorage, y: y.gpuStorage },
      params: { size: y.size, classes, inner },
      grid: linearGrid(y.size, 64),
    });
  },
  backward: (dy, { x, target }) => ({ x: () => pickGradOp({ dy, target }, { shape: x.shape }) }),
});

const pickGradOp = defineOp<{ dy: Tensor; target: Tensor }, { shape: Shape }>({
  name: "crossEntropy gradient",
  shape: (_, { shape }) => shape,
  cpu({ dy, target }, _, dx) {
    const [, classes, inner] = dx.shape;
    for (let i = 0; i < dy.data.length; i++) {
      const index = target.data[i];
      const first = Math.floor(i / inner) * classes * inner + (i % inner);
      if (isClass(index, classes)) dx.data[first + index * inner] = -dy.data[i];
      else for (let k = 0; k < classes; k++) dx.data[first + k * inner] = Number.NaN;
    }
  },
  gpu(device, { dy, target }, _, dx) {
    const [, classes, inner] = dx.shape;
    fillOnGpu(device, dx, 0);
    device.run(pickGradKernel, {
      functions: withHelpers(CLASS_OF),
      buffers: { dy: dy.gpuStorage, t: target.gpuStorage, dx: dx.gpuStorage },
      params: { size: dy.size, classes, inner },
      grid: linearGrid(dy.size, 64),
    });
  },
});

const CLASS_OF = /* wgsl */ `
// The index as a whole number, or the number of classes if there is no such class. WGSL leaves open what
// u32(NaN) is.
fn class_of(index: f32, classes: u32) -> u32 {
  let inside = ordered(index, index) & (index >= 0.0) & (index < f32(classes)) & (floor(index) == index);
  return select(classes, u32(clamp(index, 0.0, f32(classes - 1))), inside);
}

fn no_class() -> f32 { return not_a_number(); }
`;

function isClass(index: number, classes: number): boolean {
  return Number.isInteger(index) && index >= 0 && index < classes;
}

const classIndices: Wanted<Tensor | ArrayLike<number>> = {
  wants: "class indices, as a tensor or a list of numbers",
  fits: (value): value is Tensor | ArrayLike<number> => value instanceof Tensor || numberList.fits(value),
};

/**
 * The mean (or sum) of -log(softmax(x)) at the right classes, as a tensor of shape []. x has numbers of any
 * size for each class, [n, classes] or [n, classes, h, w]; the target has the indices of the right classes,
 * from 0, as a list of n numbers or a tensor [n] or [n, h, w]. As torch.nn.functional.cross_entropy without
 * weights.
 *
 * An index that is no class throws a RangeError in a list. In a tensor, which nobody reads before the device
 * does, it makes the loss NaN.
 */
export function crossEntropy(
  x: Tensor,
  target: Tensor | ArrayLike<number>,
  options: LossOptions = {},
): Tensor {
  checkArguments("crossEntropy", { x: [x, aTensor], target: [target, classIndices] });
  checkOptions("crossEntropy", options, lossOptions);
  refuseFloat16("crossEntropy", { x, target: target instanceof Tensor ? target : undefined });
  const axis = x.shape.length === 1 ? 0 : 1;
  const wanted = x.shape.filter((_, k) => k !== axis);
  if (x.shape.length === 0 || (target instanceof Tensor && !sameShape(target.shape, wanted))) {
    const got = target instanceof Tensor ? ` and target ${formatShape(target.shape)}` : "";
    throw new ShapeError(
      `crossEntropy: got x ${formatShape(x.shape)}${got}. x is [n, classes] and the target, which holds ` +
        `the indices of the right classes, is [n]; or with pictures [n, classes, h, w] and [n, h, w].`,
    );
  }
  const classes = x.shape[axis];
  const indices = target instanceof Tensor ? target : fromList(target, wanted, classes, x);
  const outer = numel(x.shape.slice(0, axis));
  const logs = logSoftmax(x, axis);
  const losses = pickOp({
    x: reshape(logs, [outer, classes, -1]),
    target: reshape(indices, [outer, -1]),
  });
  return options.reduction === "sum" ? sum(losses) : mean(losses);
}

function fromList(target: ArrayLike<number>, shape: Shape, classes: number, x: Tensor): Tensor {
  const indices = Array.from(target);
  if (indices.length !== numel(shape)) {
    throw new ShapeError(
      `crossEntropy: got ${indices.length} class indices for x ${formatShape(x.shape)}, which wants ` +
        `${numel(shape)}: the index of the right class for each.`,
    );
  }
  const wrong = indices.find((index) => !isClass(index, classes));
  if (wrong !== undefined) {
    throw new ArgumentError(
      "crossEntropy",
      `a class index must be a whole number from 0 to ${classes - 1}, got ${quote(wrong)}.`,
    );
  }
  return tensor(indices, shape, { device: x.device });
}
