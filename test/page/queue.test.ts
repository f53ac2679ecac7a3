/** The list of pictures: what is on the stage when some of them are none. */
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { give, givePicture, startBrowser, status, visit, waves } from "./visit.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

const bad = Buffer.from("no picture");

async function giveAll(page: Page, files: Readonly<Record<string, Buffer>>): Promise<void> {
  const list = Object.entries(files).map(([name, buffer]) => ({ name, mimeType: "", buffer }));
  await page.setInputFiles("#chooser input", list);
}

const listed = (page: Page) =>
  page.locator(".queue li").evaluateAll((items) =>
    (items as HTMLElement[]).map((item) => {
      const [choose] = item.querySelectorAll("button");
      const isSelected = choose.getAttribute("aria-current") === "true";
      return `${item.querySelector(".name")!.textContent}: ${item.dataset.state}${isSelected ? ", selected" : ""}`;
    }),
  );
const message = (page: Page) => page.textContent("#message .text");

test("if the first pictures are none, the next one takes the stage, and the first is named", async () => {
  const { page } = await visit(browser);
  await giveAll(page, { "text.png": bad, "other.png": bad, "c.png": waves(40, 30) });
  await page.locator("#message", { hasText: "text.png is no picture" }).waitFor();
  expect(await page.textContent("#picture-name")).toBe("c.png, 40 × 30");
  expect(await page.textContent("#panel-upscale .size")).toBe("40 × 30 becomes 80 × 60 pixels.");
  expect(await listed(page)).toEqual(["text.png: failed", "other.png: failed", "c.png: waiting, selected"]);
  expect(await page.textContent("#panel-upscale .primary")).toBe("Enlarge");
});

test("if all are none, what was there before is in the list again, with them", async () => {
  const { page } = await visit(browser);
  await givePicture(page, "waves.png", waves(40, 30));
  await giveAll(page, { "text.png": bad, "other.png": bad });
  await page.locator(".queue li").nth(2).waitFor();
  expect(await listed(page)).toEqual([
    "waves.png: waiting, selected",
    "text.png: failed",
    "other.png: failed",
  ]);
  expect(await message(page)).toMatch(/^text\.png is no picture/);
  await page.check("[name=quality][value=fast]");
  await page.click("#panel-upscale .primary");
  await status(page, "upscale", /^Done in/);
});

test("a picture that takes long to read: the page says that it reads it", async () => {
  const { page } = await visit(browser);
  await page.workers()[0].evaluate(`{
    const { arrayBuffer } = Blob.prototype;
    const released = new Promise((resolve) => Object.assign(self, { release: resolve }));
    Blob.prototype.arrayBuffer = async function () {
      await released;
      return arrayBuffer.call(this);
    };
  }`);
  await give(page, "large.png", waves(40, 30));
  await status(page, "upscale", /^Reading large\.png…$/);
  await page.selectOption("#language", "de");
  await status(page, "upscale", /^large\.png wird gelesen …$/);
  await page.workers()[0].evaluate("self.release()");
  await page.locator("#picture-name", { hasText: "large.png" }).waitFor();
  await expect.poll(() => page.textContent("#panel-upscale .status")).toBe("");
});

test("what is said of a part that is being tried stays when another language is chosen", async () => {
  const { page } = await visit(browser, { serviceWorkers: "block" });
  let release = () => {};
  const isFree = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route("**/*.safetensors", async (route) => {
    await isFree;
    await route.continue();
  });
  await givePicture(page, "large.png", waves(900, 700));
  await page.locator("#panel-upscale .part:visible").press("Enter");
  await status(page, "upscale", /^Preparing/);
  await page.selectOption("#language", "de");
  await page.locator("#panel-upscale [name=method] option", { hasText: "nach dem Bild" }).waitFor({
    state: "attached",
  });
  await status(page, "upscale", /^Preparing/);
  release();
  await status(page, "upscale", /^Dieser Teil brauchte /);
});

