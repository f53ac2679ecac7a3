/**
 * The lesson on kernels: axe-core finds nothing, and for people who prefer reduced motion nothing moves by itself. A
 * software renderer measures for long, so most tests look at the same page, one after the other.
 */
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isStill, laptop, moving, phone, positionsDuring, violations } from "./looks.ts";
import { site, startBrowser } from "./visit.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

async function openLesson(reducedMotion: "reduce" | "no-preference"): Promise<Page> {
  const context = await browser.newContext({ ...phone, ...laptop, reducedMotion });
  const page = await context.newPage();
  await page.goto(`${site.url}kernels/`);
  await page.locator("#run-form [type=submit]:not(:disabled)").waitFor();
  await page.locator("#step-weight-grad-rolling textarea").waitFor({ state: "attached" });
  return page;
}

describe("with reduced motion", () => {
  let page: Page;
  beforeAll(async () => {
    page = await openLesson("reduce");
  });
  afterAll(() => page.close());

  test("the drawings show their end, and are stepped through by hand", async () => {
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

  test("no violation before a run", async () => {
    // What is far below the window has no colours yet, and axe would not look at it.
    await page.evaluate(() => {
      for (const step of document.querySelectorAll<HTMLElement>(".step"))
        step.style.contentVisibility = "visible";
    });
    expect(await violations(page)).toEqual([]);
  });

  test("the measurement and its results are still, and without violation", async () => {
    const positions = await positionsDuring(page, "#run-progress", async () => {
      await page.click("#run-form [type=submit]");
      await page.locator("#results").waitFor({ timeout: 110_000 });
    });
    expect(positions.length).toBeGreaterThan(0);
    expect(positions).not.toContain(-1);
    expect(await moving(page)).toEqual([]);
    expect(await isStill(page)).toBe(true);
    expect(await violations(page)).toEqual([]);
  });

  test("others see the bars of the results grow", async () => {
    await page.emulateMedia({ reducedMotion: "no-preference" });
    expect(await moving(page)).toContain("DIV.bar");
    await page.emulateMedia({ reducedMotion: "reduce" });
  });

  test("the drawn training step goes on only by hand, and is without violation", async () => {
    await page.click("#tab-training");
    const plot = page.locator("#stage-output .plot");
    const step = async () => /after (\d+)/.exec((await plot.getAttribute("aria-label"))!)?.[1];
    await expect.poll(step, { timeout: 30_000 }).toBe("1");
    await page.locator("#stage-weights canvas").first().waitFor();
    expect(await moving(page)).toEqual([]);
    expect(await isStill(page)).toBe(true);
    expect(await violations(page)).toEqual([]);
    await page.click("#train-form [name=single]");
    await expect.poll(step, { timeout: 30_000 }).toBe("2");
    expect(await isStill(page)).toBe(true);
  });
});

test("without, a drawing plays once it is seen", async () => {
  const page = await openLesson("no-preference");
  const drawing = page.locator("#step-1-naive .animation");
  const count = drawing.locator(".count");
  expect(await count.textContent()).toMatch(/^1\/9 /);
  await drawing.scrollIntoViewIfNeeded();
  await count.filter({ hasText: /^3\/9 / }).waitFor();
  expect(await isStill(page)).toBe(false);
});
