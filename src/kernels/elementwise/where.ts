import { linearGrid } from "../../device/kernel.ts";
import { checkArguments } from "../../options/arguments.ts";
import { defineOp } from "../../tensor/op.ts";
import {
  broadcastShapes,
  broadcastStrides,
  MAX_RANK,
  padRank,
  sameShape,
  stridedIndex,
} from "../../tensor/shape.ts";
import { aTensor, type Tensor } from "../../tensor/tensor.ts";
import { detach } from "../layout/reshape.ts";
import { sumTo } from "../reduce/sum.ts";
import { operand, withOperand } from "./operand.ts";
import { whereKernel, whereSameShapeKernel } from "./where.wgsl.ts";

const whereOp = defineOp<{ condition: Tensor; a: Tensor; b: Tensor }>({
  name: "where",
  shape: ({ condition, a, b }) =>
    broadcastShapes("where", broadcastShapes("where", a.shape, b.shape), condition.shape),
  cpu({ condition, a, b }, _, y) {
    const [at, aAt, bAt] = [condition, a, b].map(({ shape }) =>
      stridedIndex(y.shape, broadcastStrides(shape, y.shape)),
    );
    for (let i = 0; i < y.data.length; i++) {
      y.data[i] = condition.data[at(i)] !== 0 ? a.data[aAt(i)] : b.data[bAt(i)];
    }
  },
  gpu(device, { condition, a, b }, _, y) {
    const operands = { condition, a, b };
    const same = Object.values(operands).every(({ shape }) => sameShape(shape, y.shape));
    const params: Record<string, number> = { size: y.size };
    if (!same) {
      for (const [axis, n] of padRank(y.shape, MAX_RANK, 1).entries()) if (axis > 0) params[`n${axis}`] = n;
      for (const [name, { shape }] of Object.entries(operands)) {
        const strides = padRank(broadcastStrides(shape, y.shape), MAX_RANK, 0);
        for (const [axis, stride] of strides.entries()) params[`${name[0]}${axis}`] = stride;
      }
    }
    device.run(same ? whereSameShapeKernel : whereKernel, {
      buffers: {
        condition: condition.gpuStorage,
        a: a.gpuStorage,
        b: b.gpuStorage,
        y: y.gpuStorage,
      },
      params,
      grid: linearGrid(Math.ceil(y.size / 4), 64),
    });
  },
  backward: (dy, { condition, a, b }) => ({
    a: () => sumTo(where(condition, dy, 0), a.shape),
    b: () => sumTo(where(condition, 0, dy), b.shape),
  }),
});

/**
 * a where the condition is not 0, else b, with NumPy's broadcasting; a and b may be numbers. The condition
 * may come from a comparison: `where(gt(x, 0), x, 0)`. The gradient goes to the elements that were chosen,
 * and the others get 0.
 */
export function where(condition: Tensor, a: Tensor | number, b: Tensor | number): Tensor {
  checkArguments("where", { condition: [condition, aTensor], a: [a, operand], b: [b, operand] });
  // The condition only chooses: no gradient flows to what it was computed from.
  const fixed = condition.requiresGrad || condition.node ? detach(condition) : condition;
  return withOperand(a, fixed, (a) => withOperand(b, fixed, (b) => whereOp({ condition: fixed, a, b })));
}
