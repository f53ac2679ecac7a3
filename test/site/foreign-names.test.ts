/** What the page calls files that are no pictures of a browser, in all languages. */
import { expect, test } from "vitest";
import { foreignNames, nameOfForeign } from "../../site/pictures/foreign.ts";
import { loadLanguage } from "../../site/worker-language.ts";
import { foreignPictures } from "../../src/picture/foreign-pictures.ts";

test.each(Object.entries(foreignNames))("every kind has a name in %s, and no other", async (_, load) => {
  expect(Object.keys(await load()).sort()).toEqual([...foreignPictures].sort());
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
