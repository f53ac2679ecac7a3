/** Whole files for Node. */
import { open } from "node:fs/promises";

/**
 * The bytes of a file, or of a pipe until its end. A device is refused: reading it may never end.
 *
 * @throws Error, Node's own or one that says that it is a device
 */
export async function readWhole(file: string | URL): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const stats = await handle.stat();
    if (stats.isCharacterDevice() || stats.isBlockDevice()) throw new Error("it is a device, and no file");
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}
