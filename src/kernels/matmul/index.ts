import type { GpuDevice } from "../../device/gpu-device.ts";
import { checkArguments, optional } from "../../options/arguments.ts";
import { defineOp, type OpDefinition, refuseFloat16 } from "../../tensor/op.ts";
import {
  broadcastShapes,
  broadcastStrides,
  formatShape,
  MAX_RANK,
  numel,
  padRank,
  type Shape,
  ShapeError,
  sameShape,
  stridedIndex,
} from "../../tensor/shape.ts";
import { aTensor, type Tensor } from "../../tensor/tensor.ts";
import { add } from "../elementwise/binary.ts";
import { reshape } from "../layout/reshape.ts";
import { sumTo } from "../reduce/sum.ts";
import { type ProductPlan, planProduct } from "./plan.ts";

/** Which operands to read with rows and columns exchanged. */
type TransposeFlags = { readonly a?: boolean; readonly b?: boolean };

/** A batch of matrices inside a tensor; a batch stride is 0 where broadcasting repeats the matrix. */
interface Matrices {
  readonly rows: number;
  readonly columns: number;
  readonly rowStride: number;
  readonly columnStride: number;
  readonly batchStrides: readonly number[];
}

const BATCH_RANK = MAX_RANK - 2;

function matrices(shape: Shape, batch: Shape, transposed = false): Matrices {
  const [rows, columns] = shape.slice(-2);
  const strides = broadcastStrides(shape.slice(0, -2), batch).map((stride) => stride * rows * columns);
  const batchStrides = padRank(strides, BATCH_RANK, 0);
  return transposed
    ? { rows: columns, columns: rows, rowStride: 1, columnStride: columns, batchStrides }
    : { rows, columns, rowStride: columns, columnStride: 1, batchStrides };
}

/** The batch axes of the result, and both operands. */
function operandsOf(a: Shape, b: Shape, transposed: TransposeFlags) {
  const op = `matmul of ${formatShape(a)} and ${formatShape(b)}, batch axes`;
  const batch = broadcastShapes(op, a.slice(0, -2), b.slice(0, -2));
  return { batch, left: matrices(a, batch, transposed.a), right: matrices(b, batch, transposed.b) };
}

/** Fills y with the product, by the rule's plan or another. */
export function launchProduct(
  device: GpuDevice,
  { a, b }: { readonly a: Tensor; readonly b: Tensor },
  transposed: TransposeFlags,
  y: Tensor,
  plan?: ProductPlan,
): void {
  const { batch, left, right } = operandsOf(a.shape, b.shape, transposed);
  const [, n1, n2, n3] = padRank(batch, BATCH_RANK, 1);
  const [a0, a1, a2, a3] = left.batchStrides;
  const [b0, b1, b2, b3] = right.batchStrides;
  const sizes = { m: left.rows, n: right.columns, batch: numel(batch) };
  const { kernel, ...launch } = plan ?? planProduct(device.profile, sizes);
  device.run(kernel, {
    ...launch,
    buffers: { a: a.gpuStorage, b: b.gpuStorage, y: y.gpuStorage },
    params: {
      ...sizes,
      k: left.columns,
      a_row: left.rowStride,
      a_column: left.columnStride,
      b_row: right.rowStride,
      b_column: right.columnStride,
      n1,
      n2,
      n3,
      a0,
      a1,
      a2,
      a3,
      b0,
      b1,
      b2,
      b3,
    },
  });
}

