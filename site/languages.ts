/**
 * The languages of both pages, and which one is chosen. Each page has its own sentences: language.ts those of the
 * page that enlarges, kernels/language.ts those of the lesson. site/README.md says how to add a language.
 */

/** Each calls itself by its own name. */
export const languages = { en: "English", de: "Deutsch" } as const;

export type LanguageCode = keyof typeof languages;

/** The code of the language in use, as in `<html lang>`. */
export let language: LanguageCode = "en";

const STORED = "pixelgrad language";

/** The language that was chosen last time, on either page; else the first of the browser's languages that is there. */
export function preferredLanguage(): LanguageCode {
  const wanted = [stored(), ...navigator.languages].map((code) => code?.slice(0, 2));
  return wanted.find(isLanguage) ?? "en";
}

function isLanguage(code: string | undefined): code is LanguageCode {
  return code !== undefined && Object.hasOwn(languages, code);
}

/** From now on the page is in this language. */
export function setLanguage(code: LanguageCode, title: string): void {
  language = code;
  document.documentElement.lang = code;
  document.title = title;
}

/** Fills a list with the languages. `use` writes the page in the one that somebody chooses, which is remembered. */
export function offerLanguages(select: HTMLSelectElement, use: (code: LanguageCode) => Promise<void>): void {
  select.replaceChildren(...Object.entries(languages).map(([code, name]) => new Option(name, code)));
  select.value = language;
  select.addEventListener("change", async () => {
    if (!isLanguage(select.value)) return;
    remember(select.value);
    await use(select.value);
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

function stored(): string | undefined {
  try {
    return localStorage.getItem(STORED) ?? undefined;
  } catch {
    return undefined;
  }
}

function remember(code: LanguageCode): void {
  try {
    localStorage.setItem(STORED, code);
  } catch {
    // Private windows may refuse; then the choice holds for this visit.
  }
}
