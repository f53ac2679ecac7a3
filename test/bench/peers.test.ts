/** What `npm run model` says of programs whose results differ. */
import { expect, test } from "vitest";
// @ts-expect-error bench/peers is a package of its own, in JavaScript without types.
import { modelTable } from "../../bench/peers/model-table.mjs";

const judge = { name: "ort-cpu", seconds: 9, values: [0, 0.5, 1] };
const table = (values: readonly number[], name = "pixelgrad") =>
  modelTable([
    judge,
    ...(name === "pixelgrad" ? [] : [{ name: "pixelgrad", seconds: 2, values: judge.values }]),
    { name, seconds: 3, values },
  ]);

test("equal values pass, and the times stand beside those of pixelgrad", () => {
  const { lines, failures } = table([0, 0.5, 1.0005], "ort-webgpu");
  expect(lines.slice(2)).toEqual([
    "| pixelgrad | 2.000 | 1.00 | 0.0e+0 |",
    "| ort-webgpu | 3.000 | 1.50 | 5.0e-4 |",
  ]);
  expect(failures).toEqual([]);
});

test("values that are all 0 in both are equal; others are not", () => {
  const zeros = { ...judge, values: [0, 0] };
  const failuresOf = (values: readonly number[]) =>
    modelTable([zeros, { name: "pixelgrad", seconds: 3, values }]).failures;
  expect(failuresOf([0, 0])).toEqual([]);
  expect(failuresOf([0, 1])).toHaveLength(1);
});

test.each([
  ["too few", [0, 0.5], "The values of pixelgrad differ from those of ort-cpu: 2, not 3."],
  ["too many", [0, 0.5, 1, 1], "The values of pixelgrad differ from those of ort-cpu: 4, not 3."],
  ["others", [0, 0.5, 0.9], "The values of pixelgrad differ from those of ort-cpu."],
  ["no numbers", [Number.NaN, 0.5, 1], "The values of pixelgrad differ from those of ort-cpu."],
])("%s fail", (_, values, message) => expect(table(values).failures).toEqual([message]));

test("float16 may differ", () => expect(table([0, 0.5, 0.9], "ncnn, float16").failures).toEqual([]));
