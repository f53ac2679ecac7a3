/** Benchmarks are honest: they refuse wrong results, and their figures are the measured ones. */
import { expect, test } from "vitest";
import { convBench, convSize } from "../../bench/conv2d.ts";
import { growthPlot } from "../../bench/growth.ts";
import { type Bench, largestError, type Result, runBench } from "../../bench/harness.ts";
import { heading, resultLines, short, steadinessLine } from "../../bench/report.ts";
import { roofline } from "../../bench/roofline.ts";
import { CpuDevice } from "../../src/device/cpu-device.ts";
import { add, mul, relu } from "../../src/kernels/elementwise/index.ts";
import type { Ceilings } from "../../src/measure/ceilings.ts";
import { byteCeiling, limitOf } from "../../src/measure/limits.ts";
import { summarize } from "../../src/measure/statistics.ts";
import { rand } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { gpuDevices } from "../support/devices.ts";

const devices = await gpuDevices();
const cpu = new CpuDevice("float64");
const options = { runs: 5, minRunMs: 10 };
const ceilings: Ceilings = {
  flops: 100e9,
  multiplyAdd: { chains: 8, unroll: 8 },
  copies: [
    { bytes: 1e6, rate: 20e9 },
    { bytes: 100e6, rate: 10e9 },
  ],
};

const size = 1000;
const work = { flops: 0, bytes: 8 * size };

/** relu, with variants that do something else. */
function reluBench(f: (x: Tensor, variant: string) => Tensor, variants: string[]): Bench {
  const make = (variant: string) => {
    const x = rand([size], { random: new Random(1), low: -1, high: 1 });
    return { run: () => [f(x, variant)] };
  };
  return { name: "relu", shape: `[${size}]`, variants, make, work, whole: { what: "all", make, work } };
}

