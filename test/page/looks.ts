/** What is to be seen of an open page: what axe-core finds in it on every screen, and what moves. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright";

export const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
export const laptop = { viewport: { width: 1280, height: 720 } };

/** Rules about sizes see the same in light and dark, and those about colours on every screen. */
const looks = {
  phone: { ...phone, colorScheme: "light", language: "de" },
  laptop: { ...laptop, colorScheme: "dark", language: "en" },
} as const;

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** The rules that are violated in one of the looks, with the elements. Leaves the page as on a laptop, in English. */
export async function violations(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const [name, { viewport, colorScheme, language }] of Object.entries(looks)) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" }); // no colour is on its way to another one
    await page.setViewportSize(viewport);
    await page.selectOption("#language", language);
    await page.locator(`html[lang=${language}]`).waitFor();
    await page.evaluate(axe);
    const { violations } = (await page.evaluate("axe.run()")) as AxeResults;
    for (const { id, nodes } of violations)
      for (const { html } of nodes) found.push(`${name}: ${id}: ${html}`);
  }
  return found;
}

/** How long something that moves by itself may take to be noticed: two frames of a drawing, in milliseconds. */
const LOOK = 1800;

/** Is the window the same for a while, once what was scrolled to is drawn? */
export async function isStill(page: Page): Promise<boolean> {
  const shot = () => page.screenshot({ animations: "allow", caret: "hide" });
  let now = await shot();
  for (let before: Buffer | undefined; !before?.equals(now); now = await shot()) {
    before = now;
    await page.waitForTimeout(LOOK / 10);
  }
  await page.waitForTimeout(LOOK);
  return now.equals(await shot());
}

/** What moves by CSS: running animations, and elements that would move by a transition or scroll smoothly. */
export const moving = (page: Page) =>
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
export async function positionsDuring(
  page: Page,
  selector: string,
  run: () => Promise<unknown>,
): Promise<number[]> {
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
