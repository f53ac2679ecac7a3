/** Results into a folder, where the browser lets a page write there; and as an archive everywhere. */
import { beforeAll, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { decodePng } from "../../site/pictures/decode-png.ts";
import { encodePng } from "../../site/pictures/encode-png.ts";
import { imresize } from "../../src/picture/imresize.ts";
import { chooseMethod, clickMain, find, openPage, statusLine } from "./page.ts";
import { testPicture } from "./test-picture.ts";

/** The browser's private folder: a real one, that needs no dialog. */
const root = () => navigator.storage.getDirectory();
const button = () => find<HTMLButtonElement>("#panel-upscale [name=folder]");
const picker = window as Window & { showDirectoryPicker?: () => Promise<FileSystemDirectoryHandle> };

async function namesIn(folder: FileSystemDirectoryHandle): Promise<string[]> {
  const names: string[] = [];
  const { keys } = folder as FileSystemDirectoryHandle & { keys(): AsyncIterable<string> };
  for await (const name of keys.call(folder)) names.push(name);
  return names.sort();
}

let folder: FileSystemDirectoryHandle;
const pictures = Array.from({ length: 20 }, (_, i) => testPicture(30 + i, 20));

beforeAll(async () => {
  folder = await (await root()).getDirectoryHandle("enlarged", { create: true });
  await openPage();
  await chooseMethod("bicubic");
});

test("twenty pictures in a row, into a folder; files that are there stay", async () => {
  const before = await folder.getFileHandle("picture-3-x2-bicubic.png", { create: true });
  const files = await Promise.all(
    pictures.map(async (picture, i) => new File([await encodePng(picture)], `picture-${i}.png`)),
  );
  await userEvent.upload(find("#chooser input"), files);
  await vi.waitFor(() => expect(document.querySelectorAll(".queue li").length).toBe(20));
  await clickMain("upscale");
  await statusLine("upscale", /^Done: 20 pictures in /);

  picker.showDirectoryPicker = vi.fn(async () => folder);
  await userEvent.click(button());
  await statusLine("upscale", /^Saved 20 pictures in “enlarged”\.$/);
  const names = await namesIn(folder);
  expect(names.length).toBe(21);
  expect((await before.getFile()).size).toBe(0);
  for (const [i, picture] of pictures.entries()) {
    const name = i === 3 ? "picture-3-x2-bicubic (2).png" : `picture-${i}-x2-bicubic.png`;
    const file = await (await folder.getFileHandle(name)).getFile();
    const { image } = await decodePng(new Uint8Array(await file.arrayBuffer()));
    expect(image.data, name).toEqual(imresize(picture, 2).data);
  }
});

test("who chooses no folder is told nothing, and can go on", async () => {
  const before = find("#panel-upscale .task .status").textContent;
  picker.showDirectoryPicker = vi.fn(async () => {
    throw new DOMException("The user aborted a request.", "AbortError");
  });
  await userEvent.click(button());
  await vi.waitFor(() => expect(picker.showDirectoryPicker).toHaveBeenCalled());
  await vi.waitFor(() => expect(button().disabled).toBe(false));
  expect(find("#panel-upscale .task .status").textContent).toBe(before);
});

test("other browsers have the archive alone", async () => {
  Reflect.deleteProperty(window, "showDirectoryPicker");
  Reflect.deleteProperty(Window.prototype, "showDirectoryPicker");
  await userEvent.selectOptions(find("#panel-upscale [name=format]"), "jpeg"); // the form looks again
  expect(button().hidden).toBe(true);
  expect(find("#panel-upscale [name=zip]").hidden).toBe(false);
});
