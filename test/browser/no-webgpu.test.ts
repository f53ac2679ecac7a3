/** Without WebGPU, the page says what to do, and interpolates. */
import { expect, test, vi } from "vitest";
import { init } from "../../src/index.ts";
import { clickMain, find, givePicture, openPage, statusLine } from "./page.ts";
import { testPicture } from "./test-picture.ts";

/** A worker without `navigator.gpu`: modules run in the order of their imports. */
class WorkerWithoutGpu extends Worker {
  constructor(url: string | URL, options?: WorkerOptions) {
    const without = moduleOf(`Object.defineProperty(navigator, "gpu", { value: undefined });`);
    super(moduleOf(`import "${without}"; import "${new URL(url, location.href)}";`), options);
  }
}

function moduleOf(code: string): string {
  return URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
}

test("a message, no networks, no training, but interpolation", async () => {
  vi.stubGlobal("Worker", WorkerWithoutGpu);
  await openPage();
  expect(find("#no-webgpu").hidden).toBe(false);
  expect(find("#no-webgpu").textContent).not.toMatch(/PIXELGRAD|init\(/); // which is for programmers
  const methods = [...find<HTMLSelectElement>("[name=method]").options].map(({ text }) => text);
  expect(methods).toEqual(["bicubic", "bilinear", "nearest"]);
  expect(find<HTMLButtonElement>("#panel-train .primary").disabled).toBe(true);
  expect(find("#panel-train .status").textContent).toBe("Training needs WebGPU.");
  await givePicture(testPicture(20, 16), "waves.png");
  expect(find("#panel-train .status").textContent).toBe("Training needs WebGPU.");
  await clickMain("upscale");
  await statusLine("upscale", /^Done in/);
});

test("a browser that never answers is not waited for without end", async () => {
  vi.useFakeTimers();
  const gpu = vi.spyOn(navigator.gpu, "requestAdapter").mockImplementation(() => new Promise(() => {}));
  try {
    const failed = init().then(
      () => "opened",
      ({ message }: Error) => message,
    );
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await failed).toMatch(/^There is no WebGPU adapter\..*restart it/);
    expect(gpu).toHaveBeenCalledTimes(1);
  } finally {
    gpu.mockRestore();
    vi.useRealTimers();
  }
});

test("the library says what to do in a browser, and nothing of environment variables", async () => {
  const gpu = { requestAdapter: async () => null } as Partial<GPU> as GPU;
  const { message } = await init({ gpu }).then(
    () => new Error("opened"),
    (error: Error) => error,
  );
  expect(message).toMatch(/There is no WebGPU adapter\. .*restart it.* init\(\{ adapter: "cpu" \}\)\.$/);
  expect(message).not.toMatch(/PIXELGRAD_/);
});
