// Tables of figures, for a terminal and for a page. The first column is text, all others are numbers.

export type Row = readonly string[];

/** Columns of equal width, the first one flush left, the others flush right; two spaces between them. */
export function textTable(header: Row, rows: readonly Row[]): string {
  const widths = header.map((_, i) => Math.max(...[header, ...rows].map((row) => row[i].length)));
  const line = (row: Row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join("  ")
      .trimEnd();
  return [header, ...rows].map(line).join("\n");
}

/** The same as Markdown. */
export function markdownTable(header: Row, rows: readonly Row[]): string {
  const line = (row: Row) => `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const rule = `|${header.map((_, i) => (i === 0 ? " --- " : " ---: ")).join("|")}|`;
  return [line(header), rule, ...rows.map(line)].join("\n");
}
