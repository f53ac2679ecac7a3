/** Saves all results together, in an archive or in a folder of the user's. Not loaded before that is asked for. */
import { download } from "./download.ts";
import type { Engine } from "./engine.ts";
import { uniqueNames } from "./file-names.ts";
import { bytesText, say } from "./language.ts";
import type { Outcome } from "./messages.ts";
import type { OutputFormat } from "./pictures/formats.ts";
import { noteTexts } from "./pictures/note-texts.ts";
import { sentences } from "./sentences/list.ts";

export interface Saving {
  readonly engine: Engine;
  readonly files: readonly { readonly picture: number; readonly name: string }[];
  readonly format: OutputFormat;
  readonly quality: number;
  /** Tells of progress. */
  say(text: string): void;
}

/** What TypeScript's library lacks of the File System Access API. */
export interface Folder {
  readonly name: string;
  keys(): AsyncIterable<string>;
  getFileHandle(name: string, options: { create: true }): Promise<FileSystemFileHandle>;
  removeEntry(name: string): Promise<void>;
}

/** @returns what to say of it. @throws Error with what to say if a file could not be written */
export async function saveArchive({ engine, files, format, quality, say: tell }: Saving): Promise<string> {
  const { file, outcomes } = await engine.run(
    "zip",
    { files, format, quality },
    { onEvent: ({ done }) => tell(say.writingOf(done, files.length)) },
  );
  if (outcomes.some(({ error }) => error === undefined)) download(file, "pixelgrad.zip");
  return report(outcomes, (count) => say.savedAll(count, bytesText(file.size)));
}

/**
 * One file after the other. Files of these names that are there already stay: the new ones get numbers.
 *
 * @returns what to say of it. @throws Error with what to say if a file could not be written
 */
export async function saveIntoFolder(
  folder: Folder,
  { engine, files, format, quality, say: tell }: Saving,
): Promise<string> {
  const there: string[] = [];
  for await (const name of folder.keys()) there.push(name);
  const names = uniqueNames([...there, ...files.map(({ name }) => name)]).slice(there.length);
  const outcomes: Outcome[] = [];
  for (const [i, { picture }] of files.entries()) {
    const name = names[i];
    tell(say.writingOf(i + 1, files.length));
    try {
      const { file, notes } = await engine.run("write", { picture, format, quality });
      await writeInto(folder, name, file);
      outcomes.push({ name, notes });
    } catch (error) {
      outcomes.push({ name, notes: [], error: (error as Error).message });
    }
  }
  return report(outcomes, (count) => say.savedInto(count, folder.name));
}

async function writeInto(folder: Folder, name: string, file: Blob): Promise<void> {
  const handle = await folder.getFileHandle(name, { create: true });
  try {
    const stream = await handle.createWritable();
    await stream.write(file);
    await stream.close();
  } catch (error) {
    await folder.removeEntry(name).catch(() => undefined); // it is empty
    throw error;
  }
}

/** `saved`: what to say of so many files. It is called if there are any. */
async function report(outcomes: readonly Outcome[], saved: (count: number) => string): Promise<string> {
  const written = outcomes.filter(({ error }) => error === undefined);
  let unsaid = ""; // the files are there even if the words for their notes do not load
  const said = await Promise.all(
    written.map(async ({ name, notes }) => {
      const texts = await noteTexts(notes).catch(({ message }: Error) => {
        unsaid = message;
        return [];
      });
      return texts.map((text) => [text, name] as const);
    }),
  );
  const byNote = namesBy(said.flat());
  const byReason = namesBy(
    outcomes.flatMap(({ name, error }) => (error === undefined ? [] : [[error, name]])),
  );
  if (written.length === 0 && byReason.size === 1) throw new Error([...byReason.keys()][0]);
  const notes = [...byNote].map(([note, names]) =>
    names.length === outcomes.length ? note : say.noteOn(note, names),
  );
  const missing = [...byReason].map(([reason, names]) => say.notSaved(names, reason));
  const ofWritten = written.length > 0 ? [saved(written.length), sentences(notes), unsaid] : [];
  const text = [...ofWritten, ...missing].filter(Boolean).join(" ");
  if (missing.length > 0) throw new Error(text);
  return text;
}

/** The names of files by what is said of them. */
function namesBy(said: readonly (readonly [string, string])[]): Map<string, string[]> {
  const result = new Map<string, string[]>();
  for (const [text, name] of said) result.set(text, [...(result.get(text) ?? []), name]);
  return result;
}
