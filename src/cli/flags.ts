/**
 * Flags of a command as one table: what the command line may say, what the help text says about it, and the
 * types of the values that come out are all read from the same entries.
 */
import { type ParseArgsConfig, parseArgs } from "node:util";
import * as kinds from "../options/kinds.ts";

/** The command line is wrong: the program ends with this message and exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** A flag with a value, `--scale S`. */
export interface ValueFlag<T = unknown> {
  /** What the help text calls the value. */
  readonly value: string;
  readonly help: string;
  /** One letter, for `-s`. */
  readonly short?: string;
  /** The value from its text; throws a UsageError that says what was wanted ("wants a whole number"). */
  read(text: string): T;
  readonly required?: boolean;
  /** May be given more than once: the values come as a list, or the last one counts. */
  readonly multiple?: true | "last";
}

/** A flag without a value, on or off: `--ensemble`. */
export interface Switch {
  readonly help: string;
  readonly short?: string;
}

export type Flags = Readonly<Record<string, ValueFlag | Switch>>;

type ValueOf<F> = F extends { read(text: string): infer T }
  ? F extends { multiple: true }
    ? T[]
    : F extends { required: true }
      ? T
      : T | undefined
  : boolean;

/** The values of a table of flags, by name. */
export type Values<F extends Flags> = { [K in keyof F]: ValueOf<F[K]> };

/** A sub-command. */
export interface Command<F extends Flags = Flags> {
  readonly name: string;
  /** One line, without a full stop. */
  readonly summary: string;
  /** What there is to know before using it: paragraphs of at most 100 characters a line. */
  readonly about: string;
  readonly flags: F;
  /** Command lines that begin with the command's name, and what they do. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  run(values: Values<F>, context: Context): Promise<void>;
}

/** What a command gets from the program around it. */
export interface Context {
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** A command from its table and what it does; the table decides the types of the values that `run` gets. */
export function defineCommand<const F extends Flags>(
  description: Omit<Command<F>, "run">,
  run: (values: Values<F>, context: Context) => Promise<void>,
): Command<F> {
  return { ...description, run };
}

/** Reads a command's part of the command line. @throws UsageError */
export function parseFlags<F extends Flags>(command: Command<F>, args: readonly string[]): Values<F> {
  const entries = Object.entries<ValueFlag | Switch>(command.flags);
  const options = Object.fromEntries(
    entries.map(([name, flag]) => [
      name,
      {
        type: "read" in flag ? ("string" as const) : ("boolean" as const),
        multiple: true, // so that a second one is noticed
        ...(flag.short === undefined ? {} : { short: flag.short }),
      },
    ]),
  );
  const parsed = parse(args, options);
  const values = entries.map(([name, flag]) => [name, readValue(name, flag, parsed[name] ?? [])]);
  return Object.fromEntries(values) as Values<F>;
}

type Parsed = Record<string, (string | boolean)[] | undefined>;

function parse(args: readonly string[], options: ParseArgsConfig["options"]): Parsed {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: false }).values as Parsed;
  } catch (error) {
    // Node's own messages have several lines and advice about positional arguments.
    throw new UsageError((error as Error).message.split(/\. |\n/)[0]);
  }
}

function readValue(name: string, flag: ValueFlag | Switch, texts: readonly (string | boolean)[]): unknown {
  if (!("read" in flag)) return texts.length > 0;
  if (flag.required && texts.length === 0) {
    throw new UsageError(`--${name} ${flag.value} is missing: ${flag.help}`);
  }
  if (!flag.multiple && texts.length > 1) {
    throw new UsageError(`--${name} was given ${texts.length} times, and is wanted once`);
  }
  const values = texts.map((text) => {
    try {
      return flag.read(text as string);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(`--${name} ${error.message}, got "${text}"`);
    }
  });
  return flag.multiple === true ? values : values.at(-1);
}

// ---- How values are read

/** Reads values of a kind. */
export function reader<T>(kind: kinds.Kind<T>): (argument: string) => T {
  return (argument) => {
    const value = kind.read(argument);
    if (!kind.fits(value)) throw new UsageError(`wants ${kind.wants}`);
    return value;
  };
}

export const text = reader(kinds.text);
export const whole = (min: number) => reader(kinds.whole(min));
export const oneOf = <const T extends string>(...choices: readonly T[]) => reader(kinds.oneOf(...choices));
export { orList } from "../options/kinds.ts";

// ---- Help

/**
 * `pixelgrad COMMAND --help`.
 *
 * @param program how users call the command, where it is called by other means.
 */
export function helpOf(command: Command, program = `pixelgrad ${command.name}`): string {
  const flags = Object.entries<ValueFlag | Switch>(command.flags);
  const required = flags.filter(([, flag]) => "read" in flag && flag.required);
  const usage = required.map(([name, flag]) => ` --${name} ${(flag as ValueFlag).value}`).join("");
  const rows = flags.map(([name, flag]) => {
    const short = flag.short === undefined ? "    " : `-${flag.short}, `;
    const value = "read" in flag ? ` ${flag.value}${flag.multiple === true ? " …" : ""}` : "";
    return [`${short}--${name}${value}`, flag.help] as const;
  });
  rows.push(["    --help", "this text"]);
  const examples = command.examples.map(
    ([line, what]) => `  ${program}${line.slice(command.name.length)}\n      ${what}`,
  );
  return [
    `${program}${usage} [flags]`,
    `${command.summary[0].toUpperCase()}${command.summary.slice(1)}.`,
    command.about.trim(),
    `Flags:\n${table(rows)}`,
    `Examples:\n${examples.join("\n")}`,
  ].join("\n\n");
}

const width = 100;

/** Two columns, the second broken into lines. */
export function table(rows: readonly (readonly [string, string])[]): string {
  const indent = Math.max(...rows.map(([name]) => name.length)) + 4;
  return rows
    .map(
      ([name, what]) =>
        `  ${name}`.padEnd(indent) + wrap(what, width - indent).join(`\n${" ".repeat(indent)}`),
    )
    .join("\n");
}

/** A text in lines of at most `columns` characters. */
function wrap(text: string, columns: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines[lines.length - 1];
    if (line !== "" && line.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}
