/**
 * The page offers the formats that the browser's canvas really writes. Here that is one that writes AVIF, which none
 * does yet, and no WebP, as in Safari. What it writes is PNG in truth, so that the test can read it.
 */
import { beforeAll, expect, test } from "vitest";
import { userEvent } from "vitest/browser";
import { decodePng } from "../../site/pictures/decode-png.ts";
import { encodePng } from "../../site/pictures/encode-png.ts";
import { profileOf, srgbCurve } from "../../src/formats/icc.ts";
import { toRgb } from "../../src/picture/image.ts";
import { imresize } from "../../src/picture/imresize.ts";
import { beforeWorkers } from "./before-workers.ts";
import { chooseMethod, clickMain, downloaded, find, giveFile, openPage, says, statusLine } from "./page.ts";
import { testPicture } from "./test-picture.ts";

const formats = () =>
  [...find<HTMLSelectElement>("#panel-upscale [name=format]").options].map(({ value }) => value);

async function enlarge(file: BlobPart, name: string): Promise<void> {
  await giveFile(file, name);
  await says("#picture-name", new RegExp(`^${name}`));
  await clickMain("upscale");
  await statusLine("upscale", /^Done/);
}

/** The pixels of a file, as numbers of a colour space. */
async function pixels(file: Blob, colorSpace: PredefinedColorSpace): Promise<Uint8Array> {
  const bitmap = await createImageBitmap(new Blob([file], { type: "image/png" }));
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d", { colorSpace })!;
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
  return Uint8Array.from(data.filter((_, i) => i % 4 !== 3));
}

beforeAll(async () => {
  beforeWorkers(`
    const { convertToBlob } = OffscreenCanvas.prototype;
    OffscreenCanvas.prototype.convertToBlob = async function ({ type, quality }) {
      if (type === "image/jpeg") return convertToBlob.call(this, { type, quality });
      const png = await convertToBlob.call(this, { type: "image/png" });
      return type === "image/avif" ? new Blob([png], { type }) : png;
    };`);
  await openPage();
  await chooseMethod("bicubic");
});

const picture = testPicture(40, 30);

test("AVIF is offered, and WebP is not, once there is something to save", async () => {
  await enlarge(await encodePng(picture), "cup.png");
  await expect.poll(formats).toEqual(["png", "jpeg", "avif"]);
});

test("it is written, with its name, its type and a quality", async () => {
  await userEvent.selectOptions(find("#panel-upscale [name=format]"), "avif");
  expect(find("#panel-upscale [name=jpeg-quality]").checkVisibility()).toBe(true);
  const { file, name } = await downloaded("#panel-upscale [name=download]");
  expect([name, file.type]).toEqual(["cup-x2-bicubic.avif", "image/avif"]);
  expect(await pixels(file, "srgb")).toEqual(imresize(picture, 2).data);
});

test("numbers stay where a profile says that they are sRGB", async () => {
  await enlarge(await encodePng(picture, { icc: profileOf("RGB", srgbCurve) }), "tagged.png");
  const { file } = await downloaded("#panel-upscale [name=download]");
  const { image } = await decodePng(new Uint8Array(await file.arrayBuffer()));
  expect(toRgb(image).data).toEqual(imresize(picture, 2).data);
});

test("wide colours stay", async () => {
  const canvas = new OffscreenCanvas(20, 20);
  const context = canvas.getContext("2d", { colorSpace: "display-p3" })!;
  context.fillStyle = "color(display-p3 0 1 0)";
  context.fillRect(0, 0, 20, 20);
  await enlarge(await canvas.convertToBlob({ type: "image/png" }), "green.png");
  const { file } = await downloaded("#panel-upscale [name=download]");
  expect([...(await pixels(file, "display-p3")).subarray(0, 3)]).toEqual([0, 255, 0]);
});
