import { withoutMarks } from "../../src/data/pair-names.ts";
import { stemOf } from "../file-names.ts";

/**
 * What the names of a pair's files have in common. Beside the marks that the library knows, some more words count,
 * because two such files are a pair only by their sizes and by what they show.
 */
export function pairStem(name: string): string {
  const word = /(^|[-_. ])(?:lr|hr|gt|low|high|small|large|input|target)$/;
  for (let stem = stemOf(name).toLowerCase().normalize("NFC"); ; ) {
    const shorter = withoutMarks(stem).replace(word, "");
    if (shorter === stem) return stem;
    stem = shorter;
  }
}
