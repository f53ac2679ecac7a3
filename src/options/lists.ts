/** Lists of names, as sentences have them; and lists by a key. */

/** "a, b or c" */
export function orList(names: readonly (string | number)[]): string {
  return join(names, "or");
}

/** "a, b and c" */
export function andList(names: readonly (string | number)[]): string {
  return join(names, "and");
}

function join(names: readonly (string | number)[], word: string): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} ${word} ${names.at(-1)}`;
}

/** "1 picture", "3 pictures", "31,043 pictures" */
export function quantity(count: number, noun: string): string {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}

/** The first names of a list that may be long: "a, b, c and 40 more". */
export function firstOf(names: readonly string[], count = 3): string {
  const more = names.length > count ? ` and ${names.length - count} more` : "";
  return names.slice(0, count).join(", ") + more;
}

/** Adds a value to those of a key. */
export function addTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
