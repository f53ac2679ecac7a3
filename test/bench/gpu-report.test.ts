/** `npm run bench:report`: it looks at every kernel, sees what is wrong, and says what it lacks. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { create } from "webgpu";
import { cardOf } from "../../bench/cards.ts";
import { type Check, runChecks } from "../../bench/gpu-report/checks.ts";
import { withReports } from "../../bench/gpu-report/docs.ts";
import { pageOf, type Report } from "../../bench/gpu-report/report.ts";
import { CpuDevice } from "../../src/device/cpu-device.ts";
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import { defaultDevice, openDevice, setDefaultDevice } from "../../src/device/open.ts";
import { relu } from "../../src/kernels/elementwise/index.ts";
import { measureCeilings, warmUp } from "../../src/measure/ceilings.ts";
import { isUnsteady, timeInTurns } from "../../src/measure/in-turns.ts";
import { tensor } from "../../src/tensor/create.ts";
import { gpuDevices } from "../support/devices.ts";
import { root, runFile } from "../support/run.ts";
import { wgslFiles } from "../support/wgsl-files.ts";

const devices = await gpuDevices();
const cpu = new CpuDevice("float64");
const folder = mkdtempSync(join(tmpdir(), "pixelgrad-report-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("its checks launch every kernel of the library", async () => {
  // The backend that computes nothing compiles nothing either.
  const device = (await openDevice({ gpu: create(["backend=null"]) })) as GpuDevice;
  setDefaultDevice(device);
  const { kernels, left } = await runChecks(device, cpu, () => true);
  device.destroy();
  const declared = wgslFiles().flatMap(({ kernels }) => kernels.map(({ name }) => name));
  const ceilings = ["ceilings/multiply-add", "ceilings/copy"]; // no results to compare
  expect([...kernels.map(({ kernel }) => kernel), ...ceilings].sort()).toEqual(declared.sort());
  expect(left).toEqual([]);
});

test("a wrong result names the check and all kernels that took part; all that was allocated is freed", async () => {
  const [device] = devices;
  setDefaultDevice(device);
  const before = device.memory().live;
  const check = (name: string, error: number): Check => ({
    name,
    run: () => [relu(tensor([1, 2 + (defaultDevice() === device ? error : 0)]))],
    tolerance: 1e-5,
  });
  const list = [
    check("right", 1e-6),
    check("wrong", 1e-3),
    check("not a number", Number.NaN),
    check("late", 0),
  ];
  const { kernels, count, left } = await runChecks(device, cpu, (done) => done < 3, list);
  expect(kernels).toEqual([{ kernel: "unary", checks: 6, error: null, wrong: ["wrong", "not a number"] }]);
  expect({ count, left }).toEqual({ count: 3, left: ["late"] });
  expect(defaultDevice()).toBe(device);
  expect(device.memory().live).toBe(before);
});

test("programs in turns: figures follow from the runs, with the ceiling before and after", async () => {
  const [device] = devices;
  setDefaultDevice(device);
  const ceilings = await measureCeilings(device, { runs: 1, minRunMs: 1 });
  const x = tensor(new Float32Array(1000));
  const program = (name: string, flops: number) => ({ name, flops, run: () => relu(x) });
  const programs = [program("one", 1e6), program("two", 0)];
  const { rows, ceiling } = await timeInTurns(device, programs, ceilings, {
    runs: 5,
    minRunMs: 2,
    budgetMs: 0,
  });
  expect(rows.map(({ name, runs }) => [name, runs])).toEqual([
    ["one", 3],
    ["two", 3],
  ]);
  const [{ ms, min, max, recordMs, gpuMs, flopsAfter, gflops, share }, two] = rows;
  expect(min).toBeLessThanOrEqual(ms);
  expect(ms).toBeLessThanOrEqual(max);
  expect(recordMs).toBeLessThan(max);
  expect(gpuMs).toBeGreaterThanOrEqual(0);
  // By the GPU's own clock, so not far below what wall time has shown.
  expect(flopsAfter).toBeGreaterThan(ceiling.before / 5);
  expect(gflops).toBeCloseTo(1e6 / ms / 1e6, 9);
  expect(share).toBeCloseTo((gflops * 1e9) / ((ceiling.before + ceiling.after) / 2), 9);
  expect([two.gflops, two.share]).toEqual([0, 0]);
  expect(isUnsteady({ before: 100, after: 119 })).toBe(false);
  expect(isUnsteady({ before: 121, after: 100 })).toBe(true);
});

test("warming up takes half a second of work at least, ends by itself, and keeps no memory", async () => {
  const [device] = devices;
  const multiplyAdd = { chains: 16, unroll: 4 };
  const before = device.memory().live;
  const start = performance.now();
  await warmUp(device, { multiplyAdd });
  expect(performance.now() - start).toBeGreaterThan(490);
  await expect(warmUp(device, { multiplyAdd }, AbortSignal.abort(new Error("no time")))).rejects.toThrow(
    "no time",
  );
  expect(device.memory().live).toBe(before);
});

test("cards by name: only those whose data sheet is known", () => {
  expect(cardOf("nvidia-h100-80gb-hbm3, NVIDIA: 580.159.04")).toMatchObject({
    card: "NVIDIA H100 SXM",
    flops: 67e12,
  });
  expect(cardOf("NVIDIA H200, NVIDIA: 580")).toMatchObject({ card: "NVIDIA H200 SXM" });
  for (const other of ["NVIDIA H100 PCIe", "NVIDIA H200 NVL", "AMD Radeon"])
    expect(cardOf(other)).toBeUndefined();
});

describe("the page", () => {
  const times = { name: "a", ms: 2, min: 1.5, max: 3, recordMs: 1, gpuMs: 0.5, runs: 3, repetitions: 1 };
  const report: Report = {
    ...{ format: 1, pixelgrad: "0.1.0", date: "2026-11-26T12:00:00.000Z", seconds: 61.2, foreignCores: 0 },
    machine: { processor: "2 x CPU", platform: "linux x64", node: "20.0.0", webgpu: "0.6.2" },
    adapter: {
      ...{ name: "A card", class: "amd", features: ["subgroups"], dawn: [], tuned: 0 },
      info: { vendor: "amd", architecture: "rdna-3", subgroupMinSize: 32, subgroupMaxSize: 64 },
      limits: {
        ...{ maxStorageBufferBindingSize: 2 ** 27, maxBufferSize: 2 ** 28 },
        ...{ maxComputeWorkgroupStorageSize: 32768, maxComputeInvocationsPerWorkgroup: 1024 },
      },
      profile: { subgroupSize: 32 },
      peak: { card: "A card", flops: 1e12, source: "its maker's data sheet" },
    },
    checks: { kernels: [{ kernel: "unary", checks: 2, error: 1e-7, wrong: [] }], count: 1, left: [] },
    sections: [
      {
        ...{ title: "Training steps", first: "network", recording: true },
        ceiling: { before: 8e11, after: 8.1e11 },
        rows: [{ ...times, flopsAfter: 7.9e11, gflops: 250, share: 0.31 }],
      },
    ],
    failures: [],
  };

  test("has identity, correctness, times by wall and GPU, and shares", () => {
    const page = pageOf(report);
    expect(page).toMatch(/^# A card\n\n2026-11-26, pixelgrad 0.1.0/);
    expect(page).toContain("32 to 64; kernels use 32");
    expect(page).toContain("| unary | 2 | 1.0e-7 | right |");
    expect(page).toContain("| a | 2.00 | 1.50 to 3.00 | 0.500 | 1.00 | 250 | 31 % | 25 % |");
    expect(page).toContain(
      "800 GFLOP/s before and 810 after, and at least 790 right after a program's runs; A card: 1000 by its maker's data sheet.",
    );
    expect(page).not.toMatch(/undefined|NaN|not whole|uncertain|busy/);
    expect(pageOf(report, { level: 2, brief: true })).not.toContain("| unary |");
  });

  test("has the longer parts, and the flags that asked for them; single variants only if it is not brief", () => {
    const time = { median: 0.2, min: 0.19, max: 0.21 };
    const ceiling = { median: 8e11, min: 7.9e11, max: 8.1e11 };
    const row = { name: "6-prefetch", byRule: true, error: 1e-7, time, rate: 4e11, share: 0.5 };
    const work = { flops: 8e7, bytes: 1e6 };
    const stretch = { steps: 100, seconds: 2, waiting: 0.25 };
    const long: Report = {
      ...{ ...report, flags: "--thorough" },
      kernels: [{ workload: "conv3-64-64-1x12x12", work, ceiling, rounds: 5, rows: [row] }],
      pictures: {
        ...{ size: [400, 300], scale: 2 },
        rows: [{ method: "wren", firstMs: 90, secondMs: 48, gpuMs: 12, tiles: 1 }],
      },
      waiting: {
        ...{ network: "EDSR", pictures: 8, size: [2040, 1356], bytes: { decoded: 1e9, kept: 2e9 } },
        runs: [{ where: "memory", overall: stretch, later: stretch }],
      },
    };
    const page = pageOf(long);
    expect(page).toContain("`npm run bench:report -- --thorough`, 61 s");
    expect(page).toContain("## A picture of 400 x 300, x2\n");
    expect(page).toContain("| wren | 90.0 | 48.0 | 12.0 | 25 % | 100 | 1 |");
    expect(page).toContain("| in memory | 100 | 50.0 | 25 % | 100 | 50.0 | 25 % |");
    expect(page).toContain("| conv3-64-64-1x12x12 | 6-prefetch | 200 | 400 GFLOP/s | 50 % | the same |");
    expect(page).toContain("### conv3-64-64-1x12x12\n");
    expect(page).not.toMatch(/undefined|NaN/);
    const brief = pageOf(long, { level: 3, brief: true });
    expect(brief).toContain("| conv3-64-64-1x12x12 | 6-prefetch |");
    expect(brief).not.toContain("# conv3-64-64-1x12x12");
  });

  test("says what is missing, wrong or doubtful", () => {
    const kernels = [{ kernel: "unary", checks: 2, error: null, wrong: ["relu"] }];
    const page = pageOf({
      ...{ ...report, partial: "it was stopped", scaled: "Smaller.", foreignCores: 1.5 },
      checks: { kernels, count: 1, left: ["pad"] },
      sections: [{ ...report.sections[0], ceiling: { before: 8e11, after: 4e11 } }],
      failures: [{ part: "ceilings", message: "the device was lost\nat some line" }],
    });
    expect(page).toContain("**This report is not whole: it was stopped.**");
    expect(page).toContain("Smaller.");
    expect(page).toContain("**Other programs kept 1.5 cores busy meanwhile**");
    expect(page).toContain("**1 of 1 kernels took part in a wrong result: unary.**");
    expect(page).toContain("Time did not allow for: pad.");
    expect(page).toContain("| unary | 2 | NaN | WRONG in relu |");
    expect(page).toContain("**The machine changed its speed meanwhile: these figures are uncertain.**");
    expect(page).toContain("- ceilings: the device was lost");
    expect(page).not.toContain("at some line");
  });
});

test("docs/gpus.md has the reports of docs/gpus as they are", () => {
  const text = readFileSync(join(root, "docs/gpus.md"), "utf8");
  expect(withReports(text), 'run "npm run docs:gpus"').toBe(text);
  expect(() => withReports("no marks")).toThrow(/has lost its marks/);
});

describe("the command", () => {
  const command = "bench/gpu-report/main.ts";

  test("stopped by Ctrl-C, leaves files that say so; a second run does not overwrite them", async () => {
    const out = join(folder, "stopped");
    const { adapterClass } = devices[0];
    let sent = false;
    const stopped = await runFile(command, ["--adapter", adapterClass, "--out", out], {
      onError(stderr, signal) {
        if (!sent && stderr.includes("the kernels against the references")) signal("SIGINT");
        sent ||= stderr.includes("the kernels");
      },
    });
    expect(stopped.code, stopped.stderr).toBe(130);
    expect(stopped.stdout).toContain("The report is not whole: it was stopped.");
    expect(readdirSync(out).sort()).toEqual(["report.json", "report.md"]);
    const report = JSON.parse(readFileSync(join(out, "report.json"), "utf8")) as Report;
    expect(report.partial).toBe("it was stopped");
    expect(report.checks!.left.length).toBeGreaterThan(0);
    expect(readFileSync(join(out, "report.md"), "utf8")).toBe(pageOf(report));

    const again = await runFile(command, ["--out", out]);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("report.json exists already")]);
  });

  test("--only measures some parts, in their order, and ceilings where they are needed", async () => {
    const out = join(folder, "only");
    const args = ["--adapter", devices[0].adapterClass, "--only", "networks,ceilings", "--out", out];
    const { code, stderr } = await runFile(command, args);
    expect(code, stderr).toBe(0);
    const report = JSON.parse(readFileSync(join(out, "report.json"), "utf8")) as Report;
    expect(report).toMatchObject({ flags: "--only networks,ceilings", failures: [] });
    expect(report.sections.map(({ title }) => title)).toEqual(["Networks enlarging a picture"]);
    expect([report.partial, report.checks, report.start]).toEqual([undefined, undefined, undefined]);
    expect(report.ceilings!.flops).toBeGreaterThan(0);
    expect(stderr.match(/multiply-adds and copies/g)).toHaveLength(1);
  });

  test("wants parts that there are", async () => {
    const unknown = await runFile(command, ["--only", "networks,nothing"]);
    expect([unknown.code, unknown.stderr]).toEqual([
      2,
      expect.stringContaining("checks, ceilings, convolution"),
    ]);
    const both = await runFile(command, ["--only", "networks", "--thorough"]);
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining("give one of them")]);
  });

  test("wants an adapter with kernels", async () => {
    const { code, stderr } = await runFile(command, ["--adapter", "cpu", "--out", join(folder, "cpu")]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("--adapter wants one that runs kernels")]);
  });
});
