import { ArgumentError } from "../options/arguments.ts";

/**
 * How much of `--max-memory` tiles may take. Two fifths of what the process does not hold yet stay free: JavaScript
 * collects what tiles and frames leave behind only now and then, and pictures are encoded at the end.
 *
 * @param mostBytes what the flag says; without it, the library's default holds.
 */
export function tileMemory(mostBytes: number | undefined): number | undefined {
  if (mostBytes === undefined) return undefined;
  return Math.max(1, 0.6 * (mostBytes - process.memoryUsage.rss()));
}

const mebibytes = (bytes: number) => Math.ceil(bytes / 2 ** 20);

/** The error with what the program itself takes, if there is too little memory for a tile. */
export function withOwnMemory(error: unknown, mostBytes: number | undefined): unknown {
  if (mostBytes === undefined || !(error instanceof ArgumentError)) return error;
  if ((error as { code?: string }).code !== "TOO_LITTLE_MEMORY") return error;
  const own = mebibytes(process.memoryUsage.rss());
  return new RangeError(
    `${error.text} The program itself takes ${own} MiB, and --max-memory allows ${mebibytes(mostBytes)} in all.`,
    { cause: error },
  );
}
