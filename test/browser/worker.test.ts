/** Enlarging in a worker: the same as in the page, with progress, tiles, aborts, errors and lost devices. */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import {
  DataError,
  DeviceLostError,
  defaultDevice,
  EDSR,
  type FinishedTile,
  init,
  type PictureSource,
  Random,
  saveWeights,
  toImageData,
  upscale,
} from "../../src/index.ts";
import { UpscaleWorker, type UpscaleWorkerOptions } from "../../src/worker/index.ts";
import { testPicture } from "./test-picture.ts";

const picture = testPicture(40, 30);
let worker: UpscaleWorker | undefined;

function start(options?: UpscaleWorkerOptions): UpscaleWorker {
  worker = new UpscaleWorker(options);
  return worker;
}

/** Weights of a network whose steps take a moment. */
async function weights(): Promise<Uint8Array> {
  await init();
  const model = new EDSR({ scale: 2, blocks: 2, channels: 8, random: new Random(4) });
  const bytes = await saveWeights(model);
  model.dispose();
  return bytes;
}

afterEach(() => {
  worker?.terminate();
  worker = undefined;
});

test("gives what the page would compute, with progress and tiles", async () => {
  const options = { method: await weights(), tile: 16 } as const;
  const expected = await upscale(picture, options);
  const progress: string[] = [];
  const tiles: FinishedTile[] = [];
  const { image, ms, ...report } = await start().upscale(picture, {
    ...options,
    onProgress: ({ done, total }) => void progress.push(`${done}/${total}`),
    onTile: (tile) => void tiles.push(tile),
  });
  expect(image).toEqual(expected.image);
  expect(ms).toBeGreaterThan(0);
  expect({ ...report, peakBytes: 0 }).toEqual({ ...expected, image: undefined, ms: undefined, peakBytes: 0 });
  expect(progress.at(-1)).toBe(`${report.tiles}/${report.tiles}`);
  expect(tiles.length).toBe(report.tiles);
  const canvas = new OffscreenCanvas(80, 60);
  const context = canvas.getContext("2d")!;
  for (const { left, top, image } of tiles) context.putImageData(toImageData(image), left, top);
  expect(context.getImageData(0, 0, 80, 60).data).toEqual(toImageData(image).data);
  expect(picture.data.length).toBe(40 * 30 * 3); // copied, not taken
});

describe("sources", () => {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: 40, height: 30 });
  canvas.getContext("2d")!.putImageData(toImageData(picture), 0, 0);
  const blob = () => new Promise<Blob>((resolve) => canvas.toBlob((made) => resolve(made!)));
  const element = async () => Object.assign(new Image(), { src: canvas.toDataURL() });
  const part = new Uint8Array(picture.data.length + 7).subarray(7);
  part.set(picture.data);

  const sources: Readonly<Record<string, () => Promise<PictureSource>>> = {
    "an image": async () => picture,
    "an image in a part of its memory": async () => ({ ...picture, data: part }),
    "an image of clamped bytes": async () => ({ ...picture, data: new Uint8ClampedArray(picture.data) }),
    "a canvas": async () => canvas,
    "an <img>": element,
    "a VideoFrame": async () => new VideoFrame(canvas, { timestamp: 0 }),
    "an ImageBitmap": () => createImageBitmap(canvas),
    "a Blob": blob,
    "an ArrayBuffer": async () => (await blob()).arrayBuffer(),
    "a data URL": async () => canvas.toDataURL(),
    "a URL": async () => new URL(URL.createObjectURL(await blob())),
  };

  test("all that upscale takes", async () => {
    const { image: expected } = await upscale(picture, { method: "bicubic" });
    start();
    for (const [name, make] of Object.entries(sources)) {
      for (const transfer of [false, true]) {
        const source = await make();
        // An image is transferred in a copy here, since others use it.
        const given = transfer && source === picture ? structuredClone(picture) : source;
        if (transfer && name.includes("a part")) continue;
        const { image } = await worker!.upscale(given, { method: "bicubic", transfer });
        expect(image, name).toEqual(expected);
        if (transfer && given !== source) expect((given as typeof picture).data.length).toBe(0);
      }
    }
    expect(part.length).toBe(picture.data.length);
  });

  test("an address is relative to the page, as in the page", async () => {
    const error = await start()
      .upscale("no/such.png", { method: "bicubic" })
      .catch((error: Error) => error);
    expect((error as Error).message).toContain(new URL("no/such.png", document.baseURI).href.slice(0, 60));
  });

  test("a display-p3 ImageData comes back as one, and float16 is read", async () => {
    const p3 = new ImageData(2, 2, { colorSpace: "display-p3" });
    const { image } = await start().upscale(p3, { method: "nearest", depth: 16 });
    expect(toImageData(image).colorSpace).toBe("display-p3");
    expect(image.data).toBeInstanceOf(Uint16Array);
  });
});

