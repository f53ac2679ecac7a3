/** A part of a large picture that is tried before the whole, and sizes in pixels. */
import { beforeAll, describe, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { upscale } from "../../src/index.ts";
import { crop } from "../../src/picture/image.ts";
import { imresize } from "../../src/picture/imresize.ts";
import {
  chooseMethod,
  clickMain,
  downloaded,
  find,
  givePicture,
  openPage,
  pixelsOf,
  statusLine,
} from "./page.ts";
import { testPicture } from "./test-picture.ts";

const frame = () => find<HTMLButtonElement>("#panel-upscale .part");
const whole = () =>
  [...document.querySelectorAll("button")].find((one) => one.textContent === "Whole picture")!;
const picture = testPicture(600, 400);
/** Of the frame, in the picture. The page's adapter is software here. */
const side = 128;

beforeAll(async () => {
  await openPage();
  await chooseMethod("bicubic");
});

describe("a part of a picture", () => {
  beforeAll(() => givePicture(picture, "large.png"));

  /** What the page shows once the frame was pressed, and where in the picture it lies. */
  async function shown(left: number, top: number): Promise<void> {
    await statusLine("upscale", /^This part took/);
    const part = crop(picture, left, top, side, side);
    expect(pixelsOf("upscale", "left")).toEqual(part.data);
    expect(pixelsOf("upscale", "right")).toEqual(imresize(part, 2).data);
    expect(find("#panel-upscale .caption.after").textContent).toBe("bicubic");
  }

  test("is the middle, until the user moves the frame", async () => {
    await userEvent.click(frame());
    await shown((600 - side) / 2, (400 - side) / 2);
    expect(frame().hidden).toBe(true);
    expect(document.activeElement).toBe(whole());
  });

  test("and the whole picture comes back", async () => {
    await userEvent.click(whole());
    await vi.waitFor(() => expect(pixelsOf("upscale", "left")).toEqual(picture.data));
    expect(whole().hidden).toBe(true);
    expect(frame().hidden).toBe(false);
  });

  test("arrow keys move the frame to an edge, and Enter tries", async () => {
    frame().focus();
    await userEvent.keyboard("{ArrowLeft>9/}{ArrowUp>9/}{Enter}");
    await shown(0, 0);
    await userEvent.click(whole());
  });

  test("a drag moves it, and tries nothing; a click elsewhere in the picture brings it there", async () => {
    const stage = find("#panel-upscale .window");
    await vi.waitFor(() => expect(frame().hidden).toBe(false));
    const { clientWidth, clientHeight } = stage;
    await userEvent.dragAndDrop(frame(), stage, {
      targetPosition: { x: clientWidth - 2, y: clientHeight - 2 },
    });
    const { right } = frame().getBoundingClientRect();
    expect(right).toBeGreaterThan(stage.getBoundingClientRect().right - 40);
    await userEvent.click(stage, { position: { x: 5, y: 5 } });
    expect(frame().getBoundingClientRect().left).toBeLessThan(stage.getBoundingClientRect().left + 40);
    expect(whole().hidden).toBe(true);
  });

  test("is gone when the whole is enlarged", async () => {
    await userEvent.click(frame());
    await statusLine("upscale", /^This part took/);
    await clickMain("upscale");
    await statusLine("upscale", /^Done in/);
    expect(pixelsOf("upscale", "right").length).toBe(4 * picture.data.length);
    expect(whole().hidden).toBe(true);
    expect(frame().hidden).toBe(true);
  });

  test("is not offered for a picture that is done as quickly", async () => {
    await givePicture(testPicture(100, 90), "small.png");
    expect(frame().hidden).toBe(true);
  });
});

describe("a size in pixels", () => {
  const hint = () => find("#panel-upscale .size").textContent;
  const width = () => find<HTMLInputElement>("#panel-upscale [name=width]");
  const height = () => find<HTMLInputElement>("#panel-upscale [name=height]");

  beforeAll(() => givePicture(testPicture(100, 50), "wide.png"));

  test("is asked for in two fields, of which one is enough", async () => {
    expect(find("#panel-upscale .target").hidden).toBe(true);
    await userEvent.click(find("[name=scale][value=size]"));
    expect(document.activeElement).toBe(width());
    expect(hint()).toMatch(/^Say how many pixels/);
    await userEvent.fill(width(), "250");
    expect(hint()).toBe("100 × 50 becomes 250 × 125 pixels.");
    await userEvent.fill(height(), "100");
    expect(hint()).toBe("100 × 50 becomes 200 × 100 pixels.");
    await userEvent.fill(width(), "801");
    await userEvent.clear(height());
    expect(hint()).toMatch(/^“bicubic” enlarges by 8 at most, which is 800 × 400 pixels/);
  });

  test("“Best” is called so, and gives what the library does, also for a size below the picture's", async () => {
    await userEvent.click(find("[value=best]"));
    expect(hint()).toMatch(/^“Best” enlarges by 8 at most, which is 800 × 400 pixels/);
    await userEvent.fill(width(), "50");
    await clickMain("upscale");
    await statusLine("upscale", /^Done in/);
    expect(find("#panel-upscale .facts").textContent).toMatch(/Bywren, ×2, for a picture without/);
    const { image } = await upscale(testPicture(100, 50), { size: { width: 50 } });
    expect(pixelsOf("upscale", "right")).toEqual(Uint8Array.from(image.data));
    await chooseMethod("bicubic");
  });

  test("Enter enlarges to it, and the file says so", async () => {
    await userEvent.fill(width(), "250");
    await userEvent.keyboard("{Enter}");
    await statusLine("upscale", /^Done in/);
    expect(pixelsOf("upscale", "right").length).toBe(3 * 250 * 125);
    expect(find("#panel-upscale .facts").textContent).toContain("250 × 125");
    expect((await downloaded("#panel-upscale [name=download]")).name).toBe("wide-250x125-bicubic.png");
    await userEvent.selectOptions(find("[name=beside]"), "bicubic");
    await vi.waitFor(() => expect(pixelsOf("upscale", "left").length).toBe(3 * 250 * 125));
    await userEvent.selectOptions(find("[name=beside]"), "original");
  });

  test("nothing or nonsense in the fields is said, and not computed", async () => {
    await userEvent.fill(width(), "-3");
    await clickMain("upscale");
    await statusLine("upscale", /^Say how many pixels the result may have/);
    await userEvent.click(find("[name=scale][value='2']"));
    expect(find("#panel-upscale .target").hidden).toBe(true);
    await clickMain("upscale");
    await statusLine("upscale", /^Done in/);
  });
});
