/** The comparison as fingers, mice and keys use it, on a screen with two pixels for each of CSS; and AVIF. */

import type { Browser, Page } from "playwright";
import { PNG } from "pngjs";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { give, givePicture, startBrowser, status, visit, visitForAll, waves } from "./visit.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

const stage = "#panel-upscale .window";

/** A picture and its enlargement by bicubic interpolation, on show. */
async function enlarged(page: Page): Promise<void> {
  await givePicture(page, "waves.png", waves(300, 200));
  await page.click("[name=quality][value=other]");
  await page.selectOption("#panel-upscale [name=method]", "bicubic");
  await page.click("#panel-upscale .primary");
  await status(page, "upscale", /^Done in/);
}

const zoomOf = async (page: Page) => Number.parseInt(await page.innerText("#panel-upscale output"), 10);

describe("on a screen of two pixels for each of CSS", () => {
  let page: Page;
  beforeAll(async () => {
    ({ page } = await visitForAll(browser, { deviceScaleFactor: 2, hasTouch: true }));
    await enlarged(page);
  });

  test("1:1 shows every pixel of the result as one of the screen", async () => {
    await page.focus("#panel-upscale .divider");
    await page.keyboard.press("Home"); // the result alone
    await page.click("#panel-upscale [data-zoom=actual]");
    expect(await zoomOf(page)).toBe(100);
    await page.locator(stage).blur();
    await page.waitForTimeout(300);
    const screen = PNG.sync.read(await page.screenshot());
    const { wanted, left, top } = await page.evaluate((stage) => {
      const canvas = document.querySelectorAll<HTMLCanvasElement>(`${stage} canvas:not(.detail)`)[1];
      const at = canvas.getBoundingClientRect();
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      return { wanted: [...data], left: Math.round(at.left * 2), top: Math.round(at.top * 2) };
    }, stage);
    expect(wanted.length).toBe(4 * 600 * 400);
    let differences = 0;
    // Away from the captions and the divider.
    for (let y = 100; y < 300; y++) {
      for (let x = 100; x < 500; x++) {
        const there = ((y + top) * screen.width + x + left) * 4;
        for (let c = 0; c < 3; c++)
          if (screen.data[there + c] !== wanted[(y * 600 + x) * 4 + c]) differences++;
      }
    }
    expect(differences).toBe(0);
  });

  test("two fingers zoom, and a double tap goes to 1:1 and back", async () => {
    await page.click("#panel-upscale [data-zoom=fit]");
    const whole = await zoomOf(page);
    const { x, y, width, height } = (await page.locator(stage).boundingBox())!;
    const [cx, cy] = [x + width / 3, y + height / 3];
    const session = await page.context().newCDPSession(page);
    const touch = (type: "touchStart" | "touchMove" | "touchEnd", apart: number) =>
      session.send("Input.dispatchTouchEvent", {
        type,
        touchPoints:
          type === "touchEnd"
            ? []
            : [
                { x: cx - apart, y: cy, id: 0 },
                { x: cx + apart, y: cy, id: 1 },
              ],
      });
    await touch("touchStart", 30);
    for (const apart of [40, 60, 90]) await touch("touchMove", apart);
    await touch("touchEnd", 0);
    expect(await zoomOf(page)).toBeGreaterThan(2 * whole);
    await page.mouse.dblclick(cx, cy);
    expect(await zoomOf(page)).toBe(whole);
    await page.mouse.dblclick(cx, cy);
    expect(await zoomOf(page)).toBe(100);
  });

  test("the wheel zooms where the mouse is, and both pictures together", async () => {
    // So large that it leaves no gap beside it: then nothing moves it back into the middle.
    for (let i = 0; i < 5; i++) await page.click("#panel-upscale [data-zoom=in]");
    const { x, y } = (await page.locator(stage).boundingBox())!;
    await page.mouse.move(x + 200, y + 150);
    const places = () =>
      page.locator(`${stage} canvas:not(.detail)`).evaluateAll((both) =>
        both.map((canvas) => {
          const { left, top, width } = canvas.getBoundingClientRect();
          return { left, top, width };
        }),
      );
    const [before] = await places();
    await page.mouse.wheel(0, -300);
    await expect.poll(async () => (await places())[0].width).toBeGreaterThan(before.width);
    const [left, right] = await places();
    expect(left.left).toBeCloseTo(right.left, 0);
    expect(left.width).toBeCloseTo(right.width, 0);
    const under = (one: { left: number; width: number }) => (x + 200 - one.left) / one.width;
    expect(under(left)).toBeCloseTo(under(before), 2);
  });
});

test("AVIF is read as the browser reads it", async () => {
  const { page } = await visit(browser);
  const avif = await sharp(waves(90, 70)).avif({ quality: 90 }).toBuffer();
  await givePicture(page, "waves.avif", avif);
  expect(await page.innerText("#picture-name")).toBe("waves.avif, 90 × 70");
  expect(await page.getAttribute("#picture-name", "title")).toBe("AVIF");
  await give(page, "damaged.avif", avif.subarray(0, 200));
  await page
    .locator("#message", { hasText: "damaged.avif is AVIF, which this browser cannot read" })
    .waitFor();
});

test("what is no picture of a browser is called what it is", async () => {
  const { page } = await visit(browser);
  await give(page, "film.jpg", Buffer.from("\0\0\0\x20ftypisom", "latin1"));
  await page.locator("#message", { hasText: "film.jpg is a film. Choose a PNG, JPEG, WebP," }).waitFor();
});
