/** What the page calls files that are no pictures of a browser, in both languages. */
import { expect, test } from "vitest";
import { nameOfForeign } from "../../site/pictures/foreign.ts";
import { foreignGerman } from "../../site/sentences/foreign-german.ts";
import { loadLanguage } from "../../site/worker-language.ts";
import { foreignPictures } from "../../src/picture/foreign-pictures.ts";

test("every kind has a German name, and no other", () => {
  expect(Object.keys(foreignGerman).sort()).toEqual([...foreignPictures].sort());
});

test("by first bytes, or else by name, in the page's language", async () => {
  const pointer = Buffer.from("version https://git-lfs.github.com/spec/v1\n");
  expect(await nameOfForeign(pointer, "x.png")).toBe("a Git LFS pointer, which stands for the file");
  expect(await nameOfForeign(Buffer.alloc(9, 1), "x.psd")).toBe("a Photoshop file");
  expect(await nameOfForeign(Buffer.alloc(9, 1), "x.jpg")).toBeUndefined();
  await loadLanguage("de");
  expect(await nameOfForeign(pointer, "x.png")).toBe("ein Git-LFS-Zeiger, der für die Datei steht");
  expect(await nameOfForeign(Buffer.alloc(9, 1), "x.jpg")).toBeUndefined();
});
