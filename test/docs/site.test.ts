/** The documentation site: every link leads somewhere, and no operation is missing from its list. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { contents } from "../../scripts/docs/contents.ts";
import { highlight, render } from "../../scripts/docs/markdown.ts";
import { operations, operationsPage } from "../../scripts/docs/operations.ts";
import { makeSite } from "../../scripts/docs/site.ts";
import * as api from "../../src/index.ts";
import { root } from "../support/run.ts";

const { pages, files, broken } = makeSite();

test("every link of every page, and every anchor, is there", () => {
  expect(broken).toEqual([]);
  for (const { entries } of contents) expect(entries.length).toBeGreaterThan(0);
  expect(pages.length).toBeGreaterThan(60);
  expect(new Set(pages.map(({ address }) => address)).size).toBe(pages.length);
  expect(files.get("docs/course/figures/01-tape.svg")).toBe("course/figures/01-tape.svg");
});

test("a link that leads nowhere is found", () => {
  const page = "# A page\n\n[a](no-such.md) [b](reliability.md#no-such-heading) ![c](no-such.png)\n";
  const { broken } = makeSite(new Map([["docs/page.md", page]]), []);
  expect(broken).toEqual([
    "docs/page.md links to no-such.md: there is no docs/no-such.md.",
    "docs/page.md links to no-such.png: there is no docs/no-such.png.",
    "docs/page.md links to reliability.md#no-such-heading: reliability.html has no #no-such-heading.",
  ]);
});

test("addresses are relative, so that the site works anywhere", () => {
  for (const { html, address } of pages.filter(({ source }) => source.endsWith(".md"))) {
    expect(
      [...html.matchAll(/(?:href|src)="(\/[^"]*)"/g)].map(([, href]) => href),
      address,
    ).toEqual([]);
  }
});

test("headings get the anchors of a code host", () => {
  const { title, headings } = render(
    "# A `title`\n\n## What is `it`, then?\n\n## What is it, then?\n",
    (href) => href,
  );
  expect(title).toBe("A title");
  expect(headings.map(({ id }) => id)).toEqual(["what-is-it-then", "what-is-it-then-1"]);
});

test("highlighted code is the code, also where WGSL is within TypeScript", () => {
  const code = readFileSync(join(root, "src/kernels/conv2d/1-naive.wgsl.ts"), "utf8");
  const text = highlight(code, "typescript")
    .join("\n")
    .replaceAll(/<[^>]*>/g, "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
  expect(text).toBe(code);
});

test("docs/operations.md is what `npm run docs:operations` writes", async () => {
  expect(readFileSync(join(root, "docs/operations.md"), "utf8")).toBe(await operationsPage());
});

test("no operation of the package is missing from it", async () => {
  const listed = new Set((await operations()).map(({ name }) => name));
  const index = readFileSync(join(root, "src/index.ts"), "utf8");
  const exported = [...index.matchAll(/export \{([^}]*)\} from "\.\/kernels\//g)]
    .flatMap(([, names]) => names.split(","))
    .map((name) => name.trim())
    .filter((name) => name && !name.startsWith("type "));
  expect(exported.length).toBeGreaterThan(30);
  expect(exported.filter((name) => !listed.has(name))).toEqual([]);
  for (const name of ["relu", "add", "where"]) expect(listed).toContain(name); // by `export *`
  expect([...listed].filter((name) => !(name in api))).toEqual([]);
});
