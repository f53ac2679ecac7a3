/** Picture files of many kinds: what the page reads of them, shows and writes is what the command line would. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { unzipSync } from "fflate";
import type { Browser, Page } from "playwright";
import sharp, { type Sharp } from "sharp";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { decodePictureFile, type PictureFile } from "../../src/files/picture-file.ts";
import { gammaCurve, profileOf } from "../../src/formats/icc.ts";
import { encodeChunk } from "../../src/formats/png.ts";
import { give, givePicture, startBrowser, status, visitForAll, waves } from "./visit.ts";

let browser: Browser;
let page: Page;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  ({ page } = await visitForAll(browser));
});
afterEach(() => page.context().close());

async function chooseBicubic(): Promise<void> {
  const details = page.locator("#panel-upscale details");
  if ((await details.getAttribute("open")) === null) await page.click("#panel-upscale [value=other]");
  await page.selectOption("#panel-upscale [name=method]", "bicubic");
}

async function enlarge(name: string, bytes: Uint8Array): Promise<void> {
  await chooseBicubic();
  await givePicture(page, name, bytes);
  await page.click("#panel-upscale .primary");
  await status(page, "upscale", /^Done in/);
}

/** Until the worker does, too. */
async function speakGerman(): Promise<void> {
  await page.selectOption("#language", "de");
  await page
    .locator("#panel-upscale [name=method] option", { hasText: "nach dem Bild gewählt" })
    .waitFor({ state: "attached" });
}

/** The result's file. */
async function saved(format: string): Promise<Buffer> {
  await page.selectOption("#panel-upscale [name=format]", format);
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.click("#panel-upscale [name=download]"),
  ]);
  // The file comes first, and then what it lacks.
  await page.locator("#panel-upscale .task .status", { hasText: /^(Saved|Gespeichert)/ }).waitFor();
  return readFile(await file.path());
}

async function enlarged(name: string, bytes: Uint8Array, format = "png"): Promise<PictureFile> {
  await enlarge(name, bytes);
  const file = await saved(format);
  return decodePictureFile(file, `result.${format}`);
}

/** What the page shows in its original's place, in sRGB: the first pixel. */
const shown = () =>
  page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>("#panel-upscale canvas:not(.detail)")!;
    const copy = new OffscreenCanvas(1, 1).getContext("2d")!;
    copy.drawImage(canvas, 0, 0);
    return [...copy.getImageData(0, 0, 1, 1).data.subarray(0, 3)];
  });

function even(color: readonly number[], width = 40, height = 60): Sharp {
  const channels = color.length as 1 | 3;
  const data = Buffer.alloc(width * height * channels).map((_, i) => color[i % channels]);
  const picture = sharp(data, { raw: { width, height, channels } });
  return channels === 1 ? picture.toColourspace("b-w") : picture;
}

/** A PNG file with chunks behind its header. */
async function pngWith(picture: Sharp, ...chunks: readonly [string, Uint8Array][]): Promise<Buffer> {
  const file = await picture.png().toBuffer();
  const start = 33;
  const more = chunks.map(([type, data]) => encodeChunk(type, data));
  return Buffer.concat([file.subarray(0, start), ...more, file.subarray(start)]);
}

const iccChunk = async (icc: Uint8Array): Promise<[string, Uint8Array]> => {
  const { deflateSync } = await import("node:zlib");
  return ["iCCP", Buffer.concat([Buffer.from("icc\0\0", "latin1"), deflateSync(icc)])];
};

const linearGrey = profileOf("GRAY", gammaCurve(1));
const labGrey = Buffer.from(linearGrey);
labGrey.write("Lab ", 20, "latin1");

