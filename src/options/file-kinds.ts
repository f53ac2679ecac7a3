/**
 * Tells what a file is that is not of the kind wanted, by its first bytes or else by its name. The kinds here may
 * come in place of any file; tables of weight files and of pictures go on from them.
 */

import { hexOf } from "./printable.ts";

export interface FileKind {
  /** The first bytes in hexadecimal. */
  readonly bytes?: RegExp;
  /** The first bytes as text; those that are no letters, digits or signs of ASCII are dots. */
  readonly text?: RegExp;
  /** Extensions that tell where the bytes do not. */
  readonly extensions?: RegExp;
  /** As in "this is …". */
  readonly what: string;
  readonly remedy: string;
}

/** How many bytes are looked at. */
export const START_LENGTH = 4096;

/** The first kind whose bytes and text fit a file, or else the first whose extensions fit its name. */
export function kindOf(file: Uint8Array, name: string, kinds: readonly FileKind[]): FileKind | undefined {
  const start = file.subarray(0, START_LENGTH);
  const hexadecimal = hexOf(start);
  const letters = Array.from(start, (byte) => (isPrintable(byte) ? String.fromCharCode(byte) : ".")).join("");
  const fits = ({ bytes, text }: FileKind) =>
    (bytes || text) && (bytes?.test(hexadecimal) ?? true) && (text?.test(letters) ?? true);
  return kinds.find(fits) ?? kinds.find(({ extensions }) => extensions?.test(name));
}

function isPrintable(byte: number): boolean {
  return byte >= 32 && byte < 127;
}

const fetchAgain = "Download the file itself.";

/** What comes in place of a file when a download or a copy went wrong. */
export const standIns: readonly FileKind[] = [
  {
    bytes: /^$/,
    what: "an empty file, such as a full disk or a download that failed leaves",
    remedy: "Save or download it again.",
  },
  {
    text: /^version https:\/\/git-lfs\./,
    what: "a Git LFS pointer, which stands for the file",
    remedy: 'Get the file itself: by "git lfs pull" in its repository, or by its download link.',
  },
  {
    text: /^[.\s]*(?:<!--.*?-->[.\s]*)?<(?:!doctype html|html|head|body|script)\b/i,
    what: "a web page, such as one that asks to log in",
    remedy: fetchAgain,
  },
];

/** What is told after the kinds of a table. */
export const otherFiles: readonly FileKind[] = [
  { text: /^[.\s]*<\?xml/, what: "an XML text, such as a server's answer", remedy: fetchAgain },
  {
    // gzip, 7z, RAR, xz, bzip2, Zstandard, and zip
    bytes: /^(?:1f8b|377abcaf|52617221|fd377a|425a683[1-9]314159|28b52ffd|504b0[35]0[46])/,
    what: "a packed file",
    remedy: "Unpack it, and give the file that is in it.",
  },
  {
    // of Linux, of a Mac and of Windows
    bytes: /^(?:7f454c46|c[ef]faedfe|cafebabe|4d5a..00)/,
    what: "a program",
    remedy: fetchAgain,
  },
  {
    bytes: /^(?:fffe|feff)/,
    what: "a text in UTF-16, such as PowerShell's > makes of any file",
    remedy: "Download it by a browser, or in PowerShell by Invoke-WebRequest with -OutFile.",
  },
];
