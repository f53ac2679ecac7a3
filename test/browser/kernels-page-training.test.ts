/** The lesson's training step: the loss falls, pictures are drawn of everything, and a lost device is survived. */
import { beforeAll, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { beforeWorkers } from "./before-workers.ts";
import { find, openKernelsPage, says, text, withDevicesToLose } from "./kernels-page.ts";

const { loseDevice } = withDevicesToLose();
beforeWorkers(`
  globalThis.crashes = new BroadcastChannel("crash");
  globalThis.crashes.onmessage = () => { throw new Error("It crashed."); };
`);
const crash = () => new BroadcastChannel("crash").postMessage("now");
const play = () => find<HTMLButtonElement>("#train-form [type=submit]");
const single = () => find<HTMLButtonElement>("#train-form [name=single]");
const plot = () => find("#stage-output .plot").getAttribute("aria-label")!;
const numbers = () => {
  const [, step, loss, baseline] =
    /after (\d+) steps?: ([\d.e-]+); of the input as it is: ([\d.e-]+)/.exec(plot()) ?? [];
  return { step: Number(step), loss: Number(loss), baseline: Number(baseline) };
};
const atStep = (wanted: (step: number) => boolean) =>
  vi.waitUntil(() => wanted(numbers().step), { timeout: 110_000, interval: 20 });
const pixels = (stage: string, index: number) => {
  const canvas = document.querySelectorAll<HTMLCanvasElement>(`#stage-${stage} canvas`)[index];
  return [...canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height).data];
};

/** The target that the page begins with. */
let flower: number[];

beforeAll(async () => {
  await openKernelsPage();
  await vi.waitUntil(() => !play().disabled, { timeout: 110_000 });
  await userEvent.click(find("#tab-training"));
  await atStep((step) => step === 1);
  flower = pixels("input", 1);
}, 240_000);

test("after one step, there are pictures of everything", () => {
  const counts = ["input", "features", "output", "gradients", "weights"].map(
    (stage) => document.querySelectorAll(`#stage-${stage} canvas`).length,
  );
  expect(counts).toEqual([2, 2, 2, 3, 3]);
  for (const [stage, index] of [
    ["features", 0],
    ["features", 1],
    ["gradients", 0],
    ["gradients", 2],
    ["weights", 0],
  ] as const) {
    expect(new Set(pixels(stage, index)).size, stage).toBeGreaterThan(20);
  }
});

test("one step at a time, and the weights change", { timeout: 120_000 }, async () => {
  const before = pixels("weights", 0);
  await userEvent.click(single());
  await atStep((step) => step === 2);
  expect(pixels("weights", 0)).not.toEqual(before);
});

test("with a learning rate of nearly 0 hardly anything changes", { timeout: 120_000 }, async () => {
  const rate = find<HTMLInputElement>("#train-form [name=lr]");
  const set = (value: string) => {
    rate.value = value;
    rate.dispatchEvent(new Event("input"));
  };
  const own = rate.value;
  set("-4");
  expect(text("#train-form [name=rate]")).toBe("0.0001");
  const { loss, step } = numbers();
  await userEvent.click(single());
  await atStep((now) => now === step + 1);
  expect(Math.abs(numbers().loss - loss)).toBeLessThan(0.5 * loss);
  set(own);
});

test("playing: the loss falls below that of the input, and pauses", { timeout: 240_000 }, async () => {
  const first = numbers().loss;
  await userEvent.selectOptions(find("#train-form [name=every]"), "20");
  await userEvent.click(play());
  expect(play().textContent).toBe("Pause");
  await atStep((step) => step > 110);
  await userEvent.click(play());
  expect(play().textContent).toBe("Play");
  const { loss, baseline } = numbers();
  expect(loss).toBeLessThan(first / 3);
  expect(loss).toBeLessThan(0.9 * baseline);
});

test("one step, asked for while others are computed, follows them", { timeout: 120_000 }, async () => {
  await userEvent.selectOptions(find("#train-form [name=every]"), "20");
  await userEvent.click(find("#train-form [name=restart]"));
  await atStep((step) => step === 1);
  play().click();
  single().click();
  await atStep((step) => step === 22);
  expect(play().textContent).toBe("Play");
});

test("who pauses and plays on during a step plays once", { timeout: 120_000 }, async () => {
  const { step: before } = numbers();
  for (let i = 0; i < 3; i++) play().click();
  const frames = vi.spyOn(window, "requestAnimationFrame");
  await atStep((step) => step >= before + 40);
  expect(frames.mock.calls.length).toBeLessThan(4); // one for each drawing
  frames.mockRestore();
  await userEvent.click(play());
  expect(play().textContent).toBe("Play");
});

test("a lost device: the network goes on from its last drawing", { timeout: 120_000 }, async () => {
  await vi.waitUntil(() => !numbers().step || play().textContent === "Play");
  const before = numbers();
  loseDevice();
  await new Promise((resolve) => setTimeout(resolve, 300));
  await userEvent.selectOptions(find("#train-form [name=every]"), "1");
  await userEvent.click(single());
  await says("#train-status", /^The device was lost\. The network went on/);
  expect(numbers().loss).toBeLessThan(1.2 * before.loss);
});

test("another picture begins anew", { timeout: 120_000 }, async () => {
  const before = pixels("input", 1);
  await userEvent.click(find("#train-form [value=town]"));
  await atStep((step) => step === 1);
  expect(pixels("input", 1)).not.toEqual(before);
});

test("begun anew, even while the first step of another beginning is computed", {
  timeout: 120_000,
}, async () => {
  await userEvent.click(find("#train-form [value=rings]"));
  find("#train-form [name=restart]").click(); // at once, as in a double click
  find("#train-form [value=flower]").click();
  await atStep((step) => step === 1);
  expect(pixels("input", 1)).toEqual(flower);
});

const pointCount = () => find("#stage-output .plot polyline").getAttribute("points")!.split(" ").length;

test("a worker that ends in the middle: the next step begins anew, and so do the plot and the change", {
  timeout: 120_000,
}, async () => {
  await userEvent.click(find("#train-form [value=flower]"));
  await userEvent.selectOptions(find("#train-form [name=every]"), "1");
  await userEvent.click(play());
  await atStep((step) => step > 3);
  crash();
  await says("#train-status", /worker failed: .*It crashed/);
  expect(play().textContent).toBe("Play");
  await userEvent.click(single());
  await atStep((step) => step === 1);
  expect(pointCount()).toBe(1);
  expect(new Set(pixels("weights", 2).filter((_, i) => i % 4 !== 3)).size).toBeLessThan(4); // gray, and the grid
  expect(text("#train-status")).toBe("");
});

test("a worker that ends while nothing is computed, as after a Stop that it did not hear", {
  timeout: 120_000,
}, async () => {
  await userEvent.click(single());
  await atStep((step) => step === 2);
  const end = vi.spyOn(Worker.prototype, "terminate");
  crash();
  await vi.waitUntil(() => end.mock.calls.length > 0, { timeout: 60_000 });
  end.mockRestore();
  await userEvent.click(single());
  await atStep((step) => step === 1);
  expect(pointCount()).toBe(1);
  expect(text("#train-status")).toBe("");
});
