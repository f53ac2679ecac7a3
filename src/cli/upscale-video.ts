/** Video from standard input to standard output, a frame at a time. */

import { statsOf } from "../files/same-file.ts";
import { span } from "../node.ts";
import { quantity } from "../options/lists.ts";
import { DataError } from "../picture/errors.ts";
import { FrameUpscaler, Y4mReader, Y4mWriter } from "../video/index.ts";
import { UsageError } from "./flags.ts";
import { methodOf } from "./methods.ts";
import { checkOutputs, inputsOf, profileOutput } from "./outputs.ts";
import { withProfile } from "./profile.ts";
import { tileMemory, withOwnMemory } from "./tile-memory.ts";
import type { UpscaleFlags } from "./upscale-flags.ts";

export async function upscaleVideo(flags: UpscaleFlags, signal: AbortSignal): Promise<void> {
  const ofPictures = ["width", "height", "format", "quality", "depth", "alpha"] as const;
  for (const flag of [...ofPictures, "recursive", "overwrite", "json"] as const) {
    if (flags[flag]) throw new UsageError(`--${flag} is for pictures, and video comes out as it went in`);
  }
  if (statsOf("/dev/stdin")?.isDirectory()) {
    throw new DataError("standard input: this is a folder; y4m video was expected.");
  }
  // The shell's < and > make files of these.
  const inputs = inputsOf(["/dev/stdin"], [flags.method]);
  checkOutputs([{ flag: "--output", path: "/dev/stdout" }, profileOutput(flags.profile)], inputs);
  const files = new Set([...inputs, ...inputsOf(["/dev/stdout"])]);
  await withProfile(flags.profile, files, () => upscaleStream(flags, signal));
}

async function upscaleStream(flags: UpscaleFlags, signal: AbortSignal): Promise<void> {
  // Wakes what waits for the next frame.
  signal.addEventListener("abort", () => process.stdin.destroy(signal.reason));
  let outputError: Error | undefined;
  process.stdout.on("error", (error) => {
    outputError = error;
  });
  let count = 0;
  try {
    const reader = new Y4mReader(process.stdin);
    const writer = new Y4mWriter(process.stdout);
    const format = await reader.header();
    const opened = await methodOf(flags);
    try {
      const { tile, "max-memory": memory } = flags;
      const options = { signal, tile, maxMemory: tileMemory(memory) };
      const frames = new FrameUpscaler(opened.upscaler, format, options);
      await writer.header(frames.format);
      const start = performance.now();
      let printedAt = start;
      const speed = () => `${((1e3 * count) / (performance.now() - start)).toPrecision(3)} frames/s`;
      for await (const frame of reader.frames(format)) {
        const large = await span("enlarge a frame", () => frames.upscale(frame)).catch((error) => {
          throw withOwnMemory(error, memory);
        });
        await span("write a frame", () => writer.frame(large));
        count++;
        if (performance.now() - printedAt < 1000) continue;
        printedAt = performance.now();
        printStatus(`frame ${count}  ${speed()}`);
      }
      await flush();
      if (count === 0) {
        throw new DataError(
          "standard input: there is no frame behind the header. Did the program that was to make the video fail?",
        );
      }
      const { width, height } = frames.format;
      const { name, scale } = opened.upscaler;
      printStatus(`${quantity(count, "frame")}  ${width}x${height}  ${name} x${scale}  ${speed()}\n`);
    } finally {
      opened.close();
      process.stdin.destroy(); // else an unread rest of it keeps the process alive
    }
  } catch (error) {
    if (outputError === undefined) throw error;
    throw new DataError(
      `standard output: the program that was to read the video has ended after ${quantity(count, "frame")} ` +
        `(${outputError.message}). The rest is lost.`,
      { cause: error },
    );
  }
}

/** Until all frames have left this process, or could not. */
function flush(): Promise<void> {
  return new Promise((done, fail) => process.stdout.write("", (error) => (error ? fail(error) : done())));
}

/** Prints to standard error, since standard output is the video's. On a terminal, a line replaces the last one. */
function printStatus(text: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text.trimEnd()}\n`);
}
