/** The library's own check of gradients, which users of pixelgrad/kernel have, too. */
export { gradcheck } from "../../src/testing/gradcheck.ts";
export { weightedLoss } from "../../src/testing/weighted-loss.ts";
