/** Many elements into one: sums, means and maxima over any axes. */
export { argmax } from "./argmax.ts";
export { max, min } from "./extrema.ts";
export type { ReduceOptions } from "./reduction.ts";
export { mean, sum, sumTo } from "./sum.ts";
export { std, type VarianceOptions, variance } from "./variance.ts";
