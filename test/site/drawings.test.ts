/** The lesson's drawings count what the figures beside them say, for every convolution and kind of adapter. */
import { describe, expect, test } from "vitest";
import { layers } from "../../site/kernels/layers.ts";
import { type Frame, totals } from "../../site/kernels/scene.ts";
import { sceneOf } from "../../site/kernels/scenes.ts";
import { type AdapterClass, facts } from "../../src/device/profile.ts";
import { type Conv2dStep, conv2dSteps } from "../../src/kernels/conv2d/steps.ts";

const subgroups = { nvidia: 32, intel: 0, lavapipe: 8, swiftshader: 4 } satisfies Partial<
  Record<AdapterClass, number>
>;

const cases = (["nvidia", "intel", "lavapipe", "swiftshader"] as const).flatMap((kind) =>
  layers.map((layer) => [kind, layer.id, layer] as const),
);

describe.each(cases)("%s, %s", (kind, _, { batch, inputs, outputs, window, side }) => {
  const profile = { ...facts[kind], subgroupSize: subgroups[kind], maxTensorBytes: 2 ** 27, float16: false };
  const steps = conv2dSteps(profile, {
    x: [batch, inputs, side, side],
    weight: [outputs, inputs, window, window],
    padding: (window - 1) / 2,
  });

  test.each(steps.map((step) => [step.name, step] as const))("%s", (_, step) => {
    const { loads, multiplyAdds } = whole(step, framesOf(step), side);
    expect(multiplyAdds / loads).toBeCloseTo(step.estimate.multiplyAdds / step.estimate.loads, 9);
  });
});

function framesOf({ name, computes, prelude: { constants = {} }, estimate }: Conv2dStep): readonly Frame[] {
  return sceneOf({ name, computes, body: "", prelude: "", constants, estimate })!.frames;
}

/** What the drawn frames stand for: in steps b and d, all strips or rows after the second are like it. */
function whole({ name, prelude, params }: Conv2dStep, frames: readonly Frame[], side: number) {
  const times =
    name === "weight-grad"
      ? Math.ceil(side / prelude.constants!.PIXELS)
      : name === "weight-grad-rolling"
        ? Number(params.rows_per_piece)
        : undefined;
  if (times === undefined) return totals(frames);
  const [first, second] = [frames.slice(0, frames.length / 2), frames.slice(frames.length / 2)].map(totals);
  return {
    loads: first.loads + (times - 1) * second.loads,
    multiplyAdds: first.multiplyAdds + (times - 1) * second.multiplyAdds,
  };
}
