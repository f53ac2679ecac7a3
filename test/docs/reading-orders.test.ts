import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const source = join(import.meta.dirname, "../../src");
/** Folders whose README says in which order to read the files. */
const folders = [
  "device",
  "tensor",
  "nn",
  "weights",
  "models",
  "formats",
  "files",
  "data",
  "upscale",
  "train",
];

test.each(folders)("the README of src/%s names every file of the folder, and no other", (folder) => {
  const text = readFileSync(join(source, folder, "README.md"), "utf8");
  const named = [...text.matchAll(/\]\(([\w.-]+\.ts)\)/g)].map(([, name]) => name);
  const files = readdirSync(join(source, folder)).filter((name) => /\.ts$/.test(name) && name !== "index.ts");
  expect(files.filter((name) => !named.includes(name))).toEqual([]);
  expect(named.filter((name) => !existsSync(join(source, folder, name)))).toEqual([]);
});
