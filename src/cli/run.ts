/** From a command line to an exit code, for `pixelgrad` and for the examples. */
import { constants } from "node:os";
import { manyOpen } from "../files/read-file.ts";
import { orList } from "../options/lists.ts";
import { DataError, textOf } from "../picture/errors.ts";
import { printStack } from "./failure.ts";
import { type Command, helpOf, parseFlags, table, UsageError } from "./flags.ts";
import { print, printError } from "./print.ts";

/** Several commands under one name, each of them loaded when it is asked for. */
export interface CommandGroup {
  /** The first line of the help text. */
  readonly title: string;
  /** What users choose by name: "command". */
  readonly noun: string;
  readonly commands: Readonly<Record<string, CommandEntry>>;
  /** The last paragraphs of the help text. */
  readonly notes: string;
  /** The name of the command that flags without one mean, if they tell. */
  readonly nameIn?: (args: readonly string[]) => Promise<string | undefined>;
}

export interface CommandEntry {
  /** One line, without a full stop. */
  readonly summary: string;
  load(): Promise<Command | CommandGroup>;
}

/**
 * Runs a command line and returns the exit code: 0 done, 1 failed, 2 wrong command line, 128 and the number of
 * the signal that stopped it (130 for Ctrl-C). A failure that users can do something about is printed as one
 * paragraph; one that looks like a bug, and with PIXELGRAD_DEBUG every one, with its stack.
 *
 * @param program how users call the command or the group: "pixelgrad".
 */
export async function run(
  program: string,
  command: Command | CommandGroup,
  args: readonly string[],
): Promise<number> {
  process.on("uncaughtException", (error) => process.exit(reportFailure(program, error)));
  const stop = new Stop();
  let name = program;
  try {
    while ("commands" in command) {
      const [typed, ...others] = args;
      if (typed === undefined || isHelp(typed) || typed === "help") {
        print(...overviewOf(name, command).split("\n"));
        return typed === undefined ? 2 : 0;
      }
      const { commands, noun } = command;
      const meant = typed.startsWith("-") ? await command.nameIn?.(args) : undefined;
      const [first, rest] = meant === undefined ? [typed, others] : [meant, args];
      if (!Object.hasOwn(commands, first)) {
        const wrong = first.startsWith("-")
          ? `a ${noun} comes before flags such as "${first}"`
          : `there is no ${noun} "${first}"`;
        throw new UsageError(`${wrong}; ${noun}s are ${orList(Object.keys(commands))}`);
      }
      name = `${name} ${first}`;
      [command, args] = [await commands[first].load(), rest];
    }
    if (asksForHelp(args)) print(...helpOf(command, name).split("\n"));
    else {
      stop.grace = command.savesWhenStopped ? Infinity : 1000;
      await command.run(parseFlags(command, args), { program: name, signal: stop.signal });
    }
    return stop.exitCode ?? 0;
  } catch (error) {
    if (stop.exitCode === undefined) return reportFailure(name, error);
    // A reader that goes away mid-video has lost frames; one that goes away mid-text has read enough.
    const failures = errorsIn(error).filter((one) => one instanceof DataError && !stop.hasGivenReason);
    for (const failure of failures) reportFailure(name, failure);
    if (failures.length === 0 && !stop.isQuiet) printError("Stopped.");
    return stop.exitCode;
  } finally {
    stop.commandHasEnded();
  }
}

function isHelp(arg: string): boolean {
  return arg === "--help" || arg === "-h";
}

/** What follows "--" are names. */
function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end < 0 ? args.length : end).some(isHelp);
}

/** The ways to ask a program to end, as far as the system has them: Windows lacks some. */
const stopping = (["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"] as const).filter(
  (name) => constants.signals[name] !== undefined,
);

/**
 * The first signal asks the command to stop, through `signal`; the second ends the program at once, and so
 * does the end of `grace`, for what does not listen at that moment. Temporary files are removed in any case:
 * see files/temporary.ts. Standard output that cannot be written to any more stops a command in the same way.
 */
class Stop {
  readonly #controller = new AbortController();
  readonly signal = this.#controller.signal;
  /** Milliseconds that the command may take to end by itself. */
  grace = 1000;
  exitCode: number | undefined;
  /** Why the program stops is printed already. */
  hasGivenReason = false;
  /** Nothing need be said about the end. */
  isQuiet = false;
  #timer: NodeJS.Timeout | undefined;
  #hasEnded = false;

  constructor() {
    for (const name of stopping) process.on(name, () => this.#stop(128 + constants.signals[name], name));
    process.stdout.on("error", (error: NodeJS.ErrnoException) => {
      if (this.exitCode !== undefined) return;
      this.isQuiet = true;
      // As if SIGPIPE had ended the program, which Node ignores: "pixelgrad … | head".
      if (error.code === "EPIPE") return this.#stop(128 + 13);
      this.hasGivenReason = true;
      const reason = error.code === "ENOSPC" ? "the disk is full" : error.message;
      printError(`standard output cannot be written: ${reason}.`);
      this.#stop(1);
    });
    process.stderr.on("error", () => {}); // nobody reads it any more
  }

  #stop(code: number, signal?: NodeJS.Signals): void {
    if (this.exitCode !== undefined) {
      if (this.grace === Infinity) process.exit(this.exitCode);
      end(this.exitCode, signal);
    }
    this.exitCode = code;
    process.exitCode = code; // the command may have ended before its output could not be written
    this.#controller.abort();
    if (this.grace === Infinity || this.#hasEnded) return;
    this.#timer = setTimeout(() => {
      if (!this.isQuiet) printError("Stopped.");
      end(code, signal);
    }, this.grace);
  }

  commandHasEnded(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
  }
}

/**
 * Ends the program now. `process.exit` waits for threads, and one of them may wait for ever, such as for a file
 * on a network drive that is gone. A signal does not wait, and shells report it by the same exit code.
 */
function end(code: number, signal: NodeJS.Signals | undefined): never {
  if (signal !== undefined && process.platform !== "win32") {
    process.emit("exit", code); // removes temporary files
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  }
  process.exit(code);
}

/** Its single errors, if it is one of work and report (withReport) that both failed. */
function errorsIn(error: unknown): readonly unknown[] {
  return error instanceof AggregateError ? error.errors.flatMap(errorsIn) : [error];
}

/** Prints why it failed, and returns the exit code: the work's, if its report failed as well. */
function reportFailure(program: string, error: unknown): number {
  const [code = 1] = errorsIn(error).map((one) => reportError(program, one));
  return code;
}

function reportError(program: string, error: unknown): number {
  const name = program.replace(/ --$/, ""); // npm wants it before flags
  if (error instanceof UsageError) {
    printError(`${name}: ${error.message}. "${program} --help" explains.`);
    return 2;
  }
  if (printStack(error)) return 1;
  const text = `${name}: ${systemReason(error as Error) ?? textOf(error as Error)}`;
  // Ours are one paragraph, and a line break in them is part of a file's name.
  printError(...(error instanceof DataError ? [text] : text.split("\n")));
  return 1;
}

/** What the system's errors mean that may come from anywhere, and name no file that people have named. */
function systemReason({ code, syscall }: NodeJS.ErrnoException): string | undefined {
  if (code === "ENOENT" && (syscall === "uv_cwd" || syscall === "process.cwd")) {
    return "the current folder has been removed. Change into another one.";
  }
  if (code !== "EMFILE" && code !== "ENFILE") return undefined;
  return `${manyOpen.reason}. ${manyOpen.advice}`;
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
