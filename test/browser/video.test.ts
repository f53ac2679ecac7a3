/** Video becomes larger video: frames, times and sound; odd files; pauses, stops and memory. */
import { EncodedPacketSink } from "mediabunny";
import { describe, expect, test, vi } from "vitest";
import { type ConvertOptions, convert, Steering } from "../../site/video/convert.ts";
import { frameOf, imageOf } from "../../site/video/frames.ts";
import { outputsFor } from "../../site/video/outputs.ts";
import { paceDecoders } from "../../site/video/paced-decoder.ts";
import { PartsTarget } from "../../site/video/parts-target.ts";
import { openSource } from "../../site/video/source.ts";
import { rateText } from "../../site/video/texts.ts";
import { videoTasks } from "../../site/video/video-tasks.ts";
import { interpolator } from "../../src/index.ts";
import type { Image } from "../../src/picture/index.ts";
import { drawn } from "../support/drawn.ts";
import { evenTimes, makeVideo, movingPicture, openFile, readVideo, type TestVideo } from "./test-video.ts";

const double = interpolator("bicubic", 2);

interface Made {
  readonly file: Blob;
  readonly before: Awaited<ReturnType<typeof readVideo>>;
  readonly after: Awaited<ReturnType<typeof readVideo>>;
}

/** Converts a video with all that a page would choose. */
async function converted(
  file: Blob,
  options: Partial<ConvertOptions> = {},
  container?: "mp4" | "webm",
): Promise<{ file: Blob; result: Awaited<ReturnType<typeof convert>> }> {
  const source = await openSource(file, "video");
  const { width, height } = source.facts;
  const choices = await outputsFor(source, { width: 2 * width, height: 2 * height }, "large");
  const chosen = choices.find((choice) => !container || choice.container === container)!;
  const output = { ...chosen, bitrate: 4_000_000 }; // so that coding changes little
  const parts = new PartsTarget();
  const enlarge = (frame: Image) => double.upscale(frame);
  const result = await convert({ source, output, enlarge, target: parts.target, ...options });
  source.input.dispose();
  return { result, file: parts.file(`video/${output.container}`) };
}

async function made(video: TestVideo = {}, container?: "mp4" | "webm"): Promise<Made> {
  const small = await makeVideo(video);
  const { file } = await converted(small, {}, container);
  return { file, before: await readVideo(small), after: await readVideo(file) };
}

/** The mean difference of two pictures, in levels. */
function difference(a: Image, b: Image): number {
  expect([a.width, a.height]).toEqual([b.width, b.height]);
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += Math.abs(a.data[i] - b.data[i]);
  return sum / a.data.length;
}

/** Strong colours and greys, in patches that are larger than what coding blurs. */
const patches = [
  ...[
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
    [255, 255, 0],
  ],
  ...[
    [0, 255, 255],
    [255, 0, 255],
    [0, 0, 0],
    [255, 255, 255],
  ],
  ...[
    [128, 128, 128],
    [200, 120, 90],
    [90, 160, 60],
    [30, 60, 120],
  ],
];
const patchPicture = () => drawn(128, 96, 3, (x, y, c) => patches[(y >> 5) * 4 + (x >> 5)][c]);

describe("colours", () => {
  test.each([
    { codec: "vp8", container: "webm" },
    { codec: "vp9", container: "webm" },
    { codec: "av1", container: "webm" },
    { codec: "avc", container: "mp4" },
  ] as const)("of $codec in $container come out as a picture's", async ({ codec, container }) => {
    const video = { codec, container, width: 128, height: 96, picture: patchPicture };
    const { before, after } = await made(video, container);
    for (const [k, color] of patches.entries()) {
      // The middle of a patch.
      const at = (image: Image, unit: number) => {
        const pixel = (16 + 32 * (k >> 2)) * unit * image.width + (16 + 32 * (k & 3)) * unit;
        return image.data.slice(3 * pixel, 3 * pixel + 3);
      };
      const picture = at(await double.upscale(before.frames[5]), 2);
      for (const [c, level] of at(after.frames[5], 2).entries()) {
        expect(Math.abs(level - picture[c]), `${color}`).toBeLessThanOrEqual(3);
        expect(Math.abs(level - color[c]), `${color}`).toBeLessThanOrEqual(4);
      }
    }
  });
});

