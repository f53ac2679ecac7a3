import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import * as data from "../../src/data/index.ts";
import { findPictures } from "../../src/evaluate/index.ts";
import { readCheckpoint, resume } from "../../src/train/index.ts";
import { noise, temporaryFolder } from "../data/support.ts";

const folder = temporaryFolder();
const home = join(folder, "häuser 100%"); // which URLs write otherwise
mkdirSync(home);
const picture = join(home, "a.png");

describe.each([
  ["URL", (path: string) => pathToFileURL(path)],
  ["text of a URL", (path: string) => pathToFileURL(path).href],
])("a file's %s is taken as its path is", (_, urlOf) => {
  test("pictures", async () => {
    await data.writePng(urlOf(picture), noise(8, 8, 3));
    expect(await data.readImage(urlOf(picture))).toEqual(noise(8, 8, 3));
    await data.writeWhole(urlOf(join(home, "a.txt")), "text");
  });

  test("folders", async () => {
    await data.writePng(picture, noise(8, 8, 3));
    expect(data.picturesIn(urlOf(home)).pictures).toEqual([picture]);
    for (const given of [urlOf(home), [urlOf(picture)]]) {
      expect(data.openFolder(given, { scale: 2 }).files).toEqual([{ name: "a", high: picture }]);
    }
    expect(findPictures(urlOf(home), { scale: 2 })).toEqual([{ name: "a", high: picture }]);
    const options = { scale: 1, lowFolder: urlOf(home), onFailure: () => {} };
    expect(() => findPictures(urlOf(home), options)).toThrow(
      `in ${home} has a small version of its own in ${home}`,
    );
  });

  test("folders that lack something", async () => {
    const missing = `${join(home, "DIV2K_train_HR")}: there is no such folder`;
    expect(() => data.openDiv2k(urlOf(home), { split: "train", scale: 2 })).toThrow(missing);
    const nothing = `${home}: there is no training to resume`;
    expect(() => readCheckpoint(urlOf(home))).toThrow(nothing);
    await expect(resume(urlOf(home))).rejects.toThrow(nothing);
  });
});

test("URLs of no files are refused by what they are", async () => {
  const url = new URL("https://example.org/a.png");
  const message = /"https:\/\/example\.org\/a\.png" is the URL of no file .* Fetch it first/;
  await expect(data.readImage(url)).rejects.toThrow(message);
  expect(() => data.picturesIn(url)).toThrow(message);
});
