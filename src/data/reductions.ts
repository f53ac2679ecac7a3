/** What training and measuring, which take RGB of 8 bits, leave out of pictures: told before they begin. */
import { basename } from "node:path";
import { type Header, readHeaderOfFile } from "./decode.ts";
import type { Note } from "./metadata.ts";

const kinds: readonly { kind: Note["kind"]; text: string; is(header: Header): boolean }[] = [
  { kind: "depth", text: "16 bits per sample, the upper 8 of which are used", is: ({ depth }) => depth > 8 },
  {
    kind: "frames",
    text: "several frames or pages, the first of which is used",
    is: ({ frames }) => frames > 1,
  },
];

/**
 * A note for each kind of loss, with the names of the files, by their headers. A file without a header is left
 * out: why it cannot be read is said when it is read.
 */
export async function reductionsOf(paths: readonly string[]): Promise<Note[]> {
  const names = kinds.map((): string[] => []);
  for (const path of paths) {
    const header = await readHeaderOfFile(path).catch(() => undefined);
    for (const [i, { is }] of kinds.entries()) if (header && is(header)) names[i].push(basename(path));
  }
  return kinds.flatMap(({ kind, text }, i) =>
    names[i].length === 0 ? [] : [{ kind, text: `${listed(names[i])}: ${text}` }],
  );
}

function listed(names: readonly string[]): string {
  const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
  return names.slice(0, 3).join(", ") + more;
}
