/**
 * Operations that move elements and compute nothing. All but those of reshape.ts are one kernel,
 * copy.wgsl.ts.
 */
export { broadcastTo } from "../reduce/sum.ts"; // there because it and sumTo are each other's gradient
export { concat, stack } from "./concat.ts";
export { copyInto } from "./copy-into.ts";
export { flip } from "./flip.ts";
export { permute, transpose } from "./permute.ts";
export { detach, flatten, reshape, squeeze, unsqueeze } from "./reshape.ts";
export { slice } from "./slice.ts";
export { split } from "./split.ts";
