/** Control characters, marks that change the direction of text, and line breaks of Unicode's own. */
const unprintable = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
const short: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * A line of text for a terminal. File names, and texts from inside files, may contain anything: what would
 * move the cursor, change colours, rename the window or begin a line that looks like one of the program's own
 * is replaced by its number, such as \x1b.
 */
export function printable(line: string): string {
  return line.replace(unprintable, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return short[character] ?? (code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, "0")}`);
  });
}
