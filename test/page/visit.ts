/** A visitor of the built page: opens it, and does what people do. */
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright";
import { PNG } from "pngjs";
import { inject, onTestFinished } from "vitest";
import { chromiumFlags, findChromium } from "../browser/chromium.ts";
import { drawn } from "../support/drawn.ts";

export const site = inject("site");

export async function startBrowser(): Promise<Browser> {
  const found = await findChromium();
  if ("missing" in found) throw new Error(found.missing);
  return chromium.launch({ executablePath: found.path, args: [...chromiumFlags] });
}

export interface Visit {
  readonly page: Page;
  /** Errors of the console, and those that nobody caught. */
  readonly errors: readonly string[];
}

/**
 * Opens the page in a profile of its own, and waits until it is ready. The profile is closed when the test ends: a
 * page that stays open keeps a device and goes on drawing.
 */
export async function visit(browser: Browser, options: BrowserContextOptions = {}): Promise<Visit> {
  const opened = await visitForAll(browser, options);
  onTestFinished(() => opened.page.context().close());
  return opened;
}

/** The same for all tests of a file, outside of a test. It is closed with the browser. */
export async function visitForAll(browser: Browser, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, ...options });
  context.setDefaultTimeout(90_000); // on a busy machine
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("console", (line) => line.type() === "error" && errors.push(line.text()));
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(site.url);
  await ready(page);
  return { page, errors };
}

/** The sample is on show, and the networks are there. @throws Error with what the page says, if they do not come */
export async function ready(page: Page): Promise<void> {
  try {
    await page.locator("#picture-name:not(:empty)").waitFor({ state: "attached" });
    await page.locator("#panel-train [name=start] option[value=espcn]").waitFor({ state: "attached" });
  } catch (cause) {
    const texts = ["#adapter", "#message", "#picture-name"].map(async (name) => {
      const text = await page.textContent(name, { timeout: 5000 }).catch(String);
      return `${name}: ${text?.trim()}`;
    });
    throw new Error(`The page does not start. ${(await Promise.all(texts)).join("; ")}`, { cause });
  }
}

/** Chooses a file for the page. */
export async function give(page: Page, name: string, bytes: Uint8Array): Promise<void> {
  await page.setInputFiles("#chooser input", { name, mimeType: "", buffer: Buffer.from(bytes) });
}

/** Gives a picture and waits until it is on show. */
export async function givePicture(page: Page, name: string, bytes: Uint8Array): Promise<void> {
  await give(page, name, bytes);
  await page.locator("#picture-name", { hasText: name }).waitFor({ state: "attached" });
}

/** 2.6 seconds of one colour after another, 64 x 48 pixels, as a MediaRecorder writes them: without a duration. */
const video = new URL("recorded.webm", import.meta.url);

/**
 * Opens the tab for video, gives it one, and waits until it can be converted. The result will be downloaded: nobody is
 * there to choose a file.
 */
export async function giveVideo(page: Page): Promise<void> {
  await page.click("#tab-video");
  await page.locator("#panel-video .primary").waitFor();
  await page.evaluate(() => Object.assign(window, { showSaveFilePicker: undefined }));
  await page.setInputFiles("#panel-video [name=video]", fileURLToPath(video));
  await page.locator("#panel-video .primary:not(:disabled)").waitFor();
}

/** A PNG file; `color` gives RGBA, or RGB, from column and row. */
export function png(
  width: number,
  height: number,
  color: (x: number, y: number, c: number) => number,
): Buffer {
  const picture = new PNG({ width, height });
  picture.data.set(drawn(width, height, 4, color).data);
  return PNG.sync.write(picture);
}

/** Waves of every length, in three colours; with a `step` of 2, those of every other pixel. `light`: the share of it. */
export function waves(width: number, height: number, { step = 1, light = 1 } = {}): Buffer {
  return png(width, height, (column, row, c) => {
    const [x, y] = [column * step, row * step];
    return c === 3 ? 255 : light * (128 + 110 * Math.sin((x * x) / 90 + c) * Math.cos((y * (c + 2)) / 15));
  });
}

/** Goes to the tab, sets up a training run, and starts it. */
export async function train(
  page: Page,
  { start = "espcn", steps = 10 }: { start?: string; steps?: number } = {},
): Promise<void> {
  await page.click("#tab-train");
  await page.selectOption("#panel-train [name=start]", start);
  await page.fill("#panel-train [name=steps]", `${steps}`);
  await page.click("#panel-train .primary");
}

/** Waits until the panel's line of status matches, and returns it. */
export async function status(
  page: Page,
  panel: "upscale" | "train" | "video",
  wanted: RegExp,
): Promise<string> {
  const line = page.locator(`#panel-${panel} .task .status`).filter({ hasText: wanted });
  await line.waitFor({ timeout: 110_000 });
  return (await line.textContent())!;
}
