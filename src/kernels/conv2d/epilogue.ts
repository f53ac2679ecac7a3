/**
 * What a convolution kernel does with its sums on the way to memory. As an operation of its own, each of
 * these would read the whole result and write it again; here the values are still in registers.
 */
import { withHelpers } from "../elementwise/numeric.ts";
import { relu, sigmoid, tanh, type UnaryOp } from "../elementwise/unary.ts";

/**
 * Only functions whose derivative follows from their result: backward has no other value of the convolution,
 * so it passes the result to `df` for x as well as for y. conv2d.test.ts checks every function in this table.
 */
export const activations = { relu, sigmoid, tanh } satisfies Record<string, UnaryOp>;

/** The function that is applied to the sums before they are stored. */
export type Activation = "none" | keyof typeof activations;

export interface Epilogue {
  readonly activation: Activation;
  /** The result is skip + alpha * sums, as at the end of a residual block. */
  readonly skip: boolean;
  readonly alpha: number;
  /** The result is written pixel-shuffled by this factor; 1 leaves it as it is. */
  readonly shuffle: number;
}

export const noEpilogue: Epilogue = { activation: "none", skip: false, alpha: 1, shuffle: 1 };

export function isPlain({ activation, skip, shuffle }: Epilogue): boolean {
  return activation === "none" && !skip && shuffle === 1;
}

/**
 * The function `store(n, o, row, column, x)`, for preludes; in the simplest case y[n, o, row, column] = x.
 * (Here x is the value, as in the rules of unary.ts, and not the buffer.)
 */
export function storeWgsl({ activation, skip, alpha, shuffle }: Epilogue): string {
  const value = activation === "none" ? "x" : activations[activation].rule.wgsl.f;
  // A shuffle puts r * r channels side by side, into blocks of r x r pixels (pixel-shuffle.wgsl.ts).
  const r = shuffle;
  const at =
    r === 1
      ? "((n * p.o + o) * p.oh + row) * p.ow + column"
      : `((n * (p.o / ${r * r}) + o / ${r * r}) * p.oh * ${r} + row * ${r} + o / ${r} % ${r})` +
        ` * p.ow * ${r} + column * ${r} + o % ${r}`;
  return withHelpers(/* wgsl */ `
fn store(n: u32, o: u32, row: u32, column: u32, x: f32) {
  let at = ${at};
  y[at] = element(${skip ? `f32(skip[at]) + ${alpha} * (${value})` : value});
}
`);
}
