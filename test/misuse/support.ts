/** Public functions, given nonsense in place of each of their arguments. */
import { Tensor } from "../../src/tensor/tensor.ts";

/** Values that are wrong nearly everywhere, by the names that `accepts` uses. */
export const nonsense = {
  undefined: undefined,
  null: null,
  NaN: Number.NaN,
  negative: -3,
  fraction: 0.5,
  infinity: Number.POSITIVE_INFINITY,
  huge: 2 ** 53,
  zero: 0,
  text: "nonsense",
  emptyText: "",
  numeral: "2",
  true: true,
  emptyList: [],
  listOfNull: [null],
  listOfText: ["a", "b"],
  listOfNaN: [Number.NaN, Number.NaN],
  listOfHuge: [2 ** 40, 2 ** 40],
  emptyObject: {},
  unknownOption: { nonsense: 1 },
  pathAndLength: { path: "x", length: 3 },
  function: () => 1,
  bigint: 10n,
  symbol: Symbol("nonsense"),
  map: new Map([["a", 1]]),
  date: new Date(0),
  arrayBuffer: new ArrayBuffer(8),
  dataView: new DataView(new ArrayBuffer(8)),
  floats: new Float64Array(3),
} as const;

export type Nonsense = keyof typeof nonsense;

/** An argument: how to make a right one, and which nonsense is none here. */
export interface Argument {
  readonly make: () => unknown;
  readonly accepts: readonly Nonsense[];
}

export function arg(make: () => unknown, ...accepts: readonly Nonsense[]): Argument {
  return { make, accepts };
}

/** Numbers of any kind. */
export const numbers = ["negative", "fraction", "huge", "zero"] as const satisfies readonly Nonsense[];

/** For arguments that may be left out. */
export const left = "undefined" as const;

/** An object of options: it may be left out or be empty, and each option is an argument by itself. */
export interface Options {
  readonly options: Readonly<Record<string, Argument>>;
  readonly needed: readonly string[];
  /** Nonsense for the whole object that is none here. */
  readonly accepts: readonly Nonsense[];
}

export function opts(
  options: Options["options"],
  { needed = [], accepts = [] }: Partial<Omit<Options, "options">> = {},
): Options {
  return { options, needed, accepts };
}

/** A call of a function or of a method, or the making of an object. */
export interface Call {
  /** What errors must name; without upper and lower case. */
  readonly name: string;
  readonly call: (...args: never[]) => unknown;
  readonly args: readonly (Argument | Options)[];
}

/** An object without a single option, whatever its class, is as good as an empty one. */
const withoutOptions = ["emptyObject", "map", "date", "arrayBuffer"] as const;

function acceptedBy({ needed, accepts }: Options): readonly Nonsense[] {
  return needed.length > 0 ? accepts : [left, ...withoutOptions, ...accepts];
}

/** What went wrong: nonsense that was accepted, or an error that does not say which function refused what. */
export async function complaintsAbout({ name, call, args }: Call): Promise<string[]> {
  const complaints: string[] = [];
  const attempt = async (what: string, values: readonly unknown[]) => {
    try {
      const result = await (call as (...args: readonly unknown[]) => unknown)(...values);
      if (result instanceof Tensor) result.dispose();
      complaints.push(`${name}: accepts ${what}`);
    } catch (error) {
      const { message } = error as Error;
      const theirs = [TypeError, SyntaxError, ReferenceError].some((type) => error instanceof type);
      const named = message.toLowerCase().includes(name.toLowerCase());
      if (theirs || !named || message.includes("\n") || message.length > 600) {
        complaints.push(
          `${name}: with ${what}: ${(error as Error).constructor.name}: ${message.slice(0, 200)}`,
        );
      }
    }
  };
  const right = () =>
    args.map((argument) => {
      if ("make" in argument) return argument.make();
      return Object.fromEntries(argument.needed.map((key) => [key, argument.options[key].make()]));
    });
  for (const [i, argument] of args.entries()) {
    const replaced = (value: unknown) => right().map((good, k) => (k === i ? value : good));
    for (const [what, value] of Object.entries(nonsense)) {
      const accepts: readonly string[] = "make" in argument ? argument.accepts : acceptedBy(argument);
      if (!accepts.includes(what)) await attempt(`${what} as argument ${i}`, replaced(value));
    }
    if ("make" in argument) continue;
    for (const [key, option] of Object.entries(argument.options)) {
      const base = right()[i] as object;
      for (const [what, value] of Object.entries(nonsense)) {
        if (option.accepts.includes(what as Nonsense) || (what === left && !argument.needed.includes(key))) {
          continue;
        }
        await attempt(`${what} as ${key}`, replaced({ ...base, [key]: value }));
      }
    }
  }
  return complaints;
}
