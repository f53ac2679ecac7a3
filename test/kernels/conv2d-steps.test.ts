/** The ladder's steps as launches of their own, and kernels that somebody has changed. */
import { describe, expect, test } from "vitest";
import { bodyLines, kernel, wgslSource } from "../../src/device/kernel.ts";
import { conv2d, conv2dWeightGrad } from "../../src/kernels/conv2d/index.ts";
import { type Conv2dStep, conv2dSteps, launchStep } from "../../src/kernels/conv2d/steps.ts";
import { randn } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import type { Shape } from "../../src/tensor/shape.ts";
import { Tensor } from "../../src/tensor/tensor.ts";
import { expectClose } from "../support/close.ts";
import { float32Device, foreignCases, gpuDevices, on } from "../support/devices.ts";
import { fewInBrowser } from "../support/tier.ts";

const devices = await gpuDevices();
const cpu = float32Device();
const names = (steps: readonly Conv2dStep[]) => steps.map(({ name }) => name);

// Sizes that no tile divides; a first layer with a large window, and a last one.
const shapes: readonly (readonly [x: Shape, weight: Shape])[] = [
  [
    [2, 5, 19, 37],
    [20, 5, 3, 3],
  ],
  [
    [1, 1, 21, 18],
    [12, 1, 9, 9],
  ],
  [
    [1, 9, 17, 33],
    [3, 9, 3, 3],
  ],
];

describe.each(devices.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  const own = foreignCases(device, devices, fewInBrowser(shapes, 1), 1);
  test.each(own)("every step of x [%s], weight [%s] computes what the reference does", async (x, weight) => {
    const padding = (weight[2] - 1) / 2;
    const steps = conv2dSteps(device.profile, { x, weight, padding });
    for (const name of ["1-naive", "2-tiled", "3-blocked", "weight-grad-naive", "weight-grad"]) {
      expect(names(steps)).toContain(name);
    }
    const y: Shape = [x[0], weight[0], x[2], x[3]];
    const filled = (shape: Shape, seed: number, to: Tensor["device"]) =>
      randn(shape, { random: new Random(seed), device: to });
    const geometry = { stride: [1, 1], padding: [padding, padding], dilation: [1, 1] } as const;
    const want = await on(cpu, async () => {
      const [xs, ws, dy] = [filled(x, 1, cpu), filled(weight, 2, cpu), filled(y, 3, cpu)];
      return {
        y: await conv2d(xs, ws, undefined, { padding }).data(),
        dw: await conv2dWeightGrad({ x: xs, dy }, { geometry, wShape: weight }).data(),
      };
    });
    for (const step of steps) {
      using _ = scope();
      const result = Tensor.empty(step.computes === "y" ? y : weight, device);
      const other = step.computes === "y" ? filled(weight, 2, device) : filled(y, 3, device);
      launchStep(device, step, { x: filled(x, 1, device), other, result });
      expectClose(await result.data(), want[step.computes], { absolute: 2e-4, label: step.name });
    }
  });

  test("an error in a kernel names the line of its body, and harms nothing", async () => {
    const step = conv2dSteps(device.profile, { x: [1, 4, 8, 8], weight: [8, 4, 3, 3], padding: 1 })[2];
    expect(step.name).toBe("3-blocked");
    // In a loop that is written out, so that the line of the final text is another one.
    const body = step.kernel.body.replace("let w = f32(weight[", "let w = f32(wait[");
    const line = body.split("\n").findIndex((text) => text.includes("wait[")) + 1;
    const broken = kernel("3-blocked, broken", body);
    expect(wgslSource(broken, step.prelude).split("\n")[line - 1]).not.toContain("wait[");
    const messages = await device.checkKernel(broken, step.prelude);
    expect(messages[0]).toMatchObject({ severity: "error", line });
    expect(messages[0].text).toMatch(/wait/);

    // An array that does not fit into workgroup memory is an error of no line.
    const huge = kernel(
      "huge",
      "var<workgroup> a: array<f32, 99999>;\n@compute @workgroup_size(1) fn main() { a[0] = 1; }",
    );
    expect((await device.checkKernel(huge)).map(({ severity }) => severity)).toContain("error");
    const half = kernel(
      "half a loop",
      step.kernel.body.replace("i < PIXELS_UNDER; i++", "i < PIXELS_OVER; i++"),
    );
    const [missing] = await device.checkKernel(half, step.prelude);
    expect(missing.text).toMatch(/the prelude has no PIXELS_OVER/);

    expect(device.failure).toBeUndefined();
    expect(await device.checkKernel(step.kernel, step.prelude)).toEqual([]);
  });

  test("another kernel takes a step's place", async () => {
    const [step] = conv2dSteps(device.profile, { x: [1, 1, 4, 4], weight: [1, 1, 1, 1] });
    using _ = scope();
    const [x, other] = [randn([1, 1, 4, 4], { device }), randn([1, 1, 1, 1], { device })];
    const [whole, half] = [0, 1].map(() => Tensor.empty([1, 1, 4, 4], device));
    const edited = kernel("1-naive, halved", step.kernel.body.replace("element(sum)", "element(0.5 * sum)"));
    expect(await device.checkKernel(edited, step.prelude)).toEqual([]);
    launchStep(device, step, { x, other, result: whole });
    launchStep(device, step, { x, other, result: half }, edited);
    expectClose(
      await half.data(),
      (await whole.data()).map((value) => value / 2),
      { label: "halved" },
    );
  });
});

test("lines of the final text come from lines of the body", () => {
  const body = [
    "fn main() {", // 1
    "  // @if FAST", // 2
    "  let a = 1;", // 3
    "  // @else", // 4
    "  let a = 2;", // 5
    "  // @end", // 6
    "  for (var i = 0; i < 2; i++) { // @unroll", // 7
    "    b += i;", // 8
    "  }", // 9
    "  return b;", // 10
    "}",
  ].join("\n");
  const plain = kernel("lines", body);
  const prelude = { constants: { FAST: 0 }, functions: "fn f() {\n}" };
  const text = wgslSource(plain, prelude).split("\n");
  const lines = bodyLines(plain, prelude);
  expect(lines.length).toBe(text.length);
  const at = (line: string) => text.flatMap((each, i) => (each.trim() === line ? [lines[i]] : []));
  expect(at("let a = 2;")).toEqual([5]);
  expect([at("b += 0;"), at("b += 1;"), at("return b;")]).toEqual([[8], [8], [10]]);
  expect(at("const FAST = 0;")).toEqual([0]);
});

test("steps that a device or a window rules out are left out", () => {
  const profile = { ...devices[0].profile, subgroupSize: 0, blockSums: 64 };
  expect(names(conv2dSteps(profile, { x: [1, 64, 64, 64], weight: [64, 64, 3, 3], padding: 1 }))).toEqual([
    ...["1-naive", "2-tiled", "3-blocked", "5-shared", "6-prefetch"],
    ...["weight-grad-naive", "weight-grad", "weight-grad-shared", "weight-grad-rolling"],
  ]);
  expect(() => conv2dSteps(profile, { x: [1, 2, 8, 8], weight: [4, 3, 3, 3] })).toThrow("conv2dSteps: ");
});
