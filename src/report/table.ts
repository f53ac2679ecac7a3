// Tables of figures, for terminals and in Markdown. The first column is text, all others are numbers.
import { printable } from "../options/printable.ts";

export type Row = readonly string[];

/** Plain text: the first column flush left, the others flush right, two spaces between columns. */
export function textTable(header: Row, rows: readonly Row[]): string {
  const lines = [header, ...rows].map((row) => row.map(printable));
  const widths = header.map((_, i) => Math.max(...lines.map((row) => row[i].length)));
  const line = (row: Row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join("  ")
      .trimEnd();
  return lines.map(line).join("\n");
}

/** A Markdown table with the same alignment. */
export function markdownTable(header: Row, rows: readonly Row[]): string {
  const line = (row: Row) => `| ${row.map(markdownText).join(" | ")} |`;
  const rule = `|${header.map((_, i) => (i === 0 ? " --- " : " ---: ")).join("|")}|`;
  return [line(header), rule, ...rows.map(line)].join("\n");
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** A text, such as the name of a file, as Markdown that shows just that: no HTML, links or emphasis. */
export function markdownText(text: string): string {
  return printable(text).replace(/[\\`*_[\]<>&|~$]/g, (character) => entities[character] ?? `\\${character}`);
}
