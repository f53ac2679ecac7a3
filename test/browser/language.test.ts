/**
 * Nothing that the page writes is the same in two languages, but for names. Its parts are brought to show all that
 * they can say: results, errors, lists, a training run.
 */
import { beforeAll, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import html from "../../site/index.html?raw";
import { english } from "../../site/sentences/english.ts";
import { german } from "../../site/sentences/german.ts";
import { videoEnglish } from "../../site/sentences/video-english.ts";
import { videoGerman } from "../../site/sentences/video-german.ts";
import { workerEnglish } from "../../site/sentences/worker-english.ts";
import { workerGerman } from "../../site/sentences/worker-german.ts";
import { chooseMethod, clickMain, find, giveFile, givePicture, openPage } from "./page.ts";
import { testPicture } from "./test-picture.ts";
import { makeVideo } from "./test-video.ts";
import { textsOnShow } from "./texts.ts";

/** What has no language: numbers, units, files and methods by their names. */
const names = [
  /^[^\p{L}]*$/u, // no letters
  /^[\d\s.,×x]+(s|min|dB|kB|MB|%)?$/,
  /^(Video|Pause|MP4|H\.264|VP9|WebM|Opus|pixelgrad|English|Deutsch|PNG|JPEG|WebP|JavaScript|espcn for \w+ ×2|espcn für \w+ ×2)$/,
  /^\s*(large|small|text|damaged|empty)\.(png|webp|tif|svg|mp4|webm)\s*$/,
  /^(large|small)\.png, \d+ × \d+$/,
  /^(edsr-small|wren|espcn|srcnn|bicubic|bilinear|nearest)( ×\d)?$/,
];

/** Every text of all states, in one language. */
async function allTexts(): Promise<Set<string>> {
  const texts = new Set<string>();
  const note = () => {
    for (const text of textsOnShow()) texts.add(text);
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
  await noteVideo(note);
  await userEvent.click(find("#tab-upscale"));
  return texts;
}

/** What the tab for video says: empty, with a video, after a conversion, while it is watched, and about bad files. */
async function noteVideo(note: () => void): Promise<void> {
  const part = <E extends HTMLElement>(selector: string) => find<E>(`#panel-video ${selector}`);
  await userEvent.click(find("#tab-video"));
  await vi.waitFor(() => part(".primary"), { timeout: 20_000 });
  await vi.waitFor(() => expect(part<HTMLSelectElement>("[name=method]").length).toBeGreaterThan(3));
  if (!part<HTMLDetailsElement>("details").open) await userEvent.click(part("details summary"));
  await userEvent.selectOptions(part("[name=method]"), "bicubic");
  note();
  for (const [name, content] of [
    ["small.mp4", await makeVideo({ container: "mp4" })],
    ["large.webm", await makeVideo({ times: [0, 0.1, 0.5, 0.6] })],
  ] as const) {
    await userEvent.upload(part("[name=video]"), new File([content], name));
    await vi.waitFor(() => expect(part(".estimate").textContent).toMatch(/^(About|Etwa)/), {
      timeout: 20_000,
    });
    note();
  }
  vi.stubGlobal("showSaveFilePicker", undefined);
  await userEvent.click(part(".primary"));
  note();
  await vi.waitFor(() => expect(part("[name=download]").hidden).toBe(false), { timeout: 20_000 });
  note();
  vi.unstubAllGlobals();
  await userEvent.click(part("[name=watch]"));
  await vi.waitFor(() => expect(part(".player .hint").hidden).toBe(true), { timeout: 20_000 });
  note();
  await userEvent.click(part("[name=end]"));
  const getUserMedia = vi.spyOn(navigator.mediaDevices, "getUserMedia");
  for (const name of ["NotAllowedError", "NotFoundError", "NotReadableError"]) {
    part(".task .status").textContent = "";
    getUserMedia.mockRejectedValue(new DOMException("", name));
    await userEvent.click(part("[name=camera]"));
    await vi.waitFor(() => expect(part(".task .status").textContent).not.toBe(""));
    note();
  }
  getUserMedia.mockRestore();
  const sound = await makeVideo({ hasPictures: false });
  const cut = (await makeVideo({ container: "mp4" })).slice(0, 200);
  for (const [name, content] of [
    ["text.mp4", new Blob(["no video"])],
    ["empty.mp4", new Blob([])],
    ["small.webm", sound],
    ["damaged.mp4", cut],
  ] as const) {
    await userEvent.upload(part("[name=video]"), new File([content], name));
    await vi.waitFor(() => expect(part(".task .status.error").textContent).toContain(name));
    note();
  }
}

beforeAll(openPage);

test("every text of index.html has a sentence, unless it is a name", () => {
  const { body } = new DOMParser().parseFromString(html, "text/html");
  const walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
  const without: string[] = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.textContent!.trim();
    const isNamed = node.parentElement!.dataset.text !== undefined;
    if (!isNamed && !names.some((name) => name.test(text))) without.push(text);
  }
  expect(without).toEqual([]);
});

test("every sentence is another one in German, unless it is a name", () => {
  const inGerman: Readonly<Record<string, unknown>> = { ...german, ...workerGerman, ...videoGerman };
  const same = Object.entries({ ...english, ...workerEnglish, ...videoEnglish }).filter(([key, text]) => {
    const isSame = text === inGerman[key];
    return isSame && !names.some((name) => name.test(`${text}`));
  });
  expect(same).toEqual([]);
});

test("in German, nothing but names is as in English", async () => {
  const before = await allTexts();
  await userEvent.selectOptions(find("#language"), "de");
  await vi.waitFor(() => expect(find("#tab-upscale").textContent).toBe("Vergrößern"));
  await vi.waitFor(() => expect(find("#panel-upscale .caption").textContent).toBe("Ihr Bild"));
  const after = await allTexts();
  expect(before.size).toBeGreaterThan(160);
  const same = [...after].filter((text) => before.has(text) && !names.some((name) => name.test(text)));
  expect(same).toEqual([]);
}, 180_000);

test("a result that is there says in the other language, too, why its network was chosen", async () => {
  await chooseMethod("automatic");
  // All that is in the list would be enlarged, too, and the network is slow in software.
  const next = () => document.querySelector<HTMLButtonElement>(".queue .remove:not(:disabled)");
  for (let remove = next(); remove; remove = next()) remove.click(); // the list is written anew each time
  await givePicture(testPicture(24, 20), "small.png");
  await clickMain("upscale");
  const facts = () => find("#panel-upscale .facts").textContent;
  await vi.waitFor(() => expect(facts()).toMatch(/für ein Bild/), { timeout: 110_000 });
  await userEvent.selectOptions(find("#language"), "en");
  await vi.waitFor(() => expect(facts()).toMatch(/for a picture/));
  expect(facts()).not.toMatch(/für ein Bild/);
}, 150_000);
