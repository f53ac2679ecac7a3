/** Any picture in one call: sources, depths, transparency, grey, colours, and what is reported. */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { runInNewContext } from "node:vm";
import sharp from "sharp";
import { beforeEach, describe, expect, test } from "vitest";
import { writePng } from "../../src/data/index.ts";
import {
  type Bands,
  EDSR,
  ESPCN,
  type FinishedTile,
  type Interpolation,
  interpolator,
  loadPretrained,
  type Method,
  methodNames,
  networkUpscaler,
  openMethod,
  readSource,
  saveWeights,
  setDefaultDevice,
  upscale,
  upscaleBands,
} from "../../src/node.ts";
import { damageOf } from "../../src/picture/damage.ts";
import { type Image, type Samples, toRgb } from "../../src/picture/image.ts";
import { imresize } from "../../src/picture/imresize.ts";
import { psnr } from "../../src/picture/metrics.ts";
import { RowResizer } from "../../src/picture/target-size.ts";
import { Random } from "../../src/tensor/random.ts";
import { scaleForSize } from "../../src/upscale/scale-for-size.ts";
import { drawn, noise, temporaryFolder } from "../data/support.ts";
import { float32Device } from "../support/devices.ts";
import { ForeignController } from "../support/foreign-signal.ts";

const device = float32Device();
const folder = temporaryFolder();

setDefaultDevice(device); // for the networks made below
beforeEach(() => setDefaultDevice(device));

const deep = (image: Image): Image<Uint16Array> => ({
  ...image,
  data: Uint16Array.from(image.data, (value) => value * 257),
});

/** An array of another realm, whose classes are not those of this one. */
function elsewhere(name: string, values: ArrayLike<number>): Uint8Array | Uint16Array {
  return runInNewContext(`(values) => ${name}.from(values)`)(values);
}

describe("a size in pixels", () => {
  const picture = noise(20, 16, 3);

  test("is made of the scale's result, rounded once", async () => {
    const { image } = await upscale(picture, { method: "bicubic", scale: 4, size: { width: 50 } });
    const large = await upscale(picture, { method: "bicubic", scale: 4, depth: 16 });
    const resizer = new RowResizer(large.image, { width: 50, height: 40 });
    expect(image).toEqual({ width: 50, height: 40, channels: 3, data: resizer.push(large.image, 8) });
  });

  test("in bands it is the same", async () => {
    const options = { method: "bicubic", scale: 3, size: { height: 41 }, depth: 16 } as const;
    const { image } = await upscale(picture, options);
    const bands = await upscaleBands(picture, { ...options, tile: 5 });
    expect(bands).toMatchObject({ width: image.width, height: 41, depth: 16 });
    const data: number[] = [];
    let next = 0;
    for await (const { top, rows } of bands) {
      expect(top).toBe(next);
      next += rows.height;
      data.push(...rows.data);
    }
    expect(Uint16Array.from(data)).toEqual(image.data);
  });

  test.each([
    [50, 3],
    [40, 2],
    [10, 1],
    [160, 8],
  ])("%i pixels across: by the smallest scale that suffices, %i", async (width, scale) => {
    const { image, ...report } = await upscale(picture, { method: "bicubic", size: { width } });
    expect(image.width).toBe(width);
    expect(report.scale).toBe(scale);
  });

  test("without a method, also by interpolation where no network enlarges so far; options for networks keep to these", () => {
    expect(scaleForSize(picture, { size: { width: 150 } })).toBe(8);
    expect(scaleForSize(picture, { size: { width: 5 } })).toBe(2);
    expect(scaleForSize(picture, { size: { width: 150 }, half: true })).toBe(4);
  });

  test("as large as the scale makes it, nothing is reduced", async () => {
    const { image } = await upscale(picture, { method: "bicubic", size: { width: 60 } });
    expect(image).toEqual(imresize(picture, 3));
  });

  test("that the method does not reach", async () => {
    await expect(upscale(picture, { method: "bicubic", size: { width: 161 } })).rejects.toThrow(
      /scale 8 makes 160 x 128 pixels of this picture, fewer than the 161 x 129 of its size/,
    );
    for (const size of [{}, { width: 0 }, { width: 2.5 }, { side: 3 }, 7])
      await expect(upscale(picture, { method: "bicubic", size: size as never })).rejects.toThrow(RangeError);
  });
});

