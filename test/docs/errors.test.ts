/** docs/errors-and-versions.md names every class of errors that an entry exports, with its entry. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as data from "../../src/data/index.ts";
import * as kernel from "../../src/kernel.ts";
import * as library from "../../src/node.ts";
import * as picture from "../../src/picture/index.ts";
import * as train from "../../src/train/index.ts";

const text = readFileSync(new URL("../../docs/errors-and-versions.md", import.meta.url), "utf8");
const rows = new Map(
  [...text.matchAll(/^\| `(\w+)` \| (?:`([^`]+)`|JavaScript)/gm)].map(([, name, entry]) => [name, entry]),
);
const entries: Record<string, object> = {
  pixelgrad: library,
  "pixelgrad/kernel": kernel,
  "pixelgrad/picture": picture,
  "pixelgrad/data": data,
  "pixelgrad/train": train,
};

test("every exported error is in the table", () => {
  const exported = Object.values(entries).flatMap((entry) => Object.keys(entry));
  const errors = new Set(exported.filter((name) => name.endsWith("Error")));
  expect([...errors].filter((name) => !rows.has(name))).toEqual([]);
  expect(errors.size).toBeGreaterThan(4);
});

test("and can be imported from where the table says", () => {
  for (const [name, entry] of rows) {
    if (entry) expect(entries[entry], `${name} from ${entry}`).toHaveProperty(name);
    else expect(globalThis).toHaveProperty(name);
  }
});
