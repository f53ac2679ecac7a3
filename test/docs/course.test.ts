/** The course: its programs print what the chapters say, and the chapters show what is in the programs. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { figures } from "../../scripts/docs/figures.ts";
import { defaultDevice } from "../../src/node.ts";
import { root } from "../support/run.ts";

const folder = join(root, "docs/course");
const chapters = readdirSync(folder)
  .filter((file) => /^\d\d-.*\.md$/.test(file))
  .map((file) => file.replace(/\.md$/, ""));
const adapter = process.env.PIXELGRAD_ADAPTER;

beforeAll(() => {
  const [first] = process.env.PIXELGRAD_TEST_ADAPTERS?.split(",") ?? [];
  if (first) process.env.PIXELGRAD_ADAPTER = first;
});
afterAll(() => {
  if (adapter === undefined) delete process.env.PIXELGRAD_ADAPTER;
  else process.env.PIXELGRAD_ADAPTER = adapter;
});

/** The code of a language in a chapter, without the answers to its exercises. */
function blocks(chapter: string, languages: string): string[] {
  const text = readFileSync(join(folder, `${chapter}.md`), "utf8").replaceAll(
    /<details>[\s\S]*?<\/details>/g,
    "",
  );
  return [...text.matchAll(new RegExp(`^\`\`\`(?:${languages})\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(
    ([, code]) => code,
  );
}

/** Lines without their indentation, which a chapter may have reduced. */
const flat = (code: string) =>
  code
    .split("\n")
    .map((line) => line.trim())
    .join("\n");

test("there are ten chapters, each with its program", () => {
  expect(chapters).toHaveLength(10);
  expect(readdirSync(folder).filter((file) => file.endsWith(".ts"))).toEqual(
    chapters.map((name) => `${name}.ts`),
  );
});

test.each(chapters)("%s shows code of its program", (chapter) => {
  const program = flat(readFileSync(join(folder, `${chapter}.ts`), "utf8"));
  const shown = blocks(chapter, "ts|wgsl");
  expect(shown.length).toBeGreaterThan(0);
  // A kernel ends with a backtick in the program; in a chapter it stands by itself.
  for (const code of shown)
    for (const part of flat(code).split("\n\n")) expect(program).toContain(part.trim());
});

/** Numbers that come of a training run differ a little between adapters. */
const tolerance: Readonly<Record<string, number>> = { "10-training-step": 0.02 };

test.each(chapters)("%s prints what the chapter says", { timeout: 300_000 }, async (chapter) => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  try {
    await import(`../../docs/course/${chapter}.ts`);
    const printed = log.mock.calls.map((values) => values.join(" ")).join("\n");
    const expected = blocks(chapter, "text");
    expect(expected.length).toBeGreaterThan(0);
    const numbers = /\d+(?:\.\d+)?/g;
    let from = 0;
    const lines = printed.split("\n");
    for (const text of expected.flatMap((block) => block.trimEnd().split("\n"))) {
      // In the order of the program, though a chapter may leave lines out, or show the first of them last.
      const like = (line: string) =>
        line.trimEnd().replaceAll(numbers, "0") === text.trimEnd().replaceAll(numbers, "0");
      let at = lines.findIndex((line, i) => i >= from && like(line));
      if (at < 0) at = lines.findIndex(like);
      expect(at, `"${text}" in\n${printed}`).toBeGreaterThanOrEqual(0);
      from = at + 1;
      const [got, want] = [lines[at], text].map((line) => (line.match(numbers) ?? []).map(Number));
      for (const [i, number] of want.entries()) {
        expect(Math.abs(got[i] - number), `${lines[at]} instead of ${text}`).toBeLessThanOrEqual(
          (tolerance[chapter] ?? 0) * number,
        );
      }
    }
  } finally {
    log.mockRestore();
    if (chapter > "02") defaultDevice().destroy();
  }
});

test("the figures are those that the script draws, and each is in its chapter", () => {
  expect(Object.keys(figures)).toEqual(chapters.map((chapter) => `${chapter}.svg`));
  for (const [name, svg] of Object.entries(figures)) {
    expect(readFileSync(join(folder, "figures", name), "utf8"), name).toBe(svg);
    expect(readFileSync(join(folder, name.replace(".svg", ".md")), "utf8")).toContain(`](figures/${name})`);
  }
});
