/** What becomes of errors on their way to people. */
import { inspect } from "node:util";
import { printError } from "./print.ts";

/**
 * Prints an error with its stack if it looks like a bug, and with PIXELGRAD_DEBUG in any case. False: it printed
 * nothing.
 */
export function printStack(error: unknown): boolean {
  if (!process.env.PIXELGRAD_DEBUG && error instanceof Error && !isBug(error)) return false;
  printError(...inspect(error).split("\n"));
  return true;
}

/**
 * Does some work and then, whatever has become of it, what tells of it: the writing of a report, say.
 *
 * @throws what either throws; an AggregateError if both do, the work's error first
 */
export async function withReport<T>(work: () => Promise<T> | T, report: () => Promise<void>): Promise<T> {
  const [done] = await Promise.allSettled([(async () => work())()]);
  const [told] = await Promise.allSettled([report()]);
  const errors = [done, told].flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
  if (errors.length > 1) throw new AggregateError(errors);
  if (done.status === "rejected" || errors.length > 0) throw errors[0];
  return done.value;
}

/** JavaScript itself throws these. The errors of this project and of Node's files have other classes. */
export function isBug(error: unknown): boolean {
  return [TypeError, ReferenceError, SyntaxError].some((bug) => error instanceof bug);
}
