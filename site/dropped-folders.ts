/** Files in folders that were dropped. Not loaded before one is. */

import { say } from "./language.ts";
import { weightFileName } from "./messages.ts";
import { isPicture, isVideo } from "./pictures/file-kinds.ts";

export interface DroppedFiles {
  readonly files: readonly File[];
  /** With words for the user: one for every file or folder that could not be read. */
  readonly errors: readonly Error[];
}

/**
 * The files that were dropped, and in place of each folder the pictures, videos and weights in it and in its own
 * folders, by their names.
 *
 * @throws Error with words for the user if there are none
 */
export async function filesOf(entries: readonly FileSystemEntry[]): Promise<DroppedFiles> {
  const found = (await Promise.all(entries.map(filesIn))).flat();
  if (found.length === 0) throw new Error(say.noPicturesIn(entries.map(({ name }) => name).join(", ")));
  return {
    files: found.filter((one) => one instanceof File),
    errors: found.filter((one) => one instanceof Error),
  };
}

async function filesIn(entry: FileSystemEntry): Promise<(File | Error)[]> {
  try {
    if (!isFolder(entry)) return [await fileOf(entry as FileSystemFileEntry)];
    const content = (await Promise.all((await entriesOf(entry)).map(filesIn))).flat();
    return content.filter((one) => one instanceof Error || isOfUse(one));
  } catch (cause) {
    return [new Error(say.unreadable(entry.name), { cause })];
  }
}

/** A folder has other files, too. */
function isOfUse(file: File): boolean {
  return isPicture(file) || isVideo(file) || weightFileName.test(file.name);
}

/** What is in a folder, by its names. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
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
  return entries
    .filter(({ name }) => !name.startsWith(".")) // what systems keep for themselves
    .sort((a, b) => order.compare(a.name, b.name));
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}
