/** What has to be loaded before the first picture can be enlarged stays small, and nothing waits in vain. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serve } from "./serve.ts";
import { site, startBrowser, status } from "./visit.ts";

/** Within so many milliseconds a browser asks for all that it has seen that it needs. */
const QUIET = 1000;

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

// A service worker loads what comes later, too.
const newPage = () => browser.newPage({ serviceWorkers: "block" });
const enlarge = (page: Page) => page.locator("#panel-upscale .primary:not(:disabled)");

async function zippedSize(paths: Iterable<string>): Promise<number> {
  const sizes = [...paths].map(async (path) => gzipSync(await readFile(join(site.folder, path))).length);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

test("Enlarge can be pressed, and the sample is there, after two round trips and 106 kB", async () => {
  // The server answers all requests together, once nothing more is asked for. Browsers use six connections
  // with it, as with all that speak HTTP/1.1: more files would be a round more.
  let waiting: { path: string; answer: () => void }[] = [];
  const rounds: string[][] = [];
  const server = await serve(site.folder, (path) => new Promise((answer) => waiting.push({ path, answer })));
  const page = await newPage();
  const inVain: string[] = [];
  page.on("console", (line) => /preload/.test(line.text()) && inVain.push(line.text()));
  try {
    void page.goto(server.url).catch(() => undefined);
    const isReady = () =>
      page
        .evaluate(() => document.querySelector("#picture-name")?.textContent !== "")
        .then(async (isThere) => isThere && (await enlarge(page).isVisible()));
    const settled = async () => {
      for (let count = -1; count !== waiting.length; ) {
        count = waiting.length;
        await wait(QUIET);
      }
    };
    do {
      await settled();
      const round = waiting.splice(0);
      rounds.push(round.map(({ path }) => path));
      for (const { answer } of round) answer();
      await wait(QUIET);
    } while (!(await isReady()) && rounds.length < 9);
    expect(rounds.slice(2)).toEqual([]);
    expect(await zippedSize(rounds.flat())).toBeLessThan(106_000);
    expect(inVain).toEqual([]);
  } finally {
    const late = waiting;
    waiting = [];
    for (const { answer } of late) answer();
    await page.close();
    await server.close();
  }
});

test("the sample is there even if it was cut off on its way", async () => {
  const page = await newPage();
  let count = 0;
  const sample = /assets\/cat-(?!small)[^/]*\.webp$/;
  // The first request is the preload, whose failure the script's own request shares.
  await page.route(sample, (route) => (++count === 1 ? route.abort() : route.continue()));
  await page.goto(site.url);
  await page.locator("#picture-name:not(:empty)").waitFor({ state: "attached" });
  expect(count).toBe(2);
  await page.close();
});

test("nothing can be pressed before its script is there", async () => {
  const page = await browser.newPage({ javaScriptEnabled: false });
  await page.goto(site.url);
  expect(await page.locator(".primary:not(:disabled)").count()).toBe(0);
  await page.close();
});

test("under 158 kB of code until the first picture is enlarged", async () => {
  const page = await newPage();
  const paths = new Set<string>();
  page.on("request", (request) => paths.add(request.url().slice(site.url.length) || "index.html"));
  await page.goto(site.url);
  await page.check("[name=quality][value=fast]");
  await enlarge(page).click();
  await page.locator("#panel-upscale .facts:visible").waitFor();
  const code = [...paths].filter((path) => /\.(js|css|html|svg|webmanifest)$/.test(path));
  expect(code.some((path) => /network-tasks/.test(path))).toBe(true);
  expect(await zippedSize(code)).toBeLessThan(158_000);
  await page.close();
});

test("what is for video loads when its tab is opened, and not before, offline included", async () => {
  const worker = await readFile(join(site.folder, "service-worker.js"), "utf8");
  const files = JSON.parse(/^const FILES=(.*);$/m.exec(worker)![1]) as Record<
    "atOnce" | "whenUsed",
    string[]
  >;
  const forVideo = (paths: readonly string[]) => paths.filter((path) => path.includes("/video-"));
  expect(forVideo(files.atOnce)).toEqual([]);
  expect(forVideo(files.whenUsed).length).toBeGreaterThanOrEqual(4); // the tab, its style, its tasks, its German
  const page = await newPage();
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(site.url);
  await enlarge(page).waitFor();
  expect(forVideo(asked)).toEqual([]);
  await page.click("#tab-video");
  await page.locator("#panel-video .primary").waitFor();
  expect(forVideo(asked).length).toBeGreaterThan(0);
  await page.close();
});

test("a part that does not load when it is needed: it says so, and the next click tries again", async () => {
  const page = await newPage();
  let isBroken = true;
  await page.route(/network-tasks/, (route) => (isBroken ? route.abort() : route.continue()));
  await page.goto(site.url);
  await page.check("[name=quality][value=fast]");
  await enlarge(page).click();
  await status(page, "upscale", /^A file of this page could not be loaded\./);
  isBroken = false;
  await enlarge(page).click();
  await status(page, "upscale", /^Done/);
  await page.close();
});
