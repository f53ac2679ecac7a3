/** Many elements into one: sums, means and maxima over any axes. */
export { max } from "./max.ts";
export type { Axes, ReduceOptions } from "./reduction.ts";
export { mean, sum, sumTo } from "./sum.ts";
