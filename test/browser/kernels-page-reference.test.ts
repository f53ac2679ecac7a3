/** What steps are compared with, where the CPU computes only a part of the values. */
import { expect, test } from "vitest";
import { multiplyAdds } from "../../site/kernels/layers.ts";
import type { Layer } from "../../site/kernels/messages.ts";
import { compare, referenceOfDw, referenceOfY } from "../../site/kernels/reference.ts";
import { Random } from "../../src/tensor/random.ts";

const layer: Layer = { id: "test", batch: 3, inputs: 48, outputs: 48, window: 3, side: 64 };
const { batch, inputs, outputs, window: k, side } = layer;
const values = (length: number, seed: number) => {
  const random = new Random(seed);
  return Float32Array.from({ length }, () => random.uniform() - 0.5);
};
const operands = {
  x: values(batch * inputs * side * side, 1),
  weight: values(outputs * inputs * k * k, 2),
  dy: values(batch * outputs * side * side, 3),
};
const progress = { signal: new AbortController().signal, report: () => {} };

/** A pixel, or 0 outside the picture. */
function pixel(n: number, c: number, row: number, column: number): number {
  const inside = row >= 0 && column >= 0 && row < side && column < side;
  return inside ? operands.x[((n * inputs + c) * side + row) * side + column] : 0;
}

/** y by its definition. */
function yAt(n: number, o: number, row: number, column: number): number {
  let sum = 0;
  for (let c = 0; c < inputs; c++) {
    for (let i = 0; i < k * k; i++) {
      const [ky, kx] = [Math.floor(i / k), i % k];
      sum += pixel(n, c, row + ky - 1, column + kx - 1) * operands.weight[(o * inputs + c) * k * k + i];
    }
  }
  return sum;
}

/** dw by its definition. */
function dwAt(o: number, c: number, ky: number, kx: number): number {
  let sum = 0;
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < side * side; i++) {
      const [row, column] = [Math.floor(i / side), i % side];
      sum += operands.dy[(n * outputs + o) * side * side + i] * pixel(n, c, row + ky - 1, column + kx - 1);
    }
  }
  return sum;
}

test("y: the first rows, the last, and some between, in several pictures", { timeout: 120_000 }, async () => {
  expect(multiplyAdds(layer)).toBeGreaterThan(160e6);
  const reference = await referenceOfY(layer, operands, progress);
  const { places, want } = reference;
  expect(places!.length).toBe(12 * outputs * side);
  for (const [n, o, row, column] of [
    [0, 0, 0, 0],
    [0, 47, 3, 63],
    [1, 20, 31, 7],
    [2, 5, 63, 63],
    [2, 47, 60, 0],
  ]) {
    const at = ((n * outputs + o) * side + row) * side + column;
    expect(places).toContain(at);
    expect(want[at]).toBeCloseTo(yAt(n, o, row, column), 5);
  }
  // The first result fills in the rest, and counts only where the CPU was.
  const first = want.map((value) => (Number.isNaN(value) ? 0.25 : value));
  expect(compare(reference, first)).toMatchObject({ right: true, byReference: places!.length });
  expect(want.some(Number.isNaN)).toBe(false);
  const other = first.slice();
  const index = other.indexOf(0.25);
  other[index] = 0.5;
  expect(compare(reference, other)).toMatchObject({ right: false, got: 0.5, want: 0.25 });
  other[index] = Number.NaN;
  other[places![0]] += 1;
  expect(compare(reference, other)).toMatchObject({ right: false, error: Number.NaN, got: Number.NaN });
});

test("a first result that is wrong where the CPU was", { timeout: 120_000 }, async () => {
  const reference = await referenceOfY(layer, operands, progress);
  const got = reference.want.map((value) => (Number.isNaN(value) ? 0 : value));
  got[reference.places![7]] += 1;
  const { right, at } = compare(reference, got);
  expect(right).toBe(false);
  expect(((at[0] * outputs + at[1]) * side + at[2]) * side + at[3]).toBe(reference.places![7]);
});

test("dw: some output channels, the first and the last among them", { timeout: 120_000 }, async () => {
  const { places, want } = await referenceOfDw(layer, operands, progress);
  expect(places!.length).toBeLessThan(want.length);
  expect(places!.length % (inputs * k * k)).toBe(0);
  for (const [o, c, ky, kx] of [
    [0, 0, 0, 0],
    [0, 47, 2, 1],
    [47, 3, 1, 2],
  ]) {
    const at = ((o * inputs + c) * k + ky) * k + kx;
    expect(places).toContain(at);
    expect(want[at]).toBeCloseTo(dwAt(o, c, ky, kx), 3);
  }
});

test("a reference stops when it is told to", async () => {
  const control = new AbortController();
  const promise = referenceOfY(layer, operands, { signal: control.signal, report: () => control.abort() });
  await expect(promise).rejects.toThrow(/abort/i);
});
