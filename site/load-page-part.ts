/** Parts of the page that are loaded when they are needed; load-part.ts does so for the worker. */
import { say } from "./language.ts";

/**
 *     const { filesOf } = await loadPagePart(import("./dropped-folders.ts"));
 *
 * @throws Error with words for the user if the part did not come
 */
export function loadPagePart<Module>(module: Promise<Module>): Promise<Module> {
  return module.catch((cause) => {
    throw new Error(say.partNotLoaded, { cause });
  });
}
