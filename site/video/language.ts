/** Sentences about video, for the page and its worker: they load when there is a video. */
import type { LanguageCode } from "../language.ts";
import { type VideoSentences, videoEnglish } from "../sentences/video-english.ts";

const sentences: Readonly<Record<LanguageCode, () => Promise<VideoSentences>>> = {
  en: async () => videoEnglish,
  de: async () => (await import("../sentences/video-german.ts")).videoGerman,
};

/** The sentences of the page's language. */
export let say: VideoSentences = videoEnglish;

export async function loadVideoSentences(code: LanguageCode): Promise<VideoSentences> {
  return sentences[code]();
}

export function useVideoSentences(chosen: VideoSentences): void {
  say = chosen;
}
