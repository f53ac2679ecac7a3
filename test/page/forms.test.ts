/** Keys, forms, focus, and what is asked before work is lost. */
import type { Browser } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { give, givePicture, ready, startBrowser, status, train, visit, waves } from "./visit.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

test("Enter in Steps starts the training run, a second one does not stop it, and the page never reloads", async () => {
  const { page, errors } = await visit(browser);
  await givePicture(page, "waves.png", waves(96, 64));
  await page.click("#tab-train");
  await page.selectOption("#panel-train [name=start]", "espcn");
  const steps = page.locator("#panel-train [name=steps]");
  await steps.fill("15"); // no multiple of ten
  await steps.press("Enter");
  await steps.press("Enter");
  await status(page, "train", /^15 steps in/);
  expect(new URL(page.url()).search).toBe("");
  expect(await page.textContent("#picture-name")).toBe("waves.png, 96 × 64");
  expect(errors).toEqual([]);
});

test("a number of steps that is none is refused in words", async () => {
  const { page } = await visit(browser);
  await train(page, { steps: 0 });
  await status(page, "train", /^Steps must be a whole number from 1 to 100000\.$/);
});

test("files that cannot be read are named where they are seen, whatever tab is open; the line can be dismissed", async () => {
  const { page } = await visit(browser);
  await page.click("#tab-train");
  await give(page, "text.png", Buffer.from("no picture"));
  const message = page.locator("#message");
  await message.filter({ hasText: "text.png" }).waitFor();
  await give(page, "broken.safetensors", Buffer.from("no weights"));
  await message.filter({ hasText: "broken.safetensors" }).waitFor();
  await page.click("#message button");
  expect(await message.isVisible()).toBe(false);
  await give(page, "text.png", Buffer.from("no picture"));
  await message.filter({ hasText: "text.png" }).waitFor();
  await givePicture(page, "waves.png", waves(40, 30));
  expect(await message.isVisible()).toBe(false);
});

test("while a task runs the browser asks before the page is left, and afterwards it does not", async () => {
  const { page } = await visit(browser);
  const asked: string[] = [];
  page.on("dialog", (dialog) => {
    asked.push(dialog.type());
    void dialog.dismiss();
  });
  await train(page, { steps: 5000 });
  await status(page, "train", /^Step \d+ of 5000/);
  await page.evaluate(() => setTimeout(() => location.reload()));
  await expect.poll(() => asked).toEqual(["beforeunload"]);
  await status(page, "train", /^Step \d+ of 5000/); // it runs on
  await page.keyboard.press("Escape");
  await status(page, "train", /steps? in|^Stopped\.$/);
  await page.reload();
  expect(asked).toEqual(["beforeunload"]);
});

test("who comes back to the page finds its forms as they begin, and whole", async () => {
  const { page } = await visit(browser);
  const isTargetSeen = () => page.isVisible("#panel-upscale .target");
  const arePickersHidden = () =>
    page.locator("#panel-train .pickers").evaluate(({ hidden }: HTMLElement) => hidden);
  await page.check("#panel-upscale [name=scale][value=size]");
  await page.fill("#panel-upscale [name=width]", "300");
  expect(await isTargetSeen()).toBe(true);
  await page.click("#tab-train");
  await page.selectOption("#panel-train [name=source]", "files");
  await page.fill("#panel-train [name=steps]", "7");
  expect(await arePickersHidden()).toBe(false);
  await page.goto("about:blank");
  await page.goBack();
  await ready(page);
  expect(await page.isChecked("#panel-upscale [name=scale][value='2']")).toBe(true);
  expect(await page.inputValue("#panel-upscale [name=width]")).toBe("");
  expect(await isTargetSeen()).toBe(false);
  expect(await page.inputValue("#panel-train [name=source]")).toBe("picture");
  expect(await page.inputValue("#panel-train [name=steps]")).toBe("300");
  expect(await arePickersHidden()).toBe(true);
});

test("tabs move by arrows, Home and End, and the selected one keeps the keyboard", async () => {
  const { page } = await visit(browser);
  const selected = () =>
    page.evaluate(() => [
      document.activeElement!.id,
      document.querySelector("[role=tab][aria-selected=true]")!.id,
    ]);
  await page.focus("#tab-upscale");
  const all = await page.locator("[role=tab]").evaluateAll((tabs) => tabs.map(({ id }) => id));
  for (const [key, id] of [
    ["End", all.at(-1)],
    ["ArrowRight", all[0]],
    ["ArrowLeft", all.at(-1)],
    ["Home", all[0]],
  ] as const) {
    await page.keyboard.press(key);
    expect(await selected(), key).toEqual([id, id]);
  }
});
