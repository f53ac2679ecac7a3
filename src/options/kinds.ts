/**
 * Kinds of options: what a value may be, and how it is read from a text and written as one. A network's
 * options (src/models), the settings of training (src/train) and the flags of the command line (src/cli) are
 * tables that name a kind for each entry.
 */

export interface Kind<T = unknown> {
  /** In words, after "wants" or "must be": "a whole number of at least 1". */
  readonly wants: string;
  /** What a help text calls the value: "N". */
  readonly symbol: string;
  fits(value: unknown): value is T;
  /** The value that a text stands for. For a text that stands for none: anything that does not fit. */
  read(text: string): unknown;
  /** For help texts and reports. */
  write(value: T): string;
}

/** Numbers that pass a test. */
export function numeric(wants: string, symbol: string, passes: (value: number) => boolean): Kind<number> {
  return {
    wants,
    symbol,
    fits: (value): value is number => typeof value === "number" && passes(value),
    read: (text) => (text.trim() === "" ? Number.NaN : Number(text)),
    write: (value) => (Math.abs(value) < 1e-2 && value !== 0 ? value.toExponential() : String(value)),
  };
}

/** Whole numbers from `min` on; without it, of any sign. */
export function whole(min?: number): Kind<number> {
  const wants = min === undefined ? "a whole number" : `a whole number of at least ${min}`;
  return numeric(wants, "N", (value) => Number.isSafeInteger(value) && value >= (min ?? -Infinity));
}

export const odd = numeric(
  "an odd number above 0",
  "N",
  (value) => Number.isSafeInteger(value) && value > 0 && value % 2 === 1,
);
export const atLeastZero = numeric("a number of at least 0", "X", (value) => value >= 0 && value < Infinity);
export const positive = numeric("a number above 0", "X", (value) => value > 0 && value < Infinity);
export const share = numeric("a number between 0 and 1", "X", (value) => value > 0 && value < 1);

/** Any text but the empty one. */
export const text: Kind<string> = {
  wants: "a value",
  symbol: "TEXT",
  fits: (value): value is string => typeof value === "string" && value !== "",
  read: (value) => value,
  write: String,
};

/** The same for places on the disk. */
export const path: Kind<string> = { ...text, wants: "a path", symbol: "PATH" };

export function oneOf<const T extends string | number>(...choices: readonly T[]): Kind<T> {
  return {
    wants: orList(choices),
    symbol: choices.length <= 4 ? choices.join("|") : "NAME",
    fits: (value): value is T => choices.some((choice) => choice === value),
    read: (text) => choices.find((choice) => String(choice) === text),
    write: String,
  };
}

/** For people yes or no; weight files have true or false. */
export const yesOrNo: Kind<boolean> = {
  wants: "yes or no",
  symbol: "yes|no",
  fits: (value) => typeof value === "boolean",
  read: (text) =>
    new Map([
      ["yes", true],
      ["true", true],
      ["no", false],
      ["false", false],
    ]).get(text),
  write: (value) => (value ? "yes" : "no"),
};

/** As many numbers as the example has, joined by hyphens: 9-1-5. */
export function numbers<const T extends readonly number[]>(
  example: T,
  each: Kind<number>,
): Kind<{ readonly [I in keyof T]: number }> {
  return {
    wants: `${example.length} numbers as in ${example.join("-")}, each ${each.wants}`,
    symbol: example.map(() => each.symbol).join("-"),
    fits: (value): value is { readonly [I in keyof T]: number } =>
      Array.isArray(value) && value.length === example.length && value.every(each.fits),
    read: (text) => text.split("-").map(each.read),
    write: (value) => value.join("-"),
  };
}

/** "a, b or c" */
export function orList(names: readonly (string | number)[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

/** A value that does not fit, as errors show it. */
export function quote(value: unknown): string {
  return typeof value === "number" ? String(value) : (JSON.stringify(value) ?? "nothing");
}
