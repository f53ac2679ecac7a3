import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readImage } from "../../src/files/image-files.ts";
import { rgbToY } from "../../src/picture/color.ts";
import { crop, type Image, modcrop } from "../../src/picture/image.ts";
import { imresizePlane } from "../../src/picture/imresize.ts";
import { psnr, ssim } from "../../src/picture/metrics.ts";
import { drawn, noise, testData } from "../data/support.ts";

const rgb = { border: 0, channels: "rgb" } as const;
const luma = { border: 0, channels: "y" } as const;
const luma8 = (image: Image): Image => ({
  width: image.width,
  height: image.height,
  channels: 1,
  data: Uint8Array.from(rgbToY(image, { round: true })),
});

describe("psnr", () => {
  test("a difference of d everywhere is 20 log10(255 / d)", () => {
    const flat = (v: number) => drawn(6, 5, 3, () => v);
    expect(psnr(flat(100), flat(101), rgb)).toBeCloseTo(48.1308036, 6);
    expect(psnr(flat(100), flat(110), rgb)).toBeCloseTo(28.1308036, 6);
    // Grey levels 1 apart are 219/255 apart in studio-range Y; rounded Y may stay equal or move by one.
    expect(psnr(flat(100), flat(101), luma)).toBeCloseTo(20 * Math.log10(255 / (219 / 255)), 6);
    expect(psnr(flat(100), flat(101), { ...luma, roundY: true })).toBeCloseTo(48.1308036, 6);
  });

  test("the mean runs over all pixels and channels, so one wrong sample of 90 counts a ninetieth", () => {
    const a = noise(6, 5, 3);
    const b: Image = { ...a, data: a.data.slice() };
    b.data[17] ^= 64;
    expect(psnr(a, b, rgb)).toBeCloseTo(10 * Math.log10((255 ** 2 * 90) / 64 ** 2), 10);
  });

  test("equal pictures are infinitely alike", () => {
    expect(psnr(noise(4, 4, 3), noise(4, 4, 3), luma)).toBe(Infinity);
  });

  test("border equals cropping", () => {
    const [a, b] = [noise(12, 9, 3, 1), noise(12, 9, 3, 2)];
    for (const options of [rgb, luma, { ...luma, roundY: true }]) {
      const inner = psnr(crop(a, 3, 3, 6, 3), crop(b, 3, 3, 6, 3), options);
      expect(psnr(a, b, { ...options, border: 3 })).toBeCloseTo(inner, 12);
      expect(inner).not.toBeCloseTo(psnr(a, b, options), 3);
    }
  });

  test("a 1-channel picture is the Y plane", () => {
    const [a, b] = [noise(8, 8, 3, 1), noise(8, 8, 3, 2)];
    expect(psnr(luma8(a), luma8(b), luma)).toBeCloseTo(psnr(a, b, { ...luma, roundY: true }), 12);
  });

  test("refuses what cannot be compared, and says why", () => {
    const a = noise(8, 6, 3);
    expect(() => psnr(a, noise(6, 8, 3), rgb)).toThrow(/8x6 with 3 channels and the other 6x8/);
    expect(() => psnr(noise(8, 6, 4), noise(8, 6, 4), luma)).toThrow(/toRgb/);
    expect(() => psnr(noise(8, 6, 1), noise(8, 6, 1), rgb)).toThrow(/"rgb" needs RGB/);
    expect(() => psnr(a, a, { ...rgb, border: 3 })).toThrow(/border/);
    expect(() => psnr(a, a, { ...rgb, border: 0.5 })).toThrow(/border/);
    expect(() => psnr(a, a, { ...rgb, roundY: true })).toThrow(/roundY/);
    expect(() => psnr(a, a, { border: 0 } as never)).toThrow(/channels must be/);
    expect(() => psnr(a, a, { channels: "y" } as never)).toThrow(/border .* undefined/);
  });
});

/**
 * What scikit-image 0.26.0 (NumPy 2.4.6) says about two pictures made from formulas. It pads at the edges;
 * the paper's mean is over the values whose window lies inside.
 *
 *     import numpy as np
 *     from skimage.metrics import peak_signal_noise_ratio, structural_similarity
 *
 *     y, x, c = np.mgrid[0:23, 0:31, 0:3]
 *     a = (x * 7 + y * 5 + c * 29) % 256
 *     b = np.abs(a - (x * y * 3) % 37)
 *     a, b = a.astype(np.uint8), b.astype(np.uint8)
 *     options = dict(gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
 *     options |= dict(data_range=255, full=True)
 *     for k in range(3):
 *         _, values = structural_similarity(a[..., k], b[..., k], **options)
 *         print(values[5:-5, 5:-5].mean())
 *     print(peak_signal_noise_ratio(a, b, data_range=255))
 */