test("colours of a small video that does not say how they are coded are taken as players take them", async () => {
  const video = { codec: "vp8", width: 128, height: 96, picture: patchPicture, isUntagged: true } as const;
  // The browser's encoder says something: the container's element for colours becomes one without a meaning.
  const bytes = new Uint8Array(await (await makeVideo(video)).arrayBuffer());
  bytes.set([0x55, 0xbf], indexOf(bytes, Uint8Array.of(0x55, 0xb0)));
  const small = new Blob([bytes]);
  expect((await openSource(small, "untagged")).assumedMatrix).toBe("bt601");
  const { file } = await converted(small);
  const { frames } = await readVideo(file);
  for (const [k, color] of patches.entries()) {
    const pixel = (32 + 64 * (k >> 2)) * 256 + 32 + 64 * (k & 3);
    for (const [c, level] of frames[5].data.slice(3 * pixel, 3 * pixel + 3).entries())
      expect(Math.abs(level - color[c]), `${color}`).toBeLessThanOrEqual(4);
  }
});

test("a frame that a picture became is that picture again", async () => {
  const picture = movingPicture(64, 48, 0);
  using sample = frameOf(picture, { timestamp: 0, duration: 1 });
  expect(difference(await imageOf(sample), picture)).toBeLessThan(1.5);
});

describe("a video of 10 frames, twice as large", () => {
  test.each([
    { container: "webm", codec: "vp8", to: "webm" },
    { container: "webm", codec: "vp9", to: "mp4" },
    { container: "webm", codec: "av1", to: "webm" },
    { container: "mp4", codec: "avc", to: "mp4" },
    { container: "mp4", codec: "avc", to: "webm" },
  ] as const)("$codec in $container to $to", async ({ to, ...video }) => {
    const { before, after } = await made(video, to);
    expect(after.frames.length).toBe(10);
    expect(after.format).toBe(to === "webm" ? "WebM" : "MP4");
    for (const { width, height } of after.frames) expect([width, height]).toEqual([128, 96]);
    for (const [i, time] of after.times.entries()) expect(time).toBeCloseTo(before.times[i], 2);
    // Its packets, untouched.
    expect(before.sound.length).toBeGreaterThan(10);
    expect(after.sound.map(({ data }) => data)).toEqual(before.sound.map(({ data }) => data));
    for (const [i, { time }] of after.sound.entries()) expect(time).toBeCloseTo(before.sound[i].time, 2);
    // As the same picture comes out by itself.
    const picture = await double.upscale(before.frames[5]);
    expect(difference(after.frames[5], picture)).toBeLessThan(2);
    expect(difference(after.frames[4], picture)).toBeGreaterThan(4);
  });
});

describe("times", () => {
  test("of frames that do not come evenly stay, and so does how long each is on show", async () => {
    const times = [0, 0.04, 0.1, 0.5, 0.52, 1.3, 1.4];
    const { before, after } = await made({ times, hasSound: false });
    expect(after.times.length).toBe(times.length);
    for (const [i, time] of times.entries()) {
      expect(before.times[i]).toBeCloseTo(time, 2);
      expect(after.times[i]).toBeCloseTo(time, 2);
    }
    const source = await openSource(await makeVideo({ times }), "uneven");
    expect(source.facts.isSteady).toBe(false);
  });

  const late = evenTimes(5).map((time) => time + 0.6);

  test("of a video that begins after its sound stay", async () => {
    const { after } = await made({ times: late });
    expect(after.times[0]).toBeCloseTo(0.6, 2);
    expect(after.sound[0].time).toBeCloseTo(0, 2);
  });

  test("begin at 0 where all begins late", async () => {
    const { after } = await made({ times: late, hasSound: false });
    for (const [i, time] of evenTimes(5).entries()) expect(after.times[i]).toBeCloseTo(time, 2);
  });
});

