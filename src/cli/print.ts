/**
 * All that commands print goes through here, but for bars and status lines that replace themselves, JSON and video; see
 * printable.
 */
import { printable } from "../options/printable.ts";

let isOutputTaken = false;

/** Standard output is for something else, such as JSON: what `print` prints goes to standard error. */
export function takeOutput(isTaken: boolean): void {
  isOutputTaken = isTaken;
}

/** Lines on standard output. A text of several lines is given as such: `print(...text.split("\n"))`. */
export function print(...lines: readonly string[]): void {
  (isOutputTaken ? process.stderr : process.stdout).write(`${lines.map(printable).join("\n")}\n`);
}

/** Lines on standard error: what went wrong, and how far the work has come. */
export function printError(...lines: readonly string[]): void {
  process.stderr.write(`${lines.map(printable).join("\n")}\n`);
}
