import { defineOp, type Inputs } from "../tensor/op.ts";
import { Tensor } from "../tensor/tensor.ts";

/**
 * A loss whose gradient with respect to y is exactly `weights`: the sum of weights times y. Its value is not
 * computed. Random weights let an error in any element of y show in the gradients.
 */
export function weightedLoss(y: Tensor, weights: ArrayLike<number>): Tensor {
  return weightedLossOf([y], [weights]);
}

/** The sum of such losses. */
export function weightedLossOf(ys: readonly Tensor[], weights: readonly ArrayLike<number>[]): Tensor {
  return weightedSum(Object.fromEntries(ys.map((y, i) => [`y${i}`, y])), weights);
}

const weightedSum = defineOp<Inputs, readonly ArrayLike<number>[]>({
  name: "weighted sum",
  shape: () => [],
  cpu() {},
  gpu() {},
  backward: (_, { y: __, ...ys }, weights) =>
    Object.fromEntries(
      Object.entries(ys).map(([name, y], i) => [
        name,
        () => {
          const dy = Tensor.empty(y!.shape, y!.device);
          dy.device.write(dy.storage, weights[i]);
          return dy;
        },
      ]),
    ),
});