describe("sizes", () => {
  test("an odd result loses its last column and row", async () => {
    const small = await makeVideo({ width: 61, height: 47, hasSound: false, codec: "vp8" });
    const triple = interpolator("bicubic", 3);
    const { file } = await converted(small, { enlarge: (frame) => triple.upscale(frame) });
    const [frame] = (await readVideo(file)).frames;
    expect([frame.width, frame.height]).toEqual([182, 140]);
  });

  test("a video that was filmed upright comes out upright", async () => {
    const small = await makeVideo({ container: "mp4", rotation: 90, hasSound: false });
    const source = await openSource(small, "turned");
    expect([source.facts.width, source.facts.height]).toEqual([48, 64]);
    const { file } = await converted(small);
    const [before, after] = [await readVideo(small), await readVideo(file)];
    expect([after.frames[0].width, after.frames[0].height]).toEqual([96, 128]);
    expect(difference(after.frames[5], await double.upscale(before.frames[5]))).toBeLessThan(2);
  });
});

test("a transparent video becomes an opaque one, and that is said", async () => {
  const small = await makeVideo({ isTransparent: true, hasSound: false });
  const source = await openSource(small, "glass");
  expect(source.facts.notes).toEqual(["Where it is transparent, the result is opaque."]);
  const createUrl = vi.spyOn(URL, "createObjectURL"); // of workers that merge transparency
  const { result, file } = await converted(small);
  expect(result).toMatchObject({ frames: 10, isWhole: true });
  expect(createUrl).not.toHaveBeenCalled();
  createUrl.mockRestore();
  expect((await openSource(file, "opaque")).facts.notes).toEqual([]);
});

test.each(["mp4", "webm"] as const)(
  "subtitles and further tracks of an %s are left out, and that is said",
  async (container) => {
    const file = await makeVideo({ container, codec: "vp9", hasSubtitles: true, otherTracks: 1 });
    const notes = [
      "The file has another track of video, which the result lacks.",
      "The subtitles are left out.",
    ];
    expect((await openSource(file, "film")).facts.notes).toEqual(notes);
    const plain = await makeVideo({ container, codec: "vp9" });
    expect((await openSource(plain, "film")).facts.notes).toEqual([]);
  },
);

test("subtitles of an MP4 are known by their handler, too", async () => {
  const file = await makeVideo({ container: "mp4", codec: "vp9", hasSubtitles: true });
  const text = Array.from(new Uint8Array(await file.arrayBuffer()), (byte) => String.fromCharCode(byte)).join(
    "",
  );
  const notesOf = async (handler: string) => {
    const other = text.replace("wvtt", "tx3g").replace(/(?<=hdlr.{8})text/s, handler);
    const bytes = Uint8Array.from(other, (letter) => letter.charCodeAt(0));
    return (await openSource(new Blob([bytes]), "film")).facts.notes;
  };
  expect(await notesOf("sbtl")).toEqual(["The subtitles are left out."]);
  expect(await notesOf("text")).toEqual([]); // such as names of chapters
});

describe("files that are none", () => {
  const message = (file: Blob, name = "file") =>
    openSource(file, name).then(
      () => "",
      (error: Error) => `${error.name}: ${error.message}`,
    );

  test("empty, or something else", async () => {
    expect(await message(new Blob([]))).toMatch(/^DataError: file is empty\./);
    expect(await message(new Blob(["no video at all, but a text"]), "a.txt")).toMatch(
      /^DataError: a.txt is no video/,
    );
  });

  test("sound alone", async () => {
    const sound = await makeVideo({ hasPictures: false });
    expect(await message(sound, "song.webm")).toBe(
      "DataError: song.webm has no pictures in it, only sound. Choose a file with video.",
    );
  });

  test("cut short, in the head", async () => {
    const video = await makeVideo({ container: "mp4" });
    expect(await message(video.slice(0, 200), "cut.mp4")).toMatch(
      /^DataError: cut.mp4 is a video, but its end is missing/,
    );
  });
});

