/** People who prefer reduced motion: on both pages nothing moves by itself. Others see what moves. */
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { givePicture, site, startBrowser, status, visit, waves } from "./visit.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

async function openLesson(reducedMotion: "reduce" | "no-preference"): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion });
  const page = await context.newPage();
  await page.goto(`${site.url}kernels/`);
  await page.locator("#run-form [type=submit]:not(:disabled)").waitFor();
  await page.locator("#step-weight-grad-rolling textarea").waitFor({ state: "attached" });
  return page;
}

/** How long something that moves by itself may take to be noticed: two frames of a drawing, in milliseconds. */
const LOOK = 1800;

/** Is the window the same for a while? */
async function isStill(page: Page): Promise<boolean> {
  const before = await page.screenshot({ animations: "allow", caret: "hide" });
  await page.waitForTimeout(LOOK);
  return before.equals(await page.screenshot({ animations: "allow", caret: "hide" }));
}

/** What moves by CSS: running animations, and elements that would move by a transition or scroll smoothly. */
const moving = (page: Page) =>
  page.evaluate(() => {
    const elements = [...document.querySelectorAll("*")].filter((element) => {
      const { transitionDuration, animationDuration, scrollBehavior } = getComputedStyle(element);
      return (
        [transitionDuration, animationDuration].some((time) => time !== "0s") || scrollBehavior === "smooth"
      );
    });
    return [...elements, ...document.getAnimations()].map((one) =>
      one instanceof Element ? `${one.tagName}.${one.className}` : one.constructor.name,
    );
  });

/** The states of a bar while something runs: its share, or -1 while it moves to and fro. */
async function positionsDuring(page: Page, selector: string, run: () => Promise<unknown>): Promise<number[]> {
  const bar = page.locator(selector);
  await bar.evaluate((bar: HTMLProgressElement) => {
    const positions: number[] = [];
    Object.assign(window, { positions });
    new MutationObserver(() => {
      if (!bar.hidden) positions.push(bar.position);
    }).observe(bar, { attributes: true });
  });
  await run();
  return (await page.evaluate("positions")) as number[];
}

describe("with reduced motion", () => {
  test("the page that enlarges is still, and its bar does not move before there is progress", async () => {
    const { page } = await visit(browser, { reducedMotion: "reduce" });
    await givePicture(page, "waves.png", waves(300, 200));
    expect(await moving(page)).toEqual([]);
    expect(await isStill(page)).toBe(true);
    const positions = await positionsDuring(page, "#panel-upscale progress", async () => {
      await page.check("[name=quality][value=fast]");
      await page.click("#panel-upscale .primary");
      await status(page, "upscale", /^Done in/);
    });
    expect(positions.length).toBeGreaterThan(0);
    expect(positions).not.toContain(-1);
    expect(await moving(page)).toEqual([]);
  });

  test("the lesson's drawings show their end, and are stepped through by hand", async () => {
    const page = await openLesson("reduce");
    const drawing = page.locator("#step-1-naive .animation");
    const count = drawing.locator(".count");
    await drawing.scrollIntoViewIfNeeded();
    expect(await count.textContent()).toMatch(/^9\/9 /);
    expect(await isStill(page)).toBe(true);
    await drawing.getByLabel("Previous picture").click();
    expect(await count.textContent()).toMatch(/^8\/9 /);
    expect(await isStill(page)).toBe(true);
    await drawing.getByRole("button", { name: "Play" }).click(); // somebody wants it to move
    await count.filter({ hasText: /^9\/9 / }).waitFor();
  });

  test("the lesson's measurement and its results are still", async () => {
    const page = await openLesson("reduce");
    const positions = await positionsDuring(page, "#run-progress", async () => {
      await page.click("#run-form [type=submit]");
      await page.locator("#results").waitFor({ timeout: 110_000 });
    });
    expect(positions).not.toContain(-1);
    expect(await moving(page)).toEqual([]);
    expect(await isStill(page)).toBe(true);
  });

  test("the drawn training step goes on only by hand", async () => {
    const page = await openLesson("reduce");
    await page.click("#tab-training");
    const plot = page.locator("#stage-output .plot");
    const step = async () => /after (\d+)/.exec((await plot.getAttribute("aria-label"))!)?.[1];
    await expect.poll(step, { timeout: 30_000 }).toBe("1");
    expect(await moving(page)).toEqual([]);
    expect(await isStill(page)).toBe(true);
    await page.click("#train-form [name=single]");
    await expect.poll(step, { timeout: 30_000 }).toBe("2");
    expect(await isStill(page)).toBe(true);
  });
});

describe("without", () => {
  test("the bar of the page that enlarges moves before there is progress", async () => {
    const { page } = await visit(browser, { reducedMotion: "no-preference" });
    await givePicture(page, "waves.png", waves(300, 200));
    const positions = await positionsDuring(page, "#panel-upscale progress", async () => {
      await page.check("[name=quality][value=fast]");
      await page.click("#panel-upscale .primary");
      await status(page, "upscale", /^Done in/);
    });
    expect(positions).toContain(-1);
  });

  test("a drawing of the lesson plays once it is seen, and bars grow", async () => {
    const page = await openLesson("no-preference");
    const drawing = page.locator("#step-1-naive .animation");
    const count = drawing.locator(".count");
    expect(await count.textContent()).toMatch(/^1\/9 /);
    await drawing.scrollIntoViewIfNeeded();
    await count.filter({ hasText: /^3\/9 / }).waitFor();
    expect(await isStill(page)).toBe(false);
    await page.click("#run-form [type=submit]");
    await page.locator("#results").waitFor({ timeout: 110_000 });
    expect(await moving(page)).toContain("DIV.bar");
  });
});
