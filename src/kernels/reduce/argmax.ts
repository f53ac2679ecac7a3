import { linearGrid } from "../../device/kernel.ts";
import { checkArguments, checkOptions, trueOrFalse } from "../../options/arguments.ts";
import { noGrad } from "../../tensor/no-grad.ts";
import { defineOp } from "../../tensor/op.ts";
import { formatShape, normalizeAxis, numel, type Shape, ShapeError } from "../../tensor/shape.ts";
import { aTensor, Tensor } from "../../tensor/tensor.ts";
import { reshape } from "../layout/reshape.ts";
import { argmaxKernel } from "./argmax.wgsl.ts";
import type { ReduceOptions } from "./reduction.ts";

/** f32 holds all whole numbers up to this. */
const MAX_LENGTH = 2 ** 24;
/** The longest row that one thread looks through; of longer rows, several threads take a share each. */
const LONG = 1024;

/** x as [outer, length, inner] -> the place along `length` of the largest element, [outer, inner]. */
const argmaxOp = defineOp<{ x: Tensor }, { shape: Shape }>({
  name: "argmax",
  shape: (_, { shape }) => shape,
  cpu({ x }, _, y) {
    const [, length, inner] = x.shape;
    for (let o = 0; o < y.data.length; o++) {
      const first = Math.floor(o / inner) * length * inner + (o % inner);
      const value = (i: number) => x.data[first + i * inner];
      let best = 0;
      for (let i = 1; i < length; i++) {
        // The first of equal ones; and NaN is larger than all numbers, as in PyTorch.
        if (value(i) > value(best) || (Number.isNaN(value(i)) && !Number.isNaN(value(best)))) best = i;
      }
      y.data[o] = best;
    }
  },
  gpu(device, { x }, _, y) {
    const [, length, inner] = x.shape;
    const sizes = { outputs: y.size, inner, length };
    const parts = length > LONG ? Math.ceil(Math.sqrt(length)) : 1;
    const candidates = parts > 1 ? Tensor.empty([y.size, parts], device) : y;
    device.run(argmaxKernel, {
      functions: "fn candidate(output: u32, i: u32) -> u32 { return i; }",
      buffers: { x: x.gpuStorage, candidates: x.gpuStorage, y: candidates.gpuStorage },
      params: { ...sizes, candidate_count: length, parts },
      grid: linearGrid(y.size * parts, 64),
    });
    if (candidates === y) return;
    device.run(argmaxKernel, {
      functions:
        "fn candidate(output: u32, i: u32) -> u32 { return u32(candidates[output * p.candidate_count + i]); }",
      buffers: { x: x.gpuStorage, candidates: candidates.gpuStorage, y: y.gpuStorage },
      params: { ...sizes, candidate_count: parts, parts: 1 },
      grid: linearGrid(y.size, 64),
    });
    candidates.dispose();
  },
});

/**
 * Where along `axis` the largest element is, as whole numbers in a tensor; without an axis, its place in
 * row-major order among all. Of equal elements the first counts, and NaN as larger than all numbers, as
 * torch.argmax has it. No gradient flows through the result. Throws beyond 2^24 elements along the axis: f32
 * cannot count them.
 */
export function argmax(x: Tensor, axis?: number, options: ReduceOptions = {}): Tensor {
  checkArguments("argmax", { x: [x, aTensor] });
  checkOptions("argmax", options, { keepdim: trueOrFalse });
  const { keepdim = false } = options;
  const rank = x.shape.length;
  const along = axis === undefined ? undefined : normalizeAxis("argmax", axis, Math.max(rank, 1));
  const blocks =
    along === undefined || rank === 0
      ? [1, x.size, 1]
      : [numel(x.shape.slice(0, along)), x.shape[along], numel(x.shape.slice(along + 1))];
  if (blocks[1] > MAX_LENGTH) {
    throw new ShapeError(
      `argmax: x ${formatShape(x.shape)} has ${blocks[1]} elements along the axis, and at most ${MAX_LENGTH} ` +
        `can be told apart by numbers of 32 bits. Take the argmax of parts, by slice() or reshape().`,
    );
  }
  const isReduced = (_: number, k: number) => along === undefined || k === along;
  const shape = keepdim
    ? x.shape.map((size, k) => (isReduced(size, k) ? 1 : size))
    : x.shape.filter((size, k) => !isReduced(size, k));
  return noGrad(() => argmaxOp({ x: reshape(x, blocks) }, { shape }));
}
