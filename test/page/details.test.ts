/** Small things over which people stumble: what is hidden, below the fold, unsaid, or said wrongly. */
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { give, givePicture, site, startBrowser, status, train, visit, waves } from "./visit.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

const boxOf = (page: Page, selector: string) =>
  page
    .locator(selector)
    .first()
    .evaluate((element) => {
      const { left, top, right, bottom, width, height } = element.getBoundingClientRect();
      return { left, top, right, bottom, width, height };
    });

const marked = (page: Page) =>
  page.locator(".samples button").evaluateAll((buttons) => buttons.map((button) => button.ariaPressed));

test("results of pictures that are tiny: the grip hides a quarter at most, and zooming goes on from there", async () => {
  const { page } = await visit(browser);
  await page.check("[name=quality][value=fast]");
  const sizes: [number, number][] = [
    [1, 1],
    [2, 1],
    [8, 8],
    [24, 18],
  ];
  for (const size of sizes) {
    await givePicture(page, `${size}.png`, waves(...size));
    await page.click("#panel-upscale .primary");
    await status(page, "upscale", /^Done/);
    const shown = await boxOf(page, "#panel-upscale .layer canvas");
    const grip = await boxOf(page, "#panel-upscale .grip");
    const window = await boxOf(page, "#panel-upscale .window");
    expect(grip.width * grip.height, `${size}`).toBeLessThan((shown.width * shown.height) / 4);
    expect(Math.max(shown.width / window.width, shown.height / window.height)).toBeLessThanOrEqual(0.51);
    await page.click("#panel-upscale [data-zoom=in]");
    const larger = await boxOf(page, "#panel-upscale .layer canvas");
    expect(larger.width, `${size}`).toBeGreaterThanOrEqual(shown.width);
    await page.click("#panel-upscale [data-zoom=out]");
    await page.click("#panel-upscale [data-zoom=out]");
    expect((await boxOf(page, "#panel-upscale .layer canvas")).width, `${size}`).toBeLessThan(shown.width);
  }
});

test("a picture that is not tiny is fitted as ever: four times as large at most", async () => {
  const { page } = await visit(browser);
  await givePicture(page, "small.png", waves(100, 80));
  await expect.poll(async () => (await boxOf(page, "#panel-upscale .layer canvas")).width).toBe(400);
  expect(await page.textContent("#panel-upscale .tools output")).toBe("400 %");
});

test("a stage without a picture has no zoom", async () => {
  const page = await browser.newPage();
  await page.route("**/*.webp", (route) => route.abort());
  await page.goto(site.url);
  await page.locator("#message", { hasText: "could not be loaded" }).waitFor();
  expect(await page.textContent("#panel-upscale .tools output")).toBe("");
  await page.close();
});

test("one step is one step", async () => {
  const { page } = await visit(browser);
  await train(page, { steps: 1 });
  await status(page, "train", /^1 step in \d/);
  expect(await page.getAttribute("#panel-train .plot", "aria-label")).toMatch(/^Loss after 1 step: /);
  await page.goto(`${site.url}kernels/#training`);
  const plot = page.locator("#stage-output .plot");
  await expect
    .poll(() => plot.getAttribute("aria-label"), { timeout: 60_000 })
    .toMatch(/^Loss after 1 step: /);
});

test("after a bad file, the sample that is still on show is still marked", async () => {
  const { page } = await visit(browser);
  const before = await marked(page);
  expect(before).toContain("true");
  await give(page, "text.png", Buffer.from("no picture"));
  await page.locator("#message", { hasText: "text.png" }).waitFor();
  expect(await page.textContent("#picture-name")).toMatch(/^Cat/);
  await expect.poll(() => marked(page)).toEqual(before);
  await givePicture(page, "waves.png", waves(40, 30));
  expect(await marked(page)).not.toContain("true");
});

test("who drops a link or text is told that it was no file", async () => {
  const { page } = await visit(browser);
  const dropped = () =>
    page.evaluate(() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.setData("text/uri-list", "https://example.org/picture.png");
      for (const type of ["dragover", "drop"])
        document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
      return document.body.classList.contains("dropping");
    });
  expect(await dropped()).toBe(false);
  await page.locator("#message", { hasText: "That was no file." }).waitFor();
});

test("on a laptop, what to do with a trained network is seen without scrolling", async () => {
  const { page } = await visit(browser);
  await train(page, { start: "", steps: 40 }); // on the sample, where a new network gains at once
  await status(page, "train", /^40 steps in/);
  await page.locator("#panel-train .result").waitFor();
  const { bottom } = await boxOf(page, "#panel-train .result");
  expect(await page.evaluate("scrollY")).toBe(0);
  expect(bottom).toBeLessThanOrEqual(720);
  expect(await page.inputValue("#panel-train [name=start]")).toBe(""); // what was chosen stays chosen
});

test("on a phone, the picture's name and size are seen", async () => {
  const { page } = await visit(browser, phone);
  await givePicture(page, "waves.png", waves(96, 64));
  const name = page.locator("#picture-name");
  expect(await name.isVisible()).toBe(true);
  expect(await name.textContent()).toBe("waves.png, 96 × 64");
  const { left, right } = await boxOf(page, "#picture-name");
  expect([left >= 0, right <= 390]).toEqual([true, true]);
});

describe("on a touch screen every button and list is 44 pixels high", () => {
  const heights = (page: Page) =>
    page.locator("button:visible, select:visible, .button:visible, [role=tab]:visible").evaluateAll((all) =>
      all
        // A link among words, or what has no size of its own.
        .map((element) => [element.outerHTML.slice(0, 90), element.getBoundingClientRect().height] as const)
        .filter(([, height]) => height < 44),
    );

  test("where pictures are enlarged", async () => {
    const { page } = await visit(browser, phone);
    await page.check("[name=quality][value=fast]");
    await givePicture(page, "waves.png", waves(96, 64));
    await page.click("#panel-upscale .primary");
    await status(page, "upscale", /^Done/);
    expect(await heights(page)).toEqual([]);
  });

  test("in the lesson", async () => {
    const context = await browser.newContext(phone);
    const page = await context.newPage();
    await page.goto(`${site.url}kernels/`);
    await page.locator("#step-weight-grad-rolling .editor").waitFor({ state: "attached" });
    expect(await heights(page)).toEqual([]);
    await page.click("#tab-training");
    expect(await heights(page)).toEqual([]);
  });
});

test("both pages have a licence or a way home, an icon, and what previews of links show", async () => {
  const { page } = await visit(browser);
  expect(await page.getAttribute("footer [href='./LICENSE.txt']", "href")).toBe("./LICENSE.txt");
  expect(await page.textContent("footer")).toMatch(/public domain/);
  for (const path of ["", "kernels/"]) {
    await page.goto(site.url + path);
    const icon = await page.getAttribute("link[rel=icon]", "href");
    expect((await page.request.get(new URL(icon!, page.url()).href)).status(), path).toBe(200);
    expect(await page.getAttribute("meta[property='og:title']", "content"), path).toBeTruthy();
    expect(await page.getAttribute("meta[property='og:description']", "content"), path).toBeTruthy();
  }
  expect(await page.getAttribute(".home a", "href")).toBe("../");
});
