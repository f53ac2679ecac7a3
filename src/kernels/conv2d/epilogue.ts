/**
 * What a convolution kernel does with its sums besides storing them. Anything that would read the result
 * right after and write it again can be had here for nothing: the values are still in registers.
 */
import { withHelpers } from "../elementwise/numeric.ts";
import { relu, sigmoid, tanh, type UnaryOp } from "../elementwise/unary.ts";

/**
 * Only functions whose derivative can be had from their result: backward has no other value of the
 * convolution and gives `df` the result for x as well. conv2d.test.ts checks every function in this table.
 */
export const activations = { relu, sigmoid, tanh } satisfies Record<string, UnaryOp>;

/** Applied to the sums before they are stored. */
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
 * The function `store(n, o, row, column, x)` that steps 3 and 4 get in their prelude; in the simplest case it
 * is y[n, o, row, column] = x. (x is the value here, as in the rules of unary.ts, and not the buffer.)
 */
export function storeWgsl({ activation, skip, alpha, shuffle }: Epilogue): string {
  const value = activation === "none" ? "x" : activations[activation].rule.wgsl.f;
  // In a shuffled result r * r channels lie in the r x r pixels of one; see the kernel of pixelShuffle.
  const at =
    shuffle === 1
      ? "((n * p.o + o) * p.oh + row) * p.ow + column"
      : `((n * (p.o / ${shuffle ** 2}) + o / ${shuffle ** 2}) * p.oh * ${shuffle} + row * ${shuffle} + o / ${shuffle} % ${shuffle})` +
        ` * p.ow * ${shuffle} + column * ${shuffle} + o % ${shuffle}`;
  return withHelpers(/* wgsl */ `
fn store(n: u32, o: u32, row: u32, column: u32, x: f32) {
  let at = ${at};
  y[at] = ${skip ? `skip[at] + ${alpha} * (${value})` : value};
}
`);
}
