/**
 * Numbers for what a worker keeps. Each call begins at a place of its own, by chance: an id from a worker that failed
 * means nothing to the one in its place, and never something else.
 */
export function newIds(): () => number {
  const [start] = crypto.getRandomValues(new Uint32Array(1));
  let id = start * 2 ** 20; // below 2 ** 52, where numbers are exact
  return () => ++id;
}
