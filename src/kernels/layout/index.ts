/** Operations that move elements and compute nothing. All but `reshape` are one kernel, copy.wgsl.ts. */
export { broadcastTo } from "../reduce/sum.ts"; // there because it and sumTo are each other's gradient
export { concat } from "./concat.ts";
export { copyInto } from "./copy-into.ts";
export { flip } from "./flip.ts";
export { permute } from "./permute.ts";
export { reshape } from "./reshape.ts";
export { slice } from "./slice.ts";
