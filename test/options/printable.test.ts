import { expect, test } from "vitest";
import { printable } from "../../src/options/printable.ts";
import { Progress } from "../../src/report/progress.ts";
import { markdownTable, markdownText, textTable } from "../../src/report/table.ts";

const hostile = "a\x1b[31mred\x1b]0;title\x07\r\n\u202egnp\u009b2J\u2028.png";
const tamed = "a\\x1b[31mred\\x1b]0;title\\x07\\r\\n\\u202egnp\\x9b2J\\u2028.png";

test("what could move the cursor, colour, rename or reorder is replaced; all else stays", () => {
  expect(printable(hostile)).toBe(tamed);
  expect(printable("a\u061cb\u200ec\u200fd\u2066e")).toBe("a\\u061cb\\u200ec\\u200fd\\u2066e");
  const harmless = "Étude 長 😀 e\u0301 «ريم» C:\\scans\\a.png";
  expect(printable(harmless)).toBe(harmless);
});

test("so it is in tables and above a bar of progress", () => {
  expect(textTable(["name", "dB"], [[hostile, "1"]])).toContain(tamed);
  let written = "";
  const stream = { write: (text: string) => (written += text), isTTY: false };
  new Progress({ total: 2, stream }).log(hostile);
  expect(written).toBe(`${tamed}\n`);
});

test("a name is no Markdown and no HTML", () => {
  const name = "<img src=x onerror=alert(1)>|*b*_i_`c`[l](x)![i](y)&amp;~~s~~$x$.png";
  const text = markdownText(name);
  expect(text).not.toMatch(/[<>]|&(?!lt;|gt;|amp;)/);
  expect(text).not.toMatch(/(?<!\\)[|*_`[\]~$]/);
  // Without the escapes it is the name again.
  const entities: Record<string, string> = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };
  const shown = text.replace(/\\([|*_`[\]~$])|&\w+;/g, (all, own) => own ?? entities[all]);
  expect(shown).toBe(name);
  expect(markdownTable(["name", "dB"], [[hostile, "1"]]).split("\n")).toHaveLength(3);
});