describe("sources", () => {
  const picture = noise(9, 7, 3);
  const want = imresize(picture, 2);

  test("a picture in memory, by default twice as large", async () => {
    const { image, ms, ...done } = await upscale(picture, { method: "bicubic" });
    expect(image).toEqual(want);
    expect(ms).toBeGreaterThan(0);
    expect(done).toEqual({
      ...{ method: "bicubic", scale: 2, adapter: "JavaScript", tiles: 1 },
      ...{ window: { width: 9, height: 7 }, peakBytes: 0 },
    });
  });

  test("samples of a canvas, of another realm, and in memory that threads share", async () => {
    const { data } = picture;
    const network = new ESPCN({ scale: 2, filters: [4, 3], random: new Random(1) });
    const shared = new Uint8Array(new SharedArrayBuffer(data.length));
    shared.set(data);
    const arrays = [new Uint8ClampedArray(data), elsewhere("Uint8Array", data), shared];
    for (const array of [...arrays, elsewhere("Uint8ClampedArray", data)]) {
      const same = { ...picture, data: array as Uint8Array };
      for (const method of ["bicubic", network]) {
        const { image } = await upscale(picture, { method });
        expect((await upscale(same, { method })).image).toEqual(image);
      }
      expect(imresize(same, 2)).toEqual(want);
      expect(psnr(same, picture, { border: 0, channels: "rgb" })).toBe(Infinity);
      expect(damageOf(same)).toEqual(damageOf(picture));
    }
    const levels = Uint16Array.from(data, (value) => value * 257);
    const deep = { ...picture, data: elsewhere("Uint16Array", levels) as Uint16Array };
    expect((await upscale(deep, { method: "bicubic" })).image).toEqual(
      (await upscale({ ...picture, data: levels }, { method: "bicubic" })).image,
    );
    const path = join(folder, "clamped.png");
    await writePng(path, { ...picture, data: new Uint8ClampedArray(data) as unknown as Uint8Array });
    expect(await readSource(path)).toEqual(picture);
    await expect(upscale({ ...picture, data: Float32Array.from(data) as never })).rejects.toThrow(
      "a Uint8Array or a Uint16Array, got a Float32Array of 189. fromPlanar() makes",
    );
    network.dispose();
  });

  test("a file of 16 bits is read with all of them", async () => {
    const levels = Uint16Array.from(picture.data, (value, i) => value * 250 + i);
    const raw = sharp(levels, { raw: { width: 9, height: 7, channels: 3 } }).toColourspace("rgb16");
    const bytes = await raw.png().toBuffer();
    const path = join(folder, "deep.png");
    await writeFile(path, bytes);
    for (const source of [path, bytes]) {
      const { data } = (await upscale(source, { method: "nearest", depth: 16 })).image;
      const [first, second] = [levels.subarray(0, 3), levels.subarray(3, 6)];
      expect([...data.subarray(0, 12)]).toEqual([...first, ...first, ...second, ...second]);
    }
    const { data } = (await upscale(path, { method: "nearest" })).image;
    expect(data[0]).toBe(Math.round((levels[0] / 65535) * 255));
  });

  test("colours of a file are those of sRGB, whatever its profile", async () => {
    const raw = sharp(picture.data, { raw: { width: 9, height: 7, channels: 3 } });
    const p3 = await raw.withIccProfile("p3").png().toBuffer(); // converted to Display P3
    expect([...(await sharp(p3, { ignoreIcc: true }).raw().toBuffer())]).not.toEqual([...picture.data]);
    const { data } = (await upscale(p3, { method: "nearest" })).image;
    const every = [...data].filter((_, i) => i % 6 < 3 && Math.floor(i / 54) % 2 === 0);
    const errors = every.map((value, i) => Math.abs(value - picture.data[i]));
    expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(1);
  });

  test("a file: its bytes, its path, its URL, a Blob", async () => {
    const path = join(folder, "picture.png");
    await writePng(path, picture);
    const bytes = await readFile(path);
    const buffer = Uint8Array.from(bytes).buffer;
    const dataUrl = `data:image/png;base64,${bytes.toString("base64")}`;
    const clamped = new Uint8ClampedArray(buffer) as unknown as Uint8Array;
    const foreign = elsewhere("Uint8Array", bytes) as Uint8Array;
    const url = pathToFileURL(path);
    // As that of happy-dom, which has no name for Object.prototype.toString.
    const blob = { size: bytes.length, type: "", arrayBuffer: async () => buffer } as Blob;
    const inMemory = [bytes, new Blob([bytes]), blob, buffer, dataUrl, clamped, foreign];
    for (const source of [...inMemory, path, url, url.href]) {
      expect((await upscale(source, { method: "bicubic" })).image).toEqual(want);
    }
    await expect(upscale("file://elsewhere/a.png")).rejects.toThrow(
      '"file://elsewhere/a.png" is the URL of no file on this machine',
    );
    for (const address of ["https://example.com/a.png", new URL("https://example.com/a.png")]) {
      await expect(upscale(address)).rejects.toThrow(
        '"https://example.com/a.png" is no file. Fetch it first',
      );
    }
    await expect(upscale(`data:image/png,${"x".repeat(1000)}`)).rejects.toThrow("the data URL: not a PNG");
    await expect(upscale(`data:${"x".repeat(1000)}`)).rejects.toThrow(
      /^"data:x{75}…" \(1005 characters\) is no data URL/,
    );
    await expect(upscale(join(folder, "none.png"))).rejects.toThrow("there is no such file");
    await expect(upscale(new Uint8Array([1, 2, 3]))).rejects.toThrow(
      "not a PNG, JPEG, WebP, TIFF, AVIF, GIF, BMP or PPM picture",
    );
    await expect(upscale({ ...picture, width: 8 })).rejects.toThrow("upscale: a picture of 8x7");
  });
});