test("median, minimum and maximum", () => {
  expect(summarize([5])).toEqual({ median: 5, min: 5, max: 5 });
  expect(summarize([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
  expect(summarize([4, 1, 10, 2])).toEqual({ median: 3, min: 1, max: 10 });
  expect(() => summarize([])).toThrow(
    new RangeError("summarize: the list of values is empty. Measure at least once, and give the result."),
  );
});

test("numbers keep the digits that are worth reading", () => {
  const texts = [0, 0.0123, 0.9996, 1.234, 12.34, 99.96, 123.4, 12345.6, -1.5].map(short);
  expect(texts).toEqual(["0", "0.012", "1.00", "1.23", "12.3", "100", "123", "12346", "-1.50"]);
});

test("the error is a share of the largest value; missing values and NaN are wrong", () => {
  const want = [Float32Array.of(1, -4), Float32Array.of(0.5)];
  expect(largestError(want, want)).toBe(0);
  expect(largestError([Float32Array.of(1.5, -4), Float32Array.of(0.5)], want)).toBe(0.125);
  expect(largestError([Float32Array.of(1, -4), Float32Array.of(0.25)], want)).toBe(0.5);
  expect(largestError([Float32Array.of(1, Number.NaN), Float32Array.of(0.5)], want)).toBeNaN();
  expect(largestError([Float32Array.of(1, -4)], want)).toBeNaN();
  expect(largestError([Float32Array.of(1), Float32Array.of(0.5)], want)).toBeNaN();
});

test("the ceiling that binds is the one that takes longer to reach", () => {
  expect(byteCeiling(3e6, ceilings)).toBe(20e9);
  expect(byteCeiling(50e6, ceilings)).toBe(10e9);
  // 1 GFLOP takes 10 ms at best; 1 MB takes 0.05 ms.
  expect(limitOf({ flops: 1e9, bytes: 1e6 }, 0.02, ceilings)).toEqual({ kind: "multiply-add", share: 0.5 });
  expect(limitOf({ flops: 0, bytes: 100e6 }, 0.04, ceilings)).toEqual({ kind: "bytes", share: 0.25 });
});

// Retried, because another program may have slowed its runs.
test("a tiny bench on every adapter", { retry: 2 }, async () => {
  for (const device of devices) {
    const result = await runBench(
      reluBench((x) => relu(x), ["one", "two"]),
      device,
      cpu,
      ceilings,
      options,
    );
    expect(result.rows.map(({ status }) => status)).toEqual(["timed", "timed"]);
    for (const { error, timing } of result.rows) {
      expect(error).toBe(0);
      const { runs, repetitions, median, min, max, gbytes, gflops, speedup, gpu } = timing!;
      expect(gpu).toBeGreaterThanOrEqual(0);
      expect(Math.min(result.flops.before, result.flops.after)).toBeGreaterThan(0);
      expect(runs).toHaveLength(5);
      expect(summarize(runs)).toEqual({ median, min, max });
      expect(repetitions).toBeGreaterThan(1);
      expect(min * repetitions).toBeGreaterThan(0.1 * options.minRunMs);
      expect(gflops).toBe(0);
      expect(gbytes).toBeCloseTo(work.bytes / median / 1e6, 9);
      expect(speedup).toBeCloseTo(result.reference.ms / median, 9);
    }
    expect(device.memory().live).toBe(0);
  }
});

test("a wrong variant is reported and not timed", async () => {
  const f = (x: Tensor, variant: string) => {
    const y = relu(x);
    return variant === "wrong" ? add(y, 1e-4) : y;
  };
  const result = await runBench(reluBench(f, ["right", "wrong"]), devices[0], cpu, ceilings, options);
  const [right, wrong] = result.rows;
  expect(right.status).toBe("timed");
  expect(wrong.status).toBe("wrong");
  expect(wrong.timing).toBeUndefined();
  expect(wrong.error).toBeCloseTo(1e-4, 6);
  expect(resultLines(result)[1]).toContain("WRONG: all: error 1.0e-4");
});

test("samples detect a result that is wrong only at the timed size", async () => {
  const size = convSize(3, 5, 3, 24);
  const bench = convBench("forward", size);
  const [sampled] = bench.sampled!;
  const broken: Bench = {
    ...bench,
    variants: ["auto"],
    sampled: [
      { ...sampled, make: (variant) => ({ run: () => [mul(sampled.make(variant).run()[0], 1.001)] }) },
    ],
  };
  const intact = await runBench({ ...bench, variants: ["auto"] }, devices[0], cpu, ceilings, options);
  expect(intact.rows[0].status).toBe("timed");
  expect(intact.rows[0].checks.map(({ what }) => what)).toEqual([
    "3->5 3x3, 24x24",
    "elements of 3->5 3x3, 24x24",
  ]);
  const result = await runBench(broken, devices[0], cpu, ceilings, options);
  expect(result.rows[0]).toMatchObject({ status: "wrong" });
  expect(result.rows[0].reason).toContain("elements of");
});

test("samples of both gradients agree with the references' whole result", async () => {
  for (const part of ["forward", "input-grad", "weight-grad"] as const) {
    const bench = convBench(part, convSize(3, 5, 5, 9, 2));
    const result = await runBench({ ...bench, variants: ["auto"] }, devices[0], cpu, ceilings, options);
    const [row] = result.rows;
    expect(row.status, row.reason).toBe("timed");
    expect(row.checks).toHaveLength(2);
  }
});

test("variants that refuse or take too long are left out, with the reason", async () => {
  const f = (x: Tensor, variant: string) => {
    if (variant === "refused") throw new RangeError("not for this shape");
    return relu(x);
  };
  const bench = { ...reluBench(f, ["refused", "slow"]), maxSeconds: 1e-9 };
  const { rows } = await runBench(bench, devices[0], cpu, ceilings, options);
  expect(rows[0]).toMatchObject({ status: "unsupported", reason: "not for this shape" });
  expect(rows[1].status).toBe("skipped");
  expect(rows[1].reason).toMatch(/^too slow/);
});

test("at a kink other inputs decide; a wrong gradient is wrong on those, too", async () => {
  const f = (x: Tensor, variant: string) => (variant ? relu(x) : mul(relu(x), 1.1));
  const bench = reluBench(f, ["variant"]);
  const other = reluBench((x) => relu(x), [""]).make;
  const whole = { ...bench.whole, again: other };
  const { rows } = await runBench({ ...bench, whole }, devices[0], cpu, ceilings, options);
  expect(rows[0]).toMatchObject({ status: "timed", error: 0 });
  expect(rows[0].kinkError).toBeCloseTo(0.1 / 1.1, 3);

  const alsoWrong = { ...bench.whole, again: bench.make };
  const wrong = await runBench({ ...bench, whole: alsoWrong }, devices[0], cpu, ceilings, options);
  expect(wrong.rows[0].status).toBe("wrong");
});

/** A made-up result, as runBench returns it. */
function result(name: string, flops: number, at?: number): Result {
  const bytes = 1e6;
  const row = (variant: string, median: number) => ({
    variant,
    status: "timed" as const,
    checks: [],
    error: 1e-7,
    first: { ms: 812, pipelines: 1 },
    timing: {
      ...{ median, min: 0.9 * median, max: 1.2 * median, runs: [median], repetitions: 3 },
      ...{ gflops: flops / median / 1e6, gbytes: bytes / median / 1e6, speedup: 500, gpu: 0.8 * median },
      ceiling: limitOf({ flops, bytes }, median / 1e3, ceilings),
    },
  });
  return {
    ...{ name, shape: "64->64 3x3, 128x128", at, work: { flops, bytes }, tolerance: 1e-5 },
    reference: { what: "small", ms: 100, work: { flops, bytes } },
    rows: at === undefined ? [row("1-naive", 400), row("4-broadcast", 38.1)] : [row("", 10 * at)],
    foreignCores: 0,
    flops: { before: 100e9, after: 90e9 },
  };
}

test("lines of the table keep to their columns and to 120 characters", () => {
  const lines = [...heading("conv2d-forward").slice(1).split("\n"), ...resultLines(result("conv2d", 1.2e9))];
  expect(lines).toHaveLength(3);
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(120);
  const end = (text: string, line: string) => line.indexOf(text) + text.length;
  expect(end("median", lines[0])).toBe(end(" 400", lines[1]));
  expect(end("GFLOP/s", lines[0])).toBe(end("31.5", lines[2]));
  expect(lines[2]).toContain("34.3 .. 45.7    30.5 ");
});

test("a machine that changes its speed shows", () => {
  const steady = result("conv2d", 1e9);
  expect(steadinessLine([steady])).toMatch(/: 90.0 to 100 GFLOP\/s\.$/);
  const slowed = { ...steady, flops: { before: 100e9, after: 80e9 } };
  expect(steadinessLine([steady, slowed])).toMatch(/80.0 to 100 GFLOP\/s\. The machine changed its speed/);
});

test("the plots show every result", () => {
  const results = [result("conv2d-forward", 1.2e9), result("conv2d-input-grad", 1.2e9), result("relu", 0)];
  const svg = roofline(results, ceilings, "adapter <1>");
  expect(svg).not.toMatch(/NaN|Infinity/);
  expect(svg).toContain('aria-label="conv2d-forward 64-&gt;64 3x3, 128x128 (4-broadcast)"');
  expect(svg).toContain('aria-label="relu 64-&gt;64 3x3, 128x128 (4-broadcast)"');
  expect(svg).toContain("Roofline of adapter &lt;1&gt;");
  for (const only of [results.slice(0, 1), results.slice(2)]) {
    expect(roofline(only, ceilings, "a")).not.toMatch(/NaN|Infinity/);
  }

  expect(growthPlot(results, "a")).toBeUndefined();
  const grown = [1, 2, 4].map((at) => result("growth-batch", 1e9 * at, at));
  const [panel] = growthPlot([...results, ...grown], "a")!.panels;
  expect(panel.series[0].points).toEqual([
    [1, 10],
    [2, 20],
    [4, 40],
  ]);
  expect(panel.series[1].points).toEqual(panel.series[0].points);
});