describe("errors keep their class and their message", () => {
  /** One for all of these: an error does it no harm. */
  let unharmed: UpscaleWorker;
  beforeAll(() => {
    unharmed = new UpscaleWorker();
  });
  afterAll(() => unharmed.terminate());

  const same = async (source: unknown, options: object) => {
    const [here, there] = await Promise.all(
      [upscale, unharmed.upscale.bind(unharmed)].map((call) =>
        call(source as PictureSource, options).catch((error: Error) => error),
      ),
    );
    expect(here).toBeInstanceOf(Error);
    expect((there as Error).message).toBe((here as Error).message);
    expect((there as Error).constructor).toBe((here as Error).constructor);
    expect((there as Error).name).toBe((here as Error).name);
  };

  test.each([
    ["no picture", undefined, {}],
    ["null", null, {}],
    ["a broken file", new Blob(["no picture"]), { method: "bicubic" }],
    ["sizes that do not fit", { ...picture, width: 7 }, { method: "bicubic" }],
    ["a scale that there is not", picture, { scale: 5 }],
    ["a wrong option", picture, { tile: -1 }],
    ["a wrong alpha", picture, { alpha: "grey", method: "bicubic" }],
    ["a broken weight file", picture, { method: Uint8Array.of(1, 2, 3) }],
    ["too little memory", picture, { method: "espcn", maxMemory: 10 }],
  ] as const)("%s", (_, source, options) => same(source, options));

  test("and after all of them it enlarges a picture", async () => {
    const { image } = await unharmed.upscale(picture, { method: "bicubic" });
    expect(image).toEqual((await upscale(picture, { method: "bicubic" })).image);
  });

  test("what cannot be sent is refused by name", async () => {
    start();
    await init();
    const model = new EDSR({ scale: 2, blocks: 1, channels: 4, random: new Random(1) });
    await expect(worker!.upscale(picture, { method: model })).rejects.toThrow(
      /^upscale: in a worker, method must be a name or the bytes .* got an EDSR\. .*await saveWeights\(model\)/,
    );
    const element = document.createElement("p") as never;
    const refused = worker!.upscale(element, { method: "bicubic" });
    await expect(refused).rejects.toBeInstanceOf(DataError);
    await expect(refused).rejects.toThrow("upscale: an HTMLParagraphElement cannot be sent to a worker");
    await expect(worker!.init({ gpu: navigator.gpu })).rejects.toThrow(
      /^init: .* cannot be sent to a worker/,
    );
    expect(() => new UpscaleWorker({ workers: 2 } as never)).toThrow(/there is no option "workers"/);
    model.dispose();
  });

  test("a worker file that is missing", async () => {
    start({ worker: "/no/such/thread.js" });
    const error = await worker!.upscale(picture).catch((error: Error) => error);
    expect((error as Error).message).toMatch(
      /the worker could not be started.*import "pixelgrad\/worker\/thread"/,
    );
    await expect(worker!.upscale(picture)).rejects.toBe(error);
  });

  test("a worker in which nothing listens: an error after a while, and none for one that has heard", async () => {
    const answering = (answer: string) => {
      const code = new Blob([`onmessage = () => postMessage(${answer});`], { type: "text/javascript" });
      return new Worker(URL.createObjectURL(code), { type: "module" });
    };
    start({ worker: answering("'what?'") });
    const thread = new Worker(new URL("../../src/worker/thread.ts", import.meta.url), { type: "module" });
    const first = new Promise((resolve) => {
      thread.addEventListener("message", ({ data }) => resolve(data), { once: true });
    });
    const ours = new UpscaleWorker({ worker: thread });
    const busy = answering("{ heard: true }");
    const heard = new Promise((resolve) => busy.addEventListener("message", resolve));
    const waiting = new UpscaleWorker({ worker: busy });
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    try {
      const failure = worker!.upscale(picture, { method: "bicubic" }).catch((error: Error) => error.message);
      const result = waiting.upscale(picture, { method: "bicubic" }).catch((error: Error) => error.message);
      await ours.upscale(picture, { method: "bicubic" });
      expect(await first).toEqual({ heard: true });
      await heard;
      await vi.advanceTimersByTimeAsync(59_000);
      expect(await Promise.race([failure, "nothing yet"])).toBe("nothing yet");
      await vi.advanceTimersByTimeAsync(3000);
      expect(await failure).toMatch(/^UpscaleWorker: .* not answered for 60 s.*"pixelgrad\/worker\/thread"/);
      expect((await ours.upscale(picture, { method: "bicubic" })).scale).toBe(2);
      expect(await Promise.race([result, "nothing yet"])).toBe("nothing yet");
    } finally {
      vi.useRealTimers();
      waiting.terminate();
      ours.terminate();
    }
  });

  test("a page with Trusted Types, which allows no address of a worker", () => {
    const refuse = () => {
      throw new TypeError("This document requires 'TrustedScriptURL' assignment.");
    };
    vi.stubGlobal(
      "Worker",
      class {
        constructor() {
          refuse();
        }
      },
    );
    try {
      const message =
        /^UpscaleWorker: the browser starts no worker \(This document requires .*new UpscaleWorker\({ worker }\)/;
      expect(() => new UpscaleWorker()).toThrow(message);
      expect(() => new UpscaleWorker({ worker: "/thread.js" })).toThrow(message);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  test("a worker that fails", async () => {
    const code = new Blob(["throw new Error('of its own')"], { type: "text/javascript" });
    start({ worker: new Worker(URL.createObjectURL(code), { type: "module" }) });
    await expect(worker!.upscale(picture)).rejects.toThrow(/the worker failed: .*of its own/);
  });
});

describe("ending", () => {
  test("an abort rejects at once with its reason, and the next picture is right", async () => {
    const method = await weights();
    const expected = await upscale(picture, { method });
    const controller = new AbortController();
    const reason = new Error("enough");
    let count = 0;
    const stopped = start().upscale(testPicture(300, 200), {
      method,
      tile: 16,
      signal: controller.signal,
      onProgress() {
        if (++count === 2) controller.abort(reason);
      },
    });
    await expect(stopped).rejects.toBe(reason);
    await expect(worker!.upscale(picture, { method, signal: controller.signal })).rejects.toBe(reason);
    expect((await worker!.upscale(picture, { method })).image).toEqual(expected.image);
    expect(count).toBe(2);
  });

  test("what a callback throws ends the work", async () => {
    const work = start().upscale(picture, {
      method: "bicubic",
      onTile() {
        throw new RangeError("of the callback");
      },
    });
    await expect(work).rejects.toThrow("of the callback");
    expect((await worker!.upscale(picture, { method: "bicubic" })).scale).toBe(2);
  });

  test("terminate", async () => {
    const work = start().upscale(picture, { method: "bicubic" });
    worker!.terminate();
    await expect(work).rejects.toMatchObject({ name: "AbortError" });
    await expect(worker!.upscale(picture)).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("a device that is lost in the middle", () => {
  /** Destroys the device behind the library's back when it submits for the n-th time. */
  const loseAt = (n: number) => `
    const { requestDevice } = GPUAdapter.prototype;
    let opened = 0;
    GPUAdapter.prototype.requestDevice = async function (...args) {
      const device = await requestDevice.apply(this, args);
      if (opened++ > 0) return device;
      const { submit } = device.queue;
      let count = 0;
      device.queue.submit = function (commands) {
        submit.call(this, commands);
        if (++count === ${n}) device.destroy();
      };
      return device;
    };`;

  test.each([2, 9])("in a worker, at its submit %i: the right picture, and an event", async (n) => {
    const method = await weights();
    const expected = await upscale(picture, { method, tile: 12 });
    const thread = new URL("../../src/worker/thread.ts", import.meta.url).href;
    const code = [`data:text/javascript,${encodeURIComponent(loseAt(n))}`, thread]
      .map((module) => `import ${JSON.stringify(module)};`)
      .join("");
    const onDeviceLost = vi.fn<(error: DeviceLostError) => void>();
    const blob = new Blob([code], { type: "text/javascript" });
    start({ worker: new Worker(URL.createObjectURL(blob), { type: "module" }), onDeviceLost });
    await worker!.init();
    const { image } = await worker!.upscale(picture, { method, tile: 12 });
    expect(image).toEqual(expected.image);
    await expect.poll(() => onDeviceLost.mock.calls.length).toBe(1);
    expect(onDeviceLost.mock.calls[0][0]).toBeInstanceOf(DeviceLostError);
    expect(onDeviceLost.mock.calls[0][0].message).toMatch(/^The GPU device .* was lost \(destroyed\)/);
  });

  test("in the page, while it compiles: a loss, and no mistake in a kernel", async () => {
    const method = await weights();
    const expected = await upscale(picture, { method });
    const before = (await init()) as GpuDevice;
    before.gpu.createComputePipelineAsync = async () => {
      before.gpu.destroy();
      throw new GPUPipelineError("A valid external Instance reference no longer exists.", {
        reason: "internal",
      });
    };
    expect((await upscale(picture, { method })).image).toEqual(expected.image);
    expect(before.failure).toBeInstanceOf(DeviceLostError);
  });

  test("in the page: the right picture, and a promise", async () => {
    const method = await weights();
    const expected = await upscale(picture, { method, tile: 12 });
    const before = await init();
    const { gpu } = before as GpuDevice;
    const { image } = await upscale(picture, {
      method,
      tile: 12,
      onProgress: ({ done }) => done === 1 && gpu.destroy(),
    });
    expect(image).toEqual(expected.image);
    expect(await before.lost).toBe(before.failure);
    expect(before.failure).toBeInstanceOf(DeviceLostError);
    expect(defaultDevice()).not.toBe(before);
    expect(defaultDevice().failure).toBeUndefined();
  });
});

test("a second tab of the same page: two workers at once", async () => {
  const other = new UpscaleWorker();
  const results = await Promise.all(
    [start(), other].map((one) => one.upscale(picture, { method: "bicubic" })),
  );
  expect(results[0].image).toEqual(results[1].image);
  other.terminate();
});
