/** The tab that trains: what it says, what it keeps, and that it makes nothing worse. */
import { readFile } from "node:fs/promises";
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseSafetensors } from "../../src/weights/safetensors.ts";
import {
  give,
  givePicture,
  png,
  ready,
  startBrowser,
  status,
  train,
  visit,
  visitForAll,
  waves,
} from "./visit.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

const verdict = (page: Page) => page.textContent("#panel-train .verdict");
const result = (page: Page) => page.locator("#panel-train .result");
/** Decibels by their names. */
async function facts(page: Page): Promise<Record<string, string>> {
  const items = await page.locator("#panel-train .facts div").allInnerTexts();
  return Object.fromEntries(items.map((item) => item.split("\n") as [string, string]));
}
const own = (page: Page) => page.locator("#own-networks li");
const methodLabels = (page: Page) => page.locator("#panel-upscale [name=method] option").allTextContents();

test("it begins with the library's best network", async () => {
  const { page } = await visit(browser);
  await page.click("#tab-train");
  expect(await page.inputValue("#panel-train [name=start]")).toBe("wren");
  expect(await page.inputValue("#panel-train [name=scale]")).toBe("2");
});

describe("a new network that learns from a photograph", () => {
  let page: Page;
  let errors: readonly string[];

  beforeAll(async () => {
    ({ page, errors } = await visitForAll(browser));
    await page.click(".samples button:nth-child(4)");
    await page.locator("#picture-name", { hasText: "Flower" }).waitFor();
    await train(page, { start: "", steps: 60 });
    await status(page, "train", /^60 steps in/);
  });

  test("beats its beginning, bicubic interpolation, on the part that was held out", async () => {
    const { Bicubic, Before, After } = await facts(page);
    expect(Math.abs(Number.parseFloat(Before) - Number.parseFloat(Bicubic))).toBeLessThan(0.1); // but for the edges
    expect(Number.parseFloat(After)).toBeGreaterThan(Number.parseFloat(Before) + 0.1);
    const [, gain] =
      /^Training gained ([\d.]+) dB .* “New network for Flower ×2” is the network after step \d+/.exec(
        (await verdict(page))!,
      )!;
    expect(Number(gain)).toBeCloseTo(Number.parseFloat(After) - Number.parseFloat(Before), 1);
    const label = await page.getAttribute("#panel-train .plot", "aria-label");
    expect(Number(/after 60 steps: ([\d.]+) % of bicubic's/.exec(label!)![1])).toBeLessThan(103); // it begins at 106
    expect(errors).toEqual([]);
  });

  test("is saved as a weight file of pixelgrad, under its name", async () => {
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.click("#panel-train [name=download]"),
    ]);
    expect(file.suggestedFilename()).toBe("New-network-for-Flower-x2.safetensors");
    const bytes = new Uint8Array(await readFile(await file.path()));
    expect(parseSafetensors(bytes).metadata).toMatchObject({ architecture: "ESPCN", scale: "2" });
  });

  test("can be renamed, is still there after a reload, and enlarges", async () => {
    const name = own(page).locator("input");
    await name.fill("Harbour");
    await name.press("Enter");
    await expect.poll(() => methodLabels(page), { timeout: 20_000 }).toContain("Harbour ×2");
    await page.reload(); // nothing is lost, so nothing is asked
    await ready(page);
    await page.click("#tab-train");
    expect(await own(page).locator("input").inputValue()).toBe("Harbour");
    await page.click("#own-networks button:has-text('Enlarge with it')");
    await page.locator("#panel-upscale").waitFor();
    expect(await page.evaluate(() => document.activeElement!.id)).toBe("tab-upscale");
    await page.click("#panel-upscale .primary");
    await status(page, "upscale", /^Done in/);
    expect(await page.textContent("#panel-upscale .caption.after")).toContain("Harbour");
  });

  test("can be removed for good", async () => {
    await page.click("#tab-train");
    page.once("dialog", (dialog) => dialog.accept());
    await page.click("#own-networks button:has-text('Remove')");
    await expect.poll(() => own(page).count(), { timeout: 20_000 }).toBe(0);
    expect(await methodLabels(page)).not.toContain("Harbour ×2");
    await page.reload();
    await ready(page);
    expect(await methodLabels(page)).not.toContain("Harbour ×2");
  });
});

test("two networks of the same name can be told apart", async () => {
  const { page } = await visit(browser);
  const weights = await readFile("weights/espcn-x2.safetensors");
  for (const label of ["mine ×2", "mine 2 ×2"]) {
    await give(page, "mine.safetensors", weights);
    await expect.poll(() => methodLabels(page), { timeout: 20_000 }).toContain(label);
  }
});

test("while a run trains, networks come, get another name, and go, the one that it began with included", async () => {
  const { page, errors } = await visit(browser);
  const weights = await readFile("weights/espcn-x2.safetensors");
  await givePicture(page, "waves.png", waves(96, 64));
  await give(page, "first.safetensors", weights);
  await expect.poll(() => methodLabels(page), { timeout: 20_000 }).toContain("first ×2");
  await page.click("#tab-train");
  await page.selectOption("#panel-train [name=start]", { label: "first ×2" });
  await page.fill("#panel-train [name=steps]", "5000");
  await page.click("#panel-train .primary");
  await status(page, "train", /^Step \d+ of 5000/);
  await give(page, "second.safetensors", weights);
  await expect.poll(() => methodLabels(page), { timeout: 20_000 }).toContain("second ×2");
  await own(page).first().locator("input").fill("third");
  await page.keyboard.press("Enter");
  await expect.poll(() => methodLabels(page), { timeout: 20_000 }).toContain("third ×2");
  page.on("dialog", (dialog) => dialog.accept());
  await own(page).nth(1).getByRole("button", { name: "Remove: first ×2" }).click();
  await expect.poll(() => methodLabels(page), { timeout: 20_000 }).not.toContain("first ×2");
  await status(page, "train", /^Step \d+ of 5000/); // still
  await page.click("#panel-train .primary");
  await status(page, "train", /^\d+ steps? in/);
  expect(errors).toEqual([]);
});

