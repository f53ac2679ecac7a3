/** What `pixelgrad/kernel` exports, called with nonsense. */
import { expect, test } from "vitest";
import * as kernel from "../../src/kernel.ts";
import { relu, setDefaultDevice } from "../../src/node.ts";
import { gpuDevices } from "../support/devices.ts";
import { arg, type Call, complaintsAbout, left, numbers, opts } from "./support.ts";

const [gpu] = await gpuDevices();
setDefaultDevice(gpu);

const f = arg(() => (x: kernel.Tensor) => relu(x));
const shapes = arg(() => [[2]]);
const tolerance = {
  absolute: arg(() => 1, "zero", "fraction", "huge"),
  relative: arg(() => 1, "zero", "fraction", "huge"),
};
const label = arg(() => "name", "text", "numeral");
const list = arg(() => [1, 2], "listOfNaN", "listOfHuge", "floats");
const update = () =>
  kernel.kernel("update", "@group(0) @binding(0) var<storage, read_write> x: array<vec4f>;");

/** `signal` throws at once, so that nothing is measured with what is right. */
const timing = opts(
  {
    runs: arg(() => 1, "huge"),
    minRunMs: arg(() => 0, "zero", "fraction", "huge"),
    signal: arg(() => AbortSignal.abort()),
  },
  { needed: ["runs", "minRunMs"] },
);

const calls: Call[] = [
  {
    name: "defineOp",
    call: kernel.defineOp as (definition: never) => unknown,
    args: [
      opts(
        {
          name: arg(() => "name", "text", "numeral"),
          shape: arg(() => () => [1], "function"),
          cpu: arg(() => () => {}, "function"),
          gpu: arg(() => () => {}, "function"),
          backward: arg(() => () => ({}), "function", left),
        },
        { needed: ["name", "shape", "cpu", "gpu"] },
      ),
    ],
  },
  {
    name: "defineUpdate",
    call: kernel.defineUpdate,
    args: [
      opts({ cpu: arg(() => () => {}, "function"), kernel: arg(update) }, { needed: ["cpu", "kernel"] }),
    ],
  },
  {
    name: "kernel",
    call: kernel.kernel,
    args: [arg(() => "name", "text", "numeral"), arg(() => "fn main() {}", "text", "numeral", "emptyText")],
  },
  { name: "linearGrid", call: kernel.linearGrid, args: [arg(() => 64, ...numbers), arg(() => 64, "huge")] },
  {
    name: "gradcheck",
    call: kernel.gradcheck,
    args: [
      f,
      shapes,
      opts({ step: arg(() => 1e-5, "fraction", "huge"), tolerance: arg(() => 1, "fraction", "huge") }),
    ],
  },
  {
    name: "compareWithCpu",
    call: kernel.compareWithCpu,
    args: [
      f,
      shapes,
      opts({ ...tolerance, label, gradients: arg(() => true, "true"), devices: arg(() => []) }),
    ],
  },
  {
    name: "conv2dSteps",
    call: kernel.conv2dSteps,
    args: [
      arg(() => gpu.profile),
      opts(
        { x: arg(() => [1, 2, 8, 8]), weight: arg(() => [4, 2, 3, 3]), padding: arg(() => 1, "zero") },
        { needed: ["x", "weight"] },
      ),
    ],
  },
  {
    name: "measureCeilings",
    call: kernel.measureCeilings,
    args: [arg(() => gpu), timing],
  },
  {
    name: "timeInTurns",
    call: kernel.timeInTurns,
    args: [
      arg(() => gpu),
      arg(() => [], "emptyList"),
      arg(() => ({ multiplyAdd: { chains: 8, unroll: 8 } })),
      opts(
        {
          ...timing.options,
          budgetMs: arg(() => 1, "zero", "fraction", "huge"),
          onProgress: arg(() => () => {}, "function"),
        },
        { needed: timing.needed },
      ),
    ],
  },
  { name: "assertClose", call: kernel.assertClose, args: [list, list, opts({ ...tolerance, label })] },
];

/**
 * A step comes from conv2dSteps, and its tensors from TypeScript; the rest is checked when it is launched. Ceilings
 * come from measureCeilings.
 */
const checkedElsewhere = ["launchStep", "limitOf"];

/** Arithmetic of shapes that tensors have, checked when these were made; and what is no function to call. */
const nothingToGet = new Set([
  ...["broadcastShapes", "checkShape", "formatShape", "normalizeAxes", "numel", "sameShape", "stridesOf"],
  ...["disposeUnlessTaped", "ShapeError", "Tensor", "withHelpers", "wgslSource"],
  ...checkedElsewhere,
]);

test.each(calls.map((call, i) => [`${call.name} (${i})`, call] as const))("%s", async (_, call) => {
  expect(await complaintsAbout(call)).toEqual([]);
});

test("every function is called here", () => {
  const called = new Set(calls.map(({ name }) => name));
  const functions = Object.entries(kernel).flatMap(([name, value]) =>
    typeof value === "function" ? [name] : [],
  );
  expect(functions.filter((name) => !called.has(name) && !nothingToGet.has(name))).toEqual([]);
});