describe("a file whose end is missing", () => {
  const cut = async (video: TestVideo, share: number) => {
    const whole = await makeVideo({ times: evenTimes(100), hasSound: false, ...video });
    return whole.slice(0, whole.size * share);
  };

  test.each([
    { container: "mp4", isFastStart: true },
    { container: "webm", codec: "vp8" },
  ] as const)("$container: that is said when it is opened, and in the end", async (video) => {
    const file = await cut(video, 0.6);
    const { input, facts } = await openSource(file, "cut");
    input.dispose();
    expect(facts.notes.join()).toMatch(/^The end of the file is missing/);
    const { result } = await converted(file);
    expect(result.isWhole).toBe(false);
    expect(result.damage!.at).toBeCloseTo(result.frames / 25, 1);
    expect(result.frames).toBeGreaterThan(20);
    expect(result.frames).toBeLessThan(90);
  });

  test("before the first frame", async () => {
    const file = await cut({ container: "webm" }, 0.05);
    await expect(openSource(file, "cut.webm")).rejects.toThrow(
      /^cut.webm is a video, but its end is missing/,
    );
  });

  test("nothing is missing where the sound is longer, or the video begins late", async () => {
    const notes = async (video: TestVideo) => {
      const file = await makeVideo({ container: "mp4", ...video });
      const { input, facts } = await openSource(file, "whole");
      input.dispose();
      return [facts.notes, (await converted(file)).result.isWhole];
    };
    expect(await notes({ times: evenTimes(50).map((time) => time + 2) })).toEqual([[], true]);
    expect(await notes({ times: [0, 0.5, 0.6, 1.9] })).toEqual([[], true]);
    const { notes: others } = (await openSource(await makeVideo({ hasSubtitles: true }), "subtitled")).facts;
    expect(others).toEqual(["The subtitles are left out."]);
  });
});

test("of two tracks of sound, players begin with the same one", async () => {
  const { file } = await converted(await makeVideo({ soundTracks: 2 }), {}, "mp4");
  const tracks = await openFile(file).getAudioTracks();
  const dispositions = await Promise.all(tracks.map((track) => track.getDisposition()));
  expect(dispositions.map((disposition) => disposition.default)).toEqual([false, true]);
});

test("the rate of one frame is what it says, and those of television have two decimals", async () => {
  const { input, facts } = await openSource(
    await makeVideo({ container: "mp4", times: [0], hasSound: false }),
    "one",
  );
  input.dispose();
  expect(facts.rate).toBeCloseTo(25, 1);
  expect([30_000 / 1001, 24_000 / 1001, 25.001, 60, 3.42].map(rateText)).toEqual([
    ...["29.97", "23.98", "25"],
    ...["60", "3.4"],
  ]);
});

