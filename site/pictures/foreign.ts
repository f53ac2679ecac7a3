/** Names of files that are no pictures of a browser. */
import { foreignPicture } from "../../src/picture/foreign-pictures.ts";
import type { LanguageCode } from "../language.ts";
import { loadPart } from "../load-part.ts";
import { code } from "../worker-language.ts";

/** Tables from the library's English. */
export const foreignNames: Readonly<
  Record<Exclude<LanguageCode, "en">, () => Promise<Readonly<Record<string, string>>>>
> = {
  de: async () => (await loadPart(import("../sentences/foreign-german.ts"))).foreignGerman,
};

/** As in "this is …", in the page's language; undefined if neither the first bytes nor the name tell. */
export async function nameOfForeign(start: Uint8Array, name: string): Promise<string | undefined> {
  const what = foreignPicture(start, name)?.what;
  if (what === undefined || code === "en") return what;
  const names = await foreignNames[code]();
  return names[what];
}
