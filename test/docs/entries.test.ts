/** The table of what to import, in docs/library.md, has every entry of the package and every network. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { architectureNames } from "../../src/models/index.ts";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const rows = new Map(
  [...read("docs/library.md").matchAll(/^\| `(pixelgrad[\w/]*)` \| (.*) \|/gm)].map(([, entry, text]) => [
    entry,
    text,
  ]),
);

test("it has every entry", () => {
  const { exports } = JSON.parse(read("package.json"));
  expect([...rows.keys()].sort()).toEqual(
    Object.keys(exports)
      .map((entry) => entry.replace(".", "pixelgrad"))
      .sort(),
  );
});

test("it names every network", () => {
  for (const name of architectureNames) expect(rows.get("pixelgrad")).toMatch(new RegExp(`\\b${name}\\b`));
});