test("the keyboard stays at its place in the list", async () => {
  const { page } = await visit(browser);
  await page.check("[name=quality][value=fast]");
  const names = ["a.png", "b.png", "c.png", "d.png"];
  await giveAll(page, Object.fromEntries(names.map((name) => [name, waves(40, 30)])));
  await page.locator("#picture-name", { hasText: "a.png" }).waitFor();
  const focused = () =>
    page.evaluate(() => {
      const { activeElement } = document;
      return `${activeElement!.className} ${activeElement!.closest("li")?.querySelector(".name")?.textContent}`;
    });
  const remove = async (name: string) => {
    await page.getByRole("button", { name: `Remove ${name} from the list` }).focus();
    await page.keyboard.press("Enter");
  };
  await remove("c.png");
  expect(await focused()).toBe(" d.png");
  await remove("d.png");
  expect(await focused()).toBe(" b.png");
  // The list is written again for each picture that is enlarged.
  await page.getByRole("button", { name: "Remove b.png from the list" }).focus();
  await page.evaluate(() => document.querySelector<HTMLElement>("#panel-upscale .primary")!.click());
  await status(page, "upscale", /^Done: 2 pictures/);
  expect(await focused()).toMatch(/b\.png$/);
  // A single picture is in no list.
  await remove("b.png");
  expect(await focused()).toBe("primary undefined");
});

test("who has scrolled away from the list stays there while pictures are enlarged", async () => {
  const { page } = await visit(browser, { viewport: { width: 400, height: 300 } });
  await page.check("[name=quality][value=fast]");
  await giveAll(page, { "a.png": waves(40, 30), "b.png": waves(40, 30) });
  await page.locator("#picture-name", { hasText: "a.png" }).waitFor();
  await page.locator(".queue button").first().focus();
  await page.evaluate(() => document.documentElement.style.setProperty("overflow-anchor", "none"));
  const scrolled = await page.evaluate(() => {
    scrollTo(0, document.documentElement.scrollHeight);
    document.querySelector<HTMLElement>("#panel-upscale .primary")!.click();
    return scrollY;
  });
  const isInView = () =>
    page.evaluate(() => document.querySelector(".queue")!.getBoundingClientRect().bottom > 0);
  expect(await isInView()).toBe(false);
  await status(page, "upscale", /^Done: 2 pictures/);
  expect(await isInView()).toBe(false);
  expect(await page.evaluate(() => scrollY)).toBeGreaterThanOrEqual(scrolled - 1);
});

test("what was odd about a file is said beside its result, too, and not of the next picture", async () => {
  const { page } = await visit(browser);
  const gray = Buffer.concat([Buffer.from("P5 40 30 255\n"), Buffer.alloc(40 * 30, 90)]);
  await page.check("[name=quality][value=fast]");
  await givePicture(page, "two.pgm", Buffer.concat([gray, gray]));
  const notes = page.locator("#panel-upscale .notes:visible");
  await notes.filter({ hasText: /^Only the first of several pictures was taken\.$/ }).waitFor();
  await page.click("#panel-upscale .primary");
  await page.locator("#panel-upscale .facts:visible").waitFor();
  expect(await notes.count()).toBe(1);
  await give(page, "text.png", bad); // which leaves the picture where it is
  await page.locator("#message", { hasText: "text.png" }).waitFor();
  expect(await notes.count()).toBe(1);
  await givePicture(page, "waves.png", waves(40, 30));
  await expect.poll(() => notes.count()).toBe(0);
});

test("a message stays when the picture of an earlier choice, or of the same one, is on show", async () => {
  const { page } = await visit(browser);
  const drop = page.evaluate(async () => {
    const input = document.querySelector<HTMLInputElement>("#chooser input")!;
    await new Promise((resolve) => input.addEventListener("change", resolve, { once: true }));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: new DataTransfer(), bubbles: true }));
  });
  await givePicture(page, "waves.png", waves(40, 30));
  await drop;
  expect(await message(page)).toMatch(/^That was no file\./);
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="40000" height="40000"/>';
  await giveAll(page, { "map.svg": Buffer.from(svg), "other.png": waves(40, 30) });
  await page.locator("#picture-name", { hasText: "other.png" }).waitFor({ state: "attached" });
  expect(await message(page)).toMatch(/^map\.svg wants to be 40000/);
});

test("a message ends when a picture of the list is chosen or removed", async () => {
  const { page } = await visit(browser);
  await giveAll(page, { "a.png": waves(40, 30), "b.png": waves(30, 40), "c.png": waves(20, 30) });
  for (const button of ["button", ".remove"]) {
    await give(page, "broken.safetensors", Buffer.from("no weights"));
    await page.locator("#message", { hasText: "broken.safetensors" }).waitFor();
    await page.locator(`.queue li ${button}`).last().click();
    expect(await page.isVisible("#message")).toBe(false);
  }
});
