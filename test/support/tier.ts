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

/** `count` of the cases, spread evenly from the first to the last. */
export function evenly<T>(cases: readonly T[], count: number): readonly T[] {
  if (cases.length <= count) return cases;
  const at = (i: number) => Math.round((i * (cases.length - 1)) / Math.max(1, count - 1));
  return Array.from({ length: count }, (_, i) => cases[at(i)]);
}
