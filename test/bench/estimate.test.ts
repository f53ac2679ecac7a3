/** What workgroups do, counted from plans, agrees with the work there is and with what the kernels' texts say. */
import { expect, test } from "vitest";
import { convolutionOf, estimateLines } from "../../bench/estimate.ts";
import { wgslSource } from "../../src/device/kernel.ts";
import { type AdapterClass, facts } from "../../src/device/profile.ts";
import { estimates } from "../../src/kernels/conv2d/estimate.ts";
import { conv2dSteps } from "../../src/kernels/conv2d/steps.ts";
import { countAccesses } from "../support/count-accesses.ts";

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

/**
 * How often the loops go round for 64 to 64 channels and 16 pictures of 128 x 128, and which share of the rounds an
 * `if` is true in. (Loops of `countAccesses`' simple form are not listed.)
 */
const rounds: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "2-tiled": { "var i = thread; i < PATCH_H * PATCH_W; i += TILE * TILE": (18 * 18) / 256 },
  "4-broadcast": { "var window_row = 0u; window_row < p.c * KH; window_row++": 64 * 3 },
  "5-shared": {
    "var first_c = 0u; first_c < p.c; first_c += DEPTH": 16,
    "var i = thread; i < DEPTH * PATCH_H * PATCH_W; i += THREADS": (4 * 18 * 18) / 128,
    "var i = thread; i < DEPTH * KH * KW * (TILE_O / 4); i += THREADS": (4 * 9 * 8) / 128,
    "var i = 0u; i < DEPTH * KW; i++": 4 * 3,
  },
  "6-prefetch": {
    "var turn = 0u; turn * DEPTH < p.c + DEPTH; turn++": 17,
    "first_c < p.c": 16 / 17,
    "turn > 0": 16 / 17,
  },
  "weight-grad": {
    "var line = part * p.rows_per_part; line < min((part + 1) * p.rows_per_part, p.n * p.oh); line++": 32,
    "var column = 0u; column < p.ow; column += PIXELS": 64,
  },
  "weight-grad-shared": {
    "var turn = 0u; turn <= lines * chunks; turn++": 32 * 8 + 1,
    "turn < lines * chunks": 256 / 257,
    "turn > 0": 256 / 257,
    "var strip = local.z * PIXELS; strip < CHUNK; strip += COLUMN_PARTS * PIXELS": 4,
  },
  "weight-grad-rolling": {
    "var piece = part * p.pieces_per_part; piece < end_piece; piece++": 1,
    "var row = 0u; row < rows; row++": 128,
    "row + 1 < rows": 127 / 128,
    "var s = 0u; s < STRIPS / COLUMN_PARTS; s++": 4,
  },
};

test.each<[AdapterClass, number]>([
  ["nvidia", 32],
  ["lavapipe", 8],
])("loads, reads and barriers are those that stand in the kernels' texts: %s", (kind, subgroupSize) => {
  const profile = { ...facts[kind], subgroupSize, maxTensorBytes: 2 ** 27, float16: false };
  const steps = conv2dSteps(profile, { x: [16, 64, 128, 128], weight: [64, 64, 3, 3], padding: 1 });
  for (const { name, kernel, prelude, params, estimate } of steps) {
    // These two differ in software by how the rows are dealt out.
    if (kind === "lavapipe" && name.startsWith("weight-grad-")) continue;
    const source = wgslSource(kernel, prelude);
    const parameters = Object.entries(params).map(([key, value]) => [`p.${key}`, Number(value)]);
    const constants = { ...prelude.constants, ...Object.fromEntries(parameters) };
    const loops = { ...rounds[name] };
    if (kind === "lavapipe" && name === "weight-grad") {
      loops[Object.keys(loops)[0]] = Number(params.rows_per_part);
    }
    const count = countAccesses(source, constants, loops);
    const named = (pattern: RegExp) => Array.from(source.matchAll(pattern), ([, name]) => name);
    const valuesOf = (buffer: string) => (buffer === "x_quads" ? 4 : 1) * count(buffer);
    const sum = (counts: number[]) => estimate.threads * counts.reduce((a, b) => a + b, 0);
    const inputs = named(/var<storage, read> (\w+)/g).filter((input) => input !== "bias");
    expect(sum(inputs.map(valuesOf)), `${name}: loads`).toBeCloseTo(estimate.loads, 3);
    const shared = named(/var<workgroup> (\w+)/g);
    expect(sum(shared.map(count)), `${name}: reads`).toBeCloseTo(estimate.sharedReads, 3);
    expect(count("workgroupBarrier"), `${name}: barriers`).toBeCloseTo(estimate.barriers, 6);
  }
});

test("loads, reads and barriers as people count them", () => {
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
  // 16 rounds of 4 channels: of the 90 pairs under a tile and 288 vec4s of weights, each of 128 threads loads one
  // pair a channel and three vec4s.
  expect(list.get("6-prefetch")!.loads).toBe(16 * 128 * (2 * 4 + 4 * 3));
  expect([list.get("5-shared")!.barriers, list.get("6-prefetch")!.barriers]).toEqual([32, 34]);
  expect(of("lavapipe", 8).get("4-broadcast")!.loads).toBe(16 * 192 * (16 + 1 + 6));
  expect(ratio("weight-grad-shared", "sharedReads")).toBe(288 / (3 * 6 + 4 * 2));
  expect(ratio("weight-grad-rolling", "sharedReads")).toBe(144 / (3 * 2 + 4));
  // 130 rows of x and 128 of dy, of each of which each of 128 threads loads a vec4.
  expect(list.get("weight-grad-rolling")!.loads).toBe(4 * 128 * (130 + 128));
  expect(list.get("weight-grad-rolling")!.barriers).toBe(128 + 1);
});

test("the table has a line for each", () => {
  const lines = estimateLines([...of("lavapipe", 8).values()]);
  expect(lines).toHaveLength(2 + 9);
  expect(lines[2]).toBe("| 1-naive | 262144 | 64 | 36864 | 73728 | 0 | 0 | 0.500 | - |");
});
