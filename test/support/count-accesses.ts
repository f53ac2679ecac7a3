/** Counts in a kernel's text what it reads, as a check of counts that were made otherwise. */

/** How often one thread does something, by the name of a buffer or of a function. */
export type Counts = (name: string) => number;

/**
 * Counts reads of buffers and calls of functions in `main`, by what stands in the text: a name with an index is a
 * read, unless `=` follows; in a loop it counts as often as the loop goes round, and through a function as often as
 * that is called.
 *
 * @param source WGSL as it is compiled, with unrolled loops
 * @param constants of the prelude and `Params`, with `p.` before a parameter
 * @param rounds how often the body of a `for` or an `if` is run whenever the text comes to it, by what stands in its
 *   parentheses. Loops from 0 to a constant need no entry. Of an `if` without one, the body is always run; a loop
 *   without one may read nothing.
 */
export function countAccesses(
  source: string,
  constants: Readonly<Record<string, number>>,
  rounds: Readonly<Record<string, number>>,
): Counts {
  const code = source.replace(/\/\/.*$/gm, "");
  const counted = new Map<string, number>(); // by "function name"
  const functions = new Set<string>();
  const factors = [1];
  let [current, next] = ["", 1];
  const count = (name: string) => {
    const key = `${current} ${name}`;
    counted.set(key, (counted.get(key) ?? 0) + factors.at(-1)!);
  };
  for (const match of code.matchAll(/\bfn (\w+)|\b(for|if) \(|\b(\w+)([[(])|[{}]/g)) {
    const [text, declared, statement, name, bracket] = match;
    const end = match.index + text.length;
    if (declared) {
      current = declared;
      functions.add(declared);
    } else if (statement) {
      const header = code.slice(end, closing(code, end));
      const limit = /^var (\w+) = 0u; \1 < ([\w.]+); \1\+\+$/.exec(header)?.[2] ?? "";
      next = rounds[header] ?? constants[limit] ?? (statement === "if" ? 1 : Number.NaN);
    } else if (text === "{") {
      factors.push(factors.at(-1)! * next);
      next = 1;
    } else if (text === "}") {
      factors.pop();
    } else if (bracket === "(" || !/^\s*=[^=]/.test(code.slice(closing(code, end) + 1))) {
      count(name);
    }
  }
  const total = (inside: string, name: string): number => {
    let sum = counted.get(`${inside} ${name}`) ?? 0;
    for (const callee of functions) {
      const calls = counted.get(`${inside} ${callee}`) ?? 0;
      if (callee !== inside && calls > 0) sum += calls * total(callee, name);
    }
    return sum;
  };
  return (name) => total("main", name);
}

/** Where the bracket closes that was opened before `start`. */
function closing(code: string, start: number): number {
  let depth = 1;
  for (let at = start; at < code.length; at++) {
    if ("([".includes(code[at])) depth++;
    if (")]".includes(code[at])) depth--;
    if (depth === 0) return at;
  }
  return code.length;
}
