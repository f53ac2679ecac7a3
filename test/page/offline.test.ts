/** The page without a network, as a file, and under its policy. */
import { appendFile, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ready, site, startBrowser, status, train, visit } from "./visit.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

/** Addresses that the service worker has kept, below the page's folder. */
const kept = (page: Page) =>
  page.evaluate(async () => {
    const cache = await caches.open("pixelgrad page");
    return (await cache.keys()).map(({ url }) => url.slice(new URL("./", location.href).href.length));
  });

test("without a network it starts, and has the networks that were used", async () => {
  const { page, errors } = await visit(browser);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  await train(page, { steps: 2 }); // loads espcn for scale 2
  await status(page, "train", /^2 steps in/);
  await expect.poll(async () => (await kept(page)).join(" "), { timeout: 20_000 }).toMatch(/espcn-x2/);
  await expect.poll(async () => (await kept(page)).join(" "), { timeout: 20_000 }).toMatch(/cat-/);
  await page.context().setOffline(true);
  await page.reload();
  await ready(page);
  expect(await page.textContent("#picture-name")).toMatch(/^Cat/);
  await train(page, { steps: 2 });
  await status(page, "train", /^2 steps in/);
  await page.click("footer [href='./kernels/']");
  await page.locator("h1", { hasText: "How a convolution gets fast" }).waitFor();
  expect(errors.filter((error) => !/ERR_INTERNET_DISCONNECTED/.test(error))).toEqual([]);
});

test("with its storage full, it still loads what it needs", async () => {
  const { page } = await visit(browser);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  await expect.poll(async () => (await kept(page)).join(" "), { timeout: 20_000 }).toMatch(/cat-/);
  const { usage = 0 } = await page.evaluate(() => navigator.storage.estimate());
  const client = await page.context().newCDPSession(page);
  const origin = new URL(site.url).origin;
  await client.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: usage + 1000 });
  await page.reload();
  await ready(page);
  await train(page, { steps: 2 });
  await status(page, "train", /^2 steps in/);
  expect((await kept(page)).join(" ")).not.toMatch(/espcn-x2/);
});

test("it can be installed: a manifest with icons that exist, and a service worker", async () => {
  const files = await readdir(site.folder);
  const manifest = JSON.parse(await readFile(join(site.folder, "manifest.webmanifest"), "utf8")) as {
    start_url: string;
    icons: { src: string; sizes: string; purpose?: string }[];
  };
  expect(manifest.start_url).toBe("./");
  for (const { src } of manifest.icons) expect(files).toContain(src);
  expect(manifest.icons.map(({ sizes }) => sizes)).toEqual(expect.arrayContaining(["192x192", "512x512"]));
  expect(manifest.icons.some(({ purpose }) => purpose === "maskable")).toBe(true);
  expect(files).toEqual(expect.arrayContaining(["service-worker.js", "LICENSE.txt", "preview.jpg"]));
});

test("an update takes effect with the next load, and files of the version before are forgotten", async () => {
  const { page } = await visit(browser);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  await page.evaluate(async () => {
    const cache = await caches.open("pixelgrad page");
    await cache.put("./assets/old-1234.js", new Response("old"));
    await cache.put("./", new Response("<title>old</title>", { headers: { "content-type": "text/html" } }));
  });
  await page.reload();
  await ready(page);
  expect(await page.title()).toBe("pixelgrad: larger pictures"); // what the network has, not what was kept
  // A service worker with other contents is another version.
  await appendFile(join(site.folder, "service-worker.js"), "// another version\n");
  await page.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()));
  await expect.poll(async () => (await kept(page)).join(" "), { timeout: 20_000 }).not.toMatch(/old-1234/);
  expect(await kept(page)).toContain("");
});

test("opened as a file, or without JavaScript, it says what to do", async () => {
  const context = await browser.newContext();
  const asFile = await context.newPage();
  await asFile.goto(pathToFileURL(join(site.folder, "index.html")).href);
  await asFile.locator("#not-started", { hasText: "npx serve" }).waitFor();
  expect(await asFile.evaluate(() => getComputedStyle(document.querySelector(".box")!).borderLeftWidth)).toBe(
    "5px",
  );
  const without = await browser.newContext({ javaScriptEnabled: false });
  const page = await without.newPage();
  await page.goto(site.url);
  await page.locator("#not-started", { hasText: "JavaScript" }).waitFor();
});

test.each(["", "kernels/"])(
  "the policy of /%s forbids all from elsewhere, and nothing breaks it",
  async (path) => {
    const { page, errors } = await visit(browser);
    await page.goto(new URL(path, site.url).href);
    await page.locator("#adapter", { hasText: /llvmpipe|SwiftShader/i }).waitFor();
    const policy = await page.getAttribute("meta[http-equiv]", "content");
    expect(policy).toMatch(/^default-src 'none'; script-src 'self';/);
    expect(policy).not.toMatch(/unsafe|http|\*/);
    const refused = await page.evaluate(() =>
      fetch("https://example.org/").catch((error: Error) => error.name),
    );
    expect(refused).toBe("TypeError");
    expect(errors.filter((error) => !error.includes("example.org"))).toEqual([]);
  },
);
