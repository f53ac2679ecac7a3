/** Operations on each element by itself. `unary.ts` and `binary.ts` are tables: one entry, one operation. */
export {
  add,
  div,
  eq,
  ge,
  gt,
  le,
  lt,
  maximum,
  minimum,
  mul,
  ne,
  pow,
  prelu,
  sub,
  symmetricGate,
} from "./binary.ts";
export {
  abs,
  clamp,
  exp,
  gelu,
  leakyRelu,
  log,
  neg,
  relu,
  sigmoid,
  silu,
  sqrt,
  tanh,
} from "./unary.ts";
export { where } from "./where.ts";
