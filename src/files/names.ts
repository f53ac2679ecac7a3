/** What files are called: by their stems, and by as much of their paths as it takes. */
import { basename, extname, normalize, sep } from "node:path";

/** A file's name without folder and extension. */
export function stemOf(path: string): string {
  return basename(path, extname(path));
}

/**
 * A name for each file, which no other one of the list has: its stem, or the whole name, or that behind as many of its
 * folders as it takes. Only a file that is in the list twice has one name twice.
 */
export function namesOf(paths: readonly string[]): string[] {
  const parts = paths.map((path) => normalize(path).split(sep));
  const most = Math.max(0, ...parts.map(({ length }) => length));
  /** How many parts of its path each name has; 0: the stem. */
  const counts = paths.map(() => 0);
  for (;;) {
    const names = paths.map((path, i) =>
      counts[i] === 0 ? stemOf(path) : parts[i].slice(-counts[i]).join("/"),
    );
    const keys = names.map((name) => name.normalize("NFC"));
    const shared = repeated(keys);
    // Those with the fewest parts get one more. "a" of a.jpg and a.png becomes a.jpg, which a.jpg.png has as its stem.
    const fewest = Math.min(...counts.filter((_, i) => shared.has(keys[i])));
    if (fewest >= most) return names; // none is shared, or only by the same path
    for (const i of paths.keys()) if (shared.has(keys[i]) && counts[i] === fewest) counts[i]++;
  }
}

/** The values that a list has more than once. */
export function repeated(values: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>();
  return new Set(values.filter((value) => seen.has(value) || !seen.add(value)));
}
