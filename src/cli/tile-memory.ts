import { ArgumentError } from "../options/arguments.ts";

/**
 * The share of memory that tiles may take, of what the process does not hold yet. The rest stays free: JavaScript
 * collects what tiles and frames leave behind only now and then, and pictures are encoded at the end.
 */
const TILE_SHARE = 0.6;

/**
 * How much of `--max-memory` tiles may take.
 *
 * @param mostBytes what the flag says; without it, the library's default holds.
 */
export function tileMemory(mostBytes: number | undefined): number | undefined {
  if (mostBytes === undefined) return undefined;
  return Math.max(1, TILE_SHARE * (mostBytes - process.memoryUsage.rss()));
}

const MEBIBYTE = 2 ** 20;
/** The program does not take the same in every run. */
const SPARE = 16 * MEBIBYTE;

/** If there is too little memory for a tile: the error with a `--max-memory` that suffices. */
export function withOwnMemory(error: unknown, mostBytes: number | undefined): unknown {
  if (mostBytes === undefined || !(error instanceof ArgumentError)) return error;
  const { code, needed } = error as { readonly code?: string; readonly needed?: number };
  if (code !== "TOO_LITTLE_MEMORY") return error;
  const own = process.memoryUsage.rss();
  const suffices = Math.ceil((own + SPARE + needed! / TILE_SHARE) / MEBIBYTE);
  return new RangeError(
    `${error.text} Of --max-memory, the program itself takes ${Math.ceil(own / MEBIBYTE)} MiB, and two fifths of the ` +
      `rest stay free: --max-memory ${suffices}M suffices.`,
    { cause: error },
  );
}
