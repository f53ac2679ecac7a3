/**
 * What errors say where a part of the library, or a package that it needs, cannot be loaded. As a rule, somebody has
 * bundled it for Node: its threads and its native packages are files of their own.
 */

/** Nothing that the program was given is at fault. */
export class IncompleteError extends Error {
  readonly code: string = "INCOMPLETE";
}

/** What to do about a bundle; the end of a sentence. */
export const leaveOutOfBundle =
  "leave pixelgrad out of the bundle (esbuild: --external:pixelgrad; docs/errors-and-versions.md says how in others)";

/** The error for the program of a thread that is not where it should be, or not what it should be. */
export function missingProgram(cause: Error): IncompleteError {
  return new IncompleteError(
    `A part of pixelgrad is missing: ${firstLine(cause)}. If a bundler has made this program, ${leaveOutOfBundle}. ` +
      "Otherwise install it anew.",
    { cause },
  );
}

/** Whether a thread died because its program, or what that imports, is not there. */
export function isMissingProgram({ name, code, message }: NodeJS.ErrnoException): boolean {
  return (
    /^(?:ERR_)?MODULE_NOT_FOUND$/.test(code ?? "") ||
    /cannot find (?:module|package)|module ?not ?found/i.test(message) ||
    name === "SyntaxError" // webpack copies modules to where they are none
  );
}

/** The error for a native package that cannot be loaded; `install`: what to do if it is not there. */
export function packageError(
  name: string,
  use: string,
  cause: NodeJS.ErrnoException,
  install: string,
): IncompleteError {
  const advice = /--no-addons|ERR_DLOPEN_DISABLED/.test(`${cause.code} ${cause.message}`)
    ? "Start Node without --no-addons; with --permission, it also needs --allow-addons"
    : isOfBundle(cause)
      ? `A bundler has taken it in, and it is a compiled file: ${leaveOutOfBundle}, or at least this package ` +
        `(--external:${name})`
      : install;
  return new IncompleteError(
    `The npm package "${name}" (${use}) could not be loaded: ${firstLine(cause)}. ${advice}.`,
    { cause },
  );
}

/** Bundled, a package does not know where it is, cannot call require(), or looks for its file beside the bundle. */
function isOfBundle({ name, code, message }: NodeJS.ErrnoException): boolean {
  return (
    /^Dynamic require of /.test(message) ||
    /^ERR_INVALID_(?:ARG|URL)/.test(code ?? "") ||
    name === "ReferenceError" ||
    /^Cannot find module '(?!.*node_modules)[^']*\.node'/.test(message)
  );
}

/** Of several, as Node lists who required a module, and sharp what might help. */
function firstLine({ name, message }: Error): string {
  return (message || name).split("\n", 1)[0].replace(/[.:]$/, "");
}
