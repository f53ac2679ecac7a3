/**
 * People who prefer reduced motion: on the page that enlarges nothing moves by itself. Others see what moves.
 * lesson.test.ts has the same of the lesson.
 */
import type { Browser } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isStill, moving, positionsDuring } from "./looks.ts";
import { givePicture, startBrowser, status, visit, waves } from "./visit.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

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
});
