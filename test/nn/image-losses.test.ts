import { describe, expect, test } from "vitest";
import { add, mul } from "../../src/kernels/elementwise/index.ts";
import { fftLoss, ssimLoss } from "../../src/nn/image-losses.ts";
import { FFTLoss, SSIMLoss } from "../../src/nn/losses.ts";
import { ssim } from "../../src/picture/metrics.ts";
import { capture } from "../../src/tensor/capture.ts";
import { full, rand, tensor, zeros } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { ShapeError } from "../../src/tensor/shape.ts";
import { backward } from "../../src/tensor/tape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { float32Device, float64Device, gpuDevices } from "../support/devices.ts";
import { noise } from "../support/drawn.ts";
import { gradcheck } from "../support/gradcheck.ts";

const cpu = float32Device();
const f64 = float64Device();
const devices = [cpu, ...(await gpuDevices())];

describe("ssimLoss", () => {
  test("is 1 - SSIM as metrics measure it", async () => {
    const [one, two] = [noise(24, 17, 1, 1), noise(24, 17, 1, 2)];
    const half = { ...two, data: two.data.map((v, i) => (v + 3 * one.data[i]) >> 2) };
    const planes = ({ data }: { data: Uint8Array }) =>
      tensor(
        Float32Array.from(data, (v) => v / 255),
        [1, 1, 17, 24],
        { device: cpu },
      );
    const wanted = 1 - ssim(half, one, { channels: "y", border: 0 });
    expect(wanted).toBeGreaterThan(0.05);
    expect(await ssimLoss(planes(half), planes(one)).item()).toBeCloseTo(wanted, 5);
    expect(await new SSIMLoss().forward(planes(one), planes(one)).item()).toBeCloseTo(0, 6);
  });

  test("gradients", () => {
    const random = new Random(4);
    const [x, target] = [0, 1].map(() => rand([1, 2, 12, 13], { random, device: f64 }));
    gradcheck(ssimLoss, [x, target]);
  });

  test("refuses small pictures and other shapes", () => {
    const x = full([1, 3, 10, 20], 0.5, { device: cpu });
    expect(() => ssimLoss(x, x)).toThrow(ShapeError);
    expect(() => ssimLoss(x, x)).toThrow(/ssimLoss: x \[1, 3, 10, 20\] .* sides of at least 11/);
    expect(() => fftLoss(x, full([1, 3, 10, 1], 0, { device: cpu }))).toThrow(/fftLoss: .*must both be/);
    expect(() => fftLoss(full([3, 4], 0, { device: cpu }), full([3, 4], 0, { device: cpu }))).toThrow(
      ShapeError,
    );
  });
});

describe("fftLoss", () => {
  test("a wave has two lines in its spectrum, a constant one", async () => {
    const [h, w] = [8, 12];
    const wave = tensor(
      Float32Array.from({ length: h * w }, (_, i) => Math.cos((2 * Math.PI * 3 * (i % w)) / w)),
      [1, 1, h, w],
      { device: cpu },
    );
    const zero = full([1, 1, h, w], 0, { device: cpu });
    // Each line is half the amplitude times h w; the mean is over h w real and h w imaginary parts.
    expect(await fftLoss(wave, zero).item()).toBeCloseTo(0.5, 5);
    expect(await new FFTLoss().forward(full([1, 1, h, w], 3, { device: cpu }), zero).item()).toBeCloseTo(
      1.5,
      5,
    );
  });

  test("gradients", () => {
    const random = new Random(5);
    const [x, target] = [0, 1].map(() => rand([1, 2, 3, 4], { random, device: f64 }));
    gradcheck(fftLoss, [x, target]);
  });
});

describe.each(devices.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  test("the sum over pictures of more sizes than are kept has a gradient", async () => {
    const { live } = device.memory();
    const outer = scope();
    const w = tensor([1], undefined, { device, requiresGrad: true });
    const losses = (i: number) => {
      const x = mul(rand([1, 1, 2 + i, 30 + i], { random: new Random(i), device }), w);
      return fftLoss(x, zeros(x.shape, { device }));
    };
    const gradient = (loss: Tensor) => backward(loss).get(w)!.item();
    let wanted = 0;
    for (let i = 0; i < 17; i++) {
      using _ = scope();
      wanted += await gradient(losses(i));
    }
    const all = Array.from({ length: 17 }, (_, i) => losses(i)).reduce((sum, loss) => add(sum, loss));
    expect((await gradient(all)) / wanted).toBeCloseTo(1, 4);
    outer.end();
    expect(device.memory().live - live).toBeLessThanOrEqual(16); // the constants
  });

  test("captured work replays them, and their constants stay", async () => {
    for (const loss of [ssimLoss, fftLoss]) {
      const values = (seed: number) => new Random(seed);
      using step = capture((x, target) => loss(x, target));
      for (let k = 0; k < 4; k++) {
        using __ = scope();
        const random = values(k);
        const [x, target] = [0, 1].map(() => rand([2, 3, 16, 15], { random, device }));
        const again = values(k);
        const [cx, ct] = [0, 1].map(() => rand([2, 3, 16, 15], { random: again, device: cpu }));
        const wanted = await loss(cx, ct).item();
        expect(Math.abs((await step(x, target).item()) / wanted - 1)).toBeLessThan(1e-4);
      }
      if (device !== cpu) expect(step.whyBuilt).toBeUndefined();
    }
  });

  test("gradients are the reference's", async () => {
    const gradient = async (loss: typeof ssimLoss, on: typeof device) => {
      const random = new Random(1);
      const [x, target] = [0, 1].map(() => rand([2, 3, 16, 15], { random, device: on, requiresGrad: true }));
      return backward(loss(x, target)).get(x)!.data();
    };
    for (const loss of [ssimLoss, fftLoss]) {
      const [here, there] = [await gradient(loss, device), await gradient(loss, cpu)];
      const largest = there.reduce((max, v) => Math.max(max, Math.abs(v)), 0);
      const worst = here.reduce((max, v, i) => Math.max(max, Math.abs(v - there[i])), 0);
      expect(worst / largest).toBeLessThan(1e-3);
    }
  });
});
