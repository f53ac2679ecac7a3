/** What the form makes of scales and names, and the arithmetic of the stage. */
import { describe, expect, test } from "vitest";
import { resultName, uniqueNames } from "../../site/file-names.ts";
import { scalesOfRuns } from "../../site/runs.ts";
import { fitView, visiblePart } from "../../site/view.ts";

describe("the runs that make a scale", () => {
  test.each([
    { scales: [2, 3, 4], scale: 2, runs: [2] },
    { scales: [2, 3, 4], scale: 8, runs: [4, 2] },
    { scales: [2], scale: 8, runs: [2, 2, 2] },
    { scales: [1, 2, 3, 4, 8], scale: 8, runs: [8] },
    { scales: [2], scale: 3, runs: undefined },
    { scales: [4], scale: 8, runs: undefined },
    { scales: [4], scale: 2, runs: undefined },
    { scales: [1], scale: 2, runs: undefined },
    { scales: [1], scale: 1, runs: [1] },
  ])("$scale from $scales", ({ scales, scale, runs }) => {
    expect(scalesOfRuns(scales, scale)).toEqual(runs);
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
    expect(visiblePart(fitView(picture, window), picture, window)).toEqual({ left: 0, top: 0, ...picture });
  });

  test("whole pixels, none outside", () => {
    const picture = { width: 1000, height: 500 };
    expect(visiblePart({ zoom: 2, x: -101, y: -900 }, picture, window)).toEqual({
      left: 50,
      top: 450,
      width: 201,
      height: 50,
    });
  });
});

test("names of results are such as file systems take", () => {
  expect(resultName("a\\b: c?.x.png", "x2", "espcn")).toBe("a-b- c-.x-x2-espcn");
  const bytes = (name: string) => Buffer.byteLength(`${name} (99).webp`);
  const long = resultName(`${"写".repeat(83)}.png`, "x2", "espcn");
  expect(bytes(long)).toBeLessThanOrEqual(255);
  expect(long).toMatch(/^写{70,}-x2-espcn$/);
  expect(bytes(resultName(`${"😀".repeat(60)}.png`, "x2", "名".repeat(200)))).toBeLessThanOrEqual(255);
});
