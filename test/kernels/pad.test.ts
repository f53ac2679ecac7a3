import { describe, expect, test } from "vitest";
import { type PadMode, pad } from "../../src/kernels/pad/index.ts";
import { randn, tensor } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { type Shape, ShapeError } from "../../src/tensor/shape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { compareWithCpu } from "../support/compare.ts";
import { float32Device, float64Device, gpuDevices } from "../support/devices.ts";
import { gradcheck } from "../support/gradcheck.ts";

const devices = await gpuDevices();
const cpu = float32Device();
const f64 = float64Device();
const random = new Random(3);
const input = (shape: Shape) => randn(shape, { random, device: f64 });
const values = (x: Tensor) => Array.from(x.cpuStorage.array);
const modes: PadMode[] = ["constant", "reflect", "replicate"];

describe("definition", () => {
  const row = tensor([[1, 2, 3, 4]], undefined, { device: cpu });
  const column = tensor([[1], [2], [3]], undefined, { device: cpu });

  test("constant", () => {
    expect(values(pad(row, [1, 2, 0, 1], "constant", 9))).toEqual([9, 1, 2, 3, 4, 9, 9, 9, 9, 9, 9, 9, 9, 9]);
    expect(values(pad(column, [0, 0, 2, 1]))).toEqual([0, 0, 1, 2, 3, 0]);
    expect(pad(column, [1, 2, 3, 4]).shape).toEqual([10, 4]);
  });

  test("reflect", () => {
    expect(values(pad(row, [3, 2, 0, 0], "reflect"))).toEqual([4, 3, 2, 1, 2, 3, 4, 3, 2]);
    expect(values(pad(column, [0, 0, 1, 2], "reflect"))).toEqual([2, 1, 2, 3, 2, 1]);
  });

  test("replicate", () => {
    expect(values(pad(row, [2, 1, 0, 1], "replicate"))).toEqual([1, 1, 1, 2, 3, 4, 4, 1, 1, 1, 2, 3, 4, 4]);
    expect(values(pad(column, [0, 0, 5, 1], "replicate"))).toEqual([1, 1, 1, 1, 1, 1, 2, 3, 3]);
  });

  test("errors", () => {
    expect(() => pad(row, [4, 0, 0, 0], "reflect")).toThrow(
      /pad: .*\[4, 0, 0, 0\].*\[1, 4\].*at most 3 .* and 0/,
    );
    expect(() => pad(row, [0, 0, 0, 1], "reflect")).toThrow(ShapeError);
    expect(() => pad(row, [-1, 0, 0, 0])).toThrow(/slice/);
    expect(() => pad(row, [1, 1] as never)).toThrow(/four whole numbers/);
    expect(() => pad(row, [0.5, 0, 0, 0])).toThrow(ShapeError);
    expect(() => pad(tensor([1, 2], undefined, { device: cpu }), [1, 1, 0, 0])).toThrow(/rows and columns/);
    expect(() => pad(row, [1, 1, 0, 0], "circular" as never)).toThrow(
      /mode must be constant, reflect or replicate, got "circular"/,
    );
    expect(() => pad(row, [1, 1, 0, 0], "replicate", 2)).toThrow(/only mode "constant"/);
  });
});

test("gradients against differences", () => {
  for (const mode of modes) {
    gradcheck((x) => pad(x, [1, 2, 2, 0], mode, mode === "constant" ? 3 : 0), [input([2, 3, 3])]);
    gradcheck((x) => pad(x, [0, 0, 0, 0], mode), [input([2, 2])]);
    gradcheck((x) => pad(x, [3, 3, 2, 2], mode), [input([1, 2, 3, 4])]);
  }
  gradcheck((x) => pad(x, [2, 3, 4, 5], "replicate"), [input([1, 1])]);
});

describe("kernels against the references", () => {
  for (const mode of modes) {
    test(mode, async () => {
      const cases: [Shape, [number, number, number, number]][] = [
        [
          [1, 1],
          [0, 0, 0, 0],
        ],
        [
          [2, 2],
          [1, 1, 1, 1],
        ],
        [
          [3, 5],
          [4, 4, 2, 2],
        ],
        [
          [3, 1, 7],
          [6, 3, 0, 0],
        ],
        [
          [2, 3, 13, 17],
          [1, 2, 3, 4],
        ],
        [
          [1, 2, 1, 2, 8, 8],
          [0, 7, 7, 0],
        ],
        [
          [2, 3, 31, 33],
          [3, 3, 3, 3],
        ],
      ];
      for (const [shape, margins] of cases) {
        const value = mode === "constant" ? 0.5 : 0;
        await compareWithCpu(devices, `[${shape}] by ${margins}`, ([x]) => pad(x, margins, mode, value), [
          shape,
        ]);
      }
    });
  }

  test("margins wider than the picture", async () => {
    for (const mode of ["constant", "replicate"] as const) {
      await compareWithCpu(devices, mode, ([x]) => pad(x, [5, 1, 2, 9], mode), [[2, 1, 3]]);
      await compareWithCpu(devices, mode, ([x]) => pad(x, [3, 4, 5, 6], mode), [[1, 1]]);
    }
  });
});