describe("while it runs", () => {
  const long = () => makeVideo({ times: evenTimes(40), codec: "vp8" });

  test("a pause ends nothing: no frame comes until it goes on, and then all do", async () => {
    const steering = new Steering();
    let [frames, atPause, later] = [0, 0, -1];
    const { result } = await converted(await long(), {
      steering,
      onFrame() {
        if (++frames !== 5) return;
        steering.pause();
        setTimeout(() => {
          atPause = frames;
          setTimeout(() => {
            later = frames;
            steering.resume();
          }, 150);
        }, 150);
      },
    });
    expect(atPause).toBeLessThanOrEqual(7); // what had begun is finished
    expect(later).toBe(atPause);
    expect(result).toMatchObject({ frames: 40, isWhole: true });
  });

  test.each(["mp4", "webm"] as const)(
    "a stop leaves an %s that can be played, of what is done",
    async (to) => {
      const steering = new Steering();
      const onFrame = ({ frames }: { frames: number }) => {
        if (frames === 7) steering.finish();
      };
      const { result, file } = await converted(await long(), { steering, onFrame }, to);
      expect(result.isWhole).toBe(false);
      const { frames, sound } = await readVideo(file);
      expect(frames.length).toBe(result.frames);
      expect(frames.length).toBeGreaterThanOrEqual(7);
      expect(frames.length).toBeLessThan(10);
      expect(sound.at(-1)!.time).toBeLessThan(result.frames / 25 + 0.05);
    },
  );

  test("a stop before the first frame leaves nothing", async () => {
    const steering = new Steering();
    steering.finish();
    const { result } = await converted(await long(), { steering });
    expect(result).toEqual({ frames: 0, length: 0, isWhole: false });
  });

  test("where the video cannot be decoded it ends, and what came before is there", async () => {
    const file = await makeVideo({ container: "mp4", times: evenTimes(75) });
    // Within the frames, far from the first and from the head, which is at the end.
    const bytes = new Uint8Array(await file.arrayBuffer());
    const track = await openFile(file).getPrimaryVideoTrack();
    const packet = await new EncodedPacketSink(track!).getPacket(2.4);
    const at = indexOf(bytes, packet!.data);
    bytes.fill(0xff, at, at + packet!.data.length);
    const { result, file: large } = await converted(new Blob([bytes]));
    expect(result.isWhole).toBe(false);
    expect(result.damage!.at).toBeLessThanOrEqual(2.4);
    const { frames } = await readVideo(large);
    expect(frames.length).toBe(result.frames);
    expect(frames.length).toBeGreaterThan(40);
  });

  test("an error of the network ends it, and is told", async () => {
    const broken = converted(await long(), {
      enlarge: async () => {
        throw new Error("lost");
      },
    });
    await expect(broken).rejects.toThrow("lost");
  });

  test("an error after some frames ends the file with these", async () => {
    let count = 0;
    const { result, file } = await converted(await long(), {
      enlarge: async (frame) => {
        if (++count > 7) throw new Error("lost");
        return double.upscale(frame);
      },
    });
    expect(result).toMatchObject({ isWhole: false, failure: new Error("lost") });
    expect(result.damage).toBeUndefined();
    const { frames } = await readVideo(file);
    expect(frames.length).toBe(result.frames);
    expect(frames.length).toBe(7);
  });

  test("a decoder that has failed keeps nobody waiting", async () => {
    paceDecoders();
    const failed = vi.fn();
    const decoder = new VideoDecoder({ output: (frame) => frame.close(), error: failed });
    decoder.configure({ codec: "vp8" });
    // The head of a key frame, and nothing that makes sense.
    const data = Uint8Array.of(
      0x10,
      0xff,
      0xff,
      0x9d,
      0x01,
      0x2a,
      64,
      0,
      48,
      0,
      ...new Uint8Array(9).fill(0xff),
    );
    for (let i = 0; i < 40; i++) decoder.decode(new EncodedVideoChunk({ type: "key", timestamp: i, data }));
    const flushes = await Promise.allSettled([decoder.flush(), decoder.flush()]);
    expect(flushes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(failed).toHaveBeenCalledOnce();
  });

  test("few frames are open at a time, and none afterwards", async () => {
    const open = new Set<VideoFrame>();
    let most = 0;
    paceDecoders();
    const Original = VideoDecoder;
    const close = VideoFrame.prototype.close;
    const file = await long();
    // Frames that the decoder makes, until they are closed.
    vi.stubGlobal(
      "VideoDecoder",
      class extends Original {
        constructor({ output, error }: VideoDecoderInit) {
          super({
            error,
            output(frame) {
              open.add(frame);
              most = Math.max(most, open.size);
              output(frame);
            },
          });
        }
      },
    );
    VideoFrame.prototype.close = function () {
      open.delete(this);
      close.call(this);
    };
    try {
      const enlarge = async (frame: Image) => {
        await new Promise((resolve) => setTimeout(resolve, 10)); // slower than the decoder
        return double.upscale(frame);
      };
      const { result } = await converted(file, { enlarge });
      expect(result.frames).toBe(40);
    } finally {
      VideoFrame.prototype.close = close;
      vi.unstubAllGlobals();
    }
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(8);
    expect(open.size).toBe(0);
  });
});

describe("the user's own file", () => {
  const enlarger = {
    upscaler: async () => {
      throw new Error("lost");
    },
  };
  const tasks = videoTasks(enlarger);
  const working = videoTasks({ upscaler: async () => double });
  const output = { container: "webm", codec: "vp8", bitrate: 1_000_000 } as const;
  const context = {
    signal: new AbortController().signal,
    report() {},
    leave() {},
    inTurn: <R>(work: () => Promise<R>) => work(),
  };

  /** A file with something in it, and a video to be written over that. */
  async function opened(name: string, { openVideo } = tasks) {
    const folder = await navigator.storage.getDirectory();
    const file = await folder.getFileHandle(name, { create: true });
    const stream = await file.createWritable();
    await stream.write("what was there");
    await stream.close();
    const { id } = await openVideo({ file: await makeVideo(), name: "small" }, context);
    const request = { video: id, output, file, runs: [{ method: "espcn", scale: 2 }] };
    const content = async () => (await file.getFile()).text();
    return { id, file, request, content };
  }

  test("a trial takes the first frame where that of the first third cannot be decoded", async () => {
    const file = await makeVideo({ container: "mp4", times: evenTimes(75), codec: "vp8" });
    const bytes = new Uint8Array(await file.arrayBuffer());
    const track = await openFile(file).getPrimaryVideoTrack();
    const packets = new EncodedPacketSink(track!).packets();
    for await (const { data, timestamp } of packets) {
      const at = indexOf(bytes, data);
      if (timestamp > 0.5) bytes.fill(0xff, at, at + data.length);
    }
    const { id } = await working.openVideo({ file: new Blob([bytes]), name: "damaged" }, context);
    const request = { video: id, output, runs: [{ method: "espcn", scale: 2 }] };
    const { before } = await working.tryVideo(request, context);
    expect([before.width, before.height]).toEqual([64, 48]);
  });

  test("keeps what is in it after a stop before the first frame", async () => {
    const { id, request, content } = await opened("stopped.webm");
    const converting = tasks.convertVideo(request, context);
    await tasks.steerVideo({ video: id, action: "finish" }, context);
    expect(await converting).toMatchObject({ frames: 0, bytes: 0 });
    expect(await content()).toBe("what was there");
  });

  test("keeps what is in it after an error", async () => {
    const { request, content } = await opened("failed.webm");
    await expect(tasks.convertVideo(request, context)).rejects.toThrow("lost");
    expect(await content()).toBe("what was there");
  });

  test("becomes the new video in the end", async () => {
    const { request, file } = await opened("done.webm", working);
    const { frames, bytes } = await working.convertVideo(request, context);
    expect(frames).toBe(10);
    const content = await file.getFile();
    expect(content.size).toBe(bytes);
    expect((await readVideo(content)).frames.length).toBe(10);
  });

  test("keeps what is in it where the disk is full", async () => {
    const { request, file, content } = await opened("full.webm", working);
    const stream = await file.createWritable();
    vi.spyOn(file, "createWritable").mockResolvedValue(stream);
    vi.spyOn(stream, "write").mockRejectedValue(new DOMException("The disk is full.", "QuotaExceededError"));
    await expect(working.convertVideo(request, context)).rejects.toThrow("The disk is full.");
    expect(await content()).toBe("what was there");
  });

  test("an encoder's error is not called damage of the file", async () => {
    const { request } = await opened("encoder.webm", working);
    const Original = VideoEncoder;
    const broken = class extends Original {
      override encode(): void {
        throw new DOMException("Encoding failed.", "EncodingError");
      }
    };
    vi.stubGlobal("VideoEncoder", broken);
    try {
      await expect(working.convertVideo(request, context)).rejects.toThrow(
        "This browser could not encode the video (Encoding failed).",
      );
    } finally {
      vi.unstubAllGlobals();
    }
  });
});

/** Where one array begins within another. */
function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  const isHere = (at: number) => part.every((byte, i) => bytes[at + i] === byte);
  for (let at = 0; at + part.length <= bytes.length; at++) if (isHere(at)) return at;
  throw new Error("The part is not there.");
}
