/** Video from standard input to standard output, a frame at a time. */
import { FrameUpscaler, Y4mReader, Y4mWriter } from "../video/index.ts";
import { type Context, UsageError } from "./flags.ts";
import { methodOf } from "./methods.ts";
import type { UpscaleFlags } from "./upscale-flags.ts";

export async function upscaleVideo(flags: UpscaleFlags, { signal }: Context): Promise<void> {
  for (const flag of ["format", "quality", "depth", "alpha", "overwrite", "json"] as const) {
    if (flags[flag]) throw new UsageError(`--${flag} is for pictures, and video comes out as it went in`);
  }
  const reader = new Y4mReader(process.stdin);
  const writer = new Y4mWriter(process.stdout);
  const format = await reader.header();
  const opened = await methodOf(flags);
  try {
    const { name, scale } = opened.upscaler;
    const most = flags["max-memory"];
    const frames = new FrameUpscaler(opened.upscaler, format, {
      ...{ signal, tile: flags.tile },
      maxMemory: most && Math.max(1, most - process.memoryUsage.rss()),
    });
    await writer.header(frames.format);
    const start = performance.now();
    let shown = start;
    let count = 0;
    for await (const frame of reader.frames(format)) {
      await writer.frame(await frames.upscale(frame));
      count++;
      if (performance.now() - shown < 1000) continue;
      shown = performance.now();
      tell(`frame ${count}  ${speed(count, shown - start)} frames/s`);
    }
    const { width, height } = frames.format;
    tell(
      `${count} frames  ${width}x${height}  ${name} x${scale}  ${speed(count, performance.now() - start)} frames/s\n`,
    );
  } finally {
    opened.close();
    process.stdin.destroy(); // else an unread rest of it keeps the process alive
  }
}

/** On standard error; standard output is the video's. */
function tell(text: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r${text}\x1b[K` : `${text.trimEnd()}\n`);
}

function speed(frames: number, ms: number): string {
  return ((1e3 * frames) / ms).toPrecision(3);
}
