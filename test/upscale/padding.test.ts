/** What networks see beyond the picture's edges: the picture mirrored, so that the edges get no rim. */
import { beforeEach, describe, expect, test } from "vitest";
import { setDefaultDevice } from "../../src/device/open.ts";
import { readImage } from "../../src/files/image-files.ts";
import { EDSR, ESPCN, FSRCNN, SRCNN, type SuperResolver } from "../../src/models/index.ts";
import {
  interpolator,
  loadPretrained,
  networkUpscaler,
  type PretrainedScale,
  pretrainedNames,
  scalesOf,
  selfEnsemble,
  upscale,
} from "../../src/node.ts";
import { crop, type Image, modcrop, toRgb } from "../../src/picture/image.ts";
import { toPlanar } from "../../src/picture/planes.ts";
import { Random } from "../../src/tensor/random.ts";
import { FrameUpscaler } from "../../src/video/index.ts";
import { drawn, noise, photograph } from "../data/support.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";
import { liven } from "../support/liven.ts";
import { format } from "../video/support.ts";

const [gpu] = await gpuDevices();

/** The picture with `k` pixels of its mirror image on each side; the outermost pixels count twice. */
function mirrored(image: Image, k: number): Image {
  const { width, height, channels, data } = image;
  const at = (i: number, length: number): number =>
    i < 0 ? at(-1 - i, length) : i >= length ? at(2 * length - 1 - i, length) : i;
  return drawn(width + 2 * k, height + 2 * k, channels, (x, y, c) => {
    return data[(at(y - k, height) * width + at(x - k, width)) * channels + c];
  });
}

describe("the picture is mirrored", () => {
  beforeEach(() => setDefaultDevice(float32Device()));

  const networks: [string, () => SuperResolver][] = [
    ["SRCNN", () => new SRCNN({ scale: 2, kernels: [5, 3, 3], filters: [3, 2], padding: "zeros" })],
    ["ESPCN", () => new ESPCN({ scale: 3, filters: [3, 2] })],
    ["FSRCNN", () => new FSRCNN({ scale: 2, d: 4, s: 2, m: 1 })],
    ["EDSR", () => new EDSR({ scale: 2, blocks: 7, channels: 1 })],
  ];

  test.each(networks)("%s: as if its mirror image surrounded it", async (_, make) => {
    const model = liven(make());
    const upscaler = networkUpscaler(model);
    const { scale, margin, padding } = upscaler;
    expect(padding).toBe(Math.min(margin, 16));
    for (const [width, height] of [
      [1, 1],
      [1, 7],
      [3, 2],
      [9, 12],
    ]) {
      for (const channels of [1, 3, 4] as const) {
        const image = noise(width, height, channels, width);
        const wide = await upscaler.upscale(mirrored(image, padding!), { padding: "none" });
        const inner = crop(wide, padding! * scale, padding! * scale, width * scale, height * scale);
        expect(await upscaler.upscale(image)).toEqual(inner);
        expect(await upscaler.upscale(image, { tile: 2 })).toEqual(inner);
      }
    }
    const image = noise(9, 12, model.planes);
    const planes = { ...image, data: toPlanar(image) };
    const unpadded = await upscaler.upscalePlanes(planes, { padding: "none" });
    expect(await upscaler.upscalePlanes(planes)).not.toEqual(unpadded);
    model.dispose();
  });

  test("the ensemble, too, in tiles as at once", async () => {
    const model = liven(new ESPCN({ scale: 2, filters: [3, 2] }));
    const ensemble = selfEnsemble(networkUpscaler(model));
    const image = noise(11, 7, 3);
    const whole = await ensemble.upscale(image);
    expect(await ensemble.upscale(image, { tile: 3 })).toEqual(whole);
    model.dispose();
  });

  test("interpolations do so themselves", async () => {
    const image = noise(6, 5, 3);
    for (const name of ["nearest", "bilinear", "bicubic"] as const) {
      const { upscale } = interpolator(name, 3);
      expect(await upscale(image, { padding: "none" })).toEqual(await upscale(image));
      const wide = await upscale(mirrored(image, 4));
      expect(crop(wide, 12, 12, 18, 15)).toEqual(await upscale(image));
    }
  });

  test("any other padding is refused", async () => {
    const options = { method: "bicubic", padding: "zeros" as "none" };
    await expect(upscale(noise(3, 3, 3), options)).rejects.toThrow(
      'padding must be mirror or none, or left out, got "zeros"',
    );
  });
});

