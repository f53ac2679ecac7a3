/** What happens in the middle of enlarging: a lost device, Stop, Escape, another picture, a bad file. */
import { beforeAll, expect, inject, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { encodePng } from "../../site/pictures/encode-png.ts";
import {
  chooseMethod,
  clickMain,
  find,
  giveFile,
  givePicture,
  openPage,
  pixelsOf,
  says,
  statusLine,
} from "./page.ts";
import { testPicture } from "./test-picture.ts";

/** A worker that destroys its GPU device on demand. */
class FragileWorker extends Worker {
  constructor(url: string | URL, options?: WorkerOptions) {
    const fragile = moduleOf(`
      const { requestDevice } = GPUAdapter.prototype;
      let device;
      GPUAdapter.prototype.requestDevice = async function (...args) {
        device = await requestDevice.apply(this, args);
        return device;
      };
      new BroadcastChannel("device").addEventListener("message", () => device.destroy());`);
    super(moduleOf(`import "${fragile}"; import "${new URL(url, location.href)}";`), options);
  }
}

function moduleOf(code: string): string {
  return URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
}

const loseDevice = () => new BroadcastChannel("device").postMessage("lose");
/** Does something once, as soon as progress is said, which may be for a moment only. */
function atFirstProgress(action: () => void): void {
  const observer = new MutationObserver(() => {
    if (!/^\d+ %/.test(status().textContent)) return;
    observer.disconnect();
    action();
  });
  observer.observe(status(), { childList: true, characterData: true, subtree: true });
}

const status = () => find("#panel-upscale .task .status");

beforeAll(async () => {
  vi.stubGlobal("Worker", FragileWorker);
  await openPage();
  await giveFile(Uint8Array.from(inject("nodeResult").weights), "own.safetensors");
  await vi.waitFor(() =>
    expect(find<HTMLSelectElement>("[name=method]").selectedOptions[0].text).toBe("own ×2"),
  );
});

test("a device that is lost in the middle: the page goes on, with the same result", {
  timeout: 120_000,
}, async () => {
  await givePicture(testPicture(300, 200), "waves.png");
  await clickMain("upscale");
  await statusLine("upscale", /^Done in/);
  const expected = pixelsOf("upscale", "right");
  for (let times = 0; times < 2; times++) {
    const lose = vi.fn(loseDevice);
    atFirstProgress(lose);
    await clickMain("upscale");
    await vi.waitFor(() => expect(lose).toHaveBeenCalled(), { timeout: 60_000 });
    await statusLine("upscale", /^Done in/);
    expect(pixelsOf("upscale", "right")).toEqual(expected);
  }
});

test("a device that was lost in between is opened again by the next click", {
  timeout: 120_000,
}, async () => {
  loseDevice();
  await new Promise((resolve) => setTimeout(resolve, 300));
  await givePicture(testPicture(30, 20), "small.png");
  await clickMain("upscale");
  await statusLine("upscale", /^Done in/);
  expect(pixelsOf("upscale", "right").length).toBe(3 * 60 * 40);
});

test("something is said at once, and Stop and Escape stop at once", { timeout: 120_000 }, async () => {
  await chooseMethod("edsr-small");
  await givePicture(testPicture(900, 700), "large.png");
  for (const stop of [() => clickMain("upscale"), () => userEvent.keyboard("{Escape}")]) {
    await clickMain("upscale");
    await statusLine("upscale", /\S/);
    expect(find("#panel-upscale progress").hidden).toBe(false);
    await statusLine("upscale", /^\d+ %/);
    const start = performance.now();
    await stop();
    await statusLine("upscale", /^Stopped\.$/);
    // The click itself takes a part of it, and a busy machine three times as long. The whole picture takes a minute.
    expect(performance.now() - start).toBeLessThan(3000);
    expect(find("#panel-upscale .caption.before").textContent).toBe("your picture");
  }
});

test("another picture may be chosen meanwhile: it waits in the list", { timeout: 120_000 }, async () => {
  await chooseMethod("own ×2");
  await givePicture(testPicture(700, 600), "first.png");
  await clickMain("upscale");
  await givePicture(testPicture(20, 10), "second.png");
  await statusLine("upscale", /^Done in/);
  const states = () =>
    [...document.querySelectorAll<HTMLElement>(".queue li")].map(({ dataset }) => dataset.state);
  expect(states()).toEqual(["done", "waiting"]);
  await clickMain("upscale");
  await vi.waitFor(() => expect(states()).toEqual(["done", "done"]), { timeout: 30_000 });
});

test("pictures that are taken out of the list meanwhile are not enlarged", { timeout: 120_000 }, async () => {
  await chooseMethod("own ×2");
  const sizes = [500, 20, 22, 24];
  const files = sizes.map(
    async (side) => new File([await encodePng(testPicture(side, side))], `${side}.png`),
  );
  await userEvent.upload(find("#chooser input"), await Promise.all(files));
  await says("#picture-name", /^500\.png/);
  await clickMain("upscale");
  await statusLine("upscale", /^Picture 1 of 4/);
  for (const name of ["20", "24"])
    find<HTMLButtonElement>(`.queue [aria-label="Remove ${name}.png from the list"]`).click();
  await statusLine("upscale", /^Done: 2 pictures in/);
  const names = [...document.querySelectorAll(".queue .name")].map(({ textContent }) => textContent);
  expect(names).toEqual(["500.png", "22.png"]);
  expect(find("#picture-name").textContent).toMatch(/^22\.png/);
});

test("a bad file among good ones is named, and the others are done", { timeout: 120_000 }, async () => {
  const good = async (name: string) => new File([await encodePng(testPicture(20, 10))], name);
  const files = [await good("a.png"), new File(["no picture"], "text.png"), await good("b.png")];
  await userEvent.upload(find("#chooser input"), files);
  await vi.waitFor(() => expect(document.querySelectorAll(".queue li").length).toBe(3));
  await says("#picture-name", /^a\.png/);
  await clickMain("upscale");
  await statusLine("upscale", /^2 of 3 pictures are done/);
  const items = [...document.querySelectorAll<HTMLElement>(".queue li")];
  expect(items.map(({ dataset }) => dataset.state)).toEqual(["done", "failed", "done"]);
  expect(items[1].querySelector("button")!.title).toMatch(/^text\.png is no picture/);
  await userEvent.click(items[0].querySelector("button")!);
  await says("#picture-name", /^a\.png/);
  await expect.poll(() => find("#panel-upscale .caption.after").textContent).toBe("own ×2");
  expect(status().textContent).not.toMatch(/text\.png/);
});
