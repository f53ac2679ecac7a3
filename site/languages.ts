/**
 * The languages of both pages, and which one is chosen. Each page has its own sentences: language.ts those of the
 * page that enlarges, kernels/language.ts those of the lesson. site/README.md says how to add a language.
 */

import { soon } from "./patience.ts";

/** Each calls itself by its own name. */
export const languages = { en: "English", de: "Deutsch" } as const;

export type LanguageCode = keyof typeof languages;

/** The code of the language in use, as in `<html lang>`. */
export let language: LanguageCode = "en";

/** The language that was asked for last: a table that arrives late must not overwrite it. */
export let latestChoice: LanguageCode = language;

/** By the visitor, on this page: where nothing can be stored, too. */
let chosenHere: LanguageCode | undefined;

const STORED = "pixelgrad language";

/** The language that was chosen last time, on either page; else the first of the browser's languages that is there. */
export function preferredLanguage(): LanguageCode {
  const candidates = [languageOfBefore(), ...navigator.languages].map((code) => code?.slice(0, 2));
  return candidates.find(isLanguage) ?? "en";
}

function isLanguage(code: string | undefined): code is LanguageCode {
  return code !== undefined && Object.hasOwn(languages, code);
}

/**
 * Writes a page in the language of its visitor. One that takes long to load is not waited for: the page begins in
 * English, and `onUse` writes what is to be written again when the language is there.
 *
 * @returns whether the page is in that language; undefined if that is late. False: it cannot be loaded.
 */
export async function beginIn(
  code: LanguageCode,
  { use, onUse }: LanguageEvents,
): Promise<boolean | undefined> {
  const using = use(code);
  const isUsed = await soon(using).catch(() => false);
  const useLate = async () => {
    const isUsedNow = (await using) || (preferredLanguage() === code && (await use(code)));
    if (isUsedNow) onUse(code);
  };
  if (isUsed === undefined) useLate().catch(() => undefined); // it stays in English
  return isUsed;
}

/** From now on the page is in this language. */
export function setLanguage(code: LanguageCode, title: string): void {
  language = code;
  document.documentElement.lang = code;
  document.title = title;
}

/**
 * Loads what a page says in a language.
 *
 * @returns undefined if another language has been asked for meanwhile
 * @throws the error of loading; then the page stays in its language
 */
export async function sentencesIn<T>(code: LanguageCode, load: () => Promise<T>): Promise<T | undefined> {
  latestChoice = code;
  try {
    const sentences = await load();
    return latestChoice === code ? sentences : undefined;
  } catch (error) {
    if (latestChoice !== code) return undefined;
    latestChoice = language;
    throw error;
  }
}

/** Both pages say it, and no table need be there for it. */
const notLoaded: Readonly<Record<LanguageCode, string>> = {
  en: "The other language could not be loaded. Check the connection, and choose it again.",
  de: "Die andere Sprache ließ sich nicht laden. Prüfen Sie die Verbindung, und wählen Sie sie noch einmal.",
};

export interface LanguageEvents {
  /** Writes the page in the chosen language. False: another one has been chosen meanwhile. */
  use(code: LanguageCode): Promise<boolean>;
  /** Then the scripts write again what they have written. */
  onUse(code: LanguageCode): void;
}

/** Fills a list with the languages. The chosen one is remembered. */
export function offerLanguages(select: HTMLSelectElement, { use, onUse }: LanguageEvents): void {
  select.replaceChildren(...Object.entries(languages).map(([code, name]) => new Option(name, code)));
  select.value = language;
  select.addEventListener("change", async () => {
    const code = select.value;
    if (!isLanguage(code)) return;
    select.setCustomValidity("");
    remember(code);
    try {
      if (await use(code)) onUse(code);
    } catch {
      select.value = language;
      remember(language);
      select.setCustomValidity(notLoaded[language]);
      select.reportValidity(); // shows it
    }
  });
}

type Table = Readonly<Record<string, unknown>>;

/** Writes the texts and labels that a part of a page has by name. */
export function writeTexts(root: ParentNode, sentences: Table): void {
  for (const element of root.querySelectorAll<HTMLElement>("[data-text]"))
    element.textContent = textOf(sentences, element.dataset.text!);
  for (const element of root.querySelectorAll<HTMLElement>("[data-label]"))
    element.setAttribute("aria-label", textOf(sentences, element.dataset.label!));
  for (const element of root.querySelectorAll<HTMLElement>("[data-title]"))
    element.title = textOf(sentences, element.dataset.title!);
}

export function textOf(sentences: Table, key: string): string {
  const text = sentences[key];
  if (typeof text !== "string") throw new Error(`The page has no sentence "${key}".`);
  return text;
}

/** A number with so many digits after the point, or the comma. */
export function fixed(value: number, digits: number): string {
  return value.toLocaleString(language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    useGrouping: false,
  });
}

/** The size of a file. */
export function bytesText(bytes: number): string {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${fixed(bytes / 1e6, bytes < 1e7 ? 1 : 0)} MB` : `${fixed(bytes / 1e9, 1)} GB`;
}

function languageOfBefore(): string | undefined {
  try {
    return chosenHere ?? localStorage.getItem(STORED) ?? undefined;
  } catch {
    return undefined;
  }
}

function remember(code: LanguageCode): void {
  chosenHere = code;
  try {
    localStorage.setItem(STORED, code);
  } catch {
    // Private windows may refuse; then the choice holds for this visit.
  }
}
