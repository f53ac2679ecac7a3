/** Learning rates by the number of the step. Whole runs are compared with PyTorch's in test/golden. */
import { expect, test } from "vitest";
import { cosineAnnealingLR, multiStepLR, stepLR, warmup } from "../../src/nn/index.ts";

test("stepLR", () => {
  const schedule = stepLR(1, { stepSize: 3, gamma: 0.5 });
  expect([0, 2, 3, 5, 6, 300].map(schedule)).toEqual([1, 1, 0.5, 0.5, 0.25, 0.5 ** 100]);
  expect(stepLR(2, { stepSize: 1 })(1)).toBeCloseTo(0.2, 12);
});

test("multiStepLR, also with milestones out of order, at once and none", () => {
  const schedule = multiStepLR(1, { milestones: [5, 2], gamma: 0.5 });
  expect([0, 1, 2, 4, 5, 100].map(schedule)).toEqual([1, 1, 0.5, 0.5, 0.25, 0.25]);
  expect(multiStepLR(1, { milestones: [2, 2], gamma: 0.5 })(2)).toBe(0.25);
  expect(multiStepLR(1, { milestones: [0], gamma: 0.5 })(0)).toBe(0.5);
  expect(multiStepLR(3, { milestones: [] })(1000)).toBe(3);
});

test("cosineAnnealingLR: from the first to the last step, and beyond", () => {
  const schedule = cosineAnnealingLR(1, { tMax: 10, etaMin: 0.2 });
  expect(schedule(0)).toBe(1);
  expect(schedule(5)).toBeCloseTo(0.6, 12);
  expect(schedule(10)).toBe(0.2);
  expect(schedule(1000)).toBe(0.2); // it does not rise again
  for (let step = 0; step < 10; step++) expect(schedule(step + 1)).toBeLessThan(schedule(step));
  expect(cosineAnnealingLR(1, { tMax: 1 })(1)).toBe(0);
});

test("warmup: rises evenly to another schedule, as PyTorch's LinearLR chained with it", () => {
  const schedule = warmup(stepLR(1, { stepSize: 5, gamma: 0.5 }), 3);
  expect([0, 1, 2, 3, 4, 5].map(schedule)).toEqual([0.25, 0.5, 0.75, 1, 1, 0.5]);
  expect(warmup(() => 2, 0)(0)).toBe(2);
});

test("each refuses what is no number of steps", () => {
  const schedules = {
    stepLR: stepLR(1, { stepSize: 3 }),
    multiStepLR: multiStepLR(1, { milestones: [2] }),
    cosineAnnealingLR: cosineAnnealingLR(1, { tMax: 10 }),
    warmup: warmup(() => 1, 3),
  };
  for (const [name, schedule] of Object.entries(schedules)) {
    for (const step of [-1, Number.NaN, "3" as never, undefined as never]) {
      expect(() => schedule(step)).toThrow(
        `The schedule of ${name}: step must be a number of at least 0, got`,
      );
    }
  }
});
