/**
 * Uncompressed video that programs pass on through pipes: YUV4MPEG2, "y4m". A line of parameters, then for
 * each frame a line "FRAME" and the planes Y, Cb and Cr, one after the other. Cb and Cr mostly have fewer
 * pixels.
 */
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { quote } from "../options/kinds.ts";
import { excerpt } from "../options/printable.ts";
import { DataError } from "../picture/errors.ts";
import type { Samples } from "../picture/image.ts";
import { type Frame, planeSizes, type VideoFormat } from "./format.ts";

const middle = { across: 0.5, down: 0.5 };
const left = { across: 0.25, down: 0.5 };

const layouts: Record<string, Pick<VideoFormat, "chroma" | "siting">> = {
  "420jpeg": { chroma: { across: 2, down: 2 }, siting: middle },
  "420mpeg2": { chroma: { across: 2, down: 2 }, siting: left },
  "420paldv": { chroma: { across: 2, down: 2 }, siting: { across: 0.25, down: 0.25 } },
  "420": { chroma: { across: 2, down: 2 }, siting: middle },
  "422": { chroma: { across: 2, down: 1 }, siting: left },
  "444": { chroma: { across: 1, down: 1 }, siting: middle },
  mono: { chroma: undefined, siting: middle },
};

/** Limits of a frame; twice what 16K video has. */
const MAX_SIDE = 2 ** 15;
const MAX_PIXELS = 2 ** 28;

/** @throws DataError if the line is no such header, or one of video that cannot be enlarged. */
export function parseHeader(line: string): VideoFormat {
  const [signature, ...parameters] = line.split(" ").filter((word) => word !== "");
  if (signature !== "YUV4MPEG2") {
    throw new DataError(
      `standard input: this is no y4m video (it begins with ${quote(line.slice(0, 12))}). Make ` +
        'it one with "ffmpeg -i FILE -f yuv4mpegpipe -".',
    );
  }
  if (line.endsWith("\r")) {
    throw new DataError(
      "standard input: the y4m header ends in CR LF, so that something on the way has taken the video for text, and may " +
        "have changed it anywhere. Pass it on as bytes; in PowerShell before 7.4, run the whole pipe by cmd /c.",
    );
  }
  const value = (letter: string) => parameters.find((word) => word[0] === letter)?.slice(1);
  const [width, height] = ["W", "H"].map((letter) => {
    const digits = value(letter) ?? "";
    return /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  });
  if (width === 0 || height === 0) {
    throw new DataError(`standard input: this y4m header has no usable width and height: ${quote(line)}.`);
  }
  if (Math.max(width, height) > MAX_SIDE || width * height > MAX_PIXELS) {
    throw new DataError(
      `standard input: a frame of ${width}x${height} pixels is too large; frames may have sides of ${MAX_SIDE} ` +
        `pixels and ${MAX_PIXELS / 2 ** 20} million pixels. If they really are that large, enlarge parts of them.`,
    );
  }
  const interlacing = value("I") ?? "p";
  if (!["p", "?", "t", "b", "m"].includes(interlacing)) {
    throw new DataError(
      `standard input: interlacing ${quote(interlacing)} is not known; Ip in the header stands for whole frames.`,
    );
  }
  if (!["p", "?"].includes(interlacing)) {
    throw new DataError(
      "standard input: this video is interlaced, and its half pictures cannot be enlarged as if they were " +
        'one. Deinterlace it first, with ffmpeg by "-vf yadif".',
    );
  }
  const space = value("C") ?? "420jpeg";
  const [, name, bits] = /^(mono|\d{3}(?:jpeg|mpeg2|paldv)?)(?:p?(9|10|12|14|16))?$/.exec(space) ?? [];
  if (name === undefined || !Object.hasOwn(layouts, name)) {
    throw new DataError(
      `standard input: colour space ${excerpt(space)} is not known; there are 420jpeg, 420mpeg2, 420paldv, 422, 444 ` +
        "and mono, followed by p10 and the like for more than 8 bits. With ffmpeg, " +
        '"-pix_fmt yuv420p" chooses one.',
    );
  }
  return {
    width,
    height,
    depth: Number(bits ?? 8),
    ...layouts[name],
    fullRange: parameters.includes("XCOLORRANGE=FULL"),
    parameters: parameters.filter((word) => !"WH".includes(word[0])),
  };
}

