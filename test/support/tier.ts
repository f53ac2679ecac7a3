import { evenly } from "../../bench/evenly.ts";

/** Do the kernels run in a browser? vitest.browser.config.ts says why few of their shapes do. */
const isInBrowser = process.env.PIXELGRAD_TEST_TIER === "browser";

/** Is this the quick tier, `npm test`, or one that takes still less? vitest.config.ts says what it leaves out. */
export const isQuick = isInBrowser || process.env.PIXELGRAD_TEST_TIER === "quick";

/** In the quick tier `count` of the cases, spread evenly from the first to the last; else all of them. */
export function spread<T>(cases: readonly T[], count: number): readonly T[] {
  return isQuick ? evenly(cases, count) : cases;
}

/** In a browser `count` of the cases, spread evenly from the first to the last; else all of them. */
export function fewInBrowser<T>(cases: readonly T[], count: number): readonly T[] {
  return isInBrowser ? evenly(cases, count) : cases;
}
