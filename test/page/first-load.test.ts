/** What has to be loaded before the first picture can be enlarged stays small. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { ready, site, startBrowser } from "./visit.ts";

test("under 150 kB of code until Enlarge can be pressed, and no weights", async () => {
  const browser = await startBrowser();
  try {
    // A service worker loads what comes later, too.
    const page = await browser.newPage({ serviceWorkers: "block" });
    const paths = new Set<string>();
    page.on("request", (request) => paths.add(request.url().slice(site.url.length) || "index.html"));
    await page.goto(site.url);
    await ready(page);
    await page.locator("#panel-upscale .primary:not(:disabled)").waitFor();
    const code = [...paths].filter((path) => /\.(js|css|html|svg|webmanifest)$/.test(path));
    expect(code.some((path) => /worker/.test(path))).toBe(true);
    expect([...paths].filter((path) => /safetensors/.test(path))).toEqual([]);
    const sizes = await Promise.all(
      code.map(async (path) => gzipSync(await readFile(join(site.folder, path))).length),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(150_000);
  } finally {
    await browser.close();
  }
});