export function headerOf({ width, height, parameters }: VideoFormat): string {
  return ["YUV4MPEG2", `W${width}`, `H${height}`, ...parameters].join(" ");
}

/** So many bytes of a plane are believed before they arrive. */
const MAX_TRUSTED = 2 ** 25;

/** Reads y4m from a stream. In memory are only the current frame and what the stream has buffered. */
export class Y4mReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  /** More bytes were wanted than there are. */
  #hasEnded = false;

  constructor(stream: Readable) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  async header(): Promise<VideoFormat> {
    const line = await this.#line(4096);
    if (line === undefined)
      throw new DataError("standard input: there is nothing on it; y4m video was expected.");
    if (this.#hasEnded && line.startsWith("YUV4MPEG2")) {
      throw new DataError("standard input: it ends within the header; the video is cut short.");
    }
    return parseHeader(line);
  }

  /** The frames after the header. */
  async *frames(format: VideoFormat): AsyncGenerator<Frame> {
    for (let number = 1; ; number++) {
      const cut = () =>
        new DataError(`standard input: it ends within frame ${number}; the video is cut short.`);
      const line = await this.#line(256);
      if (line === undefined) return;
      if (this.#hasEnded && "FRAME".startsWith(line.slice(0, 5))) throw cut();
      if (!/^FRAME( |$)/.test(line)) {
        throw new DataError(
          `standard input: frame ${number} does not begin with FRAME; the stream is damaged.`,
        );
      }
      const frame: Samples[] = [];
      for (const { width, height } of planeSizes(format)) {
        const bytes = await this.#read(width * height * (format.depth > 8 ? 2 : 1));
        if (!bytes) throw cut();
        frame.push(format.depth > 8 ? new Uint16Array(bytes.buffer) : bytes);
      }
      yield frame;
    }
  }

  /** A line without its end, or the beginning of one that is too long; undefined at the stream's end. */
  async #line(maxLength: number): Promise<string | undefined> {
    const byte = new Uint8Array(1);
    let line = "";
    while (line.length <= maxLength && (await this.#fill(byte))) {
      if (byte[0] === 10) return line;
      line += String.fromCharCode(byte[0]);
    }
    return line === "" ? undefined : line.slice(0, 64);
  }

  /**
   * The next bytes, or undefined if the stream ends first. A large array grows as they arrive: a header is
   * written easily, and may lie.
   */
  async #read(length: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    let bytes = new Uint8Array(Math.min(length, MAX_TRUSTED));
    for (let filled = 0; ; ) {
      if (!(await this.#fill(bytes.subarray(filled)))) return undefined;
      if (bytes.length === length) return bytes;
      filled = bytes.length;
      const larger = new Uint8Array(Math.min(length, 2 * filled));
      larger.set(bytes);
      bytes = larger;
    }
  }

  /** False if the stream ends first. */
  async #fill(target: Uint8Array): Promise<boolean> {
    for (let filled = 0; filled < target.length; ) {
      if (this.#rest.length === 0) {
        const { value, done } = await this.#chunks.next();
        if (done) {
          this.#hasEnded = true;
          return false;
        }
        this.#rest = value;
      }
      const part = this.#rest.subarray(0, target.length - filled);
      target.set(part, filled);
      filled += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    return true;
  }
}

/** Writes y4m to a stream, and waits for a slower reader. */
export class Y4mWriter {
  readonly #stream: Writable;
  #failure: Error | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on("error", (error) => {
      this.#failure = error;
    });
  }

  async header(format: VideoFormat): Promise<void> {
    await this.#write(Buffer.from(`${headerOf(format)}\n`));
  }

  async frame(planes: Frame): Promise<void> {
    await this.#write(Buffer.from("FRAME\n"));
    for (const { buffer, byteOffset, byteLength } of planes) {
      await this.#write(new Uint8Array(buffer, byteOffset, byteLength));
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (!this.#failure && !this.#stream.write(bytes)) {
      await once(this.#stream, "drain").catch(() => {}); // the listener in the constructor keeps the error
    }
    if (this.#failure) {
      throw new DataError(
        `standard output: the program that was to read the video has ended (${this.#failure.message}).`,
        { cause: this.#failure },
      );
    }
  }
}
