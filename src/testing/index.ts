export { assertClose, type Tolerance } from "./close.ts";
export { type CompareOptions, compareWithCpu } from "./compare.ts";
export { type GradcheckOptions, gradcheck } from "./gradcheck.ts";
export type { CheckInput, CheckResult } from "./values.ts";
