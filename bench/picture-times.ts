/** How long whole pictures take, from bytes to bytes in memory, and how much of that is the GPU's. */
import type { GpuDevice } from "../src/device/gpu-device.ts";
import { startTrace } from "../src/device/trace.ts";
import { type Image, upscale } from "../src/node.ts";
import type { MethodName } from "../src/upscale/method-names.ts";
import { table } from "./markdown.ts";
import { percent, short } from "./report.ts";

export const PICTURE_SCALE = 2;

export interface PictureTime {
  readonly method: MethodName;
  /** Milliseconds of the first call, which loads and compiles what no method before it has, and of the second. */
  readonly firstMs: number;
  readonly secondMs: number;
  /** In how many of them a kernel runs: by timestamps, in a call of its own. Undefined without timestamps. */
  readonly gpuMs?: number;
  readonly tiles: number;
}

export interface PictureTimes {
  readonly size: readonly [width: number, height: number];
  readonly scale: number;
  readonly rows: readonly PictureTime[];
}

/** What is enlarged, of this size. */
export function pictureToEnlarge(width: number, height: number): Image<Uint8Array> {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i >> 6) + ((i * 7919) & 3));
  return { width, height, channels: 3, data };
}

/** By one method, on the default device. */
export async function measurePicture(
  device: GpuDevice,
  method: MethodName,
  picture: Image<Uint8Array>,
  signal: AbortSignal,
): Promise<PictureTime> {
  device.freeUnused(); // as in a program that has done nothing else before
  const enlarge = async () => {
    const start = performance.now();
    const { tiles } = await upscale(picture, { method, scale: PICTURE_SCALE, signal });
    return { ms: performance.now() - start, tiles };
  };
  const first = await enlarge();
  const second = await enlarge();
  // Every kernel gets a pass of its own in a trace, which makes the whole slower.
  const text = await traceOf(enlarge);
  if (device.failure) throw device.failure; // upscale() has gone on with another device
  const gpuMs = device.gpu.features.has("timestamp-query") ? busyMs(JSON.parse(text).traceEvents) : undefined;
  return { method, firstMs: first.ms, secondMs: second.ms, gpuMs, tiles: second.tiles };
}

async function traceOf(body: () => Promise<unknown>): Promise<string> {
  const trace = startTrace();
  const failure = await body().then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const { text } = await trace.toJson(); // ends it
  if (failure) throw failure.error;
  return text;
}

/** Of a trace: milliseconds in which at least one kernel runs. */
export function busyMs(
  events: readonly { readonly cat?: string; readonly ts?: number; readonly dur?: number }[],
): number {
  const kernels = events
    .flatMap(({ cat, ts = 0, dur = 0 }) => (cat === "gpu" ? { start: ts, end: ts + dur } : []))
    .sort((a, b) => a.start - b.start);
  let [busy, last] = [0, Number.NEGATIVE_INFINITY];
  for (const { start, end } of kernels) {
    busy += Math.max(0, end - Math.max(start, last));
    last = Math.max(last, end);
  }
  return busy / 1e3; // a trace has microseconds
}

export function pictureLines({ size, scale, rows }: PictureTimes): string[] {
  const megapixels = (scale ** 2 * size[0] * size[1]) / 1e6;
  const titles = [
    ...["method", "first call, ms", "second call, ms", "GPU ms", "of the second call"],
    ...["ms per megapixel of the result", "tiles"],
  ];
  return [
    `From bytes to bytes in memory, without files. "GPU" is the time in which any kernel runs; where none does, `,
    "JavaScript interpolates. A method's first call also loads its weights, and compiles what no method above it has.",
    "",
    ...table(
      titles,
      rows.map(({ method, firstMs, secondMs, gpuMs, tiles }) => [
        ...[method, short(firstMs), short(secondMs)],
        ...(gpuMs === undefined ? ["-", "-"] : [short(gpuMs), percent(gpuMs / secondMs)]),
        ...[short(secondMs / megapixels), String(tiles)],
      ]),
    ),
  ];
}
