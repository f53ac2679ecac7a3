/** Archives of picture files, which are packed already. */
import { Zip, ZipPassThrough } from "fflate";

export interface ZipEntry {
  readonly name: string;
  /** Called when its turn comes. Undefined: it is left out. */
  readonly read: () => Promise<Blob | undefined>;
}

/** Bytes that stay in JavaScript's memory; blobs may lie elsewhere. */
const HELD_BYTES = 2 ** 24;

export async function zipFiles(entries: readonly ZipEntry[]): Promise<Blob> {
  let whole = new Blob();
  let parts: BlobPart[] = [];
  let bytes = 0;
  let failure: Error | undefined;
  const zip = new Zip((error, data) => {
    failure ??= error ?? undefined;
    parts.push(data as BlobPart);
    bytes += data.length;
  });
  for (const { name, read } of entries) {
    const file = await read();
    if (!file) continue;
    const entry = new ZipPassThrough(name);
    zip.add(entry);
    const reader = file.stream().getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      entry.push(value);
      if (bytes < HELD_BYTES) continue;
      whole = new Blob([whole, ...parts]);
      [parts, bytes] = [[], 0];
    }
    entry.push(new Uint8Array(), true);
  }
  zip.end();
  if (failure) throw failure;
  return new Blob([whole, ...parts], { type: "application/zip" });
}