describe("read", () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])("WebP of orientation %i is turned", async (orientation) => {
    const file = await sharp(waves(40, 60))
      .removeAlpha()
      .withMetadata({ orientation })
      .webp({ lossless: true })
      .toBuffer();
    const result = await enlarged("turned.webp", file);
    await chooseBicubic();
    const upright = await sharp(file).autoOrient().png().toBuffer();
    const { image } = await enlarged("upright.png", upright);
    expect(result.image).toEqual(image);
    const { orientation: left } = await sharp(await saved("webp")).metadata();
    expect(left ?? 1).toBe(1);
  });

  test("AVIF keeps its EXIF data, XMP, resolution and profile, and says that bits were lost", async () => {
    const xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/"/>';
    const file = await even([200, 80, 40])
      .withIccProfile("p3")
      .withExifMerge({ IFD0: { Make: "pixelgrad" } })
      .withXmp(xmp)
      .withDensity(240)
      .avif({ quality: 100, lossless: true, bitdepth: 10 })
      .toBuffer();
    const cli = await decodePictureFile(file, "a.avif");
    const result = await enlarged("a.avif", file);
    expect(await page.textContent("#panel-upscale .notes")).toBe("Its 10 bits per sample were read as 8.");
    expect(cli.exif).toBeDefined();
    expect(cli.xmp).toContain("xmpmeta");
    expect(Buffer.from(result.exif!).includes("pixelgrad")).toBe(true);
    expect(result.xmp).toBe(cli.xmp);
    expect(result.density?.x).toBeCloseTo(cli.density!.x, 2); // per metre in the result
    expect(result.icc).toEqual(cli.icc);
    expect([...result.image.data.subarray(0, 3)]).toEqual(
      [...cli.image.data.subarray(0, 3)].map((value) => Math.round(value / 257)),
    );
  });

  test("AVIF with codes for its colours gets a profile for them", async () => {
    const file = await even([200, 80, 40]).avif({ quality: 100, lossless: true }).toBuffer();
    const at = file.indexOf("colrnclx", 0, "latin1");
    expect(at).toBeGreaterThan(0);
    file.writeUInt16BE(12, at + 8); // Display P3
    const result = await enlarged("coded.avif", file);
    expect(result.icc).toEqual((await decodePictureFile(file, "coded.avif")).icc);
    expect(result.icc).toBeDefined();
  });

  test("HDR AVIF is converted as the browser shows it, and says so", async () => {
    const file = await even([100, 160, 200]).avif({ quality: 100, lossless: true }).toBuffer();
    const at = file.indexOf("colrnclx", 0, "latin1");
    file.writeUInt16BE(9, at + 8); // BT.2020
    file.writeUInt16BE(16, at + 10); // PQ
    const wanted = await page.evaluate(
      async (bytes) => {
        const bitmap = await createImageBitmap(new Blob([Uint8Array.from(bytes)], { type: "image/avif" }));
        const canvas = new OffscreenCanvas(1, 1).getContext("2d")!;
        canvas.drawImage(bitmap, 0, 0);
        return [...canvas.getImageData(0, 0, 1, 1).data.subarray(0, 3)];
      },
      [...file],
    );
    expect(wanted).not.toEqual([100, 160, 200]);
    const { image } = await enlarged("hdr.avif", file, "jpeg");
    for (const [c, value] of wanted.entries()) expect(Math.abs(image.data[c] - value)).toBeLessThanOrEqual(3);
    expect(await page.textContent("#panel-upscale .notes")).toBe("Converted to sRGB, from HDR.");
    const png = await saved("png");
    expect(png.includes("cICP", 0, "latin1")).toBe(false);
  });

  test("of an animated GIF, the first frame is taken, and it says so", async () => {
    const frames = Buffer.concat([0, 90, 180].map((value) => Buffer.alloc(20 * 10 * 3, value)));
    const file = await sharp(frames, { raw: { width: 20, height: 30, channels: 3, pageHeight: 10 } })
      .gif()
      .toBuffer();
    await givePicture(page, "moves.gif", file);
    await expect
      .poll(() => page.textContent("#panel-upscale .notes"))
      .toBe("Only the first of 3 frames was taken.");
  });

  test("a damaged BMP picture is named, in the page's language", async () => {
    const bytes = Buffer.alloc(100);
    bytes.write("BM", "latin1");
    await give(page, "a.bmp", bytes);
    await page.locator("#message", { hasText: /a\.bmp is a BMP picture, but it is damaged\./ }).waitFor();
    await speakGerman();
    await give(page, "b.bmp", bytes);
    await page
      .locator("#message", { hasText: /b\.bmp ist ein BMP-Bild, aber beschädigt\. Laden oder/ })
      .waitFor();
  });

  test("a part of the page that does not load is no damage of the file", async () => {
    await page.context().close();
    ({ page } = await visitForAll(browser, { serviceWorkers: "block" }));
    const isPart = /\/content-[^/]*\.js$/;
    await page.context().route(isPart, (route) => route.abort());
    const file = await even([83]).png().toBuffer();
    await give(page, "a.png", file);
    await page.locator("#message p", { hasText: /^A file of this page could not be loaded\./ }).waitFor();
    await page.context().unroute(isPart);
    await givePicture(page, "a.png", file);
  });

  test("a whole PNG picture that is too large is not called damaged", async () => {
    const header = Buffer.alloc(13);
    header.writeUInt32BE(20_000, 0);
    header.writeUInt32BE(19_000, 4);
    header.set([8, 2, 0, 0, 0], 8);
    const signature = Buffer.from("89504e470d0a1a0a", "hex");
    const chunks = [encodeChunk("IHDR", header), encodeChunk("IDAT", new Uint8Array(9))];
    await give(page, "map.png", Buffer.concat([signature, ...chunks]));
    await page
      .locator("#message", {
        hasText: /map\.png has 20000 × 19000 pixels, which take more than a gigabyte: too/,
      })
      .waitFor();
  });

  test("weights of another program are called what they are, once", async () => {
    await give(page, "m.onnx", Buffer.from("nothing that begins as anything"));
    await page
      .locator("#message", { hasText: /m\.onnx is a file of weights or numbers, and no picture\. Choose a/ })
      .waitFor();
  });
});

