/** What video files consist of: boxes of MP4 and MOV, elements of MKV and WebM, each with a type and a length. */

/** The longest beginning of an element or a box: its id and its size. */
const LONGEST_HEAD = 16;

/** A piece of a file, with others in it or not. */
export interface Piece {
  readonly type: string;
  /** Where its content begins and ends. */
  readonly from: number;
  readonly to: number;
  /** It should be longer than what holds it. */
  readonly isCutOff: boolean;
}

export type HeadReader = (bytes: DataView, at: number, end: number) => Piece | undefined;

/** How the pieces of a file of that format begin, as mediabunny calls it; undefined for others, such as MPEG-TS. */
export function headReaderOf(format: string): HeadReader | undefined {
  if (format === "Matroska" || format === "WebM") return readElement;
  return format === "MP4" || format === "QuickTime File Format" ? readBox : undefined;
}

/** Frames lie in these: in boxes of MP4 and MOV, in the one element of MKV and WebM. */
const withFrames = ["mdat", "18538067"];

/** Whether a file ends before its frames do: it was not downloaded or copied whole. */
export async function endIsMissing(file: Blob, format: string): Promise<boolean> {
  const read = headReaderOf(format);
  for (let at = 0; read && at < file.size; ) {
    const piece = read(await viewOf(file, at, at + LONGEST_HEAD), at, file.size);
    if (!piece) return false;
    if (piece.isCutOff && withFrames.includes(piece.type)) return true;
    at = piece.to;
  }
  return false;
}

/** A piece of the file by the types on the way to it; undefined if there is none before one of the type `last`. */
export async function find(
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

export async function viewOf(file: Blob, from: number, to: number): Promise<DataView> {
  return new DataView(await file.slice(from, to).arrayBuffer());
}

/** The pieces in a part of what was read. */
export function* piecesIn(
  bytes: DataView,
  read: HeadReader,
  from = 0,
  to = bytes.byteLength,
): Generator<Piece> {
  for (let at = from; at < to; ) {
    const head = new DataView(bytes.buffer, at, Math.min(LONGEST_HEAD, bytes.byteLength - at));
    const piece = read(head, at, to);
    if (!piece) return;
    yield piece;
    at = piece.to;
  }
}

function pieceOf(type: string, from: number, to: number, end: number): Piece {
  return { type, from, to: Math.min(end, to), isCutOff: to > end };
}

export function readBox(head: DataView, at: number, end: number): Piece | undefined {
  if (head.byteLength < 8) return undefined;
  const type = textOf(head, 4);
  const isLong = head.getUint32(0) === 1 && head.byteLength === LONGEST_HEAD;
  const length = isLong ? Number(head.getBigUint64(8)) : head.getUint32(0) || end - at; // 0: to the end
  const from = at + (isLong ? 16 : 8);
  return at + length < from ? undefined : pieceOf(type, from, at + length, end);
}

export function textOf(bytes: DataView, at: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => bytes.getUint8(at + i)));
}

/** `type` is the id, as the specification writes it. */
export function readElement(head: DataView, at: number, end: number): Piece | undefined {
  const id = variableLength(head, 0);
  const size = id && variableLength(head, id.length);
  if (!size) return undefined;
  let type = "";
  for (let i = 0; i < id.length; i++) type += head.getUint8(i).toString(16).padStart(2, "0");
  const from = at + id.length + size.length;
  return pieceOf(type, from, size.isUnknown ? end : from + size.value, end);
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
