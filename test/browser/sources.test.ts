/** What people hold in a browser: all that a canvas can draw, and what is none of it. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { riffChunk, riffChunks } from "../../src/formats/riff.ts";
import { DataError, type PictureSource, readSource, toImageData, upscale } from "../../src/index.ts";
import type { Image } from "../../src/picture/image.ts";
import { imresize } from "../../src/picture/imresize.ts";
import { testPicture } from "./test-picture.ts";

const picture = testPicture(20, 10);
let canvas: HTMLCanvasElement;
let png: Blob;
let address: string;

beforeAll(async () => {
  canvas = Object.assign(document.createElement("canvas"), { width: 20, height: 10 });
  canvas.getContext("2d")!.putImageData(toImageData(picture), 0, 0);
  png = await new Promise((resolve) => canvas.toBlob((blob) => resolve(blob!)));
  address = URL.createObjectURL(png);
});
afterAll(() => URL.revokeObjectURL(address));

async function imageElement(src: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = src; // not awaited: it is still loading
  return image;
}

async function offscreen(): Promise<OffscreenCanvas> {
  const copy = new OffscreenCanvas(20, 10);
  copy.getContext("2d")!.drawImage(canvas, 0, 0);
  return copy;
}

const sources: Readonly<Record<string, () => Promise<PictureSource>>> = {
  "an <img> that is still loading": () => imageElement(address),
  "a canvas": async () => canvas,
  "an OffscreenCanvas": offscreen,
  "an ImageBitmap": () => createImageBitmap(png),
  "a VideoFrame": async () => new VideoFrame(canvas, { timestamp: 0 }),
  "a Blob": async () => png,
  "a File": async () => new File([png], "waves.png"),
  "an ArrayBuffer": () => png.arrayBuffer(),
  "the bytes of a file": async () => new Uint8Array(await png.arrayBuffer()),
  "an address": async () => address,
  "a URL": async () => new URL(address),
  "a data URL": async () => canvas.toDataURL(),
  "an image of 16 bits": async () => ({ ...picture, data: Uint16Array.from(picture.data, (v) => v * 257) }),
};

test.each(Object.keys(sources))("%s", async (name) => {
  const source = await sources[name]();
  const { image } = await upscale(source, { method: "nearest" });
  expect(image).toEqual(imresize(picture, 2, { kernel: "box" }));
});

test("a picture of more pixels than one strip has, and an ImageBitmap that stays open", async () => {
  const [width, height] = [3000, 1500];
  const large = new OffscreenCanvas(width, height);
  const context = large.getContext("2d")!;
  for (let row = 0; row < height; row++) {
    context.fillStyle = `rgb(${row % 256} ${row >> 8} 7 / ${row === 0 ? 0.5 : 1})`;
    context.fillRect(0, row, width, 1);
  }
  const bitmap = await createImageBitmap(large);
  const { data, ...form } = await readSource(bitmap);
  expect(form).toEqual({ width, height, channels: 4 });
  expect([...data.subarray(0, 4)]).toEqual([0, 0, 8, 128]);
  const rows = Array.from(
    { length: height },
    (_, row) => data[row * width * 4] + 256 * data[row * width * 4 + 1],
  );
  expect(rows.slice(1)).toEqual(rows.map((_, row) => row).slice(1));
  expect(bitmap.width).toBe(width);
});

describe("ImageData", () => {
  const halves = (colorSpace: "srgb" | "display-p3") => {
    const values = new (globalThis as never as { Float16Array: Float32ArrayConstructor }).Float16Array(8);
    values.set([0.5, 0.25, 1.5, 1, -0.5, 0, 1, 0.5]);
    const settings = { colorSpace, pixelFormat: "rgba-float16" } as const;
    return new ImageData(values as never, 2, 1, settings);
  };

  test("of float16 is read as 16 bits, and clipped", async () => {
    const image = await readSource(halves("srgb"));
    expect(image).toEqual({
      ...{ width: 2, height: 1, channels: 4 },
      data: Uint16Array.of(32768, 16384, 65535, 65535, 0, 0, 65535, 32768),
    });
    const large = (await upscale(halves("srgb"), { method: "nearest" })).image;
    expect([...large.data.subarray(0, 4)]).toEqual([128, 64, 255, 255]);
  });

  test("of display-p3 comes back as display-p3, at once and tile by tile", async () => {
    const source = new ImageData(
      new Uint8ClampedArray([250, 10, 20, 255].flatMap((v) => [v, v, v, v])),
      2,
      2,
      {
        colorSpace: "display-p3",
      },
    );
    const tiles: Image[] = [];
    const { image } = await upscale(source, {
      method: "nearest",
      onTile: ({ image }) => void tiles.push(image as Image),
    });
    for (const result of [image, ...tiles]) {
      const back = toImageData(result);
      expect(back.colorSpace).toBe("display-p3");
      expect([...back.data.subarray(0, 4)]).toEqual([...source.data.subarray(0, 4)]);
    }
    expect(tiles.length).toBe(1);
    expect(toImageData((await upscale(halves("display-p3"), { method: "nearest" })).image).colorSpace).toBe(
      "display-p3",
    );
    expect(toImageData(picture).colorSpace).toBe("srgb");
  });

  test("of 16 bits and of 8 bits", () => {
    const deep = { ...picture, data: Uint16Array.from(picture.data, (v) => v * 257 + 128) };
    expect(toImageData(deep).data).toEqual(toImageData(picture).data);
  });
});

test("a preview grows tile by tile, and ends as the result", async () => {
  const preview = document.createElement("canvas");
  Object.assign(preview, { width: 40, height: 20 });
  const context = preview.getContext("2d")!;
  const places: string[] = [];
  const { image, tiles } = await upscale(picture, {
    method: "bicubic",
    tile: 4,
    onTile({ left, top, image }) {
      places.push(`${left},${top}`);
      context.putImageData(toImageData(image), left, top);
    },
  });
  expect(places.length).toBe(tiles);
  expect(new Set(places).size).toBe(tiles);
  expect(tiles).toBeGreaterThan(3);
  expect(context.getImageData(0, 0, 40, 20).data).toEqual(toImageData(image).data);
});

describe("what is no picture is refused in one paragraph", () => {
  const data = `data:text/plain,${"x".repeat(100_000)}`;
  const broken = () => imageElement("data:image/png;base64,AAAA");
  const svg = new Blob(['<svg xmlns="http://www.w3.org/2000/svg"/>'], { type: "image/svg+xml" });
  const cases: Readonly<Record<string, [unknown, RegExp]>> = {
    undefined: [undefined, /^upscale: a picture is .* got undefined\.$/],
    null: [null, /got null\.$/],
    "a number": [7, /got 7\.$/],
    "a list": [[1, 2], /got \[1,2\]\.$/],
    "an empty object": [{}, /^upscale: a picture is \{ width, height, channels, data \}, got \{\}/],
    "another element": [document.createElement("p"), /a picture is \{ width, .* got an HTMLParagraphElement/],
    "an empty canvas": [new OffscreenCanvas(0, 0), /nothing to draw in an OffscreenCanvas/],
    "a broken <img>": [broken, /^upscale: an HTMLImageElement shows no picture .*Look at its source\.$/],
    "a video without a frame": [document.createElement("video"), /nothing to draw in an HTMLVideoElement/],
    "a long data URL of text": [
      data,
      /"data:text\/plain,x+…" \(100016 characters\): these 100000 bytes are no picture/,
    ],
    "an address without a picture": ["/no/such/picture.png", /is the address of no picture|are no picture/],
    "a server that is not there": ["http://127.0.0.1:9/a.png", /"http:.*" cannot be fetched .*CORS/],
    "an SVG file": [svg, /looks like an SVG.*show it in an <img>/],
    "an ImageData that was transferred": [
      () => {
        const pixels = new ImageData(2, 2);
        structuredClone(pixels.data, { transfer: [pixels.data.buffer] });
        return pixels;
      },
      /are no longer here: they were transferred/,
    ],
  };
  test.each(Object.keys(cases))("%s", async (name) => {
    const [given, wanted] = cases[name];
    const source = typeof given === "function" ? await given() : given;
    const error = await upscale(source as PictureSource, { method: "nearest" }).catch(
      (error: Error) => error,
    );
    expect(error).toBeInstanceOf(DataError);
    expect((error as Error).message).toMatch(wanted);
    expect((error as Error).message.length).toBeLessThan(500);
    expect((error as Error).message).not.toContain("\n");
  });

  test("a canvas that another server's picture has tainted", async () => {
    const spy = vi
      .spyOn(OffscreenCanvasRenderingContext2D.prototype, "getImageData")
      .mockImplementation(() => {
        throw new DOMException("The canvas has been tainted by cross-origin data.", "SecurityError");
      });
    await expect(upscale(canvas)).rejects.toThrow(/lets nobody read the pixels of .*crossorigin="anonymous"/);
    spy.mockRestore();
  });
});

const bytesOf = (hex: string) =>
  Uint8Array.from(hex.match(/[0-9a-f]{2}/g)!, (byte) => Number.parseInt(byte, 16));

test("a WebP picture that EXIF data turn is turned", async () => {
  const stored = new OffscreenCanvas(2, 1);
  const context = stored.getContext("2d")!;
  context.fillRect(1, 0, 1, 1); // the right half is black, and the left one is clear
  const plain = new Uint8Array(
    await (await stored.convertToBlob({ type: "image/webp", quality: 1 })).arrayBuffer(),
  );
  // A header, and one entry: orientation 6.
  const exif = bytesOf("49492a0008000000 0100 120103000100000006000000 00000000");
  const extended = riffChunk("VP8X", bytesOf("18000000 010000 000000")); // with alpha and EXIF data, 2 by 1
  const samples = [...riffChunks(plain)].filter(({ name }) => name !== "VP8X");
  const chunks = [
    extended,
    ...samples.map(({ name, data }) => riffChunk(name, data)),
    riffChunk("EXIF", exif),
  ];
  const file = new Blob([plain.subarray(0, 12), ...(chunks as BlobPart[])]);
  const bytes = new Uint8Array(await file.arrayBuffer());
  new DataView(bytes.buffer).setUint32(4, bytes.length - 8, true);
  const { width, height, data } = await readSource(new Blob([bytes]));
  expect([width, height]).toEqual([1, 2]);
  expect([data[3], data[7]]).toEqual([0, 255]);
});
