/**
 * The page's languages. `say` has all sentences of the chosen one. English is in sentences/english.ts, and
 * index.html has its fixed texts once more, so that the page can be read before any script runs.
 *
 * To add a language: write sentences/<language>.ts like german.ts (the compiler names every sentence that is
 * missing) and sentences/worker-<language>.ts, and add a line to `languages` here and in worker-language.ts.
 */
import { english, type Sentences } from "./sentences/english.ts";

interface Language {
  readonly name: string;
  load(): Promise<Sentences>;
}

/** Each calls itself by its own name. They load when somebody wants to read them. */
export const languages = {
  en: { name: "English", load: async () => english },
  de: { name: "Deutsch", load: async () => (await import("./sentences/german.ts")).german },
} satisfies Record<string, Language>;

export type LanguageCode = keyof typeof languages;

/** The sentences of the chosen language. */
export let say: Sentences = english;
/** Its code, as in `<html lang>`. */
export let language: LanguageCode = "en";

/** Parts of the page that load later have sentences of their own, by name, too. */
const laterParts: ((code: LanguageCode) => Promise<object>)[] = [];
let laterSentences: Readonly<Record<string, unknown>> = {};

const STORED = "pixelgrad language";

/** The language that was chosen last time; else the first of the browser's languages that the page has. */
export function preferredLanguage(): LanguageCode {
  const wanted = [stored(), ...navigator.languages].map((code) => code?.slice(0, 2));
  return wanted.find(isLanguage) ?? "en";
}

export function isLanguage(code: string | undefined): code is LanguageCode {
  return code !== undefined && Object.hasOwn(languages, code);
}

/** Writes the whole page in a language. What tasks have said before stays as it is. */
export async function useLanguage(code: LanguageCode): Promise<void> {
  const later = await Promise.all(laterParts.map((load) => load(code)));
  laterSentences = Object.assign({}, ...later);
  say = await languages[code].load();
  language = code;
  document.documentElement.lang = code;
  document.title = say.title;
  document.body.dataset.drop = say.dropHere;
  writeFixedTexts(document);
}

/** The texts and labels that a part of the page has by name. */
export function writeFixedTexts(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLElement>("[data-text]"))
    element.textContent = fixedText(element.dataset.text!);
  for (const element of root.querySelectorAll<HTMLElement>("[data-label]"))
    element.setAttribute("aria-label", fixedText(element.dataset.label!));
  for (const element of root.querySelectorAll<HTMLElement>("[data-title]"))
    element.title = fixedText(element.dataset.title!);
}

/** Loads the sentences of a part of the page: now, and again whenever another language is chosen. */
export async function addSentences(load: (code: LanguageCode) => Promise<object>): Promise<void> {
  laterParts.push(load);
  laterSentences = { ...laterSentences, ...(await load(language)) };
}

/** The same, and remembers it. */
export async function chooseLanguage(code: LanguageCode): Promise<void> {
  try {
    localStorage.setItem(STORED, code);
  } catch {
    // Private windows may refuse; then the choice holds for this visit.
  }
  await useLanguage(code);
}

/** A number with so many digits after the point, or the comma. */
export function fixed(value: number, digits: number): string {
  return value.toLocaleString(language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    useGrouping: false,
  });
}

function stored(): string | undefined {
  try {
    return localStorage.getItem(STORED) ?? undefined;
  } catch {
    return undefined;
  }
}

function fixedText(key: string): string {
  const text = laterSentences[key] ?? (say as Readonly<Record<string, unknown>>)[key];
  if (typeof text !== "string") throw new Error(`The page has no sentence "${key}".`);
  return text;
}
