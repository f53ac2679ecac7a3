/** The texts of a picture file, such as its comments. */

import type { Gap } from "./notes.ts";

/** A text of a PNG or JPEG file; in JPEG files all keywords are "Comment". */
export interface Comment {
  readonly keyword: string;
  readonly text: string;
}

/** More texts than any file has: further ones would only take memory. */
const MOST_TEXTS = 10_000;
const furtherTexts = `its texts behind the first ${MOST_TEXTS}` as const;

/** Adds a text to those of a file, or says that it is left out. */
export function takeText(text: Comment, { comments, gaps }: { comments: Comment[]; gaps: Set<Gap> }): void {
  if (comments.length < MOST_TEXTS) comments.push(text);
  else gaps.add(furtherTexts);
}

/** UTF-8, or else Latin-1. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString("latin1");
  }
}

/** UTF-8, with marks in place of what is none. */
export function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
