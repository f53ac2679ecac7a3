/** How a command line becomes a run of a command and an exit code: for `pixelgrad` and for the examples. */
import { type Command, helpOf, orList, parseFlags, table, UsageError } from "./flags.ts";

/** Several commands under one name. Each is loaded when it is asked for. */
export interface CommandGroup {
  /** The first line of its help text. */
  readonly title: string;
  /** What the names below stand for: "command". */
  readonly noun: string;
  readonly commands: Readonly<Record<string, CommandEntry>>;
  /** The last paragraphs of its help text. */
  readonly notes: string;
}

export interface CommandEntry {
  /** One line, without a full stop. */
  readonly summary: string;
  load(): Promise<Command | CommandGroup>;
}

/**
 * Runs a command line and returns the exit code: 0 done, 1 failed, 2 wrong command line, 130 or 143 stopped
 * by Ctrl-C or SIGTERM. The first signal asks the command to stop, the second ends the program at once. A
 * failure that its user can do something about is printed as one paragraph; with PIXELGRAD_DEBUG, and for
 * what looks like a bug, with its stack.
 *
 * @param program how its users call the command, or the group of commands: "pixelgrad".
 */
export async function run(
  program: string,
  command: Command | CommandGroup,
  args: readonly string[],
): Promise<number> {
  // Whoever reads the output has seen enough ("pixelgrad … | head").
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
    else await command.run(parseFlags(command, args), { signal: stop.signal });
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

/** What the first signal leaves behind: an aborted signal, and the exit code. */
function stopOnSignals(): { readonly signal: AbortSignal; exitCode: number | undefined } {
  const controller = new AbortController();
  const stop = { signal: controller.signal, exitCode: undefined as number | undefined };
  for (const [name, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    process.on(name, () => {
      if (stop.exitCode !== undefined) process.exit(code);
      stop.exitCode = code;
      controller.abort();
    });
  }
  return stop;
}

/** Prints why it failed, and returns the exit code. */
function reportFailure(program: string, error: unknown): number {
  const name = program.replace(/ --$/, ""); // npm's mark before flags
  if (error instanceof UsageError) {
    console.error(`${name}: ${error.message}. "${program} --help" explains.`);
    return 2;
  }
  const full = process.env.PIXELGRAD_DEBUG || !(error instanceof Error) || isBug(error);
  console.error(full ? error : `${name}: ${error.message}`);
  return 1;
}

/** Errors that JavaScript throws by itself. Those of this project and of Node's files have other classes. */
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
    `  ${program} ${noun.toUpperCase()} --help    lists its flags, with examples\n${notes}`,
  ].join("\n\n");
}
