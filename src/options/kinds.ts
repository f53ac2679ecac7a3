/**
 * Kinds of options: which values an option takes, and how it reads one from a text and writes it as one. The
 * options of networks (src/models), the settings of training (src/train) and the flags of the command line
 * (src/cli) are tables whose entries name a kind.
 */
import { orList } from "./lists.ts";
import { EXCERPT_LENGTH, excerpt } from "./printable.ts";

export interface Kind<T = unknown> {
  /** In words, after "wants" or "must be": "a whole number of at least 1". */
  readonly wants: string;
  /** The same for a program's value that does not fit, where more can be said than of texts. */
  wantsOf?(value: unknown): string | undefined;
  /** Stands for the value in a help text: "N". */
  readonly symbol: string;
  fits(value: unknown): value is T;
  /** The value of a text. For a text that is no such value: anything that does not fit. */
  read(text: string): unknown;
  /** For help texts and reports. */
  write(value: T): string;
}

/** Numbers that pass a test. */
function numeric(wants: string, symbol: string, passes: (value: number) => boolean): Kind<number> {
  return {
    wants,
    symbol,
    fits: (value): value is number => typeof value === "number" && passes(value),
    read: (text) => (text.trim() === "" ? Number.NaN : Number(text)),
    write: (value) => (Math.abs(value) < 1e-2 && value !== 0 ? value.toExponential() : String(value)),
  };
}

/** Whole numbers from `min` to `max`; without them, all. */
export function whole(min = -Infinity, max = Infinity): Kind<number> {
  const lower = min === -Infinity ? "" : ` of at least ${min}`;
  const range = max === Infinity ? lower : ` from ${min} to ${max}`;
  const passes = (value: number) => Number.isSafeInteger(value) && value >= min && value <= max;
  return numeric(`a whole number${range}`, "N", passes);
}

/** Odd numbers from 1 to `max`. */
export function odd(max: number): Kind<number> {
  return numeric(
    `an odd number from 1 to ${max}`,
    "N",
    (value) => value > 0 && value <= max && value % 2 === 1,
  );
}

/** How far something looks, in pixels. */
export const reach = numeric(
  "a whole number of at least 0, or Infinity",
  "N",
  (value) => value >= 0 && (Number.isInteger(value) || value === Infinity),
);

export const atLeastZero = numeric("a number of at least 0", "X", (value) => value >= 0 && value < Infinity);
export const positive = numeric("a number above 0", "X", (value) => value > 0 && value < Infinity);
export const share = numeric("a number between 0 and 1", "X", (value) => value > 0 && value < 1);

/** Any text but the empty one. */
export const text: Kind<string> = {
  wants: "a name",
  symbol: "NAME",
  fits: (value): value is string => typeof value === "string" && value !== "",
  read: (value) => value,
  write: String,
};
export const file: Kind<string> = { ...text, wants: "a file", symbol: "FILE" };
export const folder: Kind<string> = { ...text, wants: "a folder", symbol: "FOLDER" };
/** A file or a folder. */
export const path: Kind<string> = { ...text, wants: "a path", symbol: "PATH" };

export function oneOf<const T extends string | number>(...choices: readonly T[]): Kind<T> {
  const joined = choices.join("|");
  return {
    wants: orList(choices),
    symbol: joined.length <= 16 ? joined : "NAME",
    fits: (value): value is T => choices.some((choice) => choice === value),
    read: (text) => choices.find((choice) => String(choice) === text),
    write: String,
  };
}

const booleans: Readonly<Record<string, boolean>> = { yes: true, true: true, no: false, false: false };

/** People write yes or no, weight files true or false. */
export const yesOrNo: Kind<boolean> = {
  wants: "yes or no",
  symbol: "yes|no",
  fits: (value) => typeof value === "boolean",
  read: (text) => booleans[text],
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

/** For an error about a text where a program has to give the value that the text stands for; else nothing. */
export function inProgram({ read, fits }: Pick<Kind, "read" | "fits">, value: unknown): string {
  const meant = typeof value === "string" ? read(value) : undefined;
  const written = fits(meant) ? JSON.stringify(meant) : undefined;
  return written === undefined || written.length > EXCERPT_LENGTH ? "" : ` In a program, write ${written}.`;
}

/** A value that does not fit, as errors print it: short, whatever it is, and on one line. */
export function quote(value: unknown): string {
  if (typeof value === "string") return quoteText(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return value.name === "" ? "a function" : `the function ${value.name}`;
  if (typeof value !== "object" || value === null) return String(value); // -0 is 0 for people, too
  if (Array.isArray(value)) return `[${some(value.map(quoteInner))}]`;
  const kind = value.constructor?.name || "Object";
  if (ArrayBuffer.isView(value) && "length" in value) return `${article(kind)} of ${value.length}`;
  if (kind !== "Object") return article(kind);
  return `{${some(Object.entries(value).map(([key, inner]) => `${quoteText(key)}:${quoteInner(inner)}`))}}`;
}

/** As `quote`, but of a list in a list only what it is. */
function quoteInner(value: unknown): string {
  return typeof value === "object" && value !== null
    ? article(value.constructor?.name ?? "object")
    : quote(value);
}

/** The first items of a list. */
function some(items: readonly string[]): string {
  return items.slice(0, 8).join(",") + (items.length > 8 ? `,… ${items.length} in all` : "");
}

function article(noun: string): string {
  return `${/^(?!Uint|URL)([aeiou]|HTML|SVG)/i.test(noun) ? "an" : "a"} ${noun}`;
}

function quoteText(text: string): string {
  const shortened = excerpt(text);
  const more = text.length > EXCERPT_LENGTH ? ` (${text.length} characters)` : "";
  return `"${shortened.replaceAll('"', '\\"')}"${more}`;
}