describe("shown", () => {
  const gamma = Buffer.alloc(4);
  gamma.writeUInt32BE(100_000);
  const linearSrgb = profileOf("RGB", gammaCurve(1));
  // As GIMP calls it.
  const renamed = Buffer.from(linearSrgb);
  const name = Buffer.from("RGB of the original", "utf16le").swap16();
  renamed.set(Buffer.from("Linear sRGB".padEnd(19), "utf16le").swap16(), renamed.indexOf(name));

  test.each<[string, () => Promise<Buffer>, number]>([
    ["a profile called Linear sRGB", async () => pngWith(even([83, 83, 83]), await iccChunk(renamed)), 155],
    ["a linear profile of grey", async () => pngWith(even([83]), await iccChunk(linearGrey)), 155],
    ["a profile of grey by lightness", async () => pngWith(even([83]), await iccChunk(labGrey)), 77],
    ["gAMA", () => pngWith(even([83, 83, 83]), ["gAMA", gamma]), 155],
    ["cICP", () => pngWith(even([83, 83, 83]), ["cICP", Buffer.of(1, 8, 0, 1)]), 155],
    ["nothing", () => pngWith(even([83, 83, 83])), 83],
  ])("in the colours that it means: %s", async (_, file, wanted) => {
    await givePicture(page, "a.png", await file());
    await expect.poll(async () => Math.abs((await shown())[0] - wanted)).toBeLessThanOrEqual(1);
  });
});

