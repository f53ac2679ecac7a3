/**
 * The program of a worker thread: in the published package `compiled` itself, and in the repository, where it is
 * TypeScript, the `.dev.mjs` beside it.
 *
 * @param compiled made where it is used and when it is used: bundlers look for `new URL("./x.js", import.meta.url)`,
 *   which throws an error in a bundle in CommonJS.
 */
export function threadProgram(compiled: URL): URL {
  return import.meta.url.endsWith(".ts") ? new URL(compiled.href.replace(/\.js$/, ".dev.mjs")) : compiled;
}
