/**
 * axe-core finds nothing in the page that enlarges, and what axe cannot see: heights on a touch screen, and how often
 * the page speaks. lesson.test.ts looks at the lesson.
 */
import { readFile } from "node:fs/promises";
import type { Browser } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { laptop, phone, violations } from "./looks.ts";
import { give, givePicture, giveVideo, startBrowser, status, train, visit, waves } from "./visit.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

test("no violation, on a phone and a laptop", async () => {
  const { page } = await visit(browser, { ...phone, ...laptop });
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
  await train(page, { steps: 5000 });
  await status(page, "train", /^Step \d+ of 5000/);
  expect(await violations(page), "during training").toEqual([]);
  await page.click("#panel-train .primary.stop"); // it is still running
  await status(page, "train", /^\d+ steps? in/);
  expect(await violations(page), "after training").toEqual([]);
});

test("on a touch screen every control of training is 44 pixels high", async () => {
  const { page } = await visit(browser, phone);
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
  const { page } = await visit(browser, phone);
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
  await page.clock.install(); // it goes on, and can be put forward: five seconds of training are much work
  await page.evaluate(() => {
    const spoken: number[] = [];
    Object.assign(window, { spoken });
    new MutationObserver((changes) => {
      if (changes.some(({ target }) => /^Step/.test(target.textContent!))) spoken.push(performance.now());
    }).observe(document.querySelector("#panel-train .task [role=status]")!, { childList: true });
  });
  await train(page, { steps: 2000 });
  await status(page, "train", /^Step ([4-9]|\d{2,}) of 2000/);
  expect(await page.getAttribute("#panel-train progress", "aria-label")).toBe("Progress of the training run");
  await page.clock.fastForward(5000);
  await expect.poll(() => page.evaluate("spoken.length"), { timeout: 60_000 }).toBeGreaterThan(1);
  const spoken = (await page.evaluate("spoken")) as number[];
  for (let i = 1; i < spoken.length; i++) expect(spoken[i] - spoken[i - 1]).toBeGreaterThanOrEqual(5000);
});