describe("scikit-image", () => {
  const a = drawn(31, 23, 3, (x, y, c) => (x * 7 + y * 5 + c * 29) % 256);
  const b = drawn(31, 23, 3, (x, y, c) => Math.abs(((x * 7 + y * 5 + c * 29) % 256) - ((x * y * 3) % 37)));
  const channel = ({ data, ...image }: Image, k: number): Image => ({
    ...image,
    channels: 1,
    data: data.filter((_, i) => i % 3 === k),
  });

  test("has the same structural similarity", () => {
    const golden = [0.8001316870216384, 0.8329799043486302, 0.8553082394379309];
    for (const [k, value] of golden.entries()) {
      expect(ssim(channel(a, k), channel(b, k), luma)).toBeCloseTo(value, 12);
    }
    expect(ssim(a, b, rgb)).toBeCloseTo((golden[0] + golden[1] + golden[2]) / 3, 12);
  });

  test("has the same signal-to-noise ratio", () => {
    expect(psnr(a, b, rgb)).toBeCloseTo(22.15068943259393, 12);
  });
});

describe("ssim", () => {
  test("follows the paper's formula, written out here window by window", () => {
    const [a, b] = [noise(14, 12, 1, 3), noise(14, 12, 1, 4)];
    let total = 0;
    for (let top = 0; top < 2; top++) {
      for (let left = 0; left < 4; left++) {
        let [weight, ma, mb, saa, sbb, sab] = [0, 0, 0, 0, 0, 0];
        const visit = (action: (w: number, x: number, y: number) => void) => {
          for (let i = 0; i < 11; i++) {
            for (let j = 0; j < 11; j++) {
              const at = (top + i) * 14 + left + j;
              const distance = (i - 5) ** 2 + (j - 5) ** 2;
              action(Math.exp(-distance / (2 * 1.5 * 1.5)), a.data[at], b.data[at]);
            }
          }
        };
        visit((w, x, y) => {
          weight += w;
          ma += w * x;
          mb += w * y;
        });
        ma /= weight;
        mb /= weight;
        visit((w, x, y) => {
          saa += (w / weight) * (x - ma) ** 2;
          sbb += (w / weight) * (y - mb) ** 2;
          sab += (w / weight) * (x - ma) * (y - mb);
        });
        const c1 = 6.5025;
        const c2 = 58.5225;
        total += ((2 * ma * mb + c1) * (2 * sab + c2)) / ((ma * ma + mb * mb + c1) * (saa + sbb + c2));
      }
    }
    expect(ssim(a, b, luma)).toBeCloseTo(total / 8, 12);
  });

  test("is 1 for equal pictures, the mean of the channels for rgb, and honours the border", () => {
    const [a, b] = [noise(20, 18, 3, 5), noise(20, 18, 3, 6)];
    expect(ssim(a, a, rgb)).toBeCloseTo(1, 12);
    const only = (image: Image, c: number): Image => ({
      ...image,
      channels: 1,
      data: image.data.filter((_, i) => i % 3 === c),
    });
    const each = [0, 1, 2].map((c) => ssim(only(a, c), only(b, c), luma));
    expect(ssim(a, b, rgb)).toBeCloseTo((each[0] + each[1] + each[2]) / 3, 12);
    const inner = ssim(crop(a, 2, 2, 16, 14), crop(b, 2, 2, 16, 14), luma);
    expect(ssim(a, b, { ...luma, border: 2 })).toBeCloseTo(inner, 12);
  });

  test("refuses pictures smaller than its window", () => {
    expect(() => ssim(noise(20, 12, 3), noise(20, 12, 3), { ...luma, border: 1 })).toThrow(
      "ssim: SSIM needs at least 11x11 pixels, and a border of 1 leaves 18x10 of 20x12.",
    );
  });
});

const set5 = testData("set5");
/**
 * The bicubic rows in the tables of SRCNN, VDSR, EDSR and others: mean over Set5, rounded Y, border = scale.
 * Their Matlab code shrinks and enlarges Y in floating point and rounds at the end only.
 */
test.skipIf(set5 === undefined).each([
  [2, 33.66, 0.9299],
  [3, 30.39, 0.8682],
  [4, 28.42, 0.8104],
])(
  "bicubic on Set5 X%i has the %f dB and the SSIM of %f of the papers",
  async (scale, decibels, similarity) => {
    const files = readdirSync(join(set5!, "HR"));
    let [psnrMean, ssimMean] = [0, 0];
    for (const file of files) {
      const high = luma8(modcrop(await readImage(join(set5!, "HR", file)), scale));
      const { width, height } = high;
      const size = { width: width / scale, height: height / scale };
      const large = imresizePlane(imresizePlane(high.data, high, size), size, high);
      const upscaled: Image = { ...high, data: new Uint8Array(Uint8ClampedArray.from(large)) };
      psnrMean += psnr(upscaled, high, { border: scale, channels: "y" }) / files.length;
      ssimMean += ssim(upscaled, high, { border: scale, channels: "y" }) / files.length;
    }
    expect(Math.abs(psnrMean - decibels)).toBeLessThan(0.005);
    expect(Math.abs(ssimMean - similarity)).toBeLessThan(0.0001);
  },
);