describe("written", () => {
  test.each([1, 3])(
    "pictures of %i channels with a profile look the same as JPEG and WebP",
    async (channels) => {
      const icc = channels === 1 ? linearGrey : profileOf("RGB", gammaCurve(1));
      const even83 = even(Array(channels).fill(83), 1100, 1000); // the result is written in two strips
      await enlarge("linear.png", await pngWith(even83, await iccChunk(icc)));
      for (const format of ["jpeg", "webp"]) {
        const { image } = await decodePictureFile(await saved(format), "a", { target: "srgb" });
        for (const at of [0, -1]) expect(Math.abs(image.data.at(at)! - 155)).toBeLessThanOrEqual(2);
      }
    },
  );

  test("where it says that colours are converted, they are", async () => {
    await enlarge("lab.png", await pngWith(even([83]), await iccChunk(labGrey)));
    for (const format of ["webp", "jpeg"]) {
      const file = await saved(format);
      expect(await page.textContent("#panel-upscale .task .status")).toMatch(/Converted to sRGB: /);
      const raw = await sharp(file, { ignoreIcc: true }).raw().toBuffer();
      expect(Math.abs(raw[0] - 77)).toBeLessThanOrEqual(1);
    }
  });

  test("what it lacks, and what was odd about its original, in the page's language", async () => {
    const status = () => page.textContent("#panel-upscale .task .status");
    const notes = () => page.textContent("#panel-upscale .notes");
    const picture = sharp(Buffer.alloc(40 * 60 * 4, 83), { raw: { width: 40, height: 60, channels: 4 } });
    const texts = ["Author", "Title"].map((name): [string, Uint8Array] => [
      "tEXt",
      Buffer.from(`${name}\0a`),
    ]);
    const animation = Buffer.alloc(8);
    animation[3] = 3;
    const file = await pngWith(picture, ...texts, ["prVW", Buffer.alloc(9)], ["acTL", animation]);
    await enlarge("texts.png", Buffer.concat([file, Buffer.alloc(1234, 1)]));
    expect(await notes()).toBe("Only the first of 3 frames was taken.");
    await saved("jpeg");
    expect(await status()).toMatch(
      /^Saved, \d+ kB\. Without what a program keeps in prVW\. Without 1,234 bytes behind its end\. Without the text Author, Title: JPEG cannot hold it\. Put on white: JPEG holds no transparency\.$/,
    );
    await speakGerman();
    await expect.poll(notes).toBe("Nur das erste von 3 Einzelbildern wurde genommen.");
    await saved("jpeg");
    expect(await status()).toMatch(
      /^Gespeichert, \d+ kB\. Ohne das, was ein Programm in prVW aufbewahrt\. Ohne 1\.234 Bytes hinter seinem Ende\. Ohne die Texte Author, Title: JPEG kann sie nicht aufnehmen\. Auf Weiß gelegt: JPEG kennt keine Transparenz\.$/,
    );
  });

  test("what is longer than WebP holds is refused", async () => {
    await enlarge("tall.png", await even([83], 8, 9000).png().toBuffer());
    await page.selectOption("#panel-upscale [name=format]", "webp");
    await page.click("#panel-upscale [name=download]");
    await status(
      page,
      "upscale",
      /^WebP pictures have at most 16383 pixels a side, and this one would have 16 × 18000\. Choose PNG\.$/,
    );
  });
});

