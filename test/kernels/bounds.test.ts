/**
 * Every index of every kernel stays within its buffer or its workgroup memory, so that Dawn's switch
 * "no-bounds-checks" risks nothing with this library's own kernels (src/device/dawn.ts).
 */
import { afterAll, expect, test } from "vitest";
import { checks, runChecks } from "../../bench/gpu-report/checks.ts";
import { CpuDevice } from "../../src/device/cpu-device.ts";
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import { kernel } from "../../src/device/kernel.ts";
import { openDevice, setDefaultDevice } from "../../src/device/open.ts";
import { gpuDevices } from "../support/devices.ts";
import { watchIndices } from "../support/indices.ts";

// Where an index goes follows from sizes alone, so one adapter will do: the first, which is the fastest.
const [{ adapterClass }] = await gpuDevices();
const device = (await openDevice({ adapter: adapterClass })) as GpuDevice;
const watch = watchIndices(device);
setDefaultDevice(device);
afterAll(() => device.destroy());

const careless = kernel(
  "careless",
  /* wgsl */ `
struct Params { at: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;
var<workgroup> m: array<f32, 2 * 2>;
@compute @workgroup_size(1)
fn main() {
  m[p.at % 4] = x[p.at]; // x[99], in a comment, is no index
  y[u32(x[0])] = m[p.at / 2];
}
`,
);

test("an index outside is noticed, in buffers, in workgroup memory and inside of other indices", async () => {
  const [x, y] = [device.allocate(8), device.allocate(8)];
  device.write(x, [7, 0, 0, 0, 0, 0, 0, 0]);
  const run = async (at: number) => {
    device.run(careless, { buffers: { x, y }, params: { at }, grid: [1] });
    await device.sync();
    return watch.outside();
  };
  expect(watch.watched.get("careless")).toBeUndefined();
  expect(await run(7)).toEqual([]);
  expect(watch.watched.get("careless")).toBe(3);
  expect(await run(8)).toEqual(["careless: x", "careless: m"]);
  device.write(x, [8, 0, 0, 0, 0, 0, 0, 0]);
  expect(await run(0)).toEqual(["careless: y"]);
  device.release(x);
  device.release(y);
});

// Compiling all these checks takes minutes where loops are written out, so usually the others are enough.
const all = process.env.PIXELGRAD_TEST_BOUNDS !== undefined;
const list = all ? checks : checks.filter(({ name }) => !/conv|training/.test(name));

test(`no kernel has one: ${all ? "all" : "all but convolutions, which PIXELGRAD_TEST_BOUNDS=1 adds"}`, async () => {
  const { kernels, count } = await runChecks(device, new CpuDevice("float64"), () => true, list);
  expect(count).toBe(list.filter(({ float16 }) => !float16 || device.profile.float16).length);
  expect(kernels.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect([...watch.full]).toEqual(["batch-norm-grad"]); // whose indices are those of batch-norm
  for (const { kernel } of kernels) {
    if (!watch.full.has(kernel)) expect(watch.watched.get(kernel), kernel).toBeGreaterThan(0);
  }
  expect(await watch.outside()).toEqual([]);
}, 1_200_000);
