/** A GPU that keeps the browser waiting, or that is not there at first: the page does without it until it comes. */
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { givePicture, site, startBrowser, status, waves } from "./visit.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

/** A page whose worker's file has something in front of it. It is not waited for. */
async function visitWith(inFront: string): Promise<{ page: Page; errors: readonly string[] }> {
  const context = await browser.newContext({ serviceWorkers: "block" });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("console", (line) => line.type() === "error" && errors.push(line.text()));
  page.on("pageerror", (error) => errors.push(error.message));
  await page.route("**/worker-*.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: inFront + (await response.text()) });
  });
  return { page, errors };
}

/** The page has its GPU as if from the start. */
async function hasGpu(page: Page): Promise<void> {
  await page.locator("#adapter", { hasText: /\(software, slow\)$/ }).waitFor();
  await page.locator("#panel-upscale [name=method] option[value=wren]").waitFor({ state: "attached" });
  expect(await page.inputValue("#panel-upscale [name=method]")).toBe("automatic");
  expect(await page.isChecked("#panel-upscale [name=quality][value=best]")).toBe(true);
  expect(await page.locator("#panel-upscale details").first().getAttribute("open")).toBeNull();
  expect(await page.locator("#no-webgpu").isVisible()).toBe(false);
  await page.click("#tab-train");
  expect(await page.inputValue("#panel-train [name=start]")).toBe("wren");
  expect(await page.isEnabled("#panel-train .primary")).toBe(true);
  expect(await page.textContent("#panel-train .status")).toBe("");
  await page.click("#tab-upscale");
}

test("while the question for a GPU stops its worker, pictures are read and interpolated", async () => {
  // A request that blocks the thread stands for Chromium's, which waits for its GPU process.
  const { page, errors } = await visitWith(`{
    const { requestAdapter } = GPU.prototype;
    GPU.prototype.requestAdapter = function (...options) {
      const request = new XMLHttpRequest();
      request.open("GET", "busy", false);
      request.send();
      return requestAdapter.apply(this, options);
    };
  }`);
  let release = () => {};
  const isFree = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route("**/busy", async (route) => {
    await isFree;
    await route.fulfill({ body: "" }).catch(() => undefined);
  });
  try {
    await page.goto(site.url);
    await page.locator("#picture-name", { hasText: "Cat" }).waitFor();
    expect(await page.textContent("#adapter")).toBe("Looking for WebGPU…");
    await givePicture(page, "waves.png", waves(40, 30));
    await page.click("#panel-upscale .primary:not(:disabled)");
    await status(page, "upscale", /^Done in/);
    expect(await page.textContent("#panel-upscale .facts")).toContain("bicubic");
    expect(await page.textContent("#adapter")).toBe("Looking for WebGPU…");
  } finally {
    release();
  }
  await hasGpu(page);
  expect(errors).toEqual([]);
});

test("a GPU that is not there at first is found by itself, later", async () => {
  const { page, errors } = await visitWith(`{
    const { requestAdapter } = GPU.prototype;
    GPU.prototype.requestAdapter = async function (...options) {
      return self.isThere ? requestAdapter.apply(this, options) : null;
    };
  }`);
  await page.goto(site.url);
  await page.locator("#no-webgpu").waitFor();
  expect(await page.textContent("#adapter")).toBe("no WebGPU");
  await page.locator("#picture-name", { hasText: "Cat" }).waitFor();
  await page.workers()[0].evaluate("self.isThere = true");
  await hasGpu(page);
  await page.check("[name=quality][value=fast]");
  await page.click("#panel-upscale .primary");
  await status(page, "upscale", /^Done in/);
  expect(errors).toEqual([]);
});