const product: OpDefinition<{ a: Tensor; b: Tensor }, TransposeFlags> = {
  name: "matmul",
  shape({ a, b }, transposed) {
    const { batch, left, right } = operandsOf(a.shape, b.shape, transposed);
    return [...batch, left.rows, right.columns];
  },
  cpu({ a, b }, transposed, y) {
    const { batch, left, right } = operandsOf(a.shape, b.shape, transposed);
    const sizes = padRank(batch, BATCH_RANK, 1);
    const leftStart = stridedIndex(sizes, left.batchStrides);
    const rightStart = stridedIndex(sizes, right.batchStrides);
    let to = 0;
    for (let i = 0; i < numel(batch); i++) {
      for (let row = 0; row < left.rows; row++) {
        for (let column = 0; column < right.columns; column++) {
          const aStart = leftStart(i) + row * left.rowStride;
          const bStart = rightStart(i) + column * right.columnStride;
          let sum = 0;
          for (let k = 0; k < left.columns; k++) {
            sum += a.data[aStart + k * left.columnStride] * b.data[bStart + k * right.rowStride];
          }
          y.data[to++] = sum;
        }
      }
    }
  },
  gpu(device, { a, b }, transposed, y) {
    launchProduct(device, { a, b }, transposed, y);
  },
};

const productOp = defineOp(product);
const matmulOp = defineOp({
  ...product,
  // With dy [m, n]: da = dy bᵀ and db = aᵀ dy, summed over the batches that shared an operand.
  backward: (dy, { a, b }) => ({
    a: () => sumTo(productOp({ a: dy, b }, { b: true }), a.shape),
    b: () => sumTo(productOp({ a, b: dy }, { a: true }), b.shape),
  }),
});

/** a bᵀ, for a layer's weights, which PyTorch keeps as [outputs, inputs]. */
const timesTransposedOp = defineOp({
  ...product,
  // With dy [m, n]: da = dy b and db = dyᵀ a.
  backward: (dy, { a, b }) => ({
    a: () => productOp({ a: dy, b }, {}),
    b: () => productOp({ a: dy, b: a }, { a: true }),
  }),
});

/**
 * x wᵀ + b: x [..., inputs] with weights [outputs, inputs] and a bias [outputs] (or none) gives
 * [..., outputs], as torch.nn.functional.linear.
 */
export function linear(x: Tensor, w: Tensor, b?: Tensor): Tensor {
  checkArguments("linear", { x: [x, aTensor], w: [w, aTensor], b: [b, optional(aTensor)] });
  refuseFloat16("linear", { x, w, b });
  const inputs = x.shape.at(-1);
  if (w.shape.length !== 2 || w.shape[1] !== inputs || (b && !sameShape(b.shape, [w.shape[0]]))) {
    const bias = b ? ` and bias ${formatShape(b.shape)}` : "";
    throw new ShapeError(
      `linear: x ${formatShape(x.shape)}, weight ${formatShape(w.shape)}${bias} do not fit: want x ` +
        `[..., inputs], weight [outputs, inputs], bias [outputs].`,
    );
  }
  const y = timesTransposedOp({ a: reshape(x, [-1, w.shape[1]]), b: w }, { b: true });
  const shape = [...x.shape.slice(0, -1), w.shape[0]];
  return b ? add(reshape(y, shape), b) : reshape(y, shape);
}

/**
 * Matrix product a [..., m, k] b [..., k, n] -> [..., m, n], as torch.matmul. Axes before the last two are
 * batches and broadcast by NumPy's rule; both operands need at least two axes.
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  checkArguments("matmul", { a: [a, aTensor], b: [b, aTensor] });
  const shapes = `matmul: shapes ${formatShape(a.shape)} and ${formatShape(b.shape)}`;
  if (a.shape.length < 2 || b.shape.length < 2) {
    throw new ShapeError(
      `${shapes}: both need rows and columns. Reshape a vector to [1, k] on the left or [k, 1] on the right.`,
    );
  }
  const [m, k] = a.shape.slice(-2);
  const [rows, n] = b.shape.slice(-2);
  if (k !== rows) {
    throw new ShapeError(
      `${shapes} do not fit: the left one has ${k} columns and the right one ${rows} rows; ` +
        `they must be equal.`,
    );
  }
  if (b.shape.length > 2 || a.shape.length === 2) return matmulOp({ a, b }, {});
  // One matrix on the right for the whole batch: with the batch's rows stacked it is a single, larger
  // product, and so is its gradient, which would otherwise be a batch of matrices to sum.
  return reshape(matmulOp({ a: reshape(a, [-1, k]), b }, {}), [...a.shape.slice(0, -2), m, n]);
}
