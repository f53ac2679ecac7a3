/**
 * Nothing that the page writes is the same in two languages, but for names. Its parts are brought to show all that
 * they can say: results, errors, lists, a training run.
 */
import { beforeAll, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { chooseMethod, clickMain, find, giveFile, givePicture, openPage, statusLine } from "./page.ts";
import { testPicture } from "./test-picture.ts";

/** What has no language: numbers, units, files and methods by their names. */
const names = [
  /^[^\p{L}]*$/u, // no letters
  /^[\d\s.,×x]+(s|min|dB|kB|MB|%)?$/,
  /^(pixelgrad|English|Deutsch|PNG|JPEG|WebP|Details)$/,
  /^\s*(large|small|text|damaged|empty)\.(png|webp|tif|svg)\s*$/,
  /^(large|small)\.png, \d+ × \d+$/,
  /^(edsr-small|wren|espcn|srcnn|bicubic|bilinear|nearest)( ×\d)?$/,
  /^(Original|Interpolation|Browser|Name|System|Format)$/,
];

/** Texts, labels, hints and titles that are on show. */
function textsOnShow(): string[] {
  const texts: string[] = [document.title, find("body").dataset.drop!];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node as HTMLElement;
    for (const name of ["aria-label", "title", "alt", "placeholder", "aria-valuetext"])
      texts.push(element.getAttribute(name) ?? "");
    for (const child of element.childNodes)
      if (child.nodeType === Node.TEXT_NODE) texts.push(child.textContent!);
  }
  return texts.map((text) => text.trim().replace(/\s+/g, " ")).filter((text) => text !== "");
}

/** Software's name, as the page says it. */
const adapter = () => find("#adapter").textContent.replace(/ \(.*/, "");

/** Every text of all states, in one language. */
async function allTexts(): Promise<Set<string>> {
  const texts = new Set<string>();
  const note = () => {
    for (const text of textsOnShow()) texts.add(text.replaceAll(adapter(), ""));
  };
  note();
  await chooseMethod("bicubic");
  await userEvent.click(find("[name=scale][value=size]"));
  note();
  await userEvent.click(find("[name=scale][value='2']"));
  await givePicture(testPicture(300, 200), "large.png");
  note();
  await userEvent.click(find("#panel-upscale .part"));
  await vi.waitFor(() => expect(find("#panel-upscale .part").hidden).toBe(true));
  note();
  await clickMain("upscale");
  await vi.waitFor(() => expect(find("#panel-upscale .facts").hidden).toBe(false), { timeout: 30_000 });
  note();
  for (const [name, content] of [
    ["text.png", "no picture"],
    ["damaged.png", "\x89PNG\r\n\x1a\n"],
    ["empty.png", ""],
    ["text.tif", "II*\0abcdefgh"],
    ["damaged.svg", "<svg"],
  ]) {
    await giveFile(
      content === "\x89PNG\r\n\x1a\n" ? Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10) : content,
      name,
    );
    await vi.waitFor(() => expect(find("#message").textContent).toContain(name));
    note();
  }
  // Two pictures, so that there is a list.
  const two = ["small.png", "large.png"].map((name) => new File(["no picture"], name));
  await userEvent.upload(find("#chooser input"), two);
  await vi.waitFor(() => expect(find(".queue").hidden).toBe(false));
  note();
  await givePicture(testPicture(40, 40), "small.png");
  await userEvent.click(find("#tab-train"));
  await userEvent.selectOptions(find("#panel-train [name=start]"), "espcn");
  await userEvent.fill(find("#panel-train [name=steps]"), "2");
  await clickMain("train");
  await vi.waitFor(() => expect(find("#panel-train .verdict").textContent).not.toBe(""), { timeout: 50_000 });
  note();
  await userEvent.selectOptions(find("#panel-train [name=source]"), "files");
  note();
  await userEvent.selectOptions(find("#panel-train [name=source]"), "picture");
  await userEvent.click(find("#tab-upscale"));
  return texts;
}

beforeAll(openPage);

test("in German, nothing but names is as in English", async () => {
  const english = await allTexts();
  await userEvent.selectOptions(find("#language"), "de");
  await vi.waitFor(() => expect(find("#tab-upscale").textContent).toBe("Vergrößern"));
  const german = await allTexts();
  expect(english.size).toBeGreaterThan(120);
  const same = [...german].filter((text) => english.has(text) && !names.some((name) => name.test(text)));
  expect(same).toEqual([]);
  await statusLine("upscale", /./);
}, 180_000);
