/** From a command line to an exit code, for `pixelgrad` and for the examples. */
import { orList } from "../options/kinds.ts";
import { type Command, helpOf, parseFlags, table, UsageError } from "./flags.ts";

/** Several commands under one name, each of them loaded when it is asked for. */
export interface CommandGroup {
  /** The first line of the help text. */
  readonly title: string;
  /** What users choose by name: "command". */
  readonly noun: string;
  readonly commands: Readonly<Record<string, CommandEntry>>;
  /** The last paragraphs of the help text. */
  readonly notes: string;
}

export interface CommandEntry {
  /** One line, without a full stop. */
  readonly summary: string;
  load(): Promise<Command | CommandGroup>;
}

/**
 * Runs a command line and returns the exit code: 0 done, 1 failed, 2 wrong command line, 130 stopped by
 * Ctrl-C, 143 by SIGTERM. The first signal asks the command to stop, the second ends the program at once. A
 * failure that users can do something about is printed as one paragraph; one that looks like a bug, and with
 * PIXELGRAD_DEBUG every one, with its stack.
 *
 * @param program how users call the command or the group: "pixelgrad".
 */
export async function run(
  program: string,
  command: Command | CommandGroup,
  args: readonly string[],
): Promise<number> {
  // The reader of the output may have seen enough: "pixelgrad … | head".
  process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
  process.on("uncaughtException", (error) => process.exit(reportFailure(program, error)));
  const stop = stopOnSignals();
  let name = program;
  try {
    while ("commands" in command) {
      const [first, ...rest] = args;
      if (first === undefined || isHelp(first) || first === "help") {
        console.log(overviewOf(name, command));
        return first === undefined ? 2 : 0;
      }
      const { commands, noun } = command;
      if (!Object.hasOwn(commands, first)) {
        const kind = first.startsWith("-") ? "flag" : noun;
        throw new UsageError(`there is no ${kind} "${first}"; ${noun}s are ${orList(Object.keys(commands))}`);
      }
      name = `${name} ${first}`;
      [command, args] = [await commands[first].load(), rest];
    }
    if (args.some(isHelp)) console.log(helpOf(command, name));
    else await command.run(parseFlags(command, args), { program: name, signal: stop.signal });
    return stop.exitCode ?? 0;
  } catch (error) {
    if (stop.exitCode === undefined) return reportFailure(name, error);
    console.error("Stopped.");
    return stop.exitCode;
  }
}

function isHelp(arg: string): boolean {
  return arg === "--help" || arg === "-h";
}

/** The first Ctrl-C or SIGTERM aborts `signal` and sets the exit code. */
function stopOnSignals(): { readonly signal: AbortSignal; exitCode: number | undefined } {
  const controller = new AbortController();
  const stop = { signal: controller.signal, exitCode: undefined as number | undefined };
  const on = (name: NodeJS.Signals, code: number) =>
    process.on(name, () => {
      if (stop.exitCode !== undefined) process.exit(code);
      stop.exitCode = code;
      controller.abort();
    });
  on("SIGINT", 130);
  on("SIGTERM", 143);
  return stop;
}

/** Prints why it failed, and returns the exit code. */
function reportFailure(program: string, error: unknown): number {
  const name = program.replace(/ --$/, ""); // npm wants it before flags
  if (error instanceof UsageError) {
    console.error(`${name}: ${error.message}. "${program} --help" explains.`);
    return 2;
  }
  const full = process.env.PIXELGRAD_DEBUG || !(error instanceof Error) || isBug(error);
  console.error(full ? error : `${name}: ${error.message}`);
  return 1;
}

/** JavaScript itself throws these. The errors of this project and of Node's files have other classes. */
function isBug(error: Error): boolean {
  return [TypeError, ReferenceError, SyntaxError].some((bug) => error instanceof bug);
}

function overviewOf(program: string, { title, noun, commands, notes }: CommandGroup): string {
  const rows = Object.entries(commands).map(([name, { summary }]) => [name, summary] as const);
  const heading = `${noun[0].toUpperCase()}${noun.slice(1)}s`;
  return [
    title,
    `${program} ${noun.toUpperCase()} [flags]`,
    `${heading}:\n${table(rows)}`,
    `  ${program} ${noun.toUpperCase()} --help    lists the ${noun}'s flags, with examples\n${notes}`,
  ].join("\n\n");
}
