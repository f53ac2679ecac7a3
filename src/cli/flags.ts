/**
 * The flags of a command are one table. What the command line may say, the help text and the types of the
 * values all come from its entries.
 */
import { type ParseArgsConfig, parseArgs } from "node:util";
import { type Kind, quote } from "../options/kinds.ts";
import { printable } from "../options/printable.ts";

/** The command line is wrong: the program ends with this message and exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** A flag with a value, `--scale 2`. */
export interface ValueFlag<T = unknown> {
  readonly kind: Kind<T>;
  readonly help: string;
  /** One letter, for `-s`. */
  readonly short?: string;
  readonly required?: boolean;
  /** The flag may be repeated: all values count, as a list, or the last one does. */
  readonly multiple?: true | "last";
}

/** A flag without a value, on or off: `--ensemble`. */
export interface Switch {
  readonly help: string;
  readonly short?: string;
}

export type Flags = Readonly<Record<string, ValueFlag | Switch>>;

type ValueOf<F> = F extends { kind: Kind<infer T> }
  ? F extends { multiple: true }
    ? T[]
    : F extends { required: true }
      ? T
      : T | undefined
  : boolean;

/** The values of a table of flags, by name. */
export type Values<F extends Flags> = { [K in keyof F]: ValueOf<F[K]> };

export interface Command<F extends Flags = Flags> {
  /** What it does, and what to know before using it. Lines of at most 100 characters. */
  readonly about: string;
  readonly flags: F;
  /** The flag that arguments without a flag are values of. It may be repeated, and its values are a list. */
  readonly operands?: string;
  /** How a help text shows the operands: "IN OUT". Default: the flag's name, if it is required. */
  readonly usage?: string;
  /** It may take its time when it is asked to stop, to save what it has. Others are ended after a second. */
  readonly savesWhenStopped?: true;
  /** What follows the name of the command, and what that does. */
  readonly examples: readonly (readonly [args: string, what: string])[];
  run(values: Values<F>, context: Context): Promise<void>;
}

/** What a command gets from the program around it. */
export interface Context {
  /** How users call the command: "pixelgrad upscale". */
  readonly program: string;
  /** Aborted by Ctrl-C and other signals that ask for the end. */
  readonly signal: AbortSignal;
}

/** Gives `run` the types of the flags. */
export function defineCommand<const F extends Flags>(command: Command<F>): Command<F> {
  return command;
}

/** Reads a command's part of the command line. @throws UsageError */
export function parseFlags<F extends Flags>(
  { flags, operands }: Command<F>,
  args: readonly string[],
): Values<F> {
  const entries = Object.entries<ValueFlag | Switch>(flags);
  const options = entries.map(([name, flag]) => {
    const type = "kind" in flag ? "string" : "boolean";
    // `multiple` lets readValue notice a second one.
    return [name, { type, multiple: true, ...(flag.short && { short: flag.short }) }] as const;
  });
  const parsed = parse(args, Object.fromEntries(options), operands);
  const values = entries.map(([name, flag]) => [name, readValue(name, flag, parsed[name] ?? [])]);
  return Object.fromEntries(values) as Values<F>;
}

type RawValues = Record<string, (string | boolean)[] | undefined>;

function parse(
  args: readonly string[],
  options: ParseArgsConfig["options"],
  operands: string | undefined,
): RawValues {
  try {
    const allowPositionals = operands !== undefined;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals });
    if (operands === undefined || positionals.length === 0) return values as RawValues;
    const byFlag = (values as RawValues)[operands] ?? [];
    return { ...(values as RawValues), [operands]: [...byFlag, ...positionals] };
  } catch (error) {
    // Node's own messages have several lines and advice about positional arguments.
    const [reason] = (error as Error).message.split(/\.(?: |\n|$)|\n/);
    const isName = reason.includes("ambiguous") || args.some((arg) => /^-[^-].*\./.test(arg));
    const advice = isName
      ? '; a name that begins with "-" is given as "./-name", and any other such value as "--flag=-1"'
      : "";
    throw new UsageError(`${printable(reason)}${advice}`);
  }
}

function readValue(name: string, flag: ValueFlag | Switch, texts: readonly (string | boolean)[]): unknown {
  if (!("kind" in flag)) return texts.length > 0;
  const { kind, help, required, multiple } = flag;
  if (required && texts.length === 0) {
    throw new UsageError(`--${name} ${kind.symbol} is missing: ${help}`);
  }
  if (!multiple && texts.length > 1) {
    throw new UsageError(`--${name} was given ${texts.length} times, and is wanted once`);
  }
  const values = texts.map((text) => {
    const value = kind.read(text as string);
    if (!kind.fits(value)) throw new UsageError(`--${name} wants ${kind.wants}, got ${quote(text)}`);
    return value;
  });
  return multiple === true ? values : values.at(-1);
}

// ---- Help

/** `pixelgrad COMMAND --help`; `program` is how users call the command. */
export function helpOf({ about, flags, operands, usage, examples }: Command, program: string): string {
  const entries = Object.entries<ValueFlag | Switch>(flags);
  const required = entries.map(([name, flag]) => {
    if (name === operands && usage !== undefined) return ` ${usage}`;
    if (!("kind" in flag && flag.required)) return "";
    return name === operands ? ` ${name.toUpperCase()} …` : ` --${name} ${flag.kind.symbol}`;
  });
  const rows = entries.map(([name, flag]) => {
    const short = flag.short === undefined ? "    " : `-${flag.short}, `;
    const value = "kind" in flag ? ` ${flag.kind.symbol}${flag.multiple === true ? " …" : ""}` : "";
    return [`${short}--${name}${value}`, flag.help] as const;
  });
  const lines = examples.map(([args, what]) => `  ${`${program} ${args}`.trim()}\n      ${what}`);
  return [
    `${program}${required.join("")} [flags]`,
    about.trim(),
    `Flags:\n${table([...rows, ["    --help", "prints this text"]])}`,
    `Examples:\n${lines.join("\n")}`,
  ].join("\n\n");
}

const WIDTH = 100;

/** Two columns, the second broken into lines. */
export function table(rows: readonly (readonly [string, string])[]): string {
  const indent = Math.max(...rows.map(([name]) => name.length)) + 4;
  const lines = rows.map(
    ([name, what]) => `  ${name}`.padEnd(indent) + wrap(what, WIDTH - indent).join(`\n${" ".repeat(indent)}`),
  );
  return lines.join("\n");
}

/** A text in lines of at most `columns` characters; a longer word gets a line of its own. */
export function wrap(text: string, columns = WIDTH): string[] {
  return text.match(new RegExp(`(?:\\S.{0,${columns - 1}}|\\S+)(?= |$)`, "g")) ?? [];
}
