/** The loupe: the place under the pointer, in both pictures side by side. */
import { beforeAll, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import type { Image } from "../../src/picture/image.ts";
import { imresize } from "../../src/picture/imresize.ts";
import { chooseMethod, clickMain, find, givePicture, openPage, statusLine } from "./page.ts";

/** Large enough to be shown in less pixels than it has; every place has a colour of its own. */
const [width, height] = [1600, 1000];
const picture: Image = { width, height, channels: 3, data: new Uint8Array(3 * width * height) };
for (let y = 0, i = 0; y < height; y++) {
  for (let x = 0; x < width; x++) {
    picture.data[i++] = (x * 255) / width;
    picture.data[i++] = (y * 255) / height;
    picture.data[i++] = 128;
  }
}

const button = () => find<HTMLButtonElement>("#panel-upscale [data-zoom=loupe]");
const loupe = () => find("#panel-upscale .loupe");
const stage = () => find("#panel-upscale .window");

/** The colours in the middle of the loupe's pictures. */
function colors(): number[][] {
  const canvases = [...loupe().querySelectorAll<HTMLCanvasElement>("canvas:not([hidden])")];
  return canvases.map((canvas) => {
    const [x, y] = [canvas.width / 2, canvas.height / 2];
    return [...canvas.getContext("2d")!.getImageData(x, y, 1, 1).data];
  });
}

/** Waits until all pictures in the loupe show that place of the picture, given as shares of its sides. */
async function showsPlace(x: number, y: number, count: number): Promise<void> {
  await vi.waitFor(() => {
    expect(colors()).toHaveLength(count);
    for (const [red, green, blue, alpha] of colors()) {
      expect(Math.abs(red - 255 * x)).toBeLessThan(3);
      expect(Math.abs(green - 255 * y)).toBeLessThan(3);
      expect([blue, alpha]).toEqual([128, 255]);
    }
  });
}

/** Where the picture lies in its window. */
function placeOf(x: number, y: number): { x: number; y: number } {
  const { clientWidth, clientHeight } = stage();
  const zoom = Math.min(clientWidth / width, clientHeight / height);
  return {
    x: Math.round((clientWidth - width * zoom) / 2 + x * width * zoom),
    y: Math.round((clientHeight - height * zoom) / 2 + y * height * zoom),
  };
}

beforeAll(async () => {
  await openPage();
  await chooseMethod("bicubic");
  await givePicture(picture, "colours.png");
});

test("a picture alone: at first its middle, then the place under the pointer", async () => {
  expect(document.querySelector(".loupe")).toBe(null);
  await userEvent.click(button());
  expect(button().ariaPressed).toBe("true");
  await showsPlace(0.5, 0.5, 1);
  await userEvent.hover(stage(), { position: placeOf(0.2, 0.7) });
  await showsPlace(0.2, 0.7, 1);
});

test("both pictures, at the same place, and the loupe lies inside the window", {
  timeout: 120_000,
}, async () => {
  await clickMain("upscale");
  await statusLine("upscale", /^Done/);
  for (const [x, y] of [
    [0.05, 0.1],
    [0.95, 0.9],
    [0.6, 0.3],
  ]) {
    await userEvent.hover(stage(), { position: placeOf(x, y) });
    await showsPlace(x, y, 2);
    const [inner, outer] = [loupe().getBoundingClientRect(), stage().getBoundingClientRect()];
    expect(inner.left).toBeGreaterThanOrEqual(outer.left - 1);
    expect(inner.right).toBeLessThanOrEqual(outer.right + 1);
    expect(inner.top).toBeGreaterThanOrEqual(outer.top - 1);
  }
});

test("the result's own pixels, each one of the screen's or more", async () => {
  await userEvent.hover(stage(), { position: placeOf(0.5, 0.5) });
  await showsPlace(0.5, 0.5, 2);
  const canvas = loupe().querySelectorAll("canvas")[1];
  const large = imresize(picture, 2);
  const row = canvas.getContext("2d")!.getImageData(0, canvas.height / 2, canvas.width, 1).data;
  const reds = new Set(Array.from({ length: canvas.width }, (_, x) => row[4 * x]));
  // As many different values as the result has in such a stretch: not those of a picture made smaller.
  const from = width - canvas.width / 2;
  const wanted = new Set(
    Array.from({ length: canvas.width }, (_, x) => large.data[3 * (height * 2 * width + from + x)]),
  );
  expect(Math.abs(reds.size - wanted.size)).toBeLessThanOrEqual(2);
});

test("by keyboard: L turns it on and off, arrow keys move it", async () => {
  stage().focus();
  await userEvent.keyboard("l");
  expect(document.querySelector(".loupe")).toBe(null);
  await userEvent.keyboard("l");
  await showsPlace(0.5, 0.5, 2);
  await userEvent.keyboard("{ArrowRight>20/}");
  const zoom = Math.min(stage().clientWidth / width, stage().clientHeight / height);
  await showsPlace(0.5 + (20 * 8) / zoom / width, 0.5, 2);
});
