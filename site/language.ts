/**
 * What the page that enlarges says, in the chosen language. English is in sentences/english.ts, and index.html has
 * its fixed texts once more, so that the page can be read before any script runs.
 */
import { type LanguageCode, latestChoice, sentencesIn, setLanguage, writeTexts } from "./languages.ts";
import { english, type Sentences } from "./sentences/english.ts";

export { bytesText, fixed, type LanguageCode, language } from "./languages.ts";

/** They load when somebody wants to read them. */
const tables: Readonly<Record<LanguageCode, () => Promise<Sentences>>> = {
  en: async () => english,
  de: async () => (await import("./sentences/german.ts")).german,
};

/** The sentences of the chosen language. */
export let say: Sentences = english;

/** Parts of the page that load later have sentences of their own, by name, too: loads them, then uses them. */
const laterParts: ((code: LanguageCode) => Promise<() => object>)[] = [];
let laterSentences: Readonly<Record<string, unknown>> = {};

/**
 * Writes the whole page in a language. What tasks have said before stays as it is.
 *
 * @returns false if another language has been asked for meanwhile
 */
export async function useLanguage(code: LanguageCode): Promise<boolean> {
  const loaded = await sentencesIn(code, () =>
    Promise.all([tables[code](), Promise.all(laterParts.map((load) => load(code)))]),
  );
  if (!loaded) return false;
  const [table, later] = loaded;
  say = table;
  laterSentences = Object.assign({}, ...later.map((use) => use()));
  setLanguage(code, say.title);
  document.body.dataset.drop = say.dropHere;
  writeFixedTexts(document);
  return true;
}

/** The texts and labels that a part of the page has by name. */
export function writeFixedTexts(root: ParentNode): void {
  writeTexts(root, { ...say, ...laterSentences });
}

/** Loads the sentences of a part of the page and uses them: now, and whenever another language is chosen. */
export async function addSentences<S extends object>(
  load: (code: LanguageCode) => Promise<S>,
  use: (sentences: S) => void,
): Promise<void> {
  const part = async (code: LanguageCode) => {
    const sentences = await load(code);
    return () => {
      use(sentences);
      return sentences;
    };
  };
  let code: LanguageCode;
  let begin: () => object;
  do {
    code = latestChoice;
    begin = await part(code);
  } while (code !== latestChoice);
  laterParts.push(part);
  laterSentences = { ...laterSentences, ...begin() };
}
