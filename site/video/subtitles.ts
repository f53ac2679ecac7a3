/** Finds subtitles in a video file: mediabunny, which reads the rest, passes over them. */
import { find, headReaderOf, type Piece, piecesIn, readBox, readElement, textOf, viewOf } from "./pieces.ts";

/** What is read of a file at once, at most: a description of all frames of a long film is smaller. */
const MOST_BYTES = 2 ** 26;

/** By the file's format as mediabunny calls it. MPEG-TS is not looked into. */
export async function hasSubtitles(file: Blob, format: string): Promise<boolean> {
  const read = headReaderOf(format);
  if (!read) return false;
  const isMatroska = read === readElement;
  const tracks = isMatroska
    ? await find(file, readElement, ["18538067", "1654ae6b"], "1f43b675")
    : await find(file, readBox, ["moov"]);
  if (!tracks) return false;
  const bytes = await viewOf(file, tracks.from, Math.min(tracks.to, tracks.from + MOST_BYTES));
  return isMatroska ? hasTrackType(bytes) : hasTextTrack(bytes);
}

/** In `moov`: a track of subtitles, by its handler or, as names of chapters are a track of "text", too, its coding. */
function hasTextTrack(bytes: DataView): boolean {
  const inside = (parent: readonly Pick<Piece, "from" | "to">[], type: string) =>
    parent
      .flatMap(({ from, to }) => [...piecesIn(bytes, readBox, from, to)])
      .filter((piece) => piece.type === type);
  const has = (pieces: readonly Piece[], at: number, types: readonly string[]) =>
    pieces.some(({ from, to }) => to - from >= at + 4 && types.includes(textOf(bytes, from + at)));
  const media = inside(inside([{ from: 0, to: bytes.byteLength }], "trak"), "mdia");
  const codings = inside(inside(inside(media, "minf"), "stbl"), "stsd");
  return (
    has(inside(media, "hdlr"), 8, ["sbtl", "subt", "subp", "clcp"]) || has(codings, 12, ["wvtt", "stpp"])
  );
}

/** In `Tracks`: an entry whose type is 17, subtitles. */
function hasTrackType(bytes: DataView): boolean {
  for (const entry of piecesIn(bytes, readElement)) {
    if (entry.type !== "ae") continue;
    for (const { type, from, to } of piecesIn(bytes, readElement, entry.from, entry.to)) {
      if (type === "83" && to > from && bytes.getUint8(from) === 0x11) return true;
    }
  }
  return false;
}
