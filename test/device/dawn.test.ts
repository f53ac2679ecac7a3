/** Dawn's switches: what they are called, what they do, and that devices with different ones live side by side. */
import { describe, expect, test } from "vitest";
import { create } from "webgpu";
import { dawnFlags, dawnSwitches, readDawnSwitches } from "../../src/device/dawn.ts";
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import { kernel } from "../../src/device/kernel.ts";
import { type InitOptions, openDevice } from "../../src/device/open.ts";
import { gpuDevices } from "../support/devices.ts";
import { runCode } from "../support/run.ts";

const devices = await gpuDevices();

test("switches become Dawn's own names", () => {
  expect(dawnFlags([])).toEqual([]);
  expect(dawnFlags(["exact-timestamps", "no-bounds-checks", "f16-on-nvidia"])).toEqual([
    "enable-dawn-features=vulkan_enable_f16_on_nvidia,disable_robustness",
    "disable-dawn-features=timestamp_quantization",
  ]);
  expect(readDawnSwitches(" range-analysis, no-workgroup-clearing")).toEqual([
    "range-analysis",
    "no-workgroup-clearing",
  ]);
  expect(() => readDawnSwitches("range-analysis,fast")).toThrow(
    /no switch "fast"; there are f16-on-nvidia, /,
  );
});

test("what cannot be set is refused", async () => {
  const unknown: InitOptions = JSON.parse('{ "dawn": ["fast"] }');
  await expect(openDevice(unknown)).rejects.toThrow(/^openDevice: dawn must be a list of Dawn's switches/);
  const dawn = ["range-analysis"] as const;
  await expect(openDevice({ adapter: "cpu", dawn })).rejects.toThrow(/The adapter "cpu" has none/);
  await expect(openDevice({ gpu: create(["backend=null"]), dawn })).rejects.toThrow(RangeError);
});

/** y = x, again and again. */
const copy = kernel(
  "copy-for-a-while",
  /* wgsl */ `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1)
fn main() { for (var i = 0u; i < 1000; i++) { y[i % 4] = x[i % 4] + y[(i + 1) % 4]; } }
`,
);

/** How long the GPU takes for one launch, in nanoseconds, five times. */
async function nanoseconds(device: GpuDevice): Promise<number[]> {
  const [x, y] = [device.allocate(4), device.allocate(4)];
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const ms = await device.timePasses(() => device.run(copy, { buffers: { x, y }, grid: [1] }));
    times.push(Math.round(ms! * 1e6));
  }
  device.release(x);
  device.release(y);
  return times;
}

describe.each(devices.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  const open = (options: InitOptions) =>
    openDevice({ adapter: device.adapterClass, ...options }) as Promise<GpuDevice>;

  test("every switch can be set, alone and with all others", async () => {
    const names = Object.keys(dawnSwitches) as (keyof typeof dawnSwitches)[];
    for (const dawn of [...names.map((name) => [name]), names]) {
      const other = await open({ dawn });
      expect(other.name).toBe(device.name);
      await other.sync();
      other.destroy();
    }
  });

  // Rounded, timestamps are multiples of 2^16 ticks, which are nanoseconds on this adapter.
  test.runIf(device.adapterClass === "lavapipe")(
    "switches belong to a device: those before and after it keep their own",
    async () => {
      const exact = await open({ dawn: ["exact-timestamps"] });
      const after = await open({});
      const isRounded = (ns: number) => ns % 2 ** 16 === 0;
      expect((await nanoseconds(device)).every(isRounded)).toBe(true);
      expect((await nanoseconds(exact)).some(isRounded)).toBe(false);
      expect((await nanoseconds(after)).every(isRounded)).toBe(true);
      exact.destroy();
      after.destroy();
    },
  );

  test("the environment sets them, and an unknown name ends the program with a sentence", async () => {
    const code = `
      const { init } = await import("./src/node.ts");
      await init({ adapter: "${device.adapterClass}" }).then(
        (device) => { console.log("opened"); device.destroy(); },
        (error) => console.log(error.name + ": " + error.message),
      );`;
    const outputs = await Promise.all(
      ["range-analysis,exact-timestamps", "fast"].map((PIXELGRAD_DAWN) =>
        runCode(code, { env: { PIXELGRAD_DAWN } }),
      ),
    );
    expect(outputs[0].stdout.trim()).toBe("opened");
    expect(outputs[1].stdout).toMatch(/^RangeError: PIXELGRAD_DAWN: there is no switch "fast"/);
  });
});