describe("saved together", () => {
  const deep = async () => even([83, 90, 97], 20, 10).toColourspace("rgb16").png().toBuffer();

  /** Enlarges files of these names, those that begin with "tall" far too tall for WebP. */
  async function enlargeAll(names: readonly string[]): Promise<void> {
    await chooseBicubic();
    const files = await Promise.all(
      names.map(async (name, i) => ({
        name,
        mimeType: "image/png",
        buffer: name.startsWith("tall")
          ? await even([83], 8 + i, 9000)
              .png()
              .toBuffer()
          : await deep(),
      })),
    );
    await page.setInputFiles("#chooser input", files);
    await page.locator("#picture-name", { hasText: names[0] }).waitFor({ state: "attached" });
    await page.click("#panel-upscale .primary");
    await status(page, "upscale", /^Done: /);
  }

  test("in an archive: what cannot be written is left out and named, and so is what files lack", async () => {
    await enlargeAll(["tall.png", "b.png", "c.png"]);
    await page.selectOption("#panel-upscale [name=format]", "webp");
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.click("#panel-upscale [name=zip]"),
    ]);
    const entries = Object.keys(unzipSync(await readFile(await file.path())));
    expect(entries).toEqual(["b-x2-bicubic.webp", "c-x2-bicubic.webp"]);
    await status(
      page,
      "upscale",
      /^Saved 2 pictures, .*\. 16 bits per sample became 8 \(b-x2-bicubic\.webp, c-x2-bicubic\.webp\)\. Not saved: tall-x2-bicubic\.webp\. WebP pictures have at most 16383/,
    );
  });

  test("files are saved, one or all, even if the words for what they lack do not load", async () => {
    await page.context().close();
    ({ page } = await visitForAll(browser, { serviceWorkers: "block" }));
    await enlargeAll(["b.png", "c.png"]);
    await page.route(/\/notes[^/]*\.js$/, (route) => route.abort());
    expect((await sharp(await saved("webp")).metadata()).width).toBe(40);
    await status(page, "upscale", /^Saved, \d+ kB\. A file of this page could not be loaded\./);
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.click("#panel-upscale [name=zip]"),
    ]);
    expect(Object.keys(unzipSync(await readFile(await file.path())))).toHaveLength(2);
    await status(page, "upscale", /^Saved 2 pictures, \d+ kB\. A file of this page could not be loaded\./);
  });

  test("of files that cannot be written for several reasons, each is said", async () => {
    await enlargeAll(["tall.png", "b.png", "tall-too.png"]);
    await page.selectOption("#panel-upscale [name=format]", "webp");
    await page.click("#panel-upscale [name=zip]");
    await status(
      page,
      "upscale",
      /^Saved 1 .*Not saved: tall-x2-bicubic\.webp\. WebP .* 16 × 18000\. Choose PNG\. Not saved: tall-too-x2-bicubic\.webp\. WebP .* 20 × 18000\./,
    );
  });

  test("in a folder: names that it does not take are made ones that it takes", async () => {
    const long = "写".repeat(83);
    await enlargeAll(["tall.png", "a\\b?c.png", `${long}.png`]);
    await page.evaluate(() => {
      Object.assign(window, { showDirectoryPicker: () => navigator.storage.getDirectory() });
    });
    await page.click("#panel-upscale [name=folder]");
    await status(page, "upscale", /^Saved 3 pictures in/);
    const names = await page.evaluate(async () => {
      const found: string[] = [];
      const folder = (await navigator.storage.getDirectory()) as never as { keys(): AsyncIterable<string> };
      for await (const name of folder.keys()) found.push(name);
      return found.sort();
    });
    expect(names.slice(0, 2)).toEqual(["a-b-c-x2-bicubic.png", "tall-x2-bicubic.png"]);
    expect(names[2]).toMatch(/^写{70,}-x2-bicubic\.png$/);
  });

  test("in a folder that takes one file and not the other", async () => {
    await enlargeAll(["tall.png", "b.png"]);
    await page.selectOption("#panel-upscale [name=format]", "webp");
    await page.evaluate(() => {
      Object.assign(window, { showDirectoryPicker: () => navigator.storage.getDirectory() });
    });
    await page.click("#panel-upscale [name=folder]");
    await status(page, "upscale", /^Saved 1 picture in .*became 8 .*Not saved: tall-x2-bicubic\.webp\. WebP/);
  });
});

