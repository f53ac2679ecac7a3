/** Waiting for what may never come. */

/** So long, in milliseconds. */
export const PATIENCE = 4000;

/** What a promise resolves to; undefined if that takes longer. */
export function soon<T>(promise: Promise<T>, ms = PATIENCE): Promise<T | undefined> {
  return Promise.race([promise, new Promise<undefined>((resolve) => setTimeout(resolve, ms))]);
}
