/** So many of a list, spread evenly from its first to its last. */
export function evenly<T>(list: readonly T[], most: number): readonly T[] {
  if (list.length <= most) return list;
  const at = (i: number) => Math.round((i * (list.length - 1)) / Math.max(1, most - 1));
  return Array.from({ length: most }, (_, i) => list[at(i)]);
}
