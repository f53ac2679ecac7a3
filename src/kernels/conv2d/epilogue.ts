/**
 * What a convolution kernel does with its sums on the way to memory. As an operation of its own, each of
 * these would read the whole result and write it again; here the values are still in registers.
 */

import type { Tensor } from "../../tensor/tensor.ts";
import { prelu, symmetricGate, symmetricGateOf, symmetricGateWgsl } from "../elementwise/binary.ts";
import { withHelpers } from "../elementwise/numeric.ts";
import {
  leakyRelu,
  leakyReluOp,
  reluOp,
  sigmoidOp,
  silu,
  siluOp,
  tanhOp,
  type UnaryOp,
} from "../elementwise/unary.ts";

/**
 * Functions whose derivative follows from their result: backward has no other value of the convolution, so it
 * passes the result to `df` for x as well as for y. (For a leaky ReLU that is right only if its slope is not
 * negative.) conv2d.test.ts checks every function in this table.
 */
export const activations = {
  relu: reluOp,
  sigmoid: sigmoidOp,
  tanh: tanhOp,
  leakyRelu: leakyReluOp,
} satisfies Record<string, UnaryOp>;

/** Functions that backward needs an argument for. They run in the kernel only where nothing is taped. */
const untapedActivations = ["silu", "prelu"] as const;

export const activationNames = [
  ...(Object.keys(activations) as (keyof typeof activations)[]),
  ...untapedActivations,
] as const;

/** The function that is applied to the sums before they are stored. */
export type Activation = "none" | (typeof activationNames)[number];

/**
 * What else the kernel reads, in the buffer that all call `extra`: a tensor of the result's shape that is
 * added (with a pixel shuffle by r: of the shape [n, o / r^2, oh, ow], each pixel of which is added to a block of
 * r x r); one that `symmetricGate` joins with the sums; or PReLU's slopes, one for each channel.
 */
export type ExtraKind = "none" | "skip" | "gate" | "slopes";

export interface Epilogue {
  readonly activation: Activation;
  /** The factor of negative values, for leakyRelu. */
  readonly slope: number;
  readonly extraKind: ExtraKind;
  /** The result is skip + alpha * sums, as at the end of a residual block. */
  readonly alpha: number;
  /** The result is written pixel-shuffled by this factor; 1 leaves it as it is. */
  readonly shuffle: number;
}

export const noEpilogue: Epilogue = { activation: "none", slope: 0, extraKind: "none", alpha: 1, shuffle: 1 };

export function isPlain({ activation, extraKind, shuffle }: Epilogue): boolean {
  return activation === "none" && extraKind === "none" && shuffle === 1;
}

/** Can backward undo it with nothing but the result? */
export function isUndoable({ activation, slope, extraKind }: Epilogue): boolean {
  return activation in activations ? slope >= 0 : activation === "none" && extraKind !== "gate";
}

/** Activation and gate as operations of their own, where they cannot be undone. */
export function applySeparately(
  { activation, slope, extraKind }: Epilogue,
  z: Tensor,
  extra?: Tensor,
): Tensor {
  if (extraKind === "gate") return symmetricGate(z, extra!);
  if (activation === "prelu") return prelu(z, extra!);
  return activation === "silu" ? silu(z) : leakyRelu(z, slope);
}

/** What `store` below stores for a sum z, as the reference computes it; `extra` is the other tensor's value. */
export function storedValue(
  { activation, slope, extraKind, alpha }: Epilogue,
  z: number,
  extra: number,
): number {
  if (extraKind === "skip") return extra + alpha * z;
  if (extraKind === "gate") return symmetricGateOf(z, extra);
  if (activation === "none") return z;
  if (activation === "prelu") return z > 0 ? z : extra * z;
  return (activation === "silu" ? siluOp : activations[activation]).rule.f(z, slope, 0);
}

/** The function `store(n, o, row, column, z)`, for preludes; in the simplest case y[n, o, row, column] = z. */
export function storeWgsl({ activation, slope, extraKind, alpha, shuffle: r }: Epilogue): string {
  // A shuffle puts r * r channels side by side, into blocks of r x r pixels (pixel-shuffle.wgsl.ts).
  const channel = r === 1 ? "n * p.o + o" : `n * (p.o / ${r * r}) + o / ${r * r}`;
  const coarse = `((${channel}) * p.oh + row) * p.ow + column`;
  const at =
    r === 1
      ? "((n * p.y_channels + p.y_first + o) * p.oh + row) * p.ow + column"
      : `((${channel}) * p.oh * ${r} + row * ${r} + o / ${r} % ${r}) * p.ow * ${r} + column * ${r} + o % ${r}`;
  // The rules of unary.ts are expressions in x and p.a.
  const rule = (op: UnaryOp) => op.rule.wgsl.f.replaceAll(/\bx\b/g, "z").replaceAll("p.a", `(${slope})`);
  const values = {
    none: "z",
    prelu: "select(f32(extra[o]) * z, z, z > 0.0)",
    silu: rule(siluOp),
    relu: rule(reluOp),
    sigmoid: rule(sigmoidOp),
    tanh: rule(tanhOp),
    leakyRelu: rule(leakyReluOp),
  } satisfies Record<Activation, string>;
  const results = {
    none: values[activation],
    slopes: values[activation],
    skip: `f32(extra[${coarse}]) + ${alpha} * z`,
    gate: symmetricGateWgsl("z", `f32(extra[${coarse}])`),
  } satisfies Record<ExtraKind, string>;
  return withHelpers(/* wgsl */ `
fn store(n: u32, o: u32, row: u32, column: u32, z: f32) {
  y[${at}] = element(${results[extraKind]});
}
`);
}
