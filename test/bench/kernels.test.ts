/** `npm run bench:kernels`: it times what is right, tells what is wrong, and takes edited texts. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { evenly } from "../../bench/evenly.ts";
import { checkVariant, workloadsNamed } from "../../bench/kernels/choice.ts";
import { choiceName } from "../../bench/kernels/choice-name.ts";
import { checkNames, fileOf, isVersionOf, writeTexts } from "../../bench/kernels/edited.ts";
import { type KernelTimes, kernelsOf, timeKernels } from "../../bench/kernels/stream.ts";
import { kernelCeiling, kernelSummary, kernelTable } from "../../bench/kernels/table.ts";
import { kernelWorkloads, type Workload } from "../../bench/kernels/workloads.ts";
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import { kernel } from "../../src/device/kernel.ts";
import { openDevice, setDefaultDevice } from "../../src/device/open.ts";
import { facts } from "../../src/device/profile.ts";
import { gpuDevices } from "../support/devices.ts";

const [{ adapterClass }] = await gpuDevices();
const ceilings = { multiplyAdd: { chains: 16, unroll: 4 } };

/** A device with exact timestamps, which runs the kernels that cards get. */
async function likeACard(): Promise<GpuDevice> {
  const device = (await openDevice({ adapter: adapterClass, dawn: ["exact-timestamps"] })) as GpuDevice;
  device.profile = { ...device.profile, ...facts.gpu, threadsToSaturate: 2 ** 14 };
  setDefaultDevice(device);
  return device;
}

const workloads = kernelWorkloads(true);
const find = (name: string) => workloads.find((each) => each.name.startsWith(name))!;

test("a choice is named by its tile, or by its block", () => {
  const tile = { TILE_O: 32, TILE_H: 8, TILE_W: 16, CHANNELS: 4, ROWS: 2, DEPTH: 8 };
  expect(choiceName({ variant: "6-prefetch", ...tile })).toBe("6-prefetch 32x8x16 4x2 d8");
  expect(choiceName({ variant: "4-block", PIXELS: 2, CHANNELS: 4, workgroup: 64 })).toBe("4-block 4x2 w64");
});

test.each([
  ["conv3-64-64-1x12x12", ["6-prefetch 16x8x8 4x2 d8"], 2],
  ["conv3-3-64", ["6-prefetch 16x8x8 4x2 d4"], 0],
  [
    "weight-grad3-64-64-2x16x16",
    ["weight-grad-rolling 32x16 4 c16, and the bias's", "weight-grad-rolling 32x16 4 c16"],
    2,
  ],
  ["sum-of-channels", ["by rule"], 0],
  ["matmul", ["matmul-by-tile 32x32 4x4"], 2],
])(
  "%s: what cards run agrees with the references, and the rule's choice is among it",
  async (name, rules, most) => {
    const device = await likeACard();
    const { workload, work, ceiling, rows } = await timeKernels(device, find(name), ceilings, { most });
    expect(workload).toContain(name);
    expect(rows).toHaveLength(rules.length + most);
    expect(rows.filter(({ byRule }) => byRule).map((row) => row.name)).toEqual(rules);
    for (const { name, error, time, rate, share } of rows) {
      expect(error, name).toBeLessThan(2e-5);
      expect(time!.min).toBeLessThanOrEqual(time!.median);
      expect(rate).toBeCloseTo((1e3 * (work.flops || work.bytes)) / time!.median, 3);
      expect(share).toBeCloseTo(rate! / ceiling.median, 9);
    }
    expect(device.memory().live).toBe(0);
    device.destroy();
  },
);