describe("given", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "pixelgrad-given-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** As from the desktop. */
  async function drop(...paths: readonly string[]): Promise<void> {
    const client = await page.context().newCDPSession(page);
    const data = { items: [], files: [...paths], dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"] as const)
      await client.send("Input.dispatchDragEvent", { type, x: 300, y: 300, data });
  }
  /** Before the page gets entries of a dropped folder, `work` gets them, in the page. */
  function beforeEntries(work: (entries: readonly FileSystemEntry[]) => unknown): Promise<void> {
    return page.evaluate((source) => {
      const before = new Function(`return ${source}`)() as typeof work;
      const { webkitGetAsEntry } = DataTransferItem.prototype;
      DataTransferItem.prototype.webkitGetAsEntry = function () {
        const folder = webkitGetAsEntry.call(this) as FileSystemDirectoryEntry;
        const reader = folder.createReader();
        const read = reader.readEntries.bind(reader);
        reader.readEntries = (resolve, reject) =>
          read(async (entries) => {
            await before(entries);
            resolve(entries);
          }, reject);
        folder.createReader = () => reader;
        return folder;
      };
    }, `${work}`);
  }
  const listed = () => page.locator(".queue .name").allTextContents();

  test("a folder is dropped: the pictures in it are taken, and those in its folders", async () => {
    await mkdir(join(folder, "more"));
    const picture = await even([83]).png().toBuffer();
    for (const name of ["b10.png", "b9.png", "more/c.png", "notes.txt", ".hidden.png"])
      await writeFile(join(folder, name), picture);
    await writeFile(join(folder, "d.pam"), "P6 1 1 255\nabc");
    await drop(folder);
    await expect.poll(listed).toEqual(["b9.png", "b10.png", "d.pam", "c.png"]);
    await mkdir(join(folder, "empty"));
    await drop(join(folder, "empty"));
    await page.locator("#message", { hasText: "No pictures were found in empty." }).waitFor();
  });

  test("weights and videos in a folder are taken, too", async () => {
    await writeFile(join(folder, "own.safetensors"), "no weights");
    await drop(folder);
    await page.locator("#message", { hasText: "own.safetensors" }).waitFor();
    await writeFile(join(folder, "clip.mkv"), "no video");
    await drop(folder);
    await page.locator("#tab-video[aria-selected=true]").waitFor();
  });

  test("what cannot be read of a dropped folder is named, and the rest is taken", async () => {
    for (const name of ["a.png", "b.png", "c.png"])
      await writeFile(join(folder, name), await even([83]).png().toBuffer());
    await beforeEntries((entries) => {
      const b = entries.find(({ name }) => name === "b.png") as FileSystemFileEntry | undefined;
      if (b) b.file = (_, reject) => reject?.(new DOMException("A requested file could not be found."));
    });
    await drop(folder);
    await expect.poll(listed).toEqual(["a.png", "c.png"]);
    await page.locator("#message p", { hasText: /^b\.png cannot be read: it was changed, moved/ }).waitFor();
  });

  test("a folder that takes long is dropped, and then a picture is chosen: the picture stays", async () => {
    await writeFile(join(folder, "a.png"), await even([83]).png().toBuffer());
    await beforeEntries(() => new Promise((resolve) => Object.assign(window, { readOn: resolve })));
    const isAsked = () => page.evaluate("window.readOn !== undefined"); // the page asks for entries
    await drop(folder);
    await expect.poll(isAsked).toBe(true);
    await givePicture(page, "later.png", await even([83]).png().toBuffer());
    await page.evaluate("readOn(); readOn = undefined");
    await expect.poll(isAsked).toBe(true);
    await page.evaluate("readOn()");
    await wait(1000);
    expect(await page.innerText("#picture-name")).toBe("later.png, 40 × 60");
  });

  test("a file is removed after it was chosen: that is said, with its name, in both languages", async () => {
    const names = ["a.png", "b.png", "c.png"];
    for (const name of names) await writeFile(join(folder, name), await even([83]).png().toBuffer());
    await page.setInputFiles(
      "#chooser input",
      names.map((name) => join(folder, name)),
    );
    await page.locator("#picture-name", { hasText: "a.png" }).waitFor({ state: "attached" });
    for (const name of names.slice(1)) await rm(join(folder, name));
    await page.click(".queue li:nth-child(2) button");
    await page.locator("#message", { hasText: /b\.png cannot be read: it was changed, moved/ }).waitFor();
    await speakGerman();
    await page.click(".queue li:nth-child(3) button");
    await page.locator("#message", { hasText: /c\.png lässt sich nicht lesen: Die Datei/ }).waitFor();
  });

  test("a drawing is larger than the browser can draw", async () => {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="40000" height="40000"><rect width="9" height="9"/></svg>';
    await give(page, "map.svg", Buffer.from(svg));
    await page.locator("#message", { hasText: "map.svg wants to be 40000 × 40000 pixels" }).waitFor();
  });
});
