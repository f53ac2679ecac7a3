/** Reading and writing y4m: headers, and frames in streams. */
import { PassThrough, Readable, Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import type { Samples } from "../../src/picture/image.ts";
import {
  type Frame,
  headerOf,
  parseHeader,
  planeSizes,
  Y4mReader,
  Y4mWriter,
} from "../../src/video/index.ts";
import { format, frameOf } from "./support.ts";

describe("headers", () => {
  test("all parameters but the size stay as they are", () => {
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

  test("odd sizes have one more column of chroma, and no C means 420jpeg", () => {
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
    ["YUV4MPEG2 W1e3 H5", "no usable width and height"],
    ["YUV4MPEG2 W0x10 H5", "no usable width and height"],
    ["YUV4MPEG2 W-8 H5", "no usable width and height"],
    ["YUV4MPEG2 W8", "no usable width and height"],
    ["YUV4MPEG2 W32769 H5", "a frame of 32769x5 pixels is too large"],
    ["YUV4MPEG2 W32768 H32768 C444p16", "a frame of 32768x32768 pixels is too large"],
    ["YUV4MPEG2 W8 H8 C\u001b]0;title\u0007", "colour space \\x1b]0;title\\x07 is not known"],
    ["YUV4MPEG2 W8 H8 It", "interlaced"],
    ["YUV4MPEG2 W8 H8\r", "ends in CR LF, so that something on the way has taken the video for text"],
    ["YUV4MPEG2 W8 H8 Ip\r", "ends in CR LF"],
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

  test("frames come in order, whatever the stream's pieces", async () => {
    const want = await read(pieces(whole(), 10_000));
    expect(want).toHaveLength(2);
    expect(want[0]).toEqual(frameOf("420jpeg"));
    for (const size of [1, 7, 61]) expect(await read(pieces(whole(), size))).toEqual(want);
  });

  test("a stream that is cut short, damaged or empty is an error", async () => {
    await expect(read(pieces(whole().subarray(0, 60)))).rejects.toThrow("it ends within frame 1");
    await expect(read(pieces(whole().subarray(0, 130)))).rejects.toThrow("it ends within frame 2");
    for (const part of ["F", "FRAME", "FRAME Ip"]) {
      const cut = Buffer.concat([whole(), Buffer.from(part)]);
      await expect(read(pieces(cut))).rejects.toThrow("it ends within frame 3");
    }
    await expect(read(pieces(Buffer.from("YUV4MPEG2 W8 H6")))).rejects.toThrow("it ends within the header");
    await expect(read(pieces(Buffer.from("YUV4MPEG2 W8 H6\nframe\n")))).rejects.toThrow(
      "frame 1 does not begin with FRAME",
    );
    await expect(read(pieces(Buffer.alloc(0)))).rejects.toThrow("there is nothing on it");
    await expect(read(pieces(Buffer.alloc(100_000, 65)))).rejects.toThrow("this is no y4m video");
  });

  test("a header that lies about the size takes no memory for what does not come", async () => {
    const stream = bytesOf("YUV4MPEG2 W32768 H8192 C444p16\nFRAME\n", new Uint8Array(1000));
    const before = process.memoryUsage().arrayBuffers;
    await expect(read(pieces(stream, 500))).rejects.toThrow("it ends within frame 1");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20); // of 512 MiB for each plane
  });

  test("planes of more bytes than are believed at once come out whole", async () => {
    const plane = Uint8Array.from({ length: 8192 * 5000 }, (_, i) => (i * 7) ^ (i >> 13));
    const stream = bytesOf("YUV4MPEG2 W8192 H5000 Cmono\nFRAME\n", plane);
    const [[luma]] = await read(pieces(stream, 65_521));
    expect(Buffer.compare(luma as Uint8Array, plane)).toBe(0);
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
      "the program that was to read the video has ended (EPIPE)",
    );
  });
});