test("a wrong result is told and not timed; an edited text stands beside the library's own", async () => {
  const device = await likeACard();
  const whole = find("matmul");
  const rule = "matmul-by-tile 32x32 4x4";
  const broken: Workload = {
    ...whole,
    variants(device) {
      const right = whole.variants(device).find(({ byRule }) => byRule)!;
      const result = async () => (await right.result()).map((value) => 1.001 * value);
      return [right, { ...right, name: "broken", byRule: false, result }];
    },
  };
  const [own] = kernelsOf(device, broken);
  const times = await timeKernels(device, broken, ceilings);
  expect(times.rows.map(({ name, time }) => [name, time !== undefined])).toEqual([
    [rule, true],
    ["broken", false],
  ]);
  expect(times.rows[1].error).toBeCloseTo(1e-3, 5);
  expect(kernelTable(times).join("\n")).toContain("| broken | WRONG: error 1.0e-3 |");
  expect(kernelSummary([times]).join("\n")).toContain(`| matmul-128, 1 WRONG | ${rule} |`);

  const file = fileOf(own).replace(".wgsl", ".mine.wgsl");
  const edited = [{ file, body: own.body.replace("@compute", "// changed\n@compute") }];
  const both = await timeKernels(device, whole, ceilings, { edited, most: 0 });
  expect(both.rows.map(({ name, byRule, time }) => [name, byRule, time !== undefined])).toEqual([
    [rule, true, true],
    [`${rule}, ${file}`, false, true],
  ]);
  // A version that computes something else is noticed: it is the edited text that runs.
  const wrong = [{ file, body: own.body.replace("vec4f(rows[j])", "1.5 * vec4f(rows[j])") }];
  expect(wrong[0].body).not.toBe(own.body);
  const [, row] = (await timeKernels(device, whole, ceilings, { edited: wrong, most: 0 })).rows;
  expect(row.error).toBeGreaterThan(0.1);
  const senseless = [{ file, body: `${own.body}\nnonsense` }];
  senseless.push({
    file: file.replace("mine", "other"),
    body: own.body.replace("@group(0) @binding(0)", "//"),
  });
  senseless.push({ file: file.replace("mine", "third"), body: own.body.replace("<uniform>", "<private>") });
  const all = await timeKernels(device, whole, ceilings, { edited: senseless, most: 0 });
  expect(all.rows.map(({ problem, time }) => [problem, time !== undefined])).toEqual([
    [undefined, true],
    [expect.stringMatching(/^does not compile: line \d+: /), false],
    [expect.stringMatching(/^has other buffers or parameters \(1 .* than the library's own \(0 /), false],
    [expect.stringMatching(/^cannot be read: Kernel .* buffers, /), false],
  ]);
  expect(kernelTable(all).join("\n")).toMatch(/mine\.wgsl \| does not compile: line/);
  expect(kernelSummary([all]).join("\n")).toContain("| matmul-128, 3 not run |");
  await timeKernels(device, whole, ceilings); // the device still works
  device.destroy();
});

test.each([
  "conv3-64-64-1x12x12",
  "weight-grad3-64-64-2x16x16",
  "sum-of-channels", // whose result lies in memory of the pool, where the one before it lay
])("%s: a text that computes nothing is wrong", async (name) => {
  const device = await likeACard();
  const edited = kernelsOf(device, find(name), { most: 0 }).map((kernel) => {
    const body = kernel.body.replace(/(fn main\([^{]*\{)/, "$1 if (true) { return; }");
    expect(body).not.toBe(kernel.body);
    return { file: fileOf(kernel), body };
  });
  expect(edited.length).toBeGreaterThan(0);
  const { rows } = await timeKernels(device, find(name), ceilings, { most: 0, edited });
  const isVersion = ({ name }: { name: string }) => edited.some(({ file }) => name.includes(file));
  expect(rows.filter(isVersion).length).toBeGreaterThanOrEqual(edited.length);
  for (const row of rows) {
    expect(row.time !== undefined, row.name).toBe(!isVersion(row));
    if (isVersion(row)) expect(row.error, row.name).toBeNull();
  }
  device.destroy();
});

test.each(["stopped", "lost"])(
  "%s while rounds are in flight, it fails once, and when they have ended",
  async (how) => {
    const device = await likeACard();
    const stop = new AbortController();
    const { timeEach } = device;
    let [given, ended] = [0, 0];
    device.timeEach = (bodies) => {
      const times = timeEach.call(device, bodies);
      const end = () => void ended++;
      times.then(end, end);
      if (++given === 3) how === "stopped" ? stop.abort() : device.gpu.destroy();
      return times;
    };
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", note);
    try {
      const failed = timeKernels(device, find("sum-of-channels"), ceilings, { signal: stop.signal });
      await expect(failed).rejects.toThrow(how === "stopped" ? /abort/ : /was lost/);
      expect([given, ended]).toEqual([3, 3]);
      device.destroy();
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(unhandled).toEqual([]);
    } finally {
      process.off("unhandledRejection", note);
    }
  },
);

test("which file is a version of which kernel", () => {
  const kernel = { name: "conv2d/weight-grad" };
  expect(fileOf(kernel)).toBe("conv2d-weight-grad.wgsl");
  expect(isVersionOf("conv2d-weight-grad.wgsl", kernel)).toBe(true);
  expect(isVersionOf("conv2d-weight-grad.two.wgsl", kernel)).toBe(true);
  expect(isVersionOf("conv2d-weight-grad-shared.wgsl", kernel)).toBe(false);
});

test("texts are not written over others, nor timed under a name that no kernel has", () => {
  const folder = mkdtempSync(join(tmpdir(), "pixelgrad-texts-"));
  try {
    const [one, two] = ["conv2d/one", "conv2d/two"].map((name) => kernel(name, `// ${name}`));
    writeTexts(folder, [one]);
    writeTexts(folder, [one]); // the same once more
    const path = join(folder, "conv2d-one.wgsl");
    expect(readFileSync(path, "utf8")).toBe("// conv2d/one\n");
    writeFileSync(path, "edited");
    expect(() => writeTexts(folder, [two, one])).toThrow(
      /is there with another text.*conv2d-one\.mine\.wgsl/,
    );
    expect(readdirSync(folder)).toEqual(["conv2d-one.wgsl"]);
    expect(readFileSync(path, "utf8")).toBe("edited");

    checkNames([{ file: "conv2d-one.mine.wgsl", body: "" }], [two, one]);
    const stray = [{ file: "conv2d-three.wgsl", body: "" }];
    expect(() => checkNames(stray, [two, one])).toThrow(
      "--wgsl conv2d-three.wgsl is named after no kernel that would be launched. Those are conv2d-two.wgsl, conv2d-one.wgsl",
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a text that no workload and no variant has in its name is refused, beside others that fit", async () => {
  expect(workloadsNamed(workloads, ["matmul"]).map(({ name }) => name)).toEqual([find("matmul").name]);
  expect(workloadsNamed(workloads, [])).toEqual(workloads);
  expect(() => workloadsNamed(workloads, ["matmul", "nonesuch"])).toThrow(
    /^no workload has "nonesuch" in its name; there are .*matmul-/,
  );
  const device = await likeACard();
  const two = [find("sum-of-channels"), find("matmul")];
  expect(() => checkVariant(device, two, "matmul-by-tile")).not.toThrow();
  expect(() => checkVariant(device, two, "nonesuch")).toThrow(
    /^no variant has "nonesuch" in its name; there are by rule, matmul-/,
  );
  device.destroy();
});

test("some of a list, evenly", () => {
  expect(evenly([1, 2, 3, 4, 5], 3)).toEqual([1, 3, 5]);
  expect(evenly([1, 2], 3)).toEqual([1, 2]);
  expect(evenly([1, 2, 3], 0)).toEqual([]);
});

test("tables: the fastest first, and how far the rule is from it", () => {
  const row = (name: string, ms: number, byRule = false) => ({
    ...{ name, byRule, error: 1e-7, rate: 4e9 / ms, share: 0.1 / ms },
    time: { median: ms, min: 0.9 * ms, max: 1.1 * ms },
  });
  const times: KernelTimes = {
    ...{ workload: "conv3-1-1-1x8x8", work: { flops: 4e6, bytes: 1e6 }, rounds: 5 },
    ceiling: { median: 40e9, min: 39e9, max: 41e9 },
    rows: [row("slow", 0.3, true), row("fast", 0.2)],
  };
  expect(kernelTable(times).slice(2)).toEqual([
    "| fast | 200 | 180 | 220 | 20.0 | 50 % |",
    "| **slow** (by rule) | 300 | 270 | 330 | 13.3 | 33 % |",
  ]);
  expect(kernelSummary([times])[2]).toBe(
    "| conv3-1-1-1x8x8 | slow | 300 | 13.3 GFLOP/s | 33 % | fast | 200 | 1.50 x |",
  );
  const peak = { card: "A card", flops: 67e12, source: "its data sheet" };
  expect(kernelCeiling(times, peak)).toContain("39.0 to 41.0 GFLOP/s (A card: 67000 by its data sheet).");
  const fast = { ...times, ceiling: { median: 60e12, min: 59e12, max: 61e12 } };
  expect(kernelCeiling(fast, peak)).toContain("59.0 to 61.0 TFLOP/s (A card: 67.0 by its data sheet).");
});
