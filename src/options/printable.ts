/** Control characters, marks that change the direction of text, line breaks of Unicode's own, half characters. */
const unprintable = /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/gu;
const short: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * A line of text for a terminal. File names, and texts from inside files, may contain anything: what would
 * move the cursor, change colours, rename the window or begin a line that looks like one of the program's own
 * is replaced by its number, such as \x1b.
 */
export function printable(line: string): string {
  return line.replace(unprintable, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return (
      short[character] ?? (code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`)
    );
  });
}

/** How much of a text out of a file errors print. */
export const EXCERPT_LENGTH = 80;

/** The same for a text that may be long: its beginning. */
export function excerpt(text: string): string {
  return printable(text.length > EXCERPT_LENGTH ? `${text.slice(0, EXCERPT_LENGTH)}…` : text);
}

/** The name of the method that Node's console.log calls to print an object of a class. */
export const inspectHook = Symbol.for("nodejs.util.inspect.custom");

/** Bytes as hexadecimal digits. */
export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
