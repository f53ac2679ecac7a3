/** What the headers of the pictures say before the first step. */
import { basename } from "node:path";
import { type Header, readHeaderOfFile, uprightSize } from "../data/decode.ts";
import { DataError, type PairFiles } from "../data/index.ts";

/** How many pictures have something that training does not use. */
export interface PictureCounts {
  /** With an alpha channel. */
  readonly alpha?: number;
  /** With 16 bits per sample. */
  readonly deep?: number;
  /** With more than one frame. */
  readonly frames?: number;
}

const remarks: Readonly<Record<keyof PictureCounts, { has(header: Header): boolean; says: string }>> = {
  alpha: {
    has: ({ channels, metadata }) => metadata?.hasAlpha ?? channels % 2 === 0, // CMYK has four channels
    says: "an alpha channel, and are put on white; what is opaque stays as it is",
  },
  deep: { has: ({ depth }) => depth === 16, says: "16 bits per sample, of which the upper 8 are used" },
  frames: { has: ({ frames }) => frames > 1, says: "several frames, of which the first is used" },
};

/** Headers that are read at the same time. */
const atOnce = 8;

/**
 * Reads the headers of all pictures, LR files included. `onMessage` is called with a line for each kind of
 * thing that pictures have and training does not use.
 *
 * @param train pictures to train on: each must have room for a patch.
 * @param others pictures to measure on.
 * @throws DataError that names all pictures to train on which are too small.
 */
export async function survey(
  train: readonly PairFiles[],
  others: readonly PairFiles[],
  { scale, patch }: { readonly scale: number; readonly patch: number },
  onMessage: (line: string) => void,
): Promise<PictureCounts> {
  const pathsOf = (pairs: readonly PairFiles[]) =>
    pairs.flatMap(({ high, low }) => (low === undefined ? [high] : [high, low]));
  const headers = await headersOf([...new Set([...pathsOf(train), ...pathsOf(others)])]);
  const small = train.flatMap(({ high }) => {
    const header = headers.get(high);
    const { width, height } = header ? uprightSize(header) : { width: Infinity, height: Infinity };
    return Math.floor(Math.min(width, height) / scale) < patch ? [`${high} (${width}x${height})`] : [];
  });
  if (small.length > 0) {
    throw new DataError(
      `Too small to train on, as a patch takes ${patch * scale}x${patch * scale} pixels of HR: ` +
        `${listed(small)}. Leave such pictures out, or choose a smaller --patch.`,
    );
  }
  const counts: Record<string, number> = {};
  for (const [name, { has, says }] of Object.entries(remarks)) {
    const paths = [...headers].filter(([, header]) => has(header)).map(([path]) => basename(path));
    if (paths.length === 0) continue;
    counts[name] = paths.length;
    onMessage(`${paths.length} of ${headers.size} picture files have ${says}: ${listed(paths)}`);
  }
  return counts;
}

/** Damaged files are left out: that shows when they are read. */
async function headersOf(paths: readonly string[]): Promise<Map<string, Header>> {
  const headers = new Map<string, Header>();
  let next = 0;
  const read = async () => {
    while (next < paths.length) {
      const path = paths[next++];
      const header = await readHeaderOfFile(path).catch(() => undefined);
      if (header) headers.set(path, header);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, read));
  return new Map(paths.flatMap((path) => (headers.has(path) ? [[path, headers.get(path)!]] : [])));
}

function listed(names: readonly string[]): string {
  return names.slice(0, 5).join(", ") + (names.length > 5 ? ` and ${names.length - 5} more` : "");
}
