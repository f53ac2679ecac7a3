/**
 * What the page that enlarges says, in the chosen language. English is in sentences/english.ts, and index.html has
 * its fixed texts once more, so that the page can be read before any script runs.
 */
import { type LanguageCode, language, setLanguage, writeTexts } from "./languages.ts";
import { english, type Sentences } from "./sentences/english.ts";

export { fixed, type LanguageCode, language } from "./languages.ts";

/** They load when somebody wants to read them. */
const tables: Readonly<Record<LanguageCode, () => Promise<Sentences>>> = {
  en: async () => english,
  de: async () => (await import("./sentences/german.ts")).german,
};

/** The sentences of the chosen language. */
export let say: Sentences = english;

/** Parts of the page that load later have sentences of their own, by name, too. */
const laterParts: ((code: LanguageCode) => Promise<object>)[] = [];
let laterSentences: Readonly<Record<string, unknown>> = {};

/** Writes the whole page in a language. What tasks have said before stays as it is. */
export async function useLanguage(code: LanguageCode): Promise<void> {
  const later = await Promise.all(laterParts.map((load) => load(code)));
  laterSentences = Object.assign({}, ...later);
  say = await tables[code]();
  setLanguage(code, say.title);
  document.body.dataset.drop = say.dropHere;
  writeFixedTexts(document);
}

/** The texts and labels that a part of the page has by name. */
export function writeFixedTexts(root: ParentNode): void {
  writeTexts(root, { ...say, ...laterSentences });
}

/** Loads the sentences of a part of the page: now, and again whenever another language is chosen. */
export async function addSentences(load: (code: LanguageCode) => Promise<object>): Promise<void> {
  laterParts.push(load);
  laterSentences = { ...laterSentences, ...(await load(language)) };
}
