/** The first few names, and how many there are besides. */
export function listed(names: readonly string[], more: (count: number) => string): string {
  const [first, rest] = [names.slice(0, 5), names.length - 5];
  return rest > 0 ? `${first.join(", ")} ${more(rest)}` : first.join(", ");
}
