/** The page of site in a test: how to open it, find its parts and hand it files. */
import { expect, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import html from "../../site/index.html?raw";
import "../../site/pictures/buffer.ts";
import { encodePng } from "../../site/pictures/encode-png.ts";
import type { Image, Samples } from "../../src/picture/image.ts";

/** Loads the page into the window of the test file, so only once in each. */
export async function openPage(): Promise<void> {
  await page.viewport(1280, 800);
  keepStorageApart();
  await forgetNetworks();
  document.body.innerHTML = new DOMParser().parseFromString(html, "text/html").body.innerHTML;
  await import("../../site/main.ts");
}

/** Test files run beside each other and would share what is stored, such as the language that one of them chooses. */
export function keepStorageApart(): void {
  const stored = new Map<string, string>();
  Storage.prototype.getItem = (key) => stored.get(key) ?? null;
  Storage.prototype.setItem = (key, value) => void stored.set(key, value);
}

/** Networks stay in the browser, also from test to test. */
function forgetNetworks(): Promise<void> {
  const request = indexedDB.deleteDatabase("pixelgrad");
  return new Promise((resolve) => {
    for (const event of ["success", "error", "blocked"]) request.addEventListener(event, () => resolve());
  });
}

/** The first element that a CSS selector matches. */
export function find<E extends HTMLElement>(selector: string): E {
  const element = document.querySelector<E>(selector);
  if (!element) throw new Error(`The page has no ${selector}.`);
  return element;
}

export async function giveFile(bytes: BlobPart, name: string): Promise<void> {
  await userEvent.upload(find("#chooser input"), new File([bytes], name));
}

export async function givePicture(image: Image<Samples>, name: string): Promise<void> {
  await giveFile(await encodePng(image), name);
  await says("#picture-name", new RegExp(`^${name}`));
}

/** Chooses how to enlarge by a method's name in the list. */
export async function chooseMethod(name: string): Promise<void> {
  if (!find<HTMLDetailsElement>("#panel-upscale details").open) await userEvent.click(find("[value=other]"));
  await userEvent.selectOptions(find("#panel-upscale [name=method]"), name);
}

/** Clicks a panel's main button, which starts a task or stops it. */
export async function clickMain(panel: "upscale" | "train"): Promise<void> {
  // The button is looked for by its text, which may change before the click: "Enlarge pictures" of one picture.
  const click = () => userEvent.click(find(`#panel-${panel} .primary`), { timeout: 2000 });
  await vi.waitFor(click, { timeout: 20_000 });
}

/** Waits until the panel's line of status matches, and returns it. */
export async function statusLine(panel: "upscale" | "train", wanted: RegExp): Promise<string> {
  return says(`#panel-${panel} .task .status`, wanted);
}

/** Waits until an element's text matches, and returns it. */
export async function says(selector: string, wanted: RegExp): Promise<string> {
  const element = find(selector);
  await vi.waitFor(() => expect(element.textContent).toMatch(wanted), { timeout: 110_000, interval: 20 });
  return element.textContent;
}

/** RGB of the left or right picture that a panel compares. */
export function pixelsOf(panel: "upscale" | "train", side: "left" | "right"): Uint8Array {
  const canvas = document.querySelectorAll<HTMLCanvasElement>(`#panel-${panel} canvas:not(.detail)`)[
    side === "left" ? 0 : 1
  ];
  const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
  return Uint8Array.from(data.filter((_, i) => i % 4 !== 3));
}

/** Clicks a button that hands out a file, and returns the file and its name. */
export async function downloaded(selector: string): Promise<{ file: Blob; name: string }> {
  const createUrl = vi.spyOn(URL, "createObjectURL");
  const click = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => {});
  try {
    await userEvent.click(find(selector));
    await vi.waitFor(() => expect(click.mock.instances.length).toBe(1), { timeout: 60_000 });
    const [link] = click.mock.instances as unknown as HTMLAnchorElement[];
    return { file: createUrl.mock.calls.at(-1)![0] as Blob, name: link.download };
  } finally {
    createUrl.mockRestore();
    click.mockRestore();
  }
}
