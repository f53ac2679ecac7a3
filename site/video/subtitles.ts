/** Finds subtitles in a video file: mediabunny, which reads the rest, passes over them. */

/** What is read of a file at once, at most: a description of all frames of a long film is smaller. */
const MOST_BYTES = 2 ** 26;
/** The longest beginning of an element or a box: its id and its size. */
const LONGEST_HEAD = 16;

/** A piece of a file, with others in it or not. */
interface Piece {
  readonly type: string;
  /** Where its content begins and ends. */
  readonly from: number;
  readonly to: number;
}

type HeadReader = (bytes: DataView, at: number, end: number) => Piece | undefined;

/** By the file's format as mediabunny calls it. MPEG-TS is not looked into. */
export async function hasSubtitles(file: Blob, format: string): Promise<boolean> {
  const isMatroska = format === "Matroska" || format === "WebM";
  if (!isMatroska && format !== "MP4" && format !== "QuickTime File Format") return false;
  const tracks = isMatroska
    ? await find(file, readElement, ["18538067", "1654ae6b"], "1f43b675")
    : await find(file, readBox, ["moov"]);
  if (!tracks) return false;
  const bytes = await viewOf(file, tracks.from, Math.min(tracks.to, tracks.from + MOST_BYTES));
  return isMatroska ? hasTrackType(bytes) : hasTextTrack(bytes);
}

/** A piece of the file by the types on the way to it; undefined if there is none before one of the type `last`. */
async function find(
  file: Blob,
  read: HeadReader,
  [wanted, ...inside]: readonly string[],
  last?: string,
  [from, to] = [0, file.size],
): Promise<Piece | undefined> {
  for (let at = from; at < to; ) {
    const piece = read(await viewOf(file, at, at + LONGEST_HEAD), at, to);
    if (!piece || piece.type === last) return undefined;
    if (piece.type === wanted) {
      return inside.length === 0 ? piece : find(file, read, inside, last, [piece.from, piece.to]);
    }
    at = piece.to;
  }
  return undefined;
}

async function viewOf(file: Blob, from: number, to: number): Promise<DataView> {
  return new DataView(await file.slice(from, to).arrayBuffer());
}

/** The pieces in a part of what was read. */
function* piecesIn(bytes: DataView, read: HeadReader, from = 0, to = bytes.byteLength): Generator<Piece> {
  for (let at = from; at < to; ) {
    const head = new DataView(bytes.buffer, at, Math.min(LONGEST_HEAD, bytes.byteLength - at));
    const piece = read(head, at, to);
    if (!piece) return;
    yield piece;
    at = piece.to;
  }
}

// ---- MP4 and MOV

function readBox(head: DataView, at: number, end: number): Piece | undefined {
  if (head.byteLength < 8) return undefined;
  const type = textOf(head, 4);
  const isLong = head.getUint32(0) === 1 && head.byteLength === LONGEST_HEAD;
  const length = isLong ? Number(head.getBigUint64(8)) : head.getUint32(0) || end - at; // 0: to the end
  const from = at + (isLong ? 16 : 8);
  return at + length < from ? undefined : { type, from, to: Math.min(end, at + length) };
}

function textOf(bytes: DataView, at: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => bytes.getUint8(at + i)));
}

/** In `moov`: a track of subtitles, by its handler or, as names of chapters are a track of "text", too, its coding. */
function hasTextTrack(bytes: DataView): boolean {
  const inside = (parent: readonly Piece[], type: string) =>
    parent
      .flatMap(({ from, to }) => [...piecesIn(bytes, readBox, from, to)])
      .filter((piece) => piece.type === type);
  const has = (pieces: readonly Piece[], at: number, types: readonly string[]) =>
    pieces.some(({ from, to }) => to - from >= at + 4 && types.includes(textOf(bytes, from + at)));
  const media = inside(inside([{ type: "moov", from: 0, to: bytes.byteLength }], "trak"), "mdia");
  const codings = inside(inside(inside(media, "minf"), "stbl"), "stsd");
  return (
    has(inside(media, "hdlr"), 8, ["sbtl", "subt", "subp", "clcp"]) || has(codings, 12, ["wvtt", "stpp"])
  );
}

// ---- MKV and WebM

/** `type` is the id, as the specification writes it. */
function readElement(head: DataView, at: number, end: number): Piece | undefined {
  const id = variableLength(head, 0);
  const size = id && variableLength(head, id.length);
  if (!size) return undefined;
  let type = "";
  for (let i = 0; i < id.length; i++) type += head.getUint8(i).toString(16).padStart(2, "0");
  const from = at + id.length + size.length;
  return { type, from, to: size.isUnknown ? end : Math.min(end, from + size.value) };
}

/** A number whose first byte says by its zeros how many follow. All ones: unknown. */
function variableLength(
  bytes: DataView,
  at: number,
): { readonly length: number; readonly value: number; readonly isUnknown: boolean } | undefined {
  if (at >= bytes.byteLength) return undefined;
  const first = bytes.getUint8(at);
  const length = Math.clz32(first) - 23;
  if (length > 8 || at + length > bytes.byteLength) return undefined;
  let value = first & (0xff >> length);
  for (let i = 1; i < length; i++) value = value * 256 + bytes.getUint8(at + i);
  return { length, value, isUnknown: value === 2 ** (7 * length) - 1 };
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
