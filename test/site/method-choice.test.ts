/**
 * The questions of method-choice.ts stand in two files: in index.html, so that they are there before a script runs, and
 * in video-panel.html. What is the same of them stays the same.
 */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";

/** The lines of the questions, but for what is another one for video: the largest scale, limits, defaults, hints. */
async function linesOf(path: string): Promise<string[]> {
  const html = await readFile(new URL(path, import.meta.url), "utf8");
  const begin = html.indexOf("<fieldset>");
  const end = html.indexOf("</details>", html.indexOf('<details class="methods">'));
  const lines = html.slice(begin, end).split("\n");
  return lines
    .map((line) => line.trim().replaceAll(/ (?:(?:min|max)="\d+"|checked)/g, ""))
    .filter((line) => !/value="8"|data-text="(?:methodHint|moreNetworks|videoMethodHint)"/.test(line));
}

test("pictures and videos are asked the same questions", async () => {
  const lines = await linesOf("../../site/index.html");
  expect(lines.length).toBeGreaterThan(30);
  expect(await linesOf("../../site/video/video-panel.html")).toEqual(lines);
});
