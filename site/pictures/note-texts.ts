/** What is said of pictures and results, in the page's language. The sentences load with the first note. */
import type { NoteSentences, ResultNote } from "../../src/formats/notes.ts";
import { type LanguageCode, language } from "../language.ts";
import { loadPagePart } from "../load-page-part.ts";
import { sentences } from "../sentences/list.ts";

/** Tables from the library's English. */
export const noteTables: Readonly<Record<Exclude<LanguageCode, "en">, () => Promise<NoteSentences>>> = {
  de: async () => (await import("../sentences/notes-german.ts")).germanNotes,
};

/** Each without a full stop. @throws Error with words for the user if the sentences did not come */
export async function noteTexts(notes: readonly ResultNote[]): Promise<string[]> {
  if (notes.length === 0) return [];
  const { englishNotes, sentenceOf } = await loadPagePart(import("../../src/formats/notes.ts"));
  let [code, table] = ["", englishNotes];
  while (code !== language) {
    code = language;
    table = language === "en" ? englishNotes : await loadPagePart(noteTables[language]());
  }
  return notes.map((note) => sentenceOf(note, table));
}

/** All in one text. @throws as noteTexts */
export async function notesText(notes: readonly ResultNote[]): Promise<string> {
  return sentences(await noteTexts(notes));
}

/** Of a file that is there in any case: if the sentences did not come, it is that which is to be said. */
export function notesOfFile(notes: readonly ResultNote[]): Promise<string> {
  return notesText(notes).catch(({ message }: Error) => message);
}
