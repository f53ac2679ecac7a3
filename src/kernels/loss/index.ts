/** Distances between a network's result and its target. */

import { linearGrid } from "../../device/kernel.ts";
import { checkArguments, checkOptions } from "../../options/arguments.ts";
import { oneOf } from "../../options/kinds.ts";
import { defineOp } from "../../tensor/op.ts";
import { formatShape, ShapeError, sameShape } from "../../tensor/shape.ts";
import { aTensor, type Tensor } from "../../tensor/tensor.ts";
import { withHelpers } from "../elementwise/numeric.ts";
import { lossGradKernel, lossKernel } from "./loss.wgsl.ts";

/** A loss is a sum of terms of the differences d = x - target. */
interface LossRule {
  readonly term: (d: number) => number;
  /** Its derivative. */
  readonly slope: (d: number) => number;
  /** WGSL expressions in `d`, a vec4f. */
  readonly wgsl: { readonly term: string; readonly slope: string };
}

export interface LossOptions {
  /** What becomes of the terms. Default "mean". */
  readonly reduction?: "mean" | "sum";
}

export const lossOptions = { reduction: oneOf("mean", "sum") };

/** More workgroups would only make work for the second launch. */
const MAX_PARTIALS = 1024;

type Loss = (x: Tensor, target: Tensor, options?: LossOptions) => Tensor;

function defineLoss(name: string, rule: LossRule): Loss {
  const op = defineOp<{ x: Tensor; target: Tensor }, { scale: number }>({
    name,
    shape({ x, target }) {
      if (!sameShape(x.shape, target.shape)) {
        throw new ShapeError(
          `${name}: x ${formatShape(x.shape)} and target ${formatShape(target.shape)} must have the ` +
            `same shape.`,
        );
      }
      return [];
    },
    cpu({ x, target }, { scale }, y) {
      let sum = 0;
      for (let i = 0; i < x.data.length; i++) sum += rule.term(x.data[i] - target.data[i]);
      y.data[0] = scale * sum;
    },
    gpu(device, { x, target }, { scale }, y) {
      const { reductionLanes: lanes, cheapBarriers } = device.profile;
      // How many elements each lane sums before the workgroup's barriers, which may cost as much as
      // thousands.
      const perLane = cheapBarriers ? 32 : 1024;
      const groups = Math.min(MAX_PARTIALS, Math.ceil(x.size / (lanes * perLane)));
      const partials = device.allocate(groups);
      device.run(lossKernel, {
        constants: { LANES: lanes },
        functions: `fn element(i: u32) -> vec4f { let d = x[i] - t[i]; return ${rule.wgsl.term}; }`,
        buffers: { x: x.gpuStorage, t: target.gpuStorage, sums: partials },
        params: { size: x.size, scale: 1 },
        grid: [groups],
      });
      device.run(lossKernel, {
        constants: { LANES: lanes },
        functions: "fn element(i: u32) -> vec4f { return x[i]; }",
        buffers: { x: partials, t: partials, sums: y.gpuStorage },
        params: { size: groups, scale },
        grid: [1],
      });
      device.release(partials);
    },
    backward: (dy, { x, target }, { scale }) => ({
      x: () => gradient({ dy, x, target }, { scale }),
      target: () => gradient({ dy, x, target }, { scale: -scale }),
    }),
  });

  const gradient = defineOp<{ dy: Tensor; x: Tensor; target: Tensor }, { scale: number }>({
    name: `${name} gradient`,
    shape: ({ x }) => x.shape,
    cpu({ dy, x, target }, { scale }, dx) {
      for (let i = 0; i < dx.data.length; i++) {
        dx.data[i] = dy.data[0] * scale * rule.slope(x.data[i] - target.data[i]);
      }
    },
    gpu(device, { dy, x, target }, { scale }, dx) {
      device.run(lossGradKernel, {
        functions: withHelpers(`fn slope(d: vec4f) -> vec4f { return ${rule.wgsl.slope}; }`),
        buffers: { dy: dy.gpuStorage, x: x.gpuStorage, t: target.gpuStorage, dx: dx.gpuStorage },
        params: { size: x.size, scale },
        grid: linearGrid(Math.ceil(x.size / 4), 64),
      });
    },
  });

  return (x, target, options = {}) => {
    checkArguments(name, { x: [x, aTensor], target: [target, aTensor] });
    checkOptions(name, options, lossOptions);
    const { reduction = "mean" } = options;
    return op({ x, target }, { scale: reduction === "mean" ? 1 / x.size : 1 });
  };
}

/**
 * The mean (or sum) of |x - target|, as a tensor of shape []; x and target have the same shape. Where they
 * are equal the gradient is 0, as in PyTorch.
 */
export const l1Loss = defineLoss("l1Loss", {
  term: Math.abs,
  slope: Math.sign,
  wgsl: { term: "abs(d)", slope: "keep_nans(d, sign(d))" },
});

/** The mean (or sum) of (x - target)², as a tensor of shape []; x and target have the same shape. */
export const mseLoss = defineLoss("mseLoss", {
  term: (d) => d * d,
  slope: (d) => 2 * d,
  wgsl: { term: "d * d", slope: "2.0 * d" },
});