describe("tiles as they are finished", () => {
  const picture = noise(23, 17, 3);
  const alpha = { ...noise(23, 17, 4), colorSpace: "display-p3" } as const;

  test.each([
    ["bytes", picture, { method: "bicubic", tile: 6 }],
    ["a network, with alpha", alpha, { tile: 6 }],
    ["16 bits", picture, { tile: 6, depth: 16 }],
    ["one tile", picture, { method: "nearest" }],
  ] as const)("together are the result: %s", async (_, source, options) => {
    const parts: FinishedTile[] = [];
    const network = new ESPCN({ scale: 3, filters: [4, 3], random: new Random(1) });
    const onTile = (part: FinishedTile) => void parts.push(part);
    const { image, tiles } = await upscale(source, { method: network, ...options, onTile });
    network.dispose();
    expect(parts.length).toBe(tiles);
    expect(tiles > 1).toBe("tile" in options);
    const pasted = { ...image, data: image.data.slice().fill(0) };
    for (const { left, top, image: part } of parts) {
      expect(part.colorSpace).toBe(source === alpha ? "display-p3" : undefined);
      expect(part.data.byteLength).toBe(part.data.buffer.byteLength); // its own memory
      const rowLength = part.width * part.channels;
      for (let row = 0; row < part.height; row++) {
        const line = part.data.subarray(row * rowLength, (row + 1) * rowLength);
        pasted.data.set(line, ((top + row) * image.width + left) * image.channels);
      }
    }
    expect(pasted).toEqual(image);
    expect(image.colorSpace).toBe(source === alpha ? "display-p3" : undefined);
  });

  test("an upscaler has them, too, and what onTile throws ends the work", async () => {
    let count = 0;
    const onTile = () => {
      if (++count === 2) throw new Error("enough");
    };
    await expect(interpolator("bicubic", 2).upscale(picture, { tile: 6, onTile })).rejects.toThrow("enough");
    expect(count).toBe(2);
    await expect(upscale(picture, { method: "bicubic", onTile: 5 as never })).rejects.toThrow(
      "upscale: onTile must be a function, or left out, got 5.",
    );
  });
});

