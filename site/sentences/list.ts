/** The first few names, and how many there are besides. */
export function firstNames(names: readonly string[], more: (count: number) => string): string {
  const [first, rest] = [names.slice(0, 5), names.length - 5];
  return rest > 0 ? `${first.join(", ")} ${more(rest)}` : first.join(", ");
}

/** "a, b and c". */
export function and(word: string, names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} ${word} ${names.at(-1)}`;
}

/** The type of a table in any language, by that of one. */
export type SentencesLike<T> = { readonly [K in keyof T]: T[K] extends string ? string : T[K] };

/** Notes without a full stop as sentences. */
export function sentences(notes: readonly string[]): string {
  return notes.map((note) => `${note[0].toUpperCase()}${note.slice(1)}.`).join(" ");
}
