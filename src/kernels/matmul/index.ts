import { linearGrid } from "../../device/kernel.ts";
import { defineOp, type OpDefinition } from "../../tensor/op.ts";
import {
  broadcastShapes,
  broadcastStrides,
  formatShape,
  MAX_RANK,
  numel,
  padRank,
  type Shape,
  ShapeError,
  stridedIndex,
} from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { reshape } from "../layout/reshape.ts";
import { sumTo } from "../reduce/sum.ts";
import { matmulByThreadKernel, matmulByTileKernel } from "./matmul.wgsl.ts";

/** Which operands to read with rows and columns exchanged. */
interface Transposed {
  readonly a?: boolean;
  readonly b?: boolean;
}

/** A batch of matrices inside a tensor. The strides of the batch are those after broadcasting. */
interface Matrices {
  readonly rows: number;
  readonly cols: number;
  readonly rowStride: number;
  readonly colStride: number;
  readonly batchStrides: readonly number[];
}

const BATCH_RANK = MAX_RANK - 2;

function matrices(shape: Shape, batch: Shape, transposed = false): Matrices {
  const [rows, cols] = shape.slice(-2);
  const strides = broadcastStrides(shape.slice(0, -2), batch).map((stride) => stride * rows * cols);
  const batchStrides = padRank(strides, BATCH_RANK, 0);
  return transposed
    ? { rows: cols, cols: rows, rowStride: 1, colStride: cols, batchStrides }
    : { rows, cols, rowStride: cols, colStride: 1, batchStrides };
}

function batchOf(a: Shape, b: Shape): Shape {
  return broadcastShapes(
    `matmul of ${formatShape(a)} and ${formatShape(b)}, batch axes`,
    a.slice(0, -2),
    b.slice(0, -2),
  );
}

const product: OpDefinition<{ a: Tensor; b: Tensor }, Transposed> = {
  name: "matmul",
  shape({ a, b }, transposed) {
    const batch = batchOf(a.shape, b.shape);
    return [
      ...batch,
      matrices(a.shape, batch, transposed.a).rows,
      matrices(b.shape, batch, transposed.b).cols,
    ];
  },
  cpu({ a, b }, transposed, y) {
    const batch = y.shape.slice(0, -2);
    const left = matrices(a.shape, batch, transposed.a);
    const right = matrices(b.shape, batch, transposed.b);
    const sizes = padRank(batch, BATCH_RANK, 1);
    const leftStart = stridedIndex(sizes, left.batchStrides);
    const rightStart = stridedIndex(sizes, right.batchStrides);
    let to = 0;
    for (let i = 0; i < numel(batch); i++) {
      for (let row = 0; row < left.rows; row++) {
        for (let col = 0; col < right.cols; col++) {
          const aStart = leftStart(i) + row * left.rowStride;
          const bStart = rightStart(i) + col * right.colStride;
          let sum = 0;
          for (let k = 0; k < left.cols; k++) {
            sum += a.data[aStart + k * left.colStride] * b.data[bStart + k * right.rowStride];
          }
          y.data[to++] = sum;
        }
      }
    }
  },
  gpu(device, { a, b }, transposed, y) {
    const batch = y.shape.slice(0, -2);
    const left = matrices(a.shape, batch, transposed.a);
    const right = matrices(b.shape, batch, transposed.b);
    const [, n1, n2, n3] = padRank(batch, BATCH_RANK, 1);
    const [a0, a1, a2, a3] = left.batchStrides;
    const [b0, b1, b2, b3] = right.batchStrides;
    const m = left.rows;
    const n = right.cols;
    const narrow = Math.min(m, n);
    const launch = {
      buffers: { a: a.gpuStorage, b: b.gpuStorage, y: y.gpuStorage },
      params: {
        ...{ batch: numel(batch), m, n, k: left.cols },
        ...{ a_row: left.rowStride, a_col: left.colStride, b_row: right.rowStride, b_col: right.colStride },
        ...{ n1, n2, n3, a0, a1, a2, a3, b0, b1, b2, b3 },
      },
    };
    const blocks = (side: number) => Math.ceil(m / side) * Math.ceil(n / side) * numel(batch);
    if (device.profile.cheapBarriers && narrow > 32) {
      const r = 4;
      device.run(matmulByTileKernel, { ...launch, constants: { R: r }, grid: linearGrid(blocks(16 * r), 1) });
    } else {
      // The larger the block, the fewer reads, but the fewer threads.
      const r = narrow >= 128 ? 8 : narrow >= 16 ? 4 : 1;
      device.run(matmulByThreadKernel, { ...launch, constants: { R: r }, grid: linearGrid(blocks(r), 64) });
    }
  },
};

const productOp = defineOp(product);
const matmulOp = defineOp({
  ...product,
  // With dy [m, n]: da = dy bᵀ and db = aᵀ dy, summed over the batches for which an operand was repeated.
  backward: (dy, { a, b }) => ({
    a: () => sumTo(productOp({ a: dy, b }, { b: true }), a.shape),
    b: () => sumTo(productOp({ a, b: dy }, { a: true }), b.shape),
  }),
});

/**
 * Matrix product a [..., m, k] b [..., k, n] -> [..., m, n], as torch.matmul. Axes before the last two are
 * batches and broadcast by NumPy's rule; both operands need at least two axes.
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  const given = `matmul: shapes ${formatShape(a.shape)} and ${formatShape(b.shape)}`;
  if (a.shape.length < 2 || b.shape.length < 2) {
    throw new ShapeError(
      `${given}: both need rows and columns. Reshape a vector to [1, k] on the left or [k, 1] on the right.`,
    );
  }
  const [m, k] = a.shape.slice(-2);
  const [rows, n] = b.shape.slice(-2);
  if (k !== rows) {
    throw new ShapeError(
      `${given} do not fit: the left one has ${k} columns and the right one ${rows} rows; ` +
        `they must be the same.`,
    );
  }
  if (b.shape.length > 2 || a.shape.length === 2) return matmulOp({ a, b }, {});
  // One matrix on the right for the whole batch: stacking the batch's rows makes it a single, larger product,
  // and so its gradient, which would otherwise be a batch of matrices to be summed.
  return reshape(matmulOp({ a: reshape(a, [-1, k]), b }, {}), [...a.shape.slice(0, -2), m, n]);
}