describe("methods", () => {
  const model = () => new ESPCN({ scale: 3, filters: [4, 3], random: new Random(1) });

  test("a network, its weights, their file, an upscaler: all alike, and nothing stays loaded", async () => {
    const picture = noise(20, 9, 3);
    const network = model();
    const weights = await saveWeights(network);
    const { live } = device.memory();
    const results = [];
    const path = join(folder, "espcn.safetensors");
    await writeFile(path, weights);
    const url = pathToFileURL(path);
    const bytes = [weights, weights.buffer, elsewhere("Uint8Array", weights) as Uint8Array];
    for (const method of [network, ...bytes, path, url, url.href, networkUpscaler(network)]) {
      results.push(await upscale(picture, { method, tile: 8 }));
      expect(device.memory().live).toBe(live);
    }
    for (const { image, method, scale, adapter, tiles, peakBytes } of results) {
      expect(image).toEqual(results[0].image);
      expect({ method, scale, adapter, tiles }).toEqual({
        method: "ESPCN",
        scale: 3,
        adapter: "cpu",
        tiles: 6,
      });
      // The weights, at least one feature map of four channels, and no more than a few.
      expect(peakBytes).toBeGreaterThan(4 * (network.parameterCount() + 4 * 16 * 9));
      // And the colours: of the window, of the result, and chroma between the two.
      const colors = 3 + 3 * 9 + 2 * 9;
      expect(peakBytes).toBeLessThan(4 * 2 * (network.parameterCount() + 40 * 16 * 9) + 4 * colors * 16 * 9);
    }
  });

  test("without one: wren, by its name as well; at 8, bicubic interpolation", async () => {
    const picture = noise(8, 6, 3);
    const padding = "none"; // or most of the work were for pixels beyond the edges
    const { image, ...done } = await upscale(picture, { padding });
    expect(done).toMatchObject({ method: "wren", scale: 2, adapter: "cpu" });
    expect((await upscale(picture, { method: "wren", padding })).image).toEqual(image);
    const network = await loadPretrained("wren");
    expect((await upscale(picture, { method: network, padding })).image).toEqual(image);
    network.dispose();
    const { live } = device.memory(); // of the network that stays loaded
    expect(await upscale(picture, { scale: 8 })).toMatchObject({ method: "bicubic", scale: 8 });
    expect(await upscale(picture, { method: "espcn", scale: 3 })).toMatchObject({
      method: "espcn",
      scale: 3,
    });
    expect((await upscale(picture, { padding })).image).toEqual(image);
    await upscale(picture, { method: "espcn", scale: 3 });
    const espcn = await loadPretrained("espcn", { scale: 3 });
    expect(device.memory().live - live).toBe(2 * espcn.parameters().length); // one stays loaded, one is ours
    espcn.dispose();
  });

  test("any object that enlarges planes is a method", async () => {
    const half: Method = {
      ...interpolator("nearest", 2),
      name: "half",
      enlarge: async ({ width, height, channels, data }) => ({
        ...{ width: 2 * width, height: 2 * height, channels },
        data: new Float32Array(4 * data.length).fill(0.5),
      }),
      enlargeBytes: undefined,
    };
    const { image, method } = await upscale(noise(3, 2, 4), { method: half });
    expect(method).toBe("half");
    expect(image).toMatchObject({ width: 6, height: 4, channels: 4 });
  });

  test("opened once for many pictures, with the facts for reports", async () => {
    const path = join(folder, "opened.safetensors");
    await writeFile(path, await saveWeights(model()));
    const { live } = device.memory();
    const file = await openMethod({ method: path, ensemble: true });
    expect(file).toMatchObject({ weights: path, ensemble: true, parameters: model().parameterCount() });
    expect(file.upscaler).toMatchObject({ name: "ESPCN+", scale: 3, colors: "y", device });
    expect(device.memory().live).toBeGreaterThan(live);
    const shipped = await openMethod({ method: "srcnn", scale: 4 });
    expect(shipped).toMatchObject({ weights: "pretrained", ensemble: false });
    expect(shipped.upscaler).toMatchObject({ name: "srcnn", scale: 4 });
    const bicubic = await openMethod({ scale: 8 });
    expect(bicubic).toMatchObject({ ensemble: false, parameters: 0 });
    expect(bicubic.weights).toBeUndefined();
    expect(bicubic.upscaler).toMatchObject({ name: "bicubic", scale: 8, device: undefined });
    for (const { close } of [file, shipped, bicubic]) close();
    await expect(openMethod({ method: path, scale: 2 })).rejects.toThrow(
      `${path} enlarges by 3, but scale 2`,
    );
  });

  test("the ensemble", async () => {
    const picture = noise(8, 9, 1);
    const { image, method } = await upscale(picture, { method: model(), ensemble: true });
    expect(method).toBe("ESPCN+");
    const turned: Image = { ...picture, data: Uint8Array.from(picture.data).reverse() };
    const other = await upscale(turned, { method: model(), ensemble: true });
    const back = [...other.image.data].reverse();
    for (const [i, value] of image.data.entries()) expect(Math.abs(value - back[i])).toBeLessThanOrEqual(1);
  });

  test("options that make no sense are refused", async () => {
    const picture = noise(4, 4, 3);
    await expect(upscale(picture, { method: "espcn", scale: 8 })).rejects.toThrow(
      "espcn enlarges by 2, 3, 4",
    );
    await expect(upscale(picture, { method: model(), scale: 2 })).rejects.toThrow(
      "ESPCN enlarges by 3, but scale 2",
    );
    await expect(upscale(picture, { scale: 5 })).rejects.toThrow("upscale: scale must be 1, 2, 3, 4 or 8");
    await expect(upscale(picture, { scale: 2.5 })).rejects.toThrow("upscale: scale must be a whole number");
    await expect(upscale("")).rejects.toThrow("upscale: the path of the picture is empty. Name a file.");
    await expect(upscale(picture, { method: "edsr" })).rejects.toThrow(
      `edsr: there is no such method (${methodNames.join(", ")}), and as a ` +
        "weight file it cannot be read: there is no such file",
    );
    // Reading it would never end.
    if (existsSync("/dev/zero")) {
      await expect(upscale(picture, { method: "/dev/zero" })).rejects.toThrow("it is a device, and no file");
    }
    await expect(upscale(picture, { method: {} as EDSR })).rejects.toThrow(
      `method must be ${methodNames.join(", ")}, the path, the URL or the bytes of a ` + "weight file",
    );
    await expect(upscale(picture, { alpha: "red" as "keep" })).rejects.toThrow(
      "alpha must be keep, drop, white, black",
    );
    await expect(upscale(picture, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow(
      "enough",
    );
    await expect(upscale(picture, { signal: {} as AbortSignal })).rejects.toThrow("must be an AbortSignal");
  });

  test("a signal of another realm", async () => {
    const controller = new ForeignController();
    const work = upscale(noise(40, 50, 3), {
      method: "bicubic",
      tile: 16,
      signal: controller.signal,
      onProgress: () => controller.abort(new Error("enough")),
    });
    await expect(work).rejects.toThrow("enough");
  });
});

describe("bands", () => {
  test("the size at once, then strips from top to bottom that together are the picture", async () => {
    const picture = noise(40, 50, 3);
    const method = new ESPCN({ scale: 2, filters: [4, 3], random: new Random(1) });
    const { image, ms, peakBytes, ...done } = await upscale(picture, { method, tile: 16 });
    const bands = await upscaleBands(picture, { method, tile: 16 });
    expect(bands).toMatchObject({ width: 80, height: 100, channels: 3, depth: 8 });
    expect(bands.report).toEqual({ ...done, ms: 0, peakBytes: 0 });
    let top = 0;
    for await (const band of bands) {
      expect(band.top).toBe(top);
      expect(band.rows).toMatchObject({ width: 80, channels: 3 });
      const part = image.data.subarray(top * 240, (top + band.rows.height) * 240);
      expect(band.rows.data).toEqual(part);
      top += band.rows.height;
    }
    expect(top).toBe(100);
    expect(bands.report).toMatchObject({ ...done, peakBytes });
    expect(bands.report.ms).toBeGreaterThan(0);
  });

  test("a network opened for them is freed at the end, at a break, and by close()", async () => {
    const picture = noise(40, 50, 3);
    const model = new ESPCN({ scale: 2, filters: [4, 3], random: new Random(1) });
    const method = await saveWeights(model);
    const { live } = device.memory();
    const open = () => upscaleBands(picture, { method, tile: 16 });
    for await (const _ of await open());
    expect(device.memory().live).toBe(live);
    for await (const _ of await open()) break;
    expect(device.memory().live).toBe(live);
    const unread = await open();
    expect(device.memory().live).toBeGreaterThan(live);
    unread.close();
    expect(device.memory().live).toBe(live);
    await expect(upscaleBands(picture, { method, tile: 0 })).rejects.toThrow("tile must be");
    const sentence = "upscaleBands: these bands have been read or closed. Call upscaleBands again.";
    const again = async (bands: Bands) => {
      for await (const _ of bands);
    };
    await expect(again(unread)).rejects.toThrow(sentence);
    await expect(unread.image()).rejects.toThrow(sentence);
    for (const options of [{ method: "bicubic" }, { method, size: { width: 50 } }] as const) {
      const bands = await upscaleBands(picture, { scale: 2, ...options });
      await again(bands);
      await expect(again(bands)).rejects.toThrow(sentence);
      await expect(bands.image()).rejects.toThrow(sentence);
    }
    expect(device.memory().live).toBe(live);
  });
});

describe.each<Interpolation>(["nearest", "bilinear", "bicubic"])("%s", (method) => {
  test.each([2, 3, 4, 8])("x%i in tiles as at once, to the last bit", async (scale) => {
    for (const channels of [1, 2, 3, 4] as const) {
      for (const image of [noise(37, 29, channels), deep(noise(23, 31, channels))] as Image<Samples>[]) {
        const depth = image.data instanceof Uint8Array ? 8 : 16;
        const whole = await upscale(image, { method, scale, depth });
        const tiled = await upscale(image, { method, scale, depth, tile: 7 });
        expect(whole.tiles).toBe(1);
        expect(tiled.tiles).toBeGreaterThan(8);
        expect(tiled.image).toEqual(whole.image);
      }
    }
  });
});

describe("transparency", () => {
  /** A red disc; all around it is transparent, in a colour that must not become visible. */
  const disc = (hidden: number) =>
    drawn(24, 24, 4, (x, y, c) => {
      const distance = Math.hypot(x - 11.5, y - 11.5);
      const alpha = Math.round(255 * Math.min(1, Math.max(0, 9 - distance)));
      if (c === 3) return alpha;
      return alpha > 0 ? [200, 40, 90][c] : hidden;
    });

  const methods = ["nearest", "bilinear", "bicubic"] as const;

  test.each(methods)("%s: no seam, whatever colour hides behind it", async (method) => {
    const results: Image[] = [];
    for (const hidden of [0, 255]) {
      const { image } = await upscale(disc(hidden), { method });
      results.push(image);
      let edge = 0;
      for (let i = 0; i < image.data.length; i += 4) {
        const alpha = image.data[i + 3];
        if (alpha === 0) continue;
        if (alpha < 255) edge++;
        for (const [c, want] of [200, 40, 90].entries()) {
          expect(Math.abs(image.data[i + c] - want), `alpha ${alpha}`).toBeLessThanOrEqual(1);
        }
      }
      expect(edge).toBeGreaterThan(100);
    }
    expect(results[1]).toEqual(results[0]);
  });

  test("opaque pixels stay opaque, and transparent ones transparent", async () => {
    const model = new EDSR({ scale: 2, blocks: 1, channels: 3, random: new Random(5) });
    const { image } = await upscale(disc(0), { method: model });
    const alpha = (x: number, y: number) => image.data[(y * 48 + x) * 4 + 3];
    expect([alpha(24, 24), alpha(20, 30), alpha(0, 0), alpha(47, 20)]).toEqual([255, 255, 0, 0]);
    // An opaque picture is enlarged as if it had no alpha.
    const rgb = noise(9, 8, 3);
    const opaque = drawn(9, 8, 4, (x, y, c) => (c === 3 ? 255 : rgb.data[(y * 9 + x) * 3 + c]));
    const plain = (await upscale(rgb, { method: model })).image;
    expect(toRgb((await upscale(opaque, { method: model })).image)).toEqual(plain);
  });

  test("dropped, or put on white or black", async () => {
    const image: Image = { width: 1, height: 1, channels: 2, data: Uint8Array.from([100, 51]) };
    const levels = { drop: 100, white: 224, black: 20 }; // alpha is 0.2
    for (const [alpha, level] of Object.entries(levels)) {
      const { image: result } = await upscale(image, { method: "bicubic", alpha: alpha as "drop" });
      expect(result).toEqual({ width: 2, height: 2, channels: 1, data: new Uint8Array(4).fill(level) });
    }
    const kept = await upscale(image, { method: "bicubic" });
    expect([...kept.image.data]).toEqual([100, 51, 100, 51, 100, 51, 100, 51]);
  });
});

describe("16 bits", () => {
  const ramp: Image<Uint16Array> = {
    ...{ width: 64, height: 4, channels: 1 },
    data: Uint16Array.from({ length: 256 }, (_, i) => 20_000 + 10 * (i % 64)),
  };

  test("come out with all their levels", async () => {
    const { image } = await upscale(ramp, { method: "bicubic", depth: 16 });
    expect(image.data).toBeInstanceOf(Uint16Array);
    // A straight line stays one under bicubic interpolation: quarter steps, but for the mirrored ends.
    for (let x = 8; x < 120; x++) {
      expect(Math.abs(image.data[256 + x] - (20_000 + 5 * x - 2.5))).toBeLessThanOrEqual(0.51);
    }
  });

  test("from 8, and 8 from them", async () => {
    const bytes = noise(6, 5, 3);
    const fine = await upscale(bytes, { method: "bicubic", depth: 16 });
    const coarse = await upscale(deep(bytes), { method: "bicubic" });
    for (const [i, value] of coarse.image.data.entries()) {
      expect(Math.abs(value - fine.image.data[i] / 257)).toBeLessThanOrEqual(0.51);
    }
  });

  test("through networks, too", async () => {
    const random = new Random(2);
    for (const method of [
      new EDSR({ blocks: 1, channels: 3, random }),
      new ESPCN({ scale: 2, filters: [4, 3], random }),
    ]) {
      const bytes = noise(8, 6, 3);
      const { image } = await upscale(bytes, { method });
      const fine = await upscale(deep(bytes), { method, depth: 16 });
      for (const [i, value] of image.data.entries()) {
        expect(Math.abs(value - fine.image.data[i] / 257)).toBeLessThanOrEqual(0.51);
      }
    }
  });
});

describe("colours", () => {
  const random = new Random(3);
  const networks = {
    EDSR: new EDSR({ blocks: 1, channels: 3, random }),
    ESPCN: new ESPCN({ scale: 2, filters: [4, 3], residual: true, random }),
  };

  test.each(Object.entries(networks))(
    "%s: a grey file and the same picture in RGB become the same",
    async (_, method) => {
      const grey = noise(9, 7, 1);
      const one = (await upscale(grey, { method })).image;
      const three = (await upscale(toRgb(grey), { method })).image;
      expect(one.channels).toBe(1);
      for (const [i, value] of one.data.entries()) {
        const rgb = three.data.subarray(3 * i, 3 * i + 3);
        expect(Math.abs((rgb[0] + rgb[1] + rgb[2]) / 3 - value)).toBeLessThanOrEqual(0.67);
      }
    },
  );
});
