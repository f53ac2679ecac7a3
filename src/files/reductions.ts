/** What pictures have that training and measuring do not use, by their headers, and what their decoders warn of. */
import { basename } from "node:path";
import type { Note } from "../formats/notes.ts";
import { firstOf, quantity } from "../options/lists.ts";
import { excerpt } from "../options/printable.ts";
import { readHeaderOfFile } from "./decode.ts";
import { type Header, isStored } from "./header.ts";

type Reduction = Extract<Note["kind"], "alpha" | "depth" | "frames" | "color">;

const reductions: readonly {
  readonly kind: Reduction;
  has(header: Header): boolean;
  readonly text: string;
}[] = [
  {
    kind: "alpha",
    has: ({ channels, metadata }) => metadata?.hasAlpha ?? channels % 2 === 0, // CMYK has four channels
    text: "an alpha channel; what is transparent is put on white",
  },
  {
    kind: "depth",
    has: ({ depth }) => depth === 16,
    text: "16 bits per sample, of which the upper 8 are used",
  },
  {
    kind: "frames",
    has: ({ frames }) => frames > 1,
    text: "several frames or pages, of which the first is used",
  },
  {
    kind: "color",
    has: (header) => !isStored(header),
    text: "colours that are neither RGB nor grey, such as CMYK, and are converted to sRGB",
  },
  { kind: "color", has: ({ isHdr }) => isHdr === true, text: "HDR colours, which are taken for sRGB" },
];

/** A note for each of the kinds that some of the files have: how many, and the names of the first. */
export function reductionsOf(headers: ReadonlyMap<string, Header>, kinds: readonly Reduction[]): Note[] {
  return reductions.flatMap(({ kind, has, text }) => {
    if (!kinds.includes(kind)) return [];
    const names = [...headers].filter(([, header]) => has(header)).map(([path]) => basename(path));
    if (names.length === 0) return [];
    const verb = names.length === 1 ? "has" : "have";
    return [
      {
        kind,
        text: `${names.length} of ${quantity(headers.size, "file")} ${verb} ${text}: ${firstOf(names)}`,
      },
    ];
  });
}

/** A note for each thing that decoders warn of, by the paths of the files. */
export function notesOnWarnings(warnings: ReadonlyMap<string, string>): Note[] {
  const files = new Map<string, string[]>();
  for (const [path, warning] of warnings) files.set(warning, [...(files.get(warning) ?? []), basename(path)]);
  return [...files].map(([warning, names]) => ({
    kind: "decoder",
    text: `${firstOf(names)}: the decoder warns: ${excerpt(warning)}`,
  }));
}

/** Headers that are read at the same time. */
const AT_ONCE = 8;

/** The headers of files, by path. Damaged files are left out: why they are damaged is said when they are read. */
export async function headersOf(paths: readonly string[]): Promise<Map<string, Header>> {
  const headers = new Map<string, Header>();
  let next = 0;
  const read = async () => {
    while (next < paths.length) {
      const path = paths[next++];
      const header = await readHeaderOfFile(path).catch(() => undefined);
      if (header) headers.set(path, header);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, read));
  return new Map(paths.flatMap((path) => (headers.has(path) ? [[path, headers.get(path)!]] : [])));
}
