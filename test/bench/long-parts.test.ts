/** The parts of `npm run bench:report -- --thorough` that are not about single kernels. */
import { expect, test } from "vitest";
import type { Program } from "../../bench/harness.ts";
import { edsr, replayed, trainingStep } from "../../bench/networks.ts";
import { busyMs, measurePicture, pictureLines, pictureToEnlarge } from "../../bench/picture-times.ts";
import { stretchesOf, waitingLines } from "../../bench/waiting.ts";
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import { openDevice, setDefaultDevice } from "../../src/device/open.ts";
import { mul } from "../../src/kernels/elementwise/index.ts";
import { tensor } from "../../src/tensor/create.ts";
import { scope } from "../../src/tensor/scope.ts";
import { gpuDevices } from "../support/devices.ts";

const [device] = await gpuDevices();

test("the GPU is busy while at least one kernel runs", () => {
  const kernel = (ts: number, dur: number) => ({ cat: "gpu", ts, dur });
  expect(busyMs([])).toBe(0);
  // Microseconds: 1000..3000, of which 2000..2500 twice; 2900..3500; 9000..9100.
  const events = [kernel(9000, 100), kernel(1000, 2000), kernel(2000, 500), kernel(2900, 600)];
  expect(busyMs([...events, { cat: "javascript", ts: 5000, dur: 1000 }, {}])).toBeCloseTo(2.6, 9);
});

test("pictures: two calls, and the GPU's time in a third", async () => {
  const exact = (await openDevice({ adapter: device.adapterClass, dawn: ["exact-timestamps"] })) as GpuDevice;
  setDefaultDevice(exact);
  const { signal } = new AbortController();
  for (const method of ["espcn", "bicubic"] as const) {
    const row = await measurePicture(exact, method, pictureToEnlarge(40, 24), signal);
    expect(row).toMatchObject({ method, tiles: 1 });
    expect(Math.min(row.firstMs, row.secondMs)).toBeGreaterThan(0);
    expect(row.gpuMs! > 0).toBe(method === "espcn");
  }
  exact.destroy();
  const page = pictureLines({
    ...{ size: [4000, 3000], scale: 2 },
    rows: [
      { method: "wren", firstMs: 900, secondMs: 480, gpuMs: 120, tiles: 12 },
      { method: "bicubic", firstMs: 300, secondMs: 240, tiles: 4 },
    ],
  });
  expect(page.slice(-2)).toEqual([
    "| wren | 900 | 480 | 120 | 25 % | 10.0 | 12 |",
    "| bicubic | 300 | 240 | - | - | 5.00 | 4 |",
  ]);
});

test("waiting: of all steps but the first, which compiles, and of those after the first epoch", () => {
  const log = [
    { config: {} },
    { step: 1, ms: 1000, waiting: 0.9 },
    { step: 11, ms: 100, waiting: 0.5 },
    { step: 21, ms: 10, waiting: 0.2 },
    { step: 21, psnr: 30 },
    { step: 31, ms: 10, waiting: 0.1 },
  ];
  const { overall, later } = stretchesOf(log, 11);
  expect(overall!.steps).toBe(30);
  expect(overall!.seconds).toBeCloseTo(1.2, 9);
  expect(overall!.waiting).toBeCloseTo((500 + 20 + 10) / 1200, 9);
  expect(later!.steps).toBe(20);
  expect(later!.seconds).toBeCloseTo(0.2, 9);
  expect(later!.waiting).toBeCloseTo(0.15, 9);
  // The lines from step 11 on begin within the epoch.
  expect(stretchesOf(log, 12).later!.steps).toBe(10);
  expect(stretchesOf(log, 22).later).toBeUndefined();
  expect(stretchesOf(log.slice(0, 2), 0)).toEqual({ overall: undefined, later: undefined });

  const page = waitingLines({
    ...{ network: "EDSR", pictures: 200, size: [2040, 1356], bytes: { decoded: 2e9, kept: 64e9 } },
    runs: [
      { where: "memory", overall, later },
      { where: "cache", overall, later: undefined },
    ],
  });
  expect(page.join("\n")).toContain("Decoded, these take 2.00 GB; the\nloader keeps up to 64.0 GB");
  expect(page.slice(-2)).toEqual([
    "| in memory | 30 | 25.0 | 44 % | 20 | 100 | 15 % |",
    "| in files (`--cache`) | 30 | 25.0 | 44 % | - | - | - |",
  ]);
});

test("a replayed training step learns what one that is built anew does", async () => {
  setDefaultDevice(device);
  const lossesOf = async (way: (program: Program) => Program) => {
    using _ = scope();
    const step = way(trainingStep(edsr(1, 4), 8, 1));
    const losses: number[] = [];
    for (let i = 0; i < 10; i++) {
      using _ = scope();
      losses.push(await step.run()[0].item());
    }
    step.dispose?.();
    return losses;
  };
  const built = await lossesOf((program) => program);
  const captured = await lossesOf(replayed);
  expect(captured).toEqual(built);
  expect(built[9]).not.toBe(built[0]);
});

test("a program that cannot be replayed does not pass for one that is", async () => {
  setDefaultDevice(device);
  using _ = scope();
  // It makes a tensor from JavaScript's values, which no replay does.
  const { run } = replayed({ run: () => [mul(tensor([1, 2]), 2)] });
  expect(() => {
    for (let i = 0; i < 8; i++) run();
  }).toThrow(/The program is not replayed: /);
});
