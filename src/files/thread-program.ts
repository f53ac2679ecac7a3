import { missingProgram } from "../options/incomplete.ts";

/**
 * The program of a worker thread: in the published package `compiled` itself, and in the repository, where it is
 * TypeScript, the `.dev.mjs` beside it.
 *
 * @param compiled made where it is used and when it is used: bundlers look for `new URL("./x.js", import.meta.url)`.
 * @throws IncompleteError in a bundle in CommonJS, which does not know where it is
 */
export function threadProgram(compiled: () => URL): URL {
  let url: URL;
  try {
    url = compiled();
  } catch (cause) {
    throw missingProgram(cause as Error);
  }
  return import.meta.url.endsWith(".ts") ? new URL(url.href.replace(/\.js$/, ".dev.mjs")) : url;
}
