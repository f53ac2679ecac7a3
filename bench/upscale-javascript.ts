/** What JavaScript does for an upscaled picture: `npm run bench:javascript -- --help`. */
import { performance } from "node:perf_hooks";
import { defineCommand } from "../src/cli/flags.ts";
import { print } from "../src/cli/print.ts";
import { run } from "../src/cli/run.ts";
import { summarize } from "../src/measure/statistics.ts";
import {
  type GpuDevice,
  type Image,
  memory,
  openDevice,
  openMethod,
  setDefaultDevice,
  type UpscalePictureOptions,
  upscale,
} from "../src/node.ts";

/** Enlarged by 2 it has 2.7 megapixels. */
const [width, height] = [1020, 672];
const megapixels = (4 * width * height) / 1e6;
const ROUNDS = 15;
/** The backend has not much more. */
const MAX_MEMORY = 2 ** 27;

const javascript = defineCommand({
  about: `
What JavaScript does for an upscaled picture. It runs on Dawn's backend "null", which takes every command and
computes nothing. So the times are those of JavaScript and of the driver's calls: of this thread, while its
event loop is busy, and of the processor in all threads, the memory collector's among them. What a GPU
computes is not in them; with a GPU the rest of a picture's time is the GPU's.`,
  flags: {},
  examples: [["", "all of it"]],
  async run() {
    const device = await openNullDevice();
    print(
      `JavaScript for ${width}x${height} x2, per megapixel of the result, median of ${ROUNDS} (backend "null": ` +
        "nothing is computed)",
    );
    for (const method of ["espcn", "edsr-small", "srcnn"]) {
      await report(device, `${method}, RGB`, picture(width, height, 3), { method });
    }
    await report(device, "espcn, RGB and alpha", picture(width, height, 4), { method: "espcn" });
    await report(device, "espcn, grey", picture(width, height, 1), { method: "espcn" });
    await report(device, "espcn, RGB, 16 bits", picture(width, height, 3), { method: "espcn", depth: 16 });
    await reportNamed(device);
    device.destroy();
  },
});

/** A default device that computes nothing. */
async function openNullDevice(): Promise<GpuDevice> {
  const { create } = await import("webgpu"); // the flags need none
  const device = (await openDevice({ gpu: create(["backend=null"]) })) as GpuDevice;
  setDefaultDevice(device);
  // The backend does not even copy. Buffers without contents could say that a network has made NaN.
  const { gpu } = device;
  const createBuffer = gpu.createBuffer.bind(gpu);
  gpu.createBuffer = (descriptor) => {
    const buffer = createBuffer({ ...descriptor, mappedAtCreation: true });
    new Uint8Array(buffer.getMappedRange()).fill(0);
    buffer.unmap();
    return buffer;
  };
  return device;
}

/** Milliseconds that some work keeps this thread busy, and the processors in all threads, without waiting. */
interface Times {
  readonly thread: number;
  readonly process: number;
}

async function timesOf(work: () => Promise<unknown>): Promise<Times> {
  const [loop, processors] = [performance.eventLoopUtilization(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(processors);
  return { thread: performance.eventLoopUtilization(loop).active, process: (user + system) / 1000 };
}

function picture(columns: number, rows: number, channels: Image["channels"]): Image {
  const data = Uint8Array.from({ length: columns * rows * channels }, (_, i) => (i * i) >> 7);
  return { width: columns, height: rows, channels, data };
}

async function report(
  device: GpuDevice,
  name: string,
  image: Image,
  options: UpscalePictureOptions,
): Promise<void> {
  device.freeUnused();
  const enlarge = () => upscale(image, { ...options, maxMemory: MAX_MEMORY });
  for (let warmUp = 0; warmUp < 3; warmUp++) await enlarge();
  const times: Times[] = [];
  for (let i = 0; i < ROUNDS; i++) times.push(await timesOf(enlarge));
  const perMegapixel = (of: keyof Times) =>
    (summarize(times.map((time) => time[of])).median / megapixels).toFixed(1).padStart(6);
  const { tiles } = await enlarge();
  print(
    `${name.padEnd(22)} ${perMegapixel("thread")} ms of this thread, ${perMegapixel("process")} of all, ${tiles} tiles`,
  );
}

/** By name, and with an upscaler that the caller keeps: small pictures, where the difference would show. */
async function reportNamed(device: GpuDevice): Promise<void> {
  const small = picture(64, 48, 3);
  const { upscaler, close } = await openMethod({ method: "espcn" });
  for (let i = 0; i < 3; i++) {
    await upscale(small, { method: "espcn" });
    await upscaler.upscale(small);
  }
  const { buffersCreated } = memory(device);
  const [named, own]: number[][] = [[], []];
  for (let i = 0; i < 200; i++) {
    named.push((await timesOf(() => upscale(small, { method: "espcn" }))).process);
    own.push((await timesOf(() => upscaler.upscale(small))).process);
  }
  const ratio = named.reduce((sum, ms) => sum + ms, 0) / own.reduce((sum, ms) => sum + ms, 0);
  print(
    `200 calls by name: ${ratio.toFixed(2)} times the time of a kept upscaler, ` +
      `${memory(device).buffersCreated - buffersCreated} buffers made`,
  );
  close();
}

process.exitCode = await run("npm run bench:javascript --", javascript, process.argv.slice(2));
