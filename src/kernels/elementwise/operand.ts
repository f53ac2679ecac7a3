import type { Wanted } from "../../options/arguments.ts";
import { isNotedConstant } from "../../tensor/record-ops.ts";
import { Tensor } from "../../tensor/tensor.ts";

/** What operations take that also work on plain numbers. */
export const operand: Wanted<Tensor | number> = {
  wants: "a tensor or a number",
  fits: (value): value is Tensor | number => typeof value === "number" || value instanceof Tensor,
};

/**
 * A number as a tensor like another one. As a constant, it does not keep work from being replayed
 * (src/tensor/capture.ts).
 */
export function scalar(value: number, { device, dtype }: Tensor): Tensor {
  const tensor = Tensor.empty([], device, "scalar", dtype);
  device.writeConstant(tensor.storage, [value]);
  return tensor;
}

/**
 * Calls `body`, whose gradient does not need the operand's value, with a tensor for one that may be a number.
 */
export function withOperand(value: Tensor | number, other: Tensor, body: (value: Tensor) => Tensor): Tensor {
  if (value instanceof Tensor) return body(value);
  const tensor = scalar(value, other);
  const result = body(tensor);
  if (!isNotedConstant(tensor)) tensor.dispose();
  return result;
}
