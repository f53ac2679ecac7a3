/** What `pixelgrad/kernel` exports, called with nonsense. */
import { expect, test } from "vitest";
import * as kernel from "../../src/kernel.ts";
import { relu, setDefaultDevice, zeros } from "../../src/node.ts";
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

const lists = ["emptyList", "listOfNaN", "listOfHuge"] as const;
const shape = arg(() => [2], ...lists);
const operation = (name: string) => arg(() => name, "text", "emptyText", "numeral");
const step = () => kernel.conv2dSteps(gpu.profile, { x: [1, 2, 8, 8], weight: [4, 2, 3, 3], padding: 1 })[0];

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
  { name: "numel", call: kernel.numel, args: [shape] },
  { name: "stridesOf", call: kernel.stridesOf, args: [shape] },
  // It is for messages about shapes that are wrong.
  {
    name: "formatShape",
    call: kernel.formatShape,
    args: [arg(() => [2], ...lists, "listOfNull", "listOfText", "floats")],
  },
  { name: "sameShape", call: kernel.sameShape, args: [shape, shape] },
  // Errors begin with the name that they get.
  {
    name: "checkShape",
    call: kernel.checkShape,
    args: [operation("checkShape"), arg(() => [2], "emptyList", "listOfHuge")],
  },
  {
    name: "broadcastShapes",
    call: kernel.broadcastShapes,
    args: [operation("broadcastShapes"), shape, shape],
  },
  {
    name: "normalizeAxes",
    call: kernel.normalizeAxes,
    args: [operation("normalizeAxes"), arg(() => [0], left, "zero", "emptyList"), arg(() => 2, "huge")],
  },
  { name: "disposeUnderNoGrad", call: kernel.disposeUnderNoGrad, args: [arg(() => zeros([1]))] },
  {
    name: "withHelpers",
    call: kernel.withHelpers,
    args: [arg(() => "fn f() {}", "text", "numeral", "emptyText")],
  },
  {
    name: "wgslSource",
    call: kernel.wgslSource,
    args: [
      arg(update),
      arg(() => ({}), left, "emptyObject", "unknownOption", "pathAndLength", "map", "date", "arrayBuffer"),
    ],
  },
  {
    name: "wgslSource",
    call: (value: never) => kernel.wgslSource(update(), { constants: { N: value } }),
    args: [arg(() => 1, ...numbers)],
  },
  {
    name: "launchStep",
    call: kernel.launchStep,
    args: [
      arg(() => gpu),
      arg(step),
      arg(() => ({ x: zeros([1]), other: zeros([1]), result: zeros([1]) })),
      arg(update, left),
    ],
  },
  {
    name: "limitOf",
    call: kernel.limitOf,
    args: [
      arg(() => ({ flops: 1, bytes: 1 })),
      arg(() => 1, "fraction", "huge"),
      arg(() => ({ flops: 1, multiplyAdd: { chains: 1, unroll: 1 }, copies: [{ bytes: 1, rate: 1 }] })),
    ],
  },
  { name: "assertClose", call: kernel.assertClose, args: [list, list, opts({ ...tolerance, label })] },
];

/** What is no function to call: a class of errors, and tensors, which `tensor` makes. */
const nothingToGet = new Set(["ShapeError", "Tensor"]);

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
