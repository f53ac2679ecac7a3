/** Pictures in folders that were dropped. Not loaded before one is. */
import { say } from "./language.ts";

/**
 * The files that were dropped, and in place of each folder the pictures in it and in its own folders, by their names.
 *
 * @throws Error with words for the user if there are none
 */
export async function filesOf(entries: readonly FileSystemEntry[]): Promise<File[]> {
  const files = (await Promise.all(entries.map(filesIn))).flat();
  if (files.length > 0) return files;
  throw new Error(say.noPicturesIn(entries.map(({ name }) => name).join(", ")));
}

async function filesIn(entry: FileSystemEntry): Promise<File[]> {
  if (!isFolder(entry)) return [await fileOf(entry as FileSystemFileEntry)];
  // A folder has other files, too.
  return (await contentOf(entry)).flat().filter(({ type }) => type.startsWith("image/"));
}

async function contentOf(folder: FileSystemDirectoryEntry): Promise<File[][]> {
  const entries: FileSystemEntry[] = [];
  const reader = folder.createReader();
  for (;;) {
    // Some at a time; none when all were read.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) break;
    entries.push(...some);
  }
  const order = new Intl.Collator(undefined, { numeric: true });
  const wanted = entries
    .filter(({ name }) => !name.startsWith(".")) // what systems keep for themselves
    .sort((a, b) => order.compare(a.name, b.name));
  return Promise.all(wanted.map(filesIn));
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}
