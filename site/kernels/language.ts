/**
 * What the lesson says, in the chosen language, as language.ts of the page that enlarges. Two things differ. The
 * prose is long, and index.html has it in English: the table of that loads only when somebody comes back to English.
 * And it has code and emphasis in it.
 */
import { type LanguageCode, language, sentencesIn, setLanguage, textOf, writeTexts } from "../languages.ts";
import { english, type Sentences } from "./sentences/english.ts";
import type { Prose } from "./sentences/english-prose.ts";

const tables: Readonly<Record<LanguageCode, () => Promise<Sentences & Prose>>> = {
  en: async () => ({ ...english, ...(await import("./sentences/english-prose.ts")).englishProse }),
  de: async () => (await import("./sentences/german.ts")).german,
};

/** The sentences of the chosen language. */
export let say: Sentences = english;

/**
 * Writes the fixed texts in a language. What panels have written, they write again.
 *
 * @returns false if there is nothing to write: the page is in that language, or another was asked for meanwhile
 */
export async function useLanguage(code: LanguageCode): Promise<boolean> {
  const table = await sentencesIn(code, async () => (code === language ? undefined : tables[code]()));
  if (!table) return false;
  say = table;
  setLanguage(code, table.title);
  writeTexts(document, table);
  for (const element of document.querySelectorAll<HTMLElement>("[data-prose]"))
    element.replaceChildren(...markUp(textOf(table, element.dataset.prose!)));
  return true;
}

/** The sentences that are no functions. */
type TextKey = { [K in keyof Sentences]: Sentences[K] extends string ? K : never }[keyof Sentences];

/** Writes a sentence into an element, which says it in the other language, too, once that is chosen. */
export function write<E extends HTMLElement>(element: E, key: TextKey): E {
  element.dataset.text = key;
  element.textContent = say[key];
  return element;
}

/** Text with `code`, *emphasis* and **strong** in it, as elements. */
function markUp(text: string): (string | HTMLElement)[] {
  return text
    .split(/(`[^`]+`|\*\*[^*]+\*\*|\*[^*]+\*)/)
    .filter((piece) => piece !== "")
    .map((piece) => {
      const [, mark, content] = /^(`|\*\*|\*)(.+)\1$/.exec(piece) ?? [];
      if (!mark) return piece;
      const element = document.createElement({ "`": "code", "*": "em", "**": "strong" }[mark]!);
      element.textContent = content;
      return element;
    });
}
