/** What is printed of an error besides its text. */
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

/** JavaScript itself throws these. The errors of this project and of Node's files have other classes. */
export function isBug(error: unknown): boolean {
  return [TypeError, ReferenceError, SyntaxError].some((bug) => error instanceof bug);
}
