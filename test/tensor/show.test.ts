/** Tensors as text. */
import { inspect } from "node:util";
import { expect, test, vi } from "vitest";
import { type NestedArray, tensor } from "../../src/tensor/create.ts";
import { formatTensor, show } from "../../src/tensor/show.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";

const device = float32Device();
const [gpu] = await gpuDevices();
const made = (values: NestedArray, shape?: number[]) => tensor(values, shape, { device });
const numbers = (n: number) => Float32Array.from({ length: n }, (_, i) => i);
const textOf = async (values: NestedArray, shape?: number[]) =>
  (await formatTensor(made(values, shape))).split("\n").slice(1).join("\n");

test("whole numbers have no decimals, others four, and all the same width", async () => {
  expect(
    await textOf([
      [1, -20],
      [3, 4],
    ]),
  ).toBe("[[  1, -20],\n [  3,   4]]");
  expect(await textOf([0.5, -12.25])).toBe("[  0.5000, -12.2500]");
  expect(await textOf([1, Number.NaN, -Infinity])).toBe("[        1,       NaN, -Infinity]");
});

test("numbers of very different sizes are in scientific notation", async () => {
  expect(await textOf([0.00001, 1.5])).toBe("[1.0000e-5, 1.5000e+0]");
  expect(await textOf([2e9, 0])).toBe("[2.0000e+9, 0.0000e+0]");
  expect(await textOf([0, 0.5, 400])).toBe("[  0.0000,   0.5000, 400.0000]");
});

test("axes are set apart by lines, as in PyTorch", async () => {
  expect(await textOf(numbers(8), [2, 2, 2])).toBe("[[[0, 1],\n  [2, 3]],\n\n [[4, 5],\n  [6, 7]]]");
});

test("of large tensors the edges are shown", async () => {
  expect(await textOf(numbers(2000))).toBe("[   0,    1,    2, ..., 1997, 1998, 1999]");
  const x = made(numbers(100), [10, 10]);
  expect((await formatTensor(x, { threshold: 10, edgeItems: 1 })).split("\n")).toEqual([
    "Tensor[10, 10] on cpu",
    "[[ 0, ...,  9],",
    " ...,",
    " [90, ..., 99]]",
  ]);
  expect(await formatTensor(made(0.123456), { precision: 2 })).toBe("Tensor[] on cpu: 0.12");
});

test("show prints tensors from any device, and other values as they are", async () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  try {
    await show("loss", made(3), tensor([1, 2], undefined, { device: gpu }), { a: 1 });
    await show(made([1, 2]));
    expect(log.mock.calls).toEqual([
      ["loss", "Tensor[] on cpu: 3", `\nTensor[2] on ${gpu.name}\n[1, 2]`, { a: 1 }],
      ["Tensor[2] on cpu\n[1, 2]"],
    ]);
  } finally {
    log.mockRestore();
  }
});

test("console.log in Node prints the shape, and how to see the values", () => {
  const x = made([[1, 2, 3]]);
  expect(inspect({ x })).toBe("{ x: Tensor[1, 3] on cpu (await show(x) prints its values) }");
  expect(`${x}`).toBe("Tensor[1, 3] on cpu");
  x.dispose();
  expect(inspect(x)).toBe("Tensor[1, 3] on cpu, disposed");
});
