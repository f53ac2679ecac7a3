/**
 * Makes a failure that its user can do something about (a damaged picture, no adapter, …) end the program with its
 * message alone, which says what to do, and exit code 1. Whatever looks like a bug keeps its stack trace; with the
 * environment variable DEBUG set, everything does. Call it first.
 */
export function reportErrors(): void {
  process.on("uncaughtException", (error: unknown) => {
    console.error(error instanceof Error && !isBug(error) && !process.env.DEBUG ? error.message : error);
    process.exit(1);
  });
}

/** Errors that JavaScript throws by itself; those of this project and of Node's file system are of other classes. */
function isBug(error: Error): boolean {
  return [TypeError, ReferenceError, SyntaxError].some((bug) => error instanceof bug);
}
