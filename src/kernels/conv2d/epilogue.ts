/**
 * What a convolution kernel does with its sums besides storing them. Anything that would read the result right
 * after and write it again can be had here for nothing: the values are still in registers.
 */
import { relu, sigmoid, tanh } from "../elementwise/unary.ts";

export const activations = { relu, sigmoid, tanh };

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

/**
 * The two functions that every forward kernel gets in its prelude: `bias_at(o)`, and `store(n, o, row, column, x)`,
 * which in the simplest case is y[n, o, row, column] = x. (In `store`, x is the value, as in the rules of unary.ts, and not the buffer.)
 */
export function epilogueWgsl({ activation, skip, alpha, shuffle }: Epilogue, hasBias: boolean): string {
  const value = activation === "none" ? "x" : activations[activation].rule.wgsl.f;
  // In a shuffled result r * r channels lie in the r x r pixels of one; see the kernel of pixelShuffle.
  const at =
    shuffle === 1
      ? "((n * p.o + o) * p.oh + row) * p.ow + column"
      : `((n * (p.o / ${shuffle ** 2}) + o / ${shuffle ** 2}) * p.oh * ${shuffle} + row * ${shuffle} + o / ${shuffle} % ${shuffle})` +
        ` * p.ow * ${shuffle} + column * ${shuffle} + o % ${shuffle}`;
  return /* wgsl */ `
fn bias_at(o: u32) -> f32 { return ${hasBias ? "bias[o]" : "0.0"}; }
fn store(n: u32, o: u32, row: u32, column: u32, x: f32) {
  let at = ${at};
  y[at] = ${skip ? `skip[at] + ${alpha} * (${value})` : value};
}
`;
}
