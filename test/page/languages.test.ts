/**
 * The fixed texts of both pages and of the tab for video, and the language that is chosen: by the browser, by hand,
 * and for both.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Browser } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { english as lesson } from "../../site/kernels/sentences/english.ts";
import { englishProse as lessonProse } from "../../site/kernels/sentences/english-prose.ts";
import { english } from "../../site/sentences/english.ts";
import { videoEnglish } from "../../site/sentences/video-english.ts";
import { ready, site, startBrowser, status, train, visit } from "./visit.ts";

const videoPanel = new URL("../../site/video/video-panel.html", import.meta.url);

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

test.each([
  ["the page", 30, join(site.folder, "index.html"), english],
  ["the lesson", 30, join(site.folder, "kernels/index.html"), { ...lesson, ...lessonProse }],
  ["the tab for video", 10, videoPanel, { ...english, ...videoEnglish, title: "" }],
])("the fixed English texts of %s, at least %i, are those of its table", async (_, least, path, table) => {
  const html = await readFile(path, "utf8");
  const { page } = await visit(browser);
  const fixed = await page.evaluate((html) => {
    const document = new DOMParser().parseFromString(html, "text/html");
    const written = (element: Element): string =>
      [...element.childNodes]
        .map((node) => {
          const mark = { CODE: "`", EM: "*", STRONG: "**" }[node.nodeName] ?? "";
          return `${mark}${node.textContent}${mark}`;
        })
        .join("");
    const texts = [...document.querySelectorAll<HTMLElement>("[data-text], [data-prose]")].map((element) => {
      const text = element.closest("pre")
        ? element.textContent!
        : written(element).replace(/\s+/g, " ").trim();
      return [element.dataset.text ?? element.dataset.prose!, text] as const;
    });
    const labels = [...document.querySelectorAll<HTMLElement>("[data-label]")].map(
      (element) => [element.dataset.label!, element.getAttribute("aria-label")!] as const,
    );
    return [...texts, ...labels, ["title", document.title] as const];
  }, html);
  expect(fixed.length).toBeGreaterThan(least);
  for (const [key, text] of fixed) expect(text, key).toBe((table as Record<string, unknown>)[key]);
});

test("every text of the lesson's page has a sentence, unless it is a name", async () => {
  const html = await readFile(join(site.folder, "kernels/index.html"), "utf8");
  const { page } = await visit(browser);
  const without = await page.evaluate((html) => {
    const { body } = new DOMParser().parseFromString(html, "text/html");
    const walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
    const texts: string[] = [];
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = node.textContent!.trim();
      if (text !== "" && !node.parentElement!.closest("[data-text], [data-prose]")) texts.push(text);
    }
    return texts;
  }, html);
  // Numbers of steps, and choices of how many.
  expect(without.filter((text) => !/^(\d+|[abcd]|pixelgrad|GFLOP\/s)$/.test(text))).toEqual([]);
});

test("German: chosen by the browser's language, or by hand, and kept; all of the tab that trains", async () => {
  const { page } = await visit(browser, { locale: "de-DE" });
  expect(await page.getAttribute("html", "lang")).toBe("de");
  expect(await page.textContent("#tab-train")).toBe("Anpassen");
  await train(page, { steps: 2 });
  await status(page, "train", /^2 Schritte in \d+,?\d* s\.$/);
  expect(await page.innerText("#panel-train .facts")).toMatch(/Vorher\s+\d+,\d\d dB/);
  await page.selectOption("#language", "en");
  await expect.poll(() => page.textContent("#tab-train")).toBe("Fine-tune");
  await page.reload();
  await ready(page);
  expect(await page.textContent("#tab-train")).toBe("Fine-tune");
  expect(await page.getAttribute("html", "lang")).toBe("en");
});

test("the language goes with the visitor from page to page", async () => {
  const { page, errors } = await visit(browser, { locale: "fr-FR" });
  expect(await page.getAttribute("html", "lang")).toBe("en");
  await page.selectOption("#language", "de");
  await page.click("footer [href='./kernels/']");
  await page.getByRole("heading", { level: 1, name: "Wie eine Faltung schnell wird" }).waitFor();
  expect(await page.getAttribute("html", "lang")).toBe("de");
  expect(await page.title()).toBe("Wie eine Faltung schnell wird · pixelgrad");
  expect(await page.inputValue("#language")).toBe("de");
  await page.selectOption("#language", "en");
  await page.getByRole("heading", { level: 1, name: "How a convolution gets fast" }).waitFor();
  await page.click(".home a");
  await ready(page);
  expect(await page.textContent("#tab-train")).toBe("Fine-tune");
  expect(errors).toEqual([]);
});

test.each(["en-US", "de-DE"])("at 320 pixels nothing has to be scrolled sideways: %s", async (locale) => {
  const { page } = await visit(browser, { viewport: { width: 320, height: 480 }, locale });
  for (const tab of ["upscale", "train", "video"]) {
    await page.click(`#tab-${tab}`);
    await page.locator(`#panel-${tab} .primary`).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth), tab).toBe(320);
  }
});

describe("a language that is slow to load, or does not", () => {
  const german = /german[^/]*\.js$/;

  test("the last choice holds, even if what was chosen before arrives later", async () => {
    const { page } = await visit(browser, { serviceWorkers: "block" });
    let arrived = false;
    await page.route(german, async (route) => {
      await wait(1000);
      await route.continue();
      arrived = true;
    });
    await page.selectOption("#language", "de");
    await page.selectOption("#language", "en");
    await expect.poll(() => arrived, { timeout: 5000 }).toBe(true);
    await wait(500);
    expect(await page.getAttribute("html", "lang")).toBe("en");
    expect(await page.textContent("#tab-train")).toBe("Fine-tune");
    expect(await page.inputValue("#language")).toBe("en");
  });

  test.each(["", "kernels/"])(
    "the page stays in its language, says so, and can try again: /%s",
    async (path) => {
      const { page, errors } = await visit(browser, { serviceWorkers: "block" });
      await page.goto(new URL(path, site.url).href);
      const list = page.locator("#language");
      await list.locator("option[value=de]").waitFor({ state: "attached" });
      await page.route(german, (route) => route.abort());
      await list.selectOption("de");
      const message = () => list.evaluate((select: HTMLSelectElement) => select.validationMessage);
      await expect.poll(message).toMatch(/^The other language could not be loaded\./);
      expect(await list.inputValue()).toBe("en");
      expect(await page.getAttribute("html", "lang")).toBe("en");
      expect(errors.filter((error) => !/ERR_FAILED/.test(error))).toEqual([]);
      await page.unroute(german);
      await list.selectOption("de");
      await expect.poll(() => page.getAttribute("html", "lang")).toBe("de");
      expect(await message()).toBe("");
    },
  );

  test.each(["", "kernels/"])(
    "a visitor whose language does not arrive has the page in English until it does: /%s",
    async (path) => {
      const page = await browser.newPage({ locale: "de-DE", serviceWorkers: "block" });
      let arrive = () => {};
      const arrived = new Promise<void>((resolve) => {
        arrive = resolve;
      });
      await page.route(german, async (route) => {
        await arrived;
        await route.continue();
      });
      await page.goto(new URL(path, site.url).href);
      const list = page.locator("#language");
      await list.locator("option[value=de]").waitFor({ state: "attached" });
      expect(await list.inputValue()).toBe("en");
      if (path === "") {
        await ready(page);
        expect(await page.textContent("#panel-upscale .primary")).toBe(english.enlargeTab);
        expect(await page.getAttribute("body", "data-drop")).toBe(english.dropHere);
        expect(await page.isVisible("#message")).toBe(false);
      }
      arrive();
      await page.locator("html[lang=de]").waitFor();
      await expect.poll(() => list.inputValue()).toBe("de");
      if (path === "")
        await expect.poll(() => page.textContent("#panel-upscale .primary")).toBe("Vergrößern");
      await page.close();
    },
  );

  test("a choice of English holds against a language that arrives late, also where nothing can be stored", async () => {
    const page = await browser.newPage({ locale: "de-DE", serviceWorkers: "block" });
    await page.addInitScript(() => Object.defineProperty(window, "localStorage", { value: undefined }));
    let arrive = () => {};
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    await page.route(german, async (route) => {
      await arrived;
      await route.continue();
    });
    await page.goto(site.url);
    await ready(page);
    const list = page.locator("#language");
    await list.evaluate((select) => select.dispatchEvent(new Event("change"))); // to English, which it is in
    const loaded = page.waitForResponse(german);
    arrive();
    await (await loaded).finished();
    await wait(1000);
    expect(await page.getAttribute("html", "lang")).toBe("en");
    expect(await list.inputValue()).toBe("en");
    await page.close();
  });

  test("a visitor whose language does not load has the page in English", async () => {
    const page = await browser.newPage({ locale: "de-DE", serviceWorkers: "block" });
    await page.route(german, (route) => route.abort());
    await page.goto(site.url);
    await ready(page);
    expect(await page.inputValue("#language")).toBe("en");
    const message = page.locator("#message p", { hasText: /^A file of this page could not be loaded\./ });
    await message.waitFor();
    expect(await page.getAttribute("body", "data-drop")).toBe(english.dropHere);
  });
});
