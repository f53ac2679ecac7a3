/** Video: what is read and written, and each plane of a frame. */
import { PassThrough, Readable, Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { FrameUpscaler } from "../../src/cli/upscale-video.ts";
import { EDSR, ESPCN, interpolator, networkUpscaler, setDefaultDevice } from "../../src/index.ts";
import type { Samples } from "../../src/picture/image.ts";
import { imresizePlane } from "../../src/picture/imresize.ts";
import { Random } from "../../src/tensor/random.ts";
import { upscalerOf } from "../../src/upscale/picture.ts";
import { type Frame, headerOf, parseHeader, planeSizes, Y4mReader, Y4mWriter } from "../../src/video/y4m.ts";
import { noise } from "../data/support.ts";
import { float32Device } from "../support/devices.ts";

setDefaultDevice(float32Device());

const format = (space: string, width = 8, height = 6, more = "") =>
  parseHeader(`YUV4MPEG2 W${width} H${height} F30000:1001 Ip A128:117 C${space}${more}`);

const plane = (width: number, height: number, seed = 1) => noise(width, height, 1, seed).data;
const frameOf = (space: string, width = 8, height = 6): Frame =>
  planeSizes(format(space, width, height)).map((size, k) => plane(size.width, size.height, k + 1));

describe("headers", () => {
  test("all parameters but the size go through as they came", () => {
    const line =
      "YUV4MPEG2 W1920 H1080 F30000:1001 Ip A128:117 C420mpeg2 XYSCSS=420MPEG2 XCOLORRANGE=LIMITED";
    const parsed = parseHeader(line);
    expect(headerOf(parsed)).toBe(line);
    expect(headerOf({ ...parsed, width: 3840, height: 2160 })).toBe(
      line.replace("1920", "3840").replace("1080", "2160"),
    );
  });

  test.each([
    ["420jpeg", [8, 4, 4], [6, 3, 3], 8],
    ["420mpeg2", [8, 4, 4], [6, 3, 3], 8],
    ["420paldv", [8, 4, 4], [6, 3, 3], 8],
    ["420p10", [8, 4, 4], [6, 3, 3], 10],
    ["422", [8, 4, 4], [6, 6, 6], 8],
    ["422p12", [8, 4, 4], [6, 6, 6], 12],
    ["444", [8, 8, 8], [6, 6, 6], 8],
    ["mono", [8], [6], 8],
    ["mono16", [8], [6], 16],
  ])("%s", (space, widths, heights, depth) => {
    const parsed = format(space);
    expect(planeSizes(parsed).map(({ width }) => width)).toEqual(widths);
    expect(planeSizes(parsed).map(({ height }) => height)).toEqual(heights);
    expect(parsed.depth).toBe(depth);
  });

  test("odd sizes have one more column of colour, and no C means 420jpeg", () => {
    expect(planeSizes(parseHeader("YUV4MPEG2 W7 H5")).map(({ width, height }) => [width, height])).toEqual([
      [7, 5],
      [4, 3],
      [4, 3],
    ]);
  });

  test.each([
    ["RIFF1234AVI ", "this is no y4m video"],
    ["YUV4MPEG2 W0 H5", "no usable width and height"],
    ["YUV4MPEG2 W100000 H5", "no usable width and height"],
    ["YUV4MPEG2 W8 H8 It", "interlaced"],
    ["YUV4MPEG2 W8 H8 C444alpha", "444alpha is not known"],
    ["YUV4MPEG2 W8 H8 C411", "411 is not known"],
  ])("%s is refused", (line, message) => {
    expect(() => parseHeader(line)).toThrow(message);
  });
});

describe("streams", () => {
  const bytesOf = (...parts: (string | Samples)[]) =>
    Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array)));
  const whole = () =>
    bytesOf(
      "YUV4MPEG2 W8 H6\n",
      "FRAME\n",
      ...frameOf("420jpeg"),
      "FRAME Ixyz\n",
      ...[...frameOf("420jpeg")].reverse(),
    );

  /** In pieces of a prime number of bytes, so that every boundary falls anywhere. */
  function pieces(bytes: Buffer, size = 7): Readable {
    return Readable.from(
      Array.from({ length: Math.ceil(bytes.length / size) }, (_, k) =>
        bytes.subarray(k * size, (k + 1) * size),
      ),
    );
  }

  async function read(stream: Readable): Promise<Frame[]> {
    const reader = new Y4mReader(stream);
    const frames: Frame[] = [];
    for await (const frame of reader.frames(await reader.header())) frames.push(frame);
    return frames;
  }

  test("frames come out in order, whatever pieces the stream comes in", async () => {
    const want = await read(pieces(whole(), 10_000));
    expect(want).toHaveLength(2);
    expect(want[0]).toEqual(frameOf("420jpeg"));
    for (const size of [1, 7, 61]) expect(await read(pieces(whole(), size))).toEqual(want);
  });

  test("what is cut short, damaged or empty is told", async () => {
    await expect(read(pieces(whole().subarray(0, 60)))).rejects.toThrow("it ends within frame 1");
    await expect(read(pieces(whole().subarray(0, 130)))).rejects.toThrow("it ends within frame 2");
    await expect(read(pieces(Buffer.from("YUV4MPEG2 W8 H6\nframe\n")))).rejects.toThrow(
      "frame 1 does not begin with FRAME",
    );
    await expect(read(pieces(Buffer.alloc(0)))).rejects.toThrow("there is nothing on it");
    await expect(read(pieces(Buffer.alloc(100_000, 65)))).rejects.toThrow("this is no y4m video");
  });

  test("written and read again; 10 bits are two bytes each", async () => {
    const stream = new PassThrough();
    const writer = new Y4mWriter(stream);
    const frame = [Uint16Array.from({ length: 48 }, (_, i) => i * 21)];
    const written = (async () => {
      await writer.header(format("mono10"));
      await writer.frame(frame);
      stream.end();
    })();
    expect(await read(stream)).toEqual([frame]);
    await written;
  });

  test("waits for a slow reader, and ends with it", async () => {
    let taken = 0;
    const slow = new Writable({
      highWaterMark: 16,
      write(chunk, _, done) {
        taken += chunk.length;
        setTimeout(done, 5);
      },
    });
    const writer = new Y4mWriter(slow);
    for (let k = 0; k < 5; k++) {
      await writer.frame([new Uint8Array(100)]);
      expect(taken).toBeGreaterThanOrEqual((k + 1) * 106);
    }
    const closed = new Promise((resolve) => slow.once("close", resolve));
    slow.destroy(new Error("EPIPE"));
    await closed;
    await expect(writer.frame([new Uint8Array(100)])).rejects.toThrow(
      "what was to read the video has ended (EPIPE)",
    );
  });
});

