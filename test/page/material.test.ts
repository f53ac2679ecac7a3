/** Learning from files of one's own: pairs, single pictures, folders. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { pairStem } from "../../site/pictures/pair-stem.ts";
import { png, startBrowser, status, visit, waves } from "./visit.ts";

let browser: Browser;
let folder: string;
beforeAll(async () => {
  browser = await startBrowser();
  folder = await mkdtemp(join(tmpdir(), "pixelgrad-pairs-"));
  await mkdir(join(folder, "low"));
  await mkdir(join(folder, "high"));
  for (const name of ["a.png", "b.png"]) {
    await writeFile(join(folder, "low", name), waves(40, 30, { step: 2 }));
    await writeFile(join(folder, "high", name), waves(80, 60));
  }
  await writeFile(join(folder, "alone.png"), waves(64, 50));
  await writeFile(join(folder, "damaged.png"), "no picture");
  await writeFile(
    join(folder, "grey.pam"),
    Buffer.concat([Buffer.from("P5 40 30 255\n"), Buffer.alloc(1200, 99)]),
  );
  await writeFile(join(folder, "notes.txt"), "no picture either");
});
afterAll(async () => {
  await browser.close();
  await rm(folder, { recursive: true });
});

async function learnFromFiles(page: Page): Promise<void> {
  await page.click("#tab-train");
  await page.selectOption("#panel-train [name=start]", "espcn");
  await page.selectOption("#panel-train [name=source]", "files");
  await page.fill("#panel-train [name=steps]", "3");
}

const notes = (page: Page) => page.textContent("#panel-train .notes");
const count = (page: Page) => page.textContent("#panel-train .count");

test("a folder: its pairs, its single pictures, and what was left out", async () => {
  const { page } = await visit(browser);
  await learnFromFiles(page);
  await page.setInputFiles("#panel-train input[webkitdirectory]", folder);
  expect(await count(page)).toBe("7 files"); // the text is none
  await page.click("#panel-train .primary");
  await status(page, "train", /^3 steps in/);
  expect(await notes(page)).toMatch(
    /^Learns from 2 pairs and 1 single picture\. Left out.*: damaged\.png, grey\.pam\./,
  );
});

test("files: pairs of another scale are not taken for single pictures", async () => {
  const { page } = await visit(browser);
  await learnFromFiles(page);
  await page.selectOption("#panel-train [name=scale]", "4");
  await page.setInputFiles("#panel-train .pickers input:not([webkitdirectory])", [
    { name: "photo.png", mimeType: "image/png", buffer: waves(80, 60) },
    { name: "photo_x2.png", mimeType: "image/png", buffer: waves(40, 30, { step: 2 }) },
  ]);
  await page.click("#panel-train .primary");
  await status(page, "train", /^These are pairs for ×2, and ×4 is chosen\. Choose ×2\.$/);
  await page.selectOption("#panel-train [name=scale]", "2");
  await page.click("#panel-train .primary");
  await status(page, "train", /^3 steps in/);
  expect(await notes(page)).toMatch(/^Learns from 1 pair\./);
});

test("a pair's low picture is what the network sees", async () => {
  const { page } = await visit(browser);
  await learnFromFiles(page);
  // Its own small version would be restored far better than a dark one is.
  await page.setInputFiles("#panel-train .pickers input:not([webkitdirectory])", [
    { name: "high.png", mimeType: "image/png", buffer: waves(80, 60) },
    { name: "low.png", mimeType: "image/png", buffer: waves(40, 30, { step: 2, light: 0.3 }) },
  ]);
  await page.click("#panel-train .primary");
  await status(page, "train", /^3 steps in/);
  const [bicubic] = await page.locator("#panel-train .facts dd").allTextContents();
  expect(Number.parseFloat(bicubic)).toBeLessThan(15);
});

test("pictures of one name in two folders that show something else are no pair", async () => {
  const camera = await mkdtemp(join(tmpdir(), "pixelgrad-camera-"));
  for (const [part, [width, height]] of [
    ["one", [128, 96]],
    ["two", [64, 48]],
  ] as const) {
    await mkdir(join(camera, part));
    const shown =
      width === 128 ? waves(width, height) : png(width, height, (x, y, c) => (c === 3 ? 255 : (x * y) % 256));
    await writeFile(join(camera, part, "IMG_1.png"), shown);
  }
  onTestFinished(() => rm(camera, { recursive: true }));
  const { page } = await visit(browser);
  await learnFromFiles(page);
  await page.setInputFiles("#panel-train input[webkitdirectory]", camera);
  await page.click("#panel-train .primary");
  await status(page, "train", /^3 steps in/);
  expect(await notes(page)).toMatch(/^Learns from 2 single pictures\./);
});

test("without files, it asks for some", async () => {
  const { page } = await visit(browser);
  await learnFromFiles(page);
  await page.click("#panel-train .primary");
  await status(page, "train", /^Choose the files to learn from first\.$/);
});

test.each([
  ["photo.png", "photo"],
  ["photo_x2.png", "photo"],
  ["photox4m.png", "photo"],
  ["photo_LRBI_x2.PNG", "photo"],
  ["photo-HR.jpg", "photo"],
  ["photo_SRF_2_LR.png", "photo"],
  ["photo_SRF_2_HR.png", "photo"],
  ["photo_bicLRx2.png", "photo"],
  ["x2_lowres_photo.png", "photo"],
  ["low_tide.png", "low_tide"], // in front, "low" is a word of the name
  ["low.png", ""],
  ["yellow.png", "yellow"], // ends in "low", which is no word of its own
  ["a.b_high.tif", "a.b"],
])("%s belongs to the pair %s", (name, stem) => {
  expect(pairStem(name)).toBe(stem);
});
