/** The package sharp, which decodes and encodes pictures. */
import { packageError } from "../options/incomplete.ts";

/**
 * Loads it when it is needed: this native library takes longer to load than the rest of this folder together.
 *
 * @throws IncompleteError if it cannot be loaded
 */
export async function loadSharp() {
  const { default: sharp } = await import("sharp").catch((cause: Error) => {
    throw packageError(
      "sharp",
      "which reads and writes pictures",
      cause,
      'Install it with "npm install --include=optional sharp", on the system on which the program runs',
    );
  });
  return sharp;
}
