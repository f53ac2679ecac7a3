/** Work on tensors between two `await`s, without gradients, and the way from planes to tensors and back. */
import type { Device } from "../device/device.ts";
import type { Planes } from "../picture/planes.ts";
import { tensor } from "../tensor/create.ts";
import { noGrad } from "../tensor/no-grad.ts";
import { keep, outsideScopes, scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * Computes a tensor without gradients, and disposes all intermediate results. The caller disposes the tensor:
 * it is used across `await`, when a training run beside it may end a scope.
 */
export function compute(work: () => Tensor): Tensor {
  return outsideScopes(() => {
    using _noGrad = noGrad();
    using _scope = scope();
    return keep(work());
  });
}

/** The same from tensors that nobody needs afterwards: they are disposed, too, even after an error. */
export function computeFrom(inputs: readonly Tensor[], work: () => Tensor): Tensor {
  try {
    return compute(work);
  } finally {
    for (const input of inputs) input.dispose();
  }
}

/** Planes as a tensor [1, channels, height, width], which the caller disposes. */
export function tensorOf({ width, height, channels, data }: Planes, device: Device): Tensor {
  return compute(() => tensor(data, [1, channels, height, width], { device }));
}

/** Reads a tensor [1, channels, height, width] and frees it. */
export async function planesOf(x: Tensor): Promise<Planes> {
  try {
    const [, channels, height, width] = x.shape;
    return { width, height, channels, data: await x.data() };
  } finally {
    x.dispose();
  }
}
