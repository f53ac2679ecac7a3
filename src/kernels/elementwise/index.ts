/** Operations on each element by itself. `unary.ts` and `binary.ts` are tables: one entry, one operation. */
export { add, div, mul, pow, prelu, sub, symmetricGate } from "./binary.ts";
export { abs, clamp, exp, leakyRelu, log, neg, relu, sigmoid, silu, sqrt, tanh } from "./unary.ts";
