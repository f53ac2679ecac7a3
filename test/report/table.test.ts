import { expect, it } from "vitest";
import { markdownTable, textTable } from "../../src/report/table.ts";

const header = ["method", "dB"];
const rows = [
  ["a", "9.5"],
  ["b|c", "30.25"],
];

it("aligns text at the left and numbers at the right", () => {
  expect(textTable(header, rows)).toBe("method     dB\na         9.5\nb|c     30.25");
  expect(markdownTable(header, rows)).toBe("| method | dB |\n| --- | ---: |\n| a | 9.5 |\n| b\\|c | 30.25 |");
});
