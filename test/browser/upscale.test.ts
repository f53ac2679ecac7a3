/** The tab that enlarges: pixels, comparison, stopping, broken files. */
import { beforeAll, describe, expect, inject, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { decodePng } from "../../site/pictures/decode-png.ts";
import { CpuDevice } from "../../src/device/cpu-device.ts";
import { setDefaultDevice } from "../../src/device/open.ts";
import { Compact } from "../../src/models/index.ts";
import { imresize } from "../../src/picture/imresize.ts";
import { Random } from "../../src/tensor/random.ts";
import { networkUpscaler } from "../../src/upscale/index.ts";
import { parseWeights, serializePytorch } from "../../src/weights/index.ts";
import {
  chooseMethod,
  clickMain,
  downloaded,
  find,
  giveFile,
  givePicture,
  openPage,
  pixelsOf,
  says,
  statusLine,
} from "./page.ts";
import { testPicture } from "./test-picture.ts";

const divider = () => find("#panel-upscale .divider");
const method = () => find<HTMLSelectElement>("[name=method]");
const maxDifference = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((max, value, i) => Math.max(max, Math.abs(value - b[i])), 0);

beforeAll(openPage);

test("a sample is shown when the page opens, and the adapter is named", () => {
  expect(find("#picture-name").textContent).toMatch(/^Cat, 226 × 150$/);
  expect(find("#adapter").textContent).not.toBe("");
  expect(find("#no-webgpu").hidden).toBe(true);
  expect(getComputedStyle(divider()).display).toBe("none");
});

describe("a dropped picture and a dropped network", () => {
  const { weights, pixels } = inject("nodeResult");

  beforeAll(async () => {
    await givePicture(testPicture(), "waves.png");
    await giveFile(Uint8Array.from(weights), "own.safetensors");
    await vi.waitFor(() => expect(method().selectedOptions[0].text).toBe("own ×2"));
    await clickMain("upscale");
    await statusLine("upscale", /^Done in/);
  });

  test("the result equals Node's within a level, and is not empty", () => {
    const got = pixelsOf("upscale", "right");
    expect(got.length).toBe(pixels.length);
    expect(maxDifference(got, pixels)).toBeLessThanOrEqual(1);
    expect(Math.max(...pixels) - Math.min(...pixels)).toBeGreaterThan(50);
  });

  test("beside it is the original, or bicubic interpolation", async () => {
    expect(pixelsOf("upscale", "left")).toEqual(Uint8Array.from(testPicture().data));
    await userEvent.selectOptions(find("[name=beside]"), "bicubic");
    await says("#panel-upscale .caption.before", /^bicubic$/);
    expect(maxDifference(pixelsOf("upscale", "left"), imresize(testPicture(), 2).data)).toBe(0);
    await userEvent.selectOptions(find("[name=beside]"), "original");
    await says("#panel-upscale .caption.before", /^original$/);
  });

  test("a network has its own scale and what several runs of it make; the library's have four", async () => {
    const enabled = () =>
      [...document.querySelectorAll<HTMLInputElement>("#panel-upscale [name=scale]:enabled")].map(
        ({ value }) => value,
      );
    expect(enabled()).toEqual(["2", "4", "8", "size"]);
    expect(find("#panel-upscale .scale-hint").textContent).toBe("own ×2 cannot do ×3.");
    await chooseMethod("espcn");
    expect(enabled()).toEqual(["2", "3", "4", "8", "size"]);
    expect(find<HTMLInputElement>("[value=fast]").checked).toBe(true);
    await userEvent.click(find("[value=best]"));
    expect(method().value).toBe("automatic");
    await chooseMethod("own ×2");
    expect(find<HTMLInputElement>("[value=other]").checked).toBe(true);
  });

  test("the downloaded PNG holds the result", async () => {
    const { file, name } = await downloaded("#panel-upscale [name=download]");
    expect(name).toBe("waves-x2-own.png");
    const { image } = await decodePng(new Uint8Array(await file.arrayBuffer()));
    expect(maxDifference(image.data, pixelsOf("upscale", "right"))).toBe(0);
  });

  test("the divider moves by keyboard and by pointer, and clips the right picture", async () => {
    const place = () => Number(divider().ariaValueNow);
    divider().focus();
    for (const [key, wanted] of [
      ["Home", 0],
      ["ArrowRight", 2],
      ["PageUp", 12],
      ["ArrowLeft", 10],
      ["End", 100],
    ] as const) {
      await userEvent.keyboard(`{${key}}`);
      expect(place(), key).toBe(wanted);
    }
    const frame = find("#panel-upscale .window");
    await userEvent.click(frame, { position: { x: frame.clientWidth / 4, y: 100 } });
    expect(place()).toBe(25);
    const [, upper] = document.querySelectorAll<HTMLElement>("#panel-upscale .layer");
    expect(upper.style.clipPath).toMatch(/^inset\(0(px)? 0(px)? 0(px)? 25(\.\d+)?%\)$/);
    expect(divider().getAttribute("aria-valuetext")).toBe("25 % original, the rest own ×2");

    await userEvent.dragAndDrop(divider(), frame, {
      targetPosition: { x: frame.clientWidth * 0.75, y: 100 },
    });
    expect(place()).toBe(75);
  });

  test("zooms by keyboard and button, and back to the whole picture", async () => {
    const zoom = () => Number.parseInt(find("#panel-upscale output").textContent, 10);
    const whole = zoom();
    find("#panel-upscale .window").focus();
    await userEvent.keyboard("+");
    expect(zoom()).toBeGreaterThan(whole);
    await userEvent.keyboard("1");
    expect(zoom()).toBe(100);
    await userEvent.keyboard("0");
    expect(zoom()).toBe(whole);
    await userEvent.click(find("#panel-upscale [data-zoom=in]"));
    expect(zoom()).toBeGreaterThan(whole);
  });

  test("the same network in a file of PyTorch's gives the same result", async () => {
    const { tensors, metadata } = parseWeights(Uint8Array.from(weights));
    await giveFile(serializePytorch(tensors, metadata), "torch.pth");
    await vi.waitFor(() => expect(method().selectedOptions[0].text).toBe("torch ×2"));
    const before = pixelsOf("upscale", "right");
    await clickMain("upscale");
    await statusLine("upscale", /^Done in/);
    expect(pixelsOf("upscale", "right")).toEqual(before);
  });
});

test("a .pth of another program, for a network that keeps the size", async () => {
  setDefaultDevice(new CpuDevice("float32"));
  const model = new Compact({ scale: 1, layers: 1, channels: 4, random: new Random(1) });
  const picture = testPicture(20, 10);
  await givePicture(picture, "noisy.png");
  await giveFile(serializePytorch(await model.stateDict()), "denoise.pth");
  await vi.waitFor(() => expect(method().selectedOptions[0].text).toBe("denoise ×1"));
  await clickMain("upscale");
  await statusLine("upscale", /^Done in/);
  const { data } = await networkUpscaler(model).upscale(picture);
  expect(data).not.toEqual(picture.data);
  expect(pixelsOf("upscale", "right").length).toBe(data.length);
  expect(maxDifference(pixelsOf("upscale", "right"), data)).toBeLessThanOrEqual(1);
  model.dispose();
});

test.each(["own ×2", "bicubic"])("%s stops between two tiles, and the next picture works", async (name) => {
  await givePicture(testPicture(1500, 1400), "large.png");
  await chooseMethod(name);
  await clickMain("upscale");
  const line = await statusLine("upscale", /^\d+ %/);
  expect(Number.parseInt(line, 10)).toBeLessThan(100);
  await clickMain("upscale");
  await statusLine("upscale", /^Stopped\.$/);
  expect(find("#panel-upscale .output").hidden).toBe(true);
  expect(find("#panel-upscale .primary").textContent).toBe("Enlarge");

  await givePicture(testPicture(20, 10), "small.png");
  await clickMain("upscale");
  await statusLine("upscale", /^Done in/);
  expect(pixelsOf("upscale", "right").length).toBe(3 * 40 * 20);
});

test("files that are no pictures or weights are refused by name; the picture stays", async () => {
  const name = find("#picture-name").textContent;
  await giveFile("no picture", "text.png");
  expect(await says("#message", /text\.png/)).toMatch(
    /is no picture .* Choose a PNG, JPEG, WebP, AVIF, GIF or BMP file/,
  );
  await giveFile("no weights", "broken.safetensors");
  expect(await says("#message", /broken\.safetensors/)).toMatch(/is a text, and holds no weights/);
  await giveFile("PK\x03\x04 data.pkl", "broken.pth");
  expect(await says("#message", /broken\.pth/)).toMatch(/not a complete PyTorch file/);
  expect(find("#picture-name").textContent).toBe(name);
});

test("a network is removed under Details only if the visitor means it, and a failure is said", async () => {
  await chooseMethod("own ×2");
  const names = () => [...method().options].map(({ text }) => text);
  const remove = () => userEvent.click(find("#panel-upscale [name=remove]"));
  const question = vi.spyOn(window, "confirm").mockReturnValue(false);
  await remove();
  expect(question).toHaveBeenCalledExactlyOnceWith("Remove “own ×2” from this browser?");
  expect(names()).toContain("own ×2");

  question.mockReturnValue(true);
  const { postMessage } = Worker.prototype;
  const post = vi.spyOn(Worker.prototype, "postMessage").mockImplementation(function (this: Worker, message) {
    const { id, task } = message as { id: number; task: string };
    if (task !== "removeWeights") return postMessage.call(this, message);
    const error = { name: "Error", message: "It cannot be removed now." };
    this.dispatchEvent(new MessageEvent("message", { data: { id, error } }));
  });
  await remove();
  await says("#message", /It cannot be removed now\./);
  expect(names()).toContain("own ×2");

  post.mockRestore();
  await remove();
  await expect.poll(names).not.toContain("own ×2");
  question.mockRestore();
});
