/** Each plane of a frame, enlarged. */
import { describe, expect, test } from "vitest";
import { EDSR, ESPCN, interpolator, networkUpscaler, setDefaultDevice } from "../../src/index.ts";
import { imresizePlane } from "../../src/picture/imresize.ts";
import { Random } from "../../src/tensor/random.ts";
import { upscalerOf } from "../../src/upscale/upscaler.ts";
import { type Frame, FrameUpscaler, planeSizes } from "../../src/video/index.ts";
import { float32Device } from "../support/devices.ts";
import { format, frameOf } from "./support.ts";

setDefaultDevice(float32Device());

describe("frames", () => {
  const bicubic = (scale: number) => interpolator("bicubic", scale);

  test.each(["420jpeg", "444", "mono"])(
    "%s by bicubic: every plane is Matlab's imresize, rounded once",
    async (space) => {
      const frame = frameOf(space);
      const upscaler = new FrameUpscaler(bicubic(2), format(space));
      const result = await upscaler.upscale(frame);
      const small = planeSizes(format(space));
      for (const [k, large] of planeSizes(upscaler.format).entries()) {
        const want = imresizePlane(frame[k], small[k], large);
        expect(large).toEqual({ width: 2 * small[k].width, height: 2 * small[k].height });
        let differing = 0;
        for (const [i, value] of want.entries()) {
          const level = Math.min(255, Math.max(0, Math.round(value)));
          if (result[k][i] !== level) differing++;
          expect(Math.abs(result[k][i] - level)).toBeLessThanOrEqual(1);
        }
        expect(differing).toBeLessThanOrEqual(1); // luma goes through single precision
      }
    },
  );

  test.each(["420jpeg", "420mpeg2", "420paldv", "422", "444"])(
    "%s: chroma stays where it belongs",
    async (space) => {
      // The same ramp in luma and in chroma: each sample of chroma has luma's value at its own place, before
      // and after enlarging.
      const small = format(space, 40, 40);
      const { across, down } = small.chroma!;
      // From the picture's edge.
      const place = (i: number, step: number, siting: number) => (i + siting) * step;
      const level = (x: number, y: number) => 60 + 2 * x + y;
      const ramp = (of: typeof small, unit: number): Frame =>
        planeSizes(of).map(({ width, height }, k) =>
          Uint8Array.from({ length: width * height }, (_, i) => {
            const [sx, sy] = k === 0 ? [1, 1] : [across, down];
            const [ox, oy] = k === 0 || sx === 1 ? [0.5, 0.5] : [of.siting.across, of.siting.down];
            const x = place(i % width, sx, ox) / unit;
            const y = place(Math.floor(i / width), sy, sy === 1 ? 0.5 : oy) / unit;
            return Math.round(level(x, y));
          }),
        );
      const upscaler = new FrameUpscaler(bicubic(2), small);
      const result = await upscaler.upscale(ramp(small, 1));
      const want = ramp(upscaler.format, 2);
      for (const [k, { width, height }] of planeSizes(upscaler.format).entries()) {
        for (let y = 8; y < height - 8; y++) {
          for (let x = 8; x < width - 8; x++) {
            expect(
              Math.abs(result[k][y * width + x] - want[k][y * width + x]),
              `plane ${k}`,
            ).toBeLessThanOrEqual(1);
          }
        }
      }
    },
  );

  test("odd sizes", async () => {
    for (const [width, height, scale] of [
      [7, 5, 2],
      [5, 9, 3],
    ] as const) {
      const upscaler = new FrameUpscaler(bicubic(scale), format("420mpeg2", width, height));
      const result = await upscaler.upscale(frameOf("420mpeg2", width, height));
      const large = planeSizes(upscaler.format);
      expect(large[1]).toEqual({
        width: Math.ceil((width * scale) / 2),
        height: Math.ceil((height * scale) / 2),
      });
      expect(result.map(({ length }) => length)).toEqual(large.map((size) => size.width * size.height));
    }
  });

  test("a network for luma gets luma, in tiles as at once", async () => {
    const method = networkUpscaler(
      new ESPCN({ scale: 2, filters: [4, 3], residual: true, random: new Random(1) }),
    );
    const frame = frameOf("420jpeg", 30, 22);
    const at = (tile?: number) =>
      new FrameUpscaler(method, format("420jpeg", 30, 22), { tile }).upscale(frame);
    const result = await at();
    expect(await at(8)).toEqual(result);
    const y = await method.upscaleY(frame[0], 30, 22);
    for (const [i, value] of y.entries()) {
      expect(Math.abs(result[0][i] - Math.min(255, Math.max(0, value)))).toBeLessThanOrEqual(0.51);
    }
    const [, cb] = await new FrameUpscaler(bicubic(2), format("420jpeg", 30, 22)).upscale(frame);
    expect(result[1]).toEqual(cb);
  });

  test.each(["420mpeg2", "444", "mono"])("a network for RGB gets colours: %s", async (space) => {
    // Answers by bicubic interpolation of each colour: then luma is what bicubic makes of luma.
    const { enlarge } = bicubic(2);
    const rgb = upscalerOf({ ...bicubic(2), colors: "rgb", enlarge: (planes) => enlarge(planes) });
    const frame = frameOf(space, 20, 16);
    const result = await new FrameUpscaler(rgb, format(space, 20, 16)).upscale(frame);
    const want = await new FrameUpscaler(bicubic(2), format(space, 20, 16)).upscale(frame);
    for (const [k, plane] of want.entries()) {
      for (const [i, value] of plane.entries()) expect(Math.abs(result[k][i] - value)).toBeLessThanOrEqual(1);
    }
    const edsr = networkUpscaler(new EDSR({ blocks: 1, channels: 2, random: new Random(1) }));
    const [luma] = await new FrameUpscaler(edsr, format(space, 20, 16)).upscale(frame);
    expect(luma).toHaveLength(40 * 32);
  });

  test("full range, and more bits", async () => {
    const { enlarge } = bicubic(2);
    const luma = upscalerOf({ ...bicubic(2), colors: "y", enlarge: (planes) => enlarge(planes) });
    for (const more of ["", " XCOLORRANGE=FULL"]) {
      const frame = frameOf("444");
      const eight = await new FrameUpscaler(luma, format("444", 8, 6, more)).upscale(frame);
      const plain = await new FrameUpscaler(bicubic(2), format("444", 8, 6, more)).upscale(frame);
      for (const [i, value] of plain[0].entries())
        expect(Math.abs(eight[0][i] - value)).toBeLessThanOrEqual(1);
      const fine = frame.map((samples) => Uint16Array.from(samples, (value) => value * 4));
      const ten = await new FrameUpscaler(luma, format("444p10", 8, 6, more)).upscale(fine);
      for (const [k, samples] of eight.entries()) {
        for (const [i, value] of samples.entries()) {
          if (value > 0 && value < 255) expect(Math.abs(ten[k][i] / 4 - value)).toBeLessThanOrEqual(0.63);
        }
      }
    }
  });

  test("a network that has diverged is an error", async () => {
    const nothing = upscalerOf({
      ...bicubic(2),
      enlarge: async ({ width, height }) => ({
        ...{ width: 2 * width, height: 2 * height, channels: 1 },
        data: new Float32Array(4 * width * height).fill(Number.NaN),
      }),
    });
    const upscaler = new FrameUpscaler(nothing, format("mono"));
    await expect(upscaler.upscale(frameOf("mono"))).rejects.toThrow("made NaN of a frame");
  });
});