describe("frames", () => {
  const bicubic = (scale: number) => interpolator("bicubic", scale).method;

  test.each(["420jpeg", "444", "mono"])(
    "%s by bicubic: every plane is Matlab's imresize, rounded once",
    async (space) => {
      const frame = frameOf(space);
      const upscaler = new FrameUpscaler(bicubic(2), format(space), {});
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
    "%s: colour stays where it belongs",
    async (space) => {
      // A ramp in luma, and the same in colour: each sample has luma's value at its own place. After enlarging, too.
      const small = format(space, 40, 40);
      const { across, down } = small.chroma!;
      const place = (i: number, step: number, siting: number) => (i + siting) * step; // from the picture's edge
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
      const upscaler = new FrameUpscaler(bicubic(2), small, {});
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
      const upscaler = new FrameUpscaler(bicubic(scale), format("420mpeg2", width, height), {});
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
      new FrameUpscaler(method.method, format("420jpeg", 30, 22), { tile }).upscale(frame);
    const result = await at();
    expect(await at(8)).toEqual(result);
    const y = await method.upscaleY(frame[0], 30, 22);
    for (const [i, value] of y.entries()) {
      expect(Math.abs(result[0][i] - Math.min(255, Math.max(0, value)))).toBeLessThanOrEqual(0.51);
    }
    const [, cb] = await new FrameUpscaler(bicubic(2), format("420jpeg", 30, 22), {}).upscale(frame);
    expect(result[1]).toEqual(cb);
  });

  test.each(["420mpeg2", "444", "mono"])("a network for RGB gets colours: %s", async (space) => {
    // Answers by bicubic interpolation of each colour: then luma is what bicubic makes of luma.
    const { enlarge } = bicubic(2);
    const rgb = upscalerOf({ ...bicubic(2), colors: "rgb", enlarge: (planes) => enlarge(planes) });
    const frame = frameOf(space, 20, 16);
    const result = await new FrameUpscaler(rgb.method, format(space, 20, 16), {}).upscale(frame);
    const want = await new FrameUpscaler(bicubic(2), format(space, 20, 16), {}).upscale(frame);
    for (const [k, plane] of want.entries()) {
      for (const [i, value] of plane.entries()) expect(Math.abs(result[k][i] - value)).toBeLessThanOrEqual(1);
    }
    const edsr = networkUpscaler(new EDSR({ blocks: 1, channels: 2, random: new Random(1) }));
    const [luma] = await new FrameUpscaler(edsr.method, format(space, 20, 16), {}).upscale(frame);
    expect(luma).toHaveLength(40 * 32);
  });

  test("full range, and more bits", async () => {
    const { enlarge } = bicubic(2);
    const luma = upscalerOf({ ...bicubic(2), colors: "y", enlarge: (planes) => enlarge(planes) });
    for (const more of ["", " XCOLORRANGE=FULL"]) {
      const frame = frameOf("444");
      const eight = await new FrameUpscaler(luma.method, format("444", 8, 6, more), {}).upscale(frame);
      const plain = await new FrameUpscaler(bicubic(2), format("444", 8, 6, more), {}).upscale(frame);
      for (const [i, value] of plain[0].entries())
        expect(Math.abs(eight[0][i] - value)).toBeLessThanOrEqual(1);
      const fine = frame.map((samples) => Uint16Array.from(samples, (value) => value * 4));
      const ten = await new FrameUpscaler(luma.method, format("444p10", 8, 6, more), {}).upscale(fine);
      for (const [k, samples] of eight.entries()) {
        for (const [i, value] of samples.entries()) {
          if (value > 0 && value < 255) expect(Math.abs(ten[k][i] / 4 - value)).toBeLessThanOrEqual(0.63);
        }
      }
    }
  });

  test("a network that has diverged is told of", async () => {
    const nothing = upscalerOf({
      ...bicubic(2),
      enlarge: async ({ width, height }) => ({
        ...{ width: 2 * width, height: 2 * height, channels: 1 },
        data: new Float32Array(4 * width * height).fill(Number.NaN),
      }),
    });
    const upscaler = new FrameUpscaler(nothing.method, format("mono"), {});
    await expect(upscaler.upscale(frameOf("mono"))).rejects.toThrow("made NaN of a frame");
  });
});
