/** Conversion from one way of storing numbers to another. */
import type { DType } from "../../device/device.ts";
import { linearGrid } from "../../device/kernel.ts";
import { checkArguments } from "../../options/arguments.ts";
import { aDType } from "../../tensor/create.ts";
import { defineOp } from "../../tensor/op.ts";
import { aTensor, type Tensor } from "../../tensor/tensor.ts";
import { reshape } from "../layout/reshape.ts";
import { narrowKernel, widenKernel } from "./cast.wgsl.ts";

const castOp = defineOp<{ x: Tensor }, { dtype: DType }>({
  name: "cast",
  float16: true,
  shape: ({ x }) => x.shape,
  dtype: ({ dtype }) => dtype,
  cpu({ x }, _, y) {
    y.data.set(x.data); // rounded like every result
  },
  gpu(device, { x }, { dtype }, y) {
    device.run(dtype === "float16" ? narrowKernel : widenKernel, {
      buffers: { x: x.gpuStorage, y: y.gpuStorage },
      params: { size: y.size },
      grid: linearGrid(Math.ceil(y.size / 4), 64),
    });
  },
});

/**
 * The same values, stored as `dtype`; PyTorch's `x.to(dtype)`. To float16 they are rounded to the nearest, ties
 * to even; from 65520 on they become infinity, and NaN stays NaN. A tensor of that dtype already is not copied,
 * but shares its memory with the result. Not differentiable between dtypes.
 */
export function cast(x: Tensor, dtype: DType): Tensor {
  checkArguments("cast", { x: [x, aTensor], dtype: [dtype, aDType] });
  return x.dtype === dtype ? reshape(x, x.shape) : castOp({ x }, { dtype });
}
