/** What the form makes of scales and names, and the arithmetic of the stage. */
import { describe, expect, test } from "vitest";
import { stepsFor } from "../../site/method-choice.ts";
import { uniqueNames } from "../../site/output.ts";
import { fitted, visible } from "../../site/view.ts";

describe("the runs that make a scale", () => {
  test.each([
    { scales: [2, 3, 4], scale: 2, steps: [2] },
    { scales: [2, 3, 4], scale: 8, steps: [4, 2] },
    { scales: [2], scale: 8, steps: [2, 2, 2] },
    { scales: [1, 2, 3, 4, 8], scale: 8, steps: [8] },
    { scales: [2], scale: 3, steps: undefined },
    { scales: [4], scale: 8, steps: undefined },
    { scales: [4], scale: 2, steps: undefined },
    { scales: [1], scale: 2, steps: undefined },
    { scales: [1], scale: 1, steps: [1] },
  ])("$scale from $scales", ({ scales, scale, steps }) => {
    expect(stepsFor(scales, scale)).toEqual(steps);
  });
});

test("files of an archive have different names, in upper and lower case as well", () => {
  expect(uniqueNames(["a.png", "A.png", "a.png", "b", "b"])).toEqual([
    "a.png",
    "A (2).png",
    "a (3).png",
    "b",
    "b (2)",
  ]);
});

describe("the part of a picture that the window shows", () => {
  const window = { width: 400, height: 300 };

  test("all of it where it fits", () => {
    const picture = { width: 1000, height: 500 };
    expect(visible(fitted(picture, window), picture, window)).toEqual({ left: 0, top: 0, ...picture });
  });

  test("whole pixels, none outside", () => {
    const picture = { width: 1000, height: 500 };
    expect(visible({ zoom: 2, x: -101, y: -900 }, picture, window)).toEqual({
      left: 50,
      top: 450,
      width: 201,
      height: 50,
    });
  });
});
