/** A result goes to another program, where the browser lets a page do that. */
import { beforeAll, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { decodePng } from "../../site/pictures/decode-png.ts";
import { imresize } from "../../src/picture/imresize.ts";
import { chooseMethod, clickMain, find, givePicture, openPage, statusLine } from "./page.ts";
import { testPicture } from "./test-picture.ts";

const button = () => find<HTMLButtonElement>("#panel-upscale [name=share]");
const picture = testPicture(40, 30);
const share = vi.fn(async (_: ShareData) => {});

/** The browser of the tests shares nothing. */
function letShare(): void {
  const canShare = ({ files }: ShareData) => files?.every(({ type }) => type === "image/png") === true;
  Object.defineProperty(navigator, "canShare", { configurable: true, value: canShare });
  Object.defineProperty(navigator, "share", { configurable: true, value: share });
}

beforeAll(async () => {
  letShare();
  await openPage();
  await chooseMethod("bicubic");
  await givePicture(picture, "cup.png");
  await clickMain("upscale");
  await statusLine("upscale", /^Done/);
});

test("the file under its name, with the result in it", async () => {
  await userEvent.click(button());
  await vi.waitFor(() => expect(share).toHaveBeenCalledOnce());
  const [file] = share.mock.calls[0][0].files!;
  expect([file.name, file.type]).toEqual(["cup-x2-bicubic.png", "image/png"]);
  const { image } = await decodePng(new Uint8Array(await file.arrayBuffer()));
  expect(image.data).toEqual(imresize(picture, 2).data);
});

test("a click that has grown old: another one shares the same file", async () => {
  share.mockRejectedValueOnce(new DOMException("It needs a click.", "NotAllowedError"));
  await userEvent.click(button());
  await statusLine("upscale", /^The picture is ready\. Press “Share…” once more\.$/);
  await userEvent.click(button());
  await vi.waitFor(() => expect(share).toHaveBeenCalledTimes(3));
  const files = share.mock.calls.map(([{ files }]) => files![0]);
  expect(files[2]).toBe(files[1]);
  await statusLine("upscale", /^$/);
});

test("who changes their mind is told nothing", async () => {
  share.mockRejectedValueOnce(new DOMException("Share canceled", "AbortError"));
  await userEvent.click(button());
  await vi.waitFor(() => expect(share).toHaveBeenCalledTimes(4));
  await statusLine("upscale", /^$/);
  expect(button().disabled).toBe(false);
});

test("a result can be saved in the formats that this browser's canvas writes, and in no other", async () => {
  const canvas = new OffscreenCanvas(1, 1);
  canvas.getContext("2d");
  const written = ["png"];
  for (const format of ["jpeg", "webp", "avif"]) {
    const { type } = await canvas.convertToBlob({ type: `image/${format}` });
    if (type === `image/${format}`) written.push(format);
  }
  const { options } = find<HTMLSelectElement>("#panel-upscale [name=format]");
  await expect.poll(() => [...options].map(({ value }) => value)).toEqual(written);
});
