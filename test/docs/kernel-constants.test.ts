/** The comment above each kernel of the convolution's ladder has all constants of its prelude, with these values. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { convolutionOf } from "../../bench/estimate.ts";
import { type AdapterClass, facts } from "../../src/device/profile.ts";
import { chooseSizes, planPlain, planSizes } from "../../src/kernels/conv2d/plan.ts";
import { planWeightGradStep } from "../../src/kernels/conv2d/plan-weight-grad.ts";

const convolution = convolutionOf(64, 16, 128);
const profileOf = (kind: AdapterClass, subgroupSize: number) => ({
  ...{ ...facts[kind], subgroupSize },
  ...{ maxTensorBytes: 2 ** 27, float16: false },
});
const [card, lavapipe] = [profileOf("nvidia", 32), profileOf("lavapipe", 8)];
const forward = (profile: typeof card, variant: Parameters<typeof chooseSizes>[1]) =>
  planSizes(profile, convolution, chooseSizes(profile, variant, convolution));

test.each([
  ["2-tiled", planPlain("2-tiled", convolution)],
  ["3-blocked", forward(card, "3-blocked")],
  ["4-broadcast", forward(lavapipe, "4-broadcast")],
  ["5-shared", forward(card, "5-shared")],
  ["6-prefetch", forward(card, "6-prefetch")],
  ["weight-grad", planWeightGradStep(card, convolution, "weight-grad")!],
  ["weight-grad-shared", planWeightGradStep(card, convolution, "weight-grad-shared")!],
  ["weight-grad-rolling", planWeightGradStep(card, convolution, "weight-grad-rolling")!],
])("%s", (name, { constants }) => {
  const path = new URL(`../../src/kernels/conv2d/${name}.wgsl.ts`, import.meta.url);
  const comment = readFileSync(path, "utf8").split("export const")[0];
  for (const [constant, value] of Object.entries(constants)) {
    // Step 1 explains those of the window.
    if (/^(KH|KW|STRIDE_.|DILATION_.|HAS_BIAS)$/.test(constant)) continue;
    expect(comment).toMatch(new RegExp(`\\b${constant}( and \\w+)? ${value}\\b`));
  }
});
