/** A graphics device that goes away during training, and a run that is stopped. */
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { GRACE } from "../../site/fine-tune.ts";
import { givePicture, giveVideo, ready, site, startBrowser, status, train, visit, waves } from "./visit.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

/**
 * In front of the worker's script, and of others whose names begin so: notes the devices that it opens, so that a test
 * can destroy them.
 */
const noteDevices = `
  if (self.devices === undefined) {
    self.devices = 0;
    const request = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (...options) {
      self.devices++;
      self.openedDevice = await request.apply(this, options);
      return self.openedDevice;
    };
  }
`;

async function visitWithDevices(): Promise<{ page: Page; lose(): Promise<void> }> {
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.route("**/worker-*.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: noteDevices + (await response.text()) });
  });
  await page.goto(site.url);
  await ready(page);
  const lose = () => page.workers()[0].evaluate("self.openedDevice.destroy()") as Promise<void>;
  return { page, lose };
}

test("a device that is lost in the middle of training, or after it: it goes on on a new one from the last kept step, and begins at the next click", async () => {
  const { page, lose } = await visitWithDevices();
  await givePicture(page, "waves.png", waves(96, 64));
  await train(page, { steps: 12 });
  await status(page, "train", /^Step [3-9] of 12/);
  await lose();
  await page
    .locator("#panel-train .notes", {
      hasText: /^The graphics device was lost\. Training goes on from step \d+/,
    })
    .waitFor();
  await status(page, "train", /^12 steps in/);
  const points = (await page.getAttribute("#panel-train .mean", "points"))!.split(" ");
  expect(points.length).toBe(12);

  await lose();
  await train(page, { steps: 3 });
  await status(page, "train", /^3 steps in/);
});

test("a device that is lost in the middle of eight pictures: all are enlarged", async () => {
  const { page, lose } = await visitWithDevices();
  await page.check("[name=quality][value=fast]");
  const files = Array.from({ length: 8 }, (_, i) => ({
    name: `${i}.png`,
    mimeType: "image/png",
    buffer: waves(100 + i, 80),
  }));
  await page.setInputFiles("#chooser input", files);
  await page.locator(".queue li").nth(7).waitFor();
  await page.click("#panel-upscale .primary");
  await page.locator(".queue [data-state=done]").nth(2).waitFor();
  await lose();
  await status(page, "upscale", /^Done: 8 pictures in /);
  expect(await page.locator(".queue [data-state=done]").count()).toBe(8);
  expect(await page.workers()[0].evaluate("self.devices")).toBe(2);
});

test("a device that is lost in the middle of a video: all frames are converted", async () => {
  const { page, lose } = await visitWithDevices();
  await giveVideo(page);
  await page.click("#panel-video .primary");
  await status(page, "video", /^\d+ frames, [\d.]+ a second: /);
  await lose();
  await status(page, "video", /^Done: \d+ frames in /);
  expect(await page.workers()[0].evaluate("self.devices")).toBe(2);
});

test("where no new device can be had, a video ends with the frames that are done", async () => {
  const { page, lose } = await visitWithDevices();
  await giveVideo(page);
  await page.click("#panel-video .primary");
  await status(page, "video", /^\d+ frames, [\d.]+ a second: /);
  await page.workers()[0].evaluate("GPU.prototype.requestAdapter = async () => null");
  await lose();
  await status(
    page,
    "video",
    /^The graphics device was lost.+ The file can be played and holds the first \d+ frames?, /,
  );
  expect(await page.locator("#panel-video [name=download]").isVisible()).toBe(true);
});

test("where no new device can be had, a picture says so in the page's language", async () => {
  const { page, lose } = await visitWithDevices();
  await page.check("[name=quality][value=fast]");
  await givePicture(page, "waves.png", waves(96, 64));
  await page.selectOption("#language", "de");
  await page.workers()[0].evaluate("GPU.prototype.requestAdapter = async () => null");
  await page.click("#panel-upscale .primary");
  await status(page, "upscale", /^Fertig/);
  await lose();
  await page.click("#panel-upscale .primary");
  await status(page, "upscale", /Das Grafikgerät ging verloren, und der Browser gibt kein neues her/);
});

test("where no new device can be had, training says what to do, and shows what was chosen meanwhile", async () => {
  const { page, lose } = await visitWithDevices();
  await givePicture(page, "waves.png", waves(96, 64));
  await train(page, { steps: 500 });
  await status(page, "train", /^Step [1-9]\d* of 500/);
  await givePicture(page, "later.png", waves(50, 70));
  expect(await page.locator("#panel-train figure").isVisible()).toBe(true);
  await page.workers()[0].evaluate("GPU.prototype.requestAdapter = async () => null");
  await lose();
  await status(
    page,
    "train",
    /The graphics device was lost, and the browser offers no new one.*reload the page/,
  );
  expect(await page.locator("#panel-train figure").isVisible()).toBe(false);
  expect(await page.innerText("#panel-train .viewer")).toContain("your picture");
});

test("the button and Escape stop a run at once, whatever the device is at", async () => {
  const { page } = await visit(browser);
  await givePicture(page, "waves.png", waves(120, 120));
  for (const how of ["button", "Escape"]) {
    await train(page, { start: "edsr-small", steps: 5000 }); // a step takes a software renderer seconds
    await status(page, "train", /^Step \d+ of 5000/);
    const waited = await page.evaluate(
      (how) =>
        new Promise<number>((resolve) => {
          const button = document.querySelector<HTMLButtonElement>("#panel-train .primary")!;
          const began = performance.now();
          new MutationObserver(() => {
            if (!button.classList.contains("stop")) resolve(performance.now() - began);
          }).observe(button, { attributes: true });
          if (how === "button") button.click();
          else document.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
        }),
      how,
    );
    expect(waited, how).toBeLessThan(GRACE + 2000); // a busy machine has other work, too
    await status(page, "train", /^\d+ steps? in/);
  }
  await train(page, { start: "espcn", steps: 2 }); // the next run waits for what the device is at, and works
  await status(page, "train", /^2 steps in/);
});
