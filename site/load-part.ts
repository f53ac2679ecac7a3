/** Parts of the worker that are loaded when they are needed. */

/** A part did not come: the page is offline, or the site has changed since the page was opened. */
export class NotLoaded extends Error {}

/**
 *     const { zipPictures } = await loadPart(import("./pictures/zip-pictures.ts"));
 *
 * @throws NotLoaded where browsers throw a TypeError, which tells nothing from a bug but its text
 */
export async function loadPart<Module>(module: Promise<Module>): Promise<Module> {
  return module.catch((cause) => {
    throw cause instanceof TypeError ? new NotLoaded(cause.message, { cause }) : cause;
  });
}
