/** A GPU that keeps the browser waiting, or that is not there at first: the page does without it until it comes. */
import { readFile } from "node:fs/promises";
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { give, givePicture, site, startBrowser, status, waves } from "./visit.ts";

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

/** A request that blocks the thread stands for Chromium's, which waits for its GPU process, until `release`. */
async function visitBusy(): Promise<{ page: Page; errors: readonly string[]; release(): void }> {
  const visited = await visitWith(`{
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
  await visited.page.route("**/busy", async (route) => {
    await isFree;
    await route.fulfill({ body: "" }).catch(() => undefined);
  });
  return { ...visited, release };
}

async function giveNetwork(page: Page): Promise<void> {
  await give(page, "mine.safetensors", await readFile("weights/espcn-x2.safetensors"));
}

test("while the question for a GPU stops its worker, pictures are read and interpolated", async () => {
  const { page, errors, release } = await visitBusy();
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

test("a GPU that is busy for long: the page says so, takes no network, and goes on with it whenever it comes", async () => {
  const { page, errors, release } = await visitBusy();
  try {
    await page.clock.install();
    await page.goto(site.url);
    await page.locator("#picture-name", { hasText: "Cat" }).waitFor();
    await page.clock.fastForward(5000); // the page goes on without
    await page.locator("#panel-upscale .primary:not(:disabled)").waitFor();
    await giveNetwork(page);
    for (let n = 0; n < 3; n++) await page.clock.fastForward(5000);
    await page.locator("#message", { hasText: "The GPU is busy; try again in a moment." }).waitFor();
    expect(await page.textContent("#adapter")).toBe("Looking for WebGPU…");
    expect(await page.isVisible("#own-networks li")).toBe(false);
    await page.clock.fastForward(120_000);
    await page.locator("#adapter", { hasText: /^The GPU is busy;/ }).waitFor();
    expect(await page.isVisible("#no-webgpu")).toBe(false);
    expect(await page.textContent("#panel-train .task .status")).toMatch(/^The GPU is busy;/);
    await page.selectOption("#language", "de");
    await page.locator("#adapter", { hasText: /^Die GPU ist belegt;/ }).waitFor();
    expect(await page.textContent("#panel-train .task .status")).toMatch(/^Die GPU ist belegt;/);
    await page.selectOption("#language", "en");
    for (let n = 0; n < 5; n++) await page.clock.fastForward(200_000);
    await page.locator("#adapter", { hasText: /^The GPU is busy;/ }).waitFor();
    // The worker that reads pictures was never stopped.
    await givePicture(page, "waves.png", waves(40, 30));
  } finally {
    release();
  }
  await hasGpu(page);
  await giveNetwork(page);
  await page.locator("#own-networks li").waitFor({ state: "attached" });
  expect(await page.inputValue("#panel-upscale [name=method]")).toMatch(/^own /);
  expect(errors).toEqual([]);
});

test("an interpolation that the visitor chose stays when the GPU comes", async () => {
  const { page, errors } = await visitWith(`{
    const { requestAdapter } = GPU.prototype;
    GPU.prototype.requestAdapter = async function (...options) {
      return self.isThere ? requestAdapter.apply(this, options) : null;
    };
  }`);
  await page.goto(site.url);
  await page.locator("#no-webgpu").waitFor();
  await page.locator("#picture-name", { hasText: "Cat" }).waitFor();
  const method = page.locator("#panel-upscale [name=method]");
  const first = await method.inputValue();
  await page
    .locator("#panel-upscale details")
    .first()
    .evaluate((details: HTMLDetailsElement) => {
      details.open = true;
    });
  for (const choice of ["nearest", first]) await method.selectOption(choice);
  await page.workers()[0].evaluate("self.isThere = true");
  await page.locator("#panel-upscale [name=method] option[value=wren]").waitFor({ state: "attached" });
  expect(await method.inputValue()).toBe(first);
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