test("a training run goes on with its picture while others are looked at", async () => {
  const { page, errors } = await visit(browser);
  await givePicture(page, "waves.png", waves(96, 64));
  await train(page, { steps: 5000 });
  await status(page, "train", /^Step \d+ of 5000/);
  await givePicture(page, "other.png", waves(64, 64));
  const step = async () => Number(/^Step (\d+)/.exec(await status(page, "train", /./))?.[1]);
  const before = await step();
  await expect.poll(step, { timeout: 20_000 }).toBeGreaterThan(before + 5);
  await page.click("#panel-train .primary");
  await status(page, "train", /^\d+ steps in/);
  expect(await verdict(page)).toMatch(/gained/);
  expect(await page.isVisible("#panel-train .facts")).toBe(true);
  await givePicture(page, "third.png", waves(40, 40));
  expect(await verdict(page)).toBe("");
  expect(errors).toEqual([]);
});

describe("pictures that teach little", () => {
  let page: Page;
  let errors: readonly string[];

  // One after the other on the same page: a software renderer compiles the network for long.
  beforeAll(async () => {
    ({ page, errors } = await visitForAll(browser));
  });

  test("where nothing is gained, it says so, and offers no network", async () => {
    let seed = 1;
    const noise = png(96, 64, (_x, _y, c) => {
      seed = (seed * 48271) % 2147483647;
      return c === 3 ? 255 : seed % 256;
    });
    await givePicture(page, "noise.png", noise);
    await train(page, { steps: 1 }); // with a rate of nearly nothing
    await status(page, "train", /^1 step in/);
    expect(await verdict(page)).toMatch(/^Nothing was gained/);
    expect(await result(page).isVisible()).toBe(false);
    expect(await own(page).count()).toBe(0);
    const { Before, After } = await facts(page);
    expect(After).toBe(Before);
  });

  test("even areas: no Infinity and no NaN, in the text, the plot or the console", async () => {
    const logo = png(320, 200, (x, y, c) => (c < 3 && x > 120 && x < 200 && y > 80 && y < 120 ? 30 : 255));
    const even = png(64, 64, (_x, _y, c) => (c === 3 ? 255 : 200));
    for (const [name, bytes] of [
      ["logo.png", logo],
      ["even.png", even],
    ] as const) {
      await givePicture(page, name, bytes);
      await train(page, { steps: 8 });
      await status(page, "train", /^8 steps in/);
      expect(await page.innerHTML("#panel-train"), name).not.toMatch(/Infinity|NaN/);
    }
    expect(await verdict(page)).toMatch(/^Nothing can be gained here/);
    expect(errors).toEqual([]);
  });

  test("transparency: the preview has it, and no black", async () => {
    // A bright disc; around it everything is transparent, and black as files have it.
    const disc = png(120, 90, (x, y, c) => {
      const inside = Math.hypot(x - 60, y - 45) < 40;
      return c === 3 ? (inside ? 255 : 0) : inside ? 200 + 40 * Math.sin(x) : 0;
    });
    await givePicture(page, "disc.png", disc);
    await train(page, { steps: 5 });
    await status(page, "train", /^5 steps in/);
    const dark = await page.locator("#panel-train canvas:not(.detail)").evaluateAll((canvases) =>
      (canvases as HTMLCanvasElement[]).map((canvas) => {
        const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
        const pixels = Array.from({ length: data.length / 4 }, (_, i) => data.subarray(4 * i, 4 * i + 4));
        return {
          visible: pixels.filter(([, , , alpha]) => alpha === 255).length,
          transparent: pixels.filter(([, , , alpha]) => alpha === 0).length,
          black: pixels.filter(([red, , , alpha]) => alpha === 255 && red < 60).length,
        };
      }),
    );
    for (const { visible, transparent, black } of dark) {
      expect(visible).toBeGreaterThan(100);
      expect(transparent).toBeGreaterThan(100);
      expect(black).toBe(0);
    }
  });

  test("a tiny picture is trained on with a warning; a smaller one is refused in words", async () => {
    await givePicture(page, "tiny.png", waves(24, 18));
    await train(page, { steps: 3 });
    await status(page, "train", /^3 steps in/);
    expect(await page.textContent("#panel-train .notes")).toMatch(/tiny/);
    await givePicture(page, "one.png", waves(2, 1));
    await train(page, { steps: 3 });
    expect(await status(page, "train", /nothing to learn from/)).toMatch(
      /at ×2, each side .* at least 16 pixels.* 2 × 1/,
    );
  });

  test("what was said of a picture goes with it", async () => {
    await givePicture(page, "waves.png", waves(96, 64));
    await train(page, { steps: 3 });
    await page.locator("#panel-train .verdict", { hasText: /gained/ }).waitFor();
    expect(await page.isVisible("#panel-train .facts")).toBe(true);
    await givePicture(page, "other.png", waves(64, 64));
    expect(await page.isVisible("#panel-train .facts")).toBe(false);
    expect(await verdict(page)).toBe("");
    expect(await result(page).isVisible()).toBe(false);
    expect(await page.getAttribute("#panel-train .plot", "aria-label")).toBe("Loss: no steps yet");
    expect(await status(page, "train", /^$/)).toBe("");
  });
});
