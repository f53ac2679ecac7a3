/** Bundles lose kernels' comments, and nothing that steers a kernel. */
import { expect, test } from "vitest";
import { shorterBundle } from "../../scripts/shorter-bundle.ts";

const { transform, load } = shorterBundle();

test("comments go, and half the indentation; code, directives and addresses stay", () => {
  const kernel = [
    "  for (var i = 0; i < N; i++) { // @unroll",
    "    // a remark on its own line",
    "    sum += x[i]; // and one behind code",
    "  }",
    "  // @if BIAS",
    '  see("https://www.w3.org/TR/WGSL/");',
    "  // @end",
  ].join("\n");
  expect(transform(kernel, "/here/src/kernels/a/a.wgsl.ts")?.code).toBe(
    [
      " for (var i = 0; i < N; i++) { // @unroll",
      "  sum += x[i];",
      " }",
      " // @if BIAS",
      ' see("https://www.w3.org/TR/WGSL/");',
      " // @end",
    ].join("\n"),
  );
  expect(transform(kernel, "/here/src/tensor/a.ts")).toBeUndefined();
});

test("of Keras only the recognition goes", async () => {
  expect(load("/here/src/models/keras.ts")).toMatch(/^export const recognizeKeras = /);
  expect(load("/here/src/models/edsr.ts")).toBeUndefined();
  expect(Object.keys(await import("../../src/models/keras.ts"))).toEqual(["recognizeKeras"]);
});
