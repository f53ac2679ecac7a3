/** axe-core finds nothing, at any size, light and dark; and what it cannot see: how often the page speaks. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { give, givePicture, giveVideo, site, startBrowser, status, train, visit, waves } from "./visit.ts";

let browser: Browser;
let axe: string;
beforeAll(async () => {
  browser = await startBrowser();
  axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
});
afterAll(() => browser.close());

/** Names of the rules that are violated, with the elements. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations } = (await page.evaluate("axe.run()")) as AxeResults;
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

const sizes = {
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
  laptop: { viewport: { width: 1280, height: 720 } },
};

// Rules about sizes see the same in light and dark, and those about colours on every screen.
test.each([
  ["phone", "light"],
  ["laptop", "dark"],
] as const)("no violation: %s, %s", async (size, colorScheme) => {
  const { page } = await visit(browser, { ...sizes[size], colorScheme });
  expect(await violations(page), "Enlarge").toEqual([]);
  await page.click("#tab-video");
  await page.locator("#panel-video .primary").waitFor();
  expect(await violations(page), "Video").toEqual([]);
  await giveVideo(page);
  expect(await violations(page), "with a video").toEqual([]);
  await page.click("#panel-video [name=watch]");
  await page.locator("#panel-video .player .rate:not(:empty)").waitFor();
  expect(await violations(page), "while it plays").toEqual([]);
  await page.click("#panel-video [name=end]");
  await page.click("#tab-upscale");
  await give(page, "text.png", Buffer.from("no picture"));
  await page.locator("#message").waitFor();
  expect(await violations(page), "with a message").toEqual([]);
  await give(page, "mine.safetensors", await readFile("weights/espcn-x2.safetensors"));
  await page.locator("#own-networks li").waitFor({ state: "attached" });
  await givePicture(page, "waves.png", waves(96, 64));
  await train(page, { steps: 8 });
  await status(page, "train", /^Step \d+ of 8/);
  expect(await violations(page), "during training").toEqual([]);
  await status(page, "train", /^8 steps in/);
  expect(await violations(page), "after training").toEqual([]);
});

test.each([
  ["phone", "light", "de-DE"],
  ["laptop", "dark", "en-US"],
] as const)("no violation in the lesson: %s, %s, %s", async (size, colorScheme, locale) => {
  const context = await browser.newContext({ ...sizes[size], colorScheme, locale, reducedMotion: "reduce" });
  const page = await context.newPage();
  await page.goto(`${site.url}kernels/`);
  await page.locator("#step-weight-grad-rolling textarea").waitFor({ state: "attached" });
  // What is far below the window has no colours yet, and axe would not look at it.
  await page.evaluate(() => {
    for (const step of document.querySelectorAll<HTMLElement>(".step"))
      step.style.contentVisibility = "visible";
  });
  expect(await violations(page), "before a run").toEqual([]);
  await page.click("#run-form [type=submit]");
  await page.locator("#results").waitFor({ timeout: 110_000 });
  expect(await violations(page), "with results").toEqual([]);
  await page.click("#tab-training");
  await page.locator("#stage-weights canvas").first().waitFor({ timeout: 60_000 });
  expect(await violations(page), "a training step").toEqual([]);
});

test("on a touch screen every control of training is 44 pixels high", async () => {
  const { page } = await visit(browser, sizes.phone);
  await give(page, "mine.safetensors", await readFile("weights/espcn-x2.safetensors"));
  await page.click("#tab-train");
  await page.selectOption("#panel-train [name=source]", "files");
  const controls = page.locator(
    "[role=tab], #panel-train :is(button, select, .button, .controls input:not([type=file]))",
  );
  const heights = await controls.evaluateAll((elements) =>
    elements.flatMap((element) => {
      const { height } = element.getBoundingClientRect();
      return height === 0 ? [] : [height]; // 0: hidden
    }),
  );
  expect(heights.length).toBeGreaterThan(10);
  expect(Math.min(...heights)).toBeGreaterThanOrEqual(44);
});

test("on a touch screen every control for video is 44 pixels high", async () => {
  const { page } = await visit(browser, sizes.phone);
  await giveVideo(page);
  const heights = async () => {
    const controls = page.locator(
      "#panel-video :is(button, select, .button, .choices label, .tools input):not([hidden])",
    );
    const all = await controls.evaluateAll((elements) =>
      elements.map(
        (element) => [element.outerHTML.slice(0, 60), element.getBoundingClientRect().height] as const,
      ),
    );
    return all.filter(([, height]) => height > 0); // 0: hidden
  };
  const before = await heights();
  expect(before.length).toBeGreaterThan(10);
  await page.click("#panel-video [name=watch]");
  for (const [html, height] of [...before, ...(await heights())])
    expect(height, html).toBeGreaterThanOrEqual(44);
});

test("a screen reader hears of progress every five seconds at most, and progress has a name", async () => {
  const { page } = await visit(browser);
  await givePicture(page, "waves.png", waves(96, 64));
  await page.evaluate(() => {
    const spoken: number[] = [];
    Object.assign(window, { spoken });
    new MutationObserver((changes) => {
      if (changes.some(({ target }) => /^Step/.test(target.textContent!))) spoken.push(performance.now());
    }).observe(document.querySelector("#panel-train .task [role=status]")!, { childList: true });
  });
  await train(page, { steps: 2000 });
  await status(page, "train", /^Step \d+ of 2000/);
  expect(await page.getAttribute("#panel-train progress", "aria-label")).toBe("Progress of the training run");
  await page.waitForTimeout(12_000);
  const spoken = (await page.evaluate("spoken")) as number[];
  expect(spoken.length).toBeGreaterThanOrEqual(1);
  for (let i = 1; i < spoken.length; i++) expect(spoken[i] - spoken[i - 1]).toBeGreaterThanOrEqual(5000);
});
