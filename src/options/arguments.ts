/**
 * What a function does about arguments that it cannot use: it says so, in a sentence with its own name, what
 * it got, and what it wants. TypeScript finds such mistakes earlier, but not everybody's program is checked.
 */
import { isBytes } from "./classes.ts";
import { inProgram, type Kind, quote } from "./kinds.ts";
import { foreignOptions, ownNames } from "./pytorch-options.ts";

/** Begins with the function that the program called; `text` is the rest, for people who have called none. */
export class ArgumentError extends RangeError {
  /** How long the part before the text is. */
  readonly #before: number;

  constructor(caller: string, text: string, options?: ErrorOptions) {
    super(`${caller}: ${text}`, options);
    this.#before = caller.length + 2;
  }

  get text(): string {
    return this.message.slice(this.#before);
  }
}

/** What an argument may be. Every `Kind` is one. */
export interface Wanted<T = unknown> {
  /** In words, after "must be". */
  readonly wants: string;
  fits(value: unknown): value is T;
}

/** Values and what they may be, by the arguments' names. */
type Arguments = Readonly<Record<string, readonly [value: unknown, wanted: Wanted]>>;

/**
 * Throws a RangeError for the first argument that does not fit:
 *
 *     checkArguments("stepLR", { lr: [lr, atLeastZero], stepSize: [stepSize, whole(1)] });
 */
export function checkArguments(name: string, values: Arguments): void {
  for (const [argument, [value, wanted]] of Object.entries(values)) {
    if (wanted.fits(value)) continue;
    const hint = "read" in wanted ? inProgram(wanted as Kind, value) : "";
    throw new ArgumentError(name, `${argument} must be ${wanted.wants}, got ${quote(value)}.${hint}`);
  }
}

/** The same for properties of `object`, which errors call `what`. */
export function checkProperties(
  name: string,
  what: string,
  object: object,
  wanted: Readonly<Record<string, Wanted>>,
): void {
  for (const property in wanted) {
    const value = object[property as never];
    checkArguments(name, { [`${property} of ${what}`]: [value, wanted[property]] });
  }
}

/**
 * Throws a RangeError unless options are an object; `example` says what that may look like. An object of a class
 * that has no fields, such as a generator or a Map, would be taken for options that are all left out.
 */
export function checkIsObject(name: string, options: unknown, example: string): void {
  if (isPlain(options) || (isObject(options) && Object.keys(options).length > 0)) return;
  throw new ArgumentError(name, `options are an object ${example}, got ${quote(options)}.`);
}

/**
 * Throws a RangeError for the result of a function that must be over when it returns: a promise says that it is not.
 * `why` says what goes wrong if it is async, and what to do.
 */
export function refusePromise(caller: string, result: unknown, why: string): void {
  const promise = result as PromiseLike<unknown> | undefined | null;
  if (typeof promise?.then !== "function") return;
  promise.then(undefined, () => {}); // nobody will await it
  throw new ArgumentError(caller, `the function returned a promise: ${why}`);
}

/** The options that a function has, each of which may be left out. */
type OptionsWanted = Readonly<Record<string, Wanted>>;

/**
 * As checkArguments, for the object of options that many functions take last. Unknown names are errors, and
 * so is the lack of one that is `needed`.
 */
export function checkOptions(
  name: string,
  options: unknown,
  wanted: OptionsWanted,
  needed: readonly string[] = [],
): void {
  const names = Object.keys(wanted);
  checkIsObject(name, options, `with ${names.join(", ")}`);
  const values = options as Record<string, unknown>;
  checkNames(name, values, names); // first: a name in another spelling is not missing
  for (const option of needed) checkArguments(name, { [option]: [values[option], wanted[option]] });
  for (const [option, value] of Object.entries(values)) {
    if (value !== undefined) checkArguments(name, { [option]: [value, wanted[option]] });
  }
}

/** Throws a RangeError for an option that is none of `names`: it is mistyped, and would be ignored. */
export function checkNames(name: string, options: object, names: readonly string[]): void {
  const option = Object.keys(options).find((one) => !names.includes(one));
  if (option === undefined) return;
  const camelCase = option.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  const own = ownNames.get(camelCase) ?? camelCase;
  const [neighbour, advice] = foreignOptions.get(camelCase) ?? [];
  throw new ArgumentError(
    name,
    names.includes(own)
      ? `the option ${quote(option)} is called ${own} here.`
      : neighbour !== undefined && names.includes(neighbour)
        ? advice!((options as Record<string, unknown>)[option])
        : `there is no option ${quote(option)}; there ${names.length > 1 ? "are" : "is"} ` +
          `${names.join(", ")}.`,
  );
}

/** The names of all options of a type; none can be forgotten. */
export function keysOf<T>(keys: Readonly<Record<keyof T, true>>): readonly string[] {
  return Object.keys(keys);
}

/** An object that is no list: options, configurations. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/** An object as it is written in a program or in JSON, of this realm or another, and none of a class. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (!isObject(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

export const anObject: Wanted<object> = { wants: "an object", fits: isObject };
/** For what is checked elsewhere. */
export const anything: Wanted = { wants: "anything", fits: (_): _ is unknown => true };

export const anyNumber: Wanted<number> = {
  wants: "a number",
  fits: (value): value is number => typeof value === "number" && !Number.isNaN(value),
};
export const finite: Wanted<number> = {
  wants: "a finite number",
  fits: (value): value is number => Number.isFinite(value),
};
export const trueOrFalse: Wanted<boolean> = {
  wants: "true or false",
  fits: (value) => typeof value === "boolean",
};
export const aFunction: Wanted<(...args: never) => unknown> = {
  wants: "a function",
  fits: (value): value is (...args: never) => unknown => typeof value === "function",
};
/** Any, the empty one too. */
export const aText: Wanted<string> = {
  wants: "a text",
  fits: (value): value is string => typeof value === "string",
};
/** Of any realm: a frame's signal, or one of a test's DOM, is of no class that is known here. */
export const aSignal: Wanted<AbortSignal> = {
  wants: "an AbortSignal",
  fits: (value): value is AbortSignal =>
    isObject(value) && typeof value.aborted === "boolean" && typeof value.throwIfAborted === "function",
};
export const bytes: Wanted<Uint8Array> = {
  wants: "a file's bytes, a Uint8Array",
  fits: isBytes,
};
/** A typed array of numbers, or a list of them. */
export const numberList: Wanted<ArrayLike<number>> = {
  wants: "a list of numbers",
  fits: (value): value is ArrayLike<number> =>
    (ArrayBuffer.isView(value) && !(value instanceof DataView)) ||
    (Array.isArray(value) && value.every((item) => typeof item === "number")),
};
/** A list of numbers; no typed array. */
export const plainNumberList: Wanted<readonly number[]> = { ...listOf(anyNumber), wants: numberList.wants };

/** An instance of a class. */
export function instanceOf<T>(type: abstract new (...args: never) => T, wants: string): Wanted<T> {
  return { wants, fits: (value): value is T => value instanceof type };
}

/** The value, or nothing. */
export function optional<T>({ wants, fits }: Wanted<T>): Wanted<T | undefined> {
  return {
    wants: `${wants}, or left out`,
    fits: (value): value is T | undefined => value === undefined || fits(value),
  };
}

export function listOf<T>({ wants, fits }: Wanted<T>): Wanted<readonly T[]> {
  return {
    wants: `a list whose items are each ${wants}`,
    fits: (value): value is readonly T[] => Array.isArray(value) && value.every(fits),
  };
}
