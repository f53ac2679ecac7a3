/** What workgroups do, counted from plans, agrees with the work there is and with what the kernels' texts say. */
import { expect, test } from "vitest";
import { convolutionOf, estimateLines } from "../../bench/estimate.ts";
import { type AdapterClass, facts } from "../../src/device/profile.ts";
import { estimates } from "../../src/kernels/conv2d/estimate.ts";

const of = (kind: AdapterClass, subgroupSize: number, channels = 64, batch = 16, side = 128) => {
  const list = estimates(
    { ...facts[kind], subgroupSize, maxTensorBytes: 2 ** 27, float16: false },
    convolutionOf(channels, batch, side),
  );
  return new Map(list.map((estimate) => [estimate.kernel, estimate]));
};

test.each<[AdapterClass, number]>([
  ["nvidia", 32],
  ["apple", 0],
  ["lavapipe", 8],
])("%s: where tiles fit a shape exactly, all workgroups together do its multiply-adds", (kind, subgroups) => {
  const list = of(kind, subgroups);
  expect([...list.keys()]).toEqual([
    ...["1-naive", "2-tiled", "3-blocked", ...(subgroups > 0 ? ["4-broadcast"] : [])],
    ...["5-shared", "6-prefetch", "weight-grad", "weight-grad-shared", "weight-grad-rolling"],
  ]);
  for (const { kernel, workgroups, multiplyAdds } of list.values()) {
    expect(workgroups * multiplyAdds, kernel).toBe(9 * 64 * 64 * 16 * 128 * 128);
  }
});

test("loads, reads and barriers as the kernels' texts count them", () => {
  const list = of("nvidia", 32);
  const ratio = (kernel: string, by: "loads" | "sharedReads") =>
    list.get(kernel)!.multiplyAdds / list.get(kernel)![by];
  expect(ratio("1-naive", "loads")).toBe(1 / 2);
  // 18 x 18 pixels for each channel, and a weight for each product.
  expect(list.get("2-tiled")!.loads).toBe(64 * 18 * 18 + 256 * 64 * 9);
  expect(ratio("3-blocked", "loads")).toBe(384 / (10 + 48));
  expect(ratio("5-shared", "sharedReads")).toBe(192 / (10 + 3 * 2)); // weights are read four at a time
  // A block of 4 channels x 4 x 2 pixels: 6 rows of 2 pairs.
  expect(ratio("6-prefetch", "sharedReads")).toBe((9 * 4 * 4 * 2) / (6 * 2 + 9));
  // 16 rounds of 4 channels: 10 x 18 pixels and 9 weights for each of 32 channels.
  expect(list.get("6-prefetch")!.loads).toBe(64 * (10 * 18 + 9 * 32));
  expect([list.get("5-shared")!.barriers, list.get("6-prefetch")!.barriers]).toEqual([32, 34]);
  expect(of("lavapipe", 8).get("4-broadcast")!.loads).toBe(16 * 192 * (16 + 1 + 6));
  expect(ratio("weight-grad-shared", "sharedReads")).toBe(288 / (3 * 6 + 4 * 2));
  expect(ratio("weight-grad-rolling", "sharedReads")).toBe(144 / (3 * 2 + 4));
  // 128 columns of 130 rows, in chunks of 16: 20 pixels for each of 16 channels, and 16 of dy for 32.
  expect(list.get("weight-grad-rolling")!.loads).toBe(130 * 16 * 20 + 128 * 32 * 16);
  expect(list.get("weight-grad-rolling")!.barriers).toBe(128 + 1);
});

test("the table has a line for each", () => {
  const lines = estimateLines([...of("lavapipe", 8).values()]);
  expect(lines).toHaveLength(2 + 9);
  expect(lines[2]).toBe("| 1-naive | 262144 | 64 | 36864 | 73728 | 0 | 0 | 0.500 | - |");
});
