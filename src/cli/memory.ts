/** `--max-memory`: what is left of it for tiles beside the program itself. */
import { TooLittleMemory } from "../upscale/tiles.ts";

const mebibytes = (bytes: number) => Math.ceil(bytes / 2 ** 20);

/** @param share the part of the rest that tiles may take */
export function memoryForTiles(memory: number | undefined, share = 1): number | undefined {
  return memory && Math.max(1, share * (memory - process.memoryUsage.rss()));
}

/** The error with what the program itself takes, if there is too little memory for a tile. */
export function withOwnMemory(error: unknown, memory: number | undefined): unknown {
  if (memory === undefined || !(error instanceof TooLittleMemory)) return error;
  const own = mebibytes(process.memoryUsage.rss());
  return new RangeError(
    `${error.message} The program itself takes ${own} MiB, and --max-memory allows ${mebibytes(memory)} in all.`,
    { cause: error },
  );
}