const all = pretrainedNames.flatMap((name) =>
  (scalesOf(name) as readonly PretrainedScale[]).map((scale) => ({ name, scale })),
);

/** By how many levels networks change a plain colour, at most. */
const changes: Readonly<Record<string, number>> = {
  ...{ "edsr-small-x3": 1, "edsr-small-x4": 1, "wren-x4": 1 },
  ...{ "wren-photo-x1": 2, "wren-photo-x2": 1, "wren-photo-x4": 2 },
};

describe.each(all)("$name x$scale", ({ name, scale }) => {
  beforeEach(() => setDefaultDevice(gpu));

  const plain = (width: number, height: number, color: readonly number[]) =>
    drawn(width, height, color.length as 1 | 3, (_x, _y, c) => color[c]);
  const random = new Random(scale);
  const level = () => random.int(256);
  const greys = [[level()], [255, 255, 255], [0, 0, 0]];
  const colors = [[level(), level(), level()]];

  test("a plain picture stays plain, whatever its size", async () => {
    const model = await loadPretrained(name, { scale });
    const upscaler = networkUpscaler(model);
    for (const color of [...greys, ...colors, [0, 255, 0]]) {
      // Far from the edges of a larger picture, where they have never mattered.
      const far = upscaler.margin * scale;
      const large = plain(2 * upscaler.margin + 3, 2 * upscaler.margin + 1, color);
      const inside = crop(await upscaler.upscale(large, { padding: "none" }), far, far, 3 * scale, scale);
      // The weights themselves change some bright colours by a level; greys stay.
      const isGrey = new Set(color).size === 1;
      const allowed = isGrey ? 0 : (changes[`${name}-x${scale}`] ?? 0);
      for (const [i, value] of inside.data.entries()) {
        expect(Math.abs(value - color[i % color.length])).toBeLessThanOrEqual(allowed);
      }
      for (const [width, height] of [
        [1, 1],
        [1, 5],
        [7, 4],
      ]) {
        const result = await upscaler.upscale(plain(width, height, color));
        const want = drawn(width * scale, height * scale, result.channels, (x, y, c) => {
          return inside.data[((y % scale) * 3 * scale + (x % scale)) * result.channels + c];
        });
        expect(result, `${color} at ${width}x${height}`).toEqual(want);
      }
    }
    model.dispose();
  });

  test("away from the edges every byte is as without padding", async () => {
    const picture = crop(modcrop(toRgb(await readImage(photograph("nagasaki-boats"))), 2), 60, 50, 70, 60);
    const model = await loadPretrained(name, { scale });
    const upscaler = networkUpscaler(model);
    const [large, unpadded] = [
      await upscaler.upscale(picture),
      await upscaler.upscale(picture, { padding: "none" }),
    ];
    expect(large).not.toEqual(unpadded);
    const far = upscaler.margin * scale;
    const inner = (image: Image) => crop(image, far, far, image.width - 2 * far, image.height - 2 * far);
    expect(inner(large)).toEqual(inner(unpadded));
    model.dispose();
  });

  test("plain video stays plain", async () => {
    const model = await loadPretrained(name, { scale });
    const frames = new FrameUpscaler(networkUpscaler(model), format("444", 5, 4));
    const frame = [126, 128, 128].map((value) => new Uint8Array(20).fill(value));
    const large = await frames.upscale(frame);
    expect(large.map((plane) => [...new Set(plane)])).toEqual([[126], [128], [128]]);
    model.dispose();
  });
});
