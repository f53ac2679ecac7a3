/** The worker's part of language.ts: its own few sentences, so that it need not load those of the page. */

import type { LanguageCode } from "./language.ts";
import { loadPart } from "./load-part.ts";
import { type WorkerSentences, workerEnglish } from "./sentences/worker-english.ts";

const inWorker: Readonly<Record<LanguageCode, () => Promise<WorkerSentences>>> = {
  en: async () => workerEnglish,
  de: async () => (await loadPart(import("./sentences/worker-german.ts"))).workerGerman,
};

/** The sentences of the page's language. */
export let say: WorkerSentences = workerEnglish;

/** The page's language. */
export let code: LanguageCode = "en";

/** What arrives late is not used: the page is in another language by then. */
export async function loadLanguage(chosen: LanguageCode): Promise<void> {
  code = chosen;
  const sentences = await inWorker[chosen]();
  if (code === chosen) say = sentences;
}
